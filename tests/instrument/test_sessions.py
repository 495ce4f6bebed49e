"""`start_session` and `end_session`."""

from __future__ import annotations

import asyncio
import contextvars
import uuid
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.instrument.context import TraceContext
from otel_agenttrace.instrument.inherited import current_inherited
from otel_agenttrace.instrument.sessions import end_session, start_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan

    from tests.instrument.conftest import Recorded


@pytest.fixture(autouse=True)
def _own_context() -> Iterator[None]:
    """A session that a test leaves open ends with it."""
    inherited = current_inherited()
    yield
    while current_inherited() != inherited:
        end_session()


def _told(spans: list[ReadableSpan]) -> list[tuple[str, object, object]]:
    """Name, status and task of what tells of sessions."""
    return [
        (span.name, attributes["agenttrace.session.status"], attributes["agenttrace.session.task"])
        for span in spans
        if (attributes := span.attributes or {}) and "agenttrace.session.status" in attributes
    ]


def test_traces_that_follow_belong_to_the_session(recorded: Recorded) -> None:
    """Between start and end every trace carries the session's id, each is a root, and none does before or after."""
    with TraceContext("before"):
        pass
    session_id = start_session("book a flight")
    for name in ("one", "two"):
        with TraceContext(name):
            pass
    end_session("completed")
    with TraceContext("after"):
        pass

    assert uuid.UUID(session_id).version == 7
    ids = {span.name: (span.attributes or {}).get("session.id") for span in recorded.spans}
    assert ids["one"] == ids["two"] == session_id
    assert ids["before"] is ids["after"] is None
    assert recorded.parent_of("one") is recorded.parent_of("two") is None


def test_task_start_and_end_are_recorded(recorded: Recorded) -> None:
    """The start is recorded at once, so that a crash leaves it; the end adds how it went, in the same trace."""
    session_id = start_session("book a flight")
    assert _told(recorded.spans) == [("session started", "running", "book a flight")]
    end_session("failed")

    started, ended = recorded.spans
    assert _told([ended]) == [("session ended", "failed", "book a flight")]
    assert recorded.parent_of("session ended") == "session started"
    assert {(span.attributes or {})["session.id"] for span in recorded.spans} == {session_id}
    assert started.context.trace_id == ended.context.trace_id


def test_a_session_reaches_tasks_and_threads_started_in_it(recorded: Recorded) -> None:
    """What copies the context belongs to the session too, and may have one of its own."""

    async def work(name: str, task: str | None = None) -> None:
        if task is not None:
            start_session(task)
        with TraceContext(name):
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(work("same"), work("own", "another task"))

    session_id = start_session("task")
    asyncio.run(main())
    contextvars.copy_context().run(TraceContext("thread")(lambda: None))

    ids = {span.name: (span.attributes or {}).get("session.id") for span in recorded.spans}
    assert ids["same"] == ids["thread"] == session_id
    assert ids["own"] not in (None, session_id)
    end_session()
    assert current_inherited() == {}


def test_sessions_nest(recorded: Recorded) -> None:
    """The end of an inner session goes back to the outer one."""
    outer = start_session("outer")
    inner = start_session("inner")
    end_session()
    assert current_inherited() == {"session.id": outer}
    end_session("cancelled")

    assert inner != outer
    assert _told(recorded.spans)[2:] == [
        ("session ended", "completed", "inner"),
        ("session ended", "cancelled", "outer"),
    ]


def test_a_session_that_starts_inside_of_a_span_is_no_part_of_it(recorded: Recorded) -> None:
    """The spans that follow are still children of the current one, and what tells of the session is not."""
    with TraceContext("root"):
        session_id = start_session("task")
        with TraceContext("child"):
            pass
        end_session()

    assert recorded.parent_of("child") == "root"
    assert (recorded.span("child").attributes or {})["session.id"] == session_id
    assert recorded.parent_of("session started") is None


def test_without_a_session_there_is_only_a_warning(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    """Ending what was not started here raises nothing."""
    end_session()

    assert recorded.spans == []
    assert caplog.messages == ["end_session: no session was started in this context"]


def test_an_unknown_status_is_recorded_as_it_is(recorded: Recorded) -> None:
    """A typing mistake does not stop an agent; judging values is the contract's business."""
    start_session("task")
    end_session("done")  # type: ignore[arg-type]

    assert _told(recorded.spans)[-1] == ("session ended", "done", "task")
