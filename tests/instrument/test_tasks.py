"""task_span: tasks of this process."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import StatusCode

from otel_agenttrace.errors import GateBlockedError, TaskStateError
from otel_agenttrace.instrument.context import TraceContext
from otel_agenttrace.instrument.gates import gate
from otel_agenttrace.instrument.task_lookup import known_tasks
from otel_agenttrace.instrument.tasks import task_span
from otel_agenttrace.instrument.traced import traced_span
from otel_agenttrace.model.gate import GateResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.instrument.conftest import Recorded

PHASE = "INGEST_PARSE_ASSESS"


@pytest.fixture(autouse=True)
def no_other_tasks() -> Iterator[None]:
    """Tasks of other tests are not known."""
    known_tasks.__init__()  # type: ignore[misc]
    yield
    assert not known_tasks._open


def _attributes(recorded: Recorded, name: str) -> dict[str, Any]:
    return dict(recorded.span(name).attributes or {})


def _events(recorded: Recorded, name: str) -> list[tuple[str, dict[str, Any]]]:
    return [(event.name, dict(event.attributes or {})) for event in recorded.span(name).events]


def test_a_task_is_completed_with_its_block(recorded: Recorded) -> None:
    """It is in progress inside, and completed behind the block, with all that was said of it."""
    with task_span("T", title="Parse", type="task", phase=PHASE, acceptance="all of it", project="plan") as task:
        inside = task.status
        task.update(attributes={"quality.gap_count": 3})

    assert (inside, task.status) == ("in_progress", "completed")
    attributes = _attributes(recorded, "T")
    assert attributes == {
        "task.id": "T",
        "task.title": "Parse",
        "task.type": "task",
        "task.phase": PHASE,
        "task.acceptance": "all of it",
        "project.id": "plan",
        "task.status": "completed",
        "quality.gap_count": 3,
        "agenttrace.revision": 1,
    }


def test_a_block_that_raises_fails_its_task(recorded: Recorded) -> None:
    """The exception passes, and is recorded; the reason stands on the span."""
    with pytest.raises(KeyError), task_span("T"):
        raise KeyError("missing")

    span = recorded.span("T")
    assert _attributes(recorded, "T")["task.status"] == "failed"
    assert _attributes(recorded, "T")["task.ended_reason"] == "KeyError: 'missing'"
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]


class _MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("error", "reason"), [(KeyboardInterrupt(), "KeyboardInterrupt"), (_MuteError(), "_MuteError: <not readable>")]
)
def test_an_error_without_words_is_told_by_its_name(recorded: Recorded, error: BaseException, reason: str) -> None:
    """Whatever it is, the task has failed."""
    with pytest.raises(type(error)), task_span("T"):
        raise error

    assert _attributes(recorded, "T")["task.status"] == "failed"
    assert _attributes(recorded, "T")["task.ended_reason"] == reason


def test_an_error_behind_complete_fails_the_task(recorded: Recorded) -> None:
    """What a task says of itself does not stand against an error of its block."""

    def work() -> None:
        with task_span("T") as task:
            task.complete()
            raise KeyError("missing")

    with pytest.raises(KeyError):
        work()

    assert _attributes(recorded, "T")["task.status"] == "failed"


def test_tasks_nest(recorded: Recorded) -> None:
    """The task around is the parent; a span in between is the parent span, and inherits the task it is in."""

    @traced_span(name="between")
    def work() -> None:
        with task_span("child"):
            pass

    with task_span("parent", phase=PHASE, project="plan"):
        work()

    assert recorded.parent_of("child") == "between"
    assert recorded.parent_of("between") == "parent"
    child = _attributes(recorded, "child")
    assert (child["task.parent_id"], child["task.phase"], child["project.id"]) == ("parent", PHASE, "plan")
    between = _attributes(recorded, "between")
    assert (between["task.id"], between["task.phase"]) == ("parent", PHASE)
    assert "task.status" not in between


def test_a_named_parent_is_the_parent_span_wherever_the_task_starts(recorded: Recorded) -> None:
    """A worker thread without a context starts its task below the one it names, in the same trace."""
    with task_span("parent", phase=PHASE) as parent:

        def work() -> None:
            with task_span("by id", parent="parent"), task_span("by object", parent=parent):
                pass

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    assert recorded.parent_of("by id") == "parent"
    assert recorded.parent_of("by object") == "parent"
    assert len({span.context.trace_id for span in recorded.spans}) == 1
    assert _attributes(recorded, "by id")["task.phase"] == PHASE


def test_dependencies_are_links(recorded: Recorded) -> None:
    """A task that has ended is linked to; one that nobody knows is only named."""
    with task_span("first"):
        pass
    with task_span("second", depends_on=["first", "elsewhere"]):
        pass

    (link,) = recorded.span("second").links
    assert link.context == recorded.span("first").context
    assert dict(link.attributes or {}) == {"task.id": "first"}
    assert _attributes(recorded, "second")["task.depends_on"] == ("first", "elsewhere")


def test_a_blocked_task_says_why_and_what_to_do(recorded: Recorded) -> None:
    """Reason, next action and what it waits for stand on the span, which ends blocked."""
    with task_span("T") as task:
        task.block("the checksum is stale", "export again", on="S2")

    attributes = _attributes(recorded, "T")
    said = {
        "task.status": "blocked",
        "task.blocked_reason": "the checksum is stale",
        "task.next_action": "export again",
        "task.blocked_on_span_id": "S2",
    }
    assert said.items() <= attributes.items()
    assert _events(recorded, "T") == [("task.status_changed", said)]
    assert recorded.span("T").status.status_code is StatusCode.UNSET


def test_an_unblocked_task_goes_on(recorded: Recorded) -> None:
    """Its events tell of both changes, and it is completed like any other."""
    with task_span("T") as task:
        task.block("stale", "export again")
        task.unblock()
        task.comment("exported", author="ada")

    events = _events(recorded, "T")
    assert [name for name, _ in events] == ["task.status_changed"] * 2 + ["task.comment"]
    assert events[2][1] == {"task.comment.text": "exported", "task.comment.author": "ada"}
    assert _attributes(recorded, "T")["task.status"] == "completed"


def test_a_gate_that_blocks_blocks_the_tasks_around_it(recorded: Recorded) -> None:
    """The exception passes; phase and parent are blocked with the gate's reason and next action, and have failed."""
    result = GateResult(
        gate_id="G", result="fail", reason="stale", next_action="export again", checked_at="2026-09-21T14:13:20Z"
    )

    error = GateBlockedError(result)
    with pytest.raises(GateBlockedError), task_span("pipeline"), task_span("phase"):
        raise error

    assert _attributes(recorded, "pipeline")["task.blocked_on_span_id"] == "phase"
    for name in ("phase", "pipeline"):
        attributes = _attributes(recorded, name)
        assert attributes["task.status"] == "blocked"
        assert (attributes["task.blocked_reason"], attributes["task.next_action"]) == ("stale", "export again")
        span = recorded.span(name)
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, f"GateBlockedError: {error}")
        assert [event.name for event in span.events] == ["exception"]


def test_a_dependency_that_is_not_found_is_logged(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    """It may be another process's: the id stands on the span, and nothing is stopped."""
    with task_span("A"):
        pass
    with task_span("B", depends_on=["A", "NOPE", "NOPE"]):
        pass

    assert [record.getMessage() for record in caplog.records] == ["task B: what it depends on is not found: NOPE"]
    assert _attributes(recorded, "B")["task.depends_on"] == ("A", "NOPE")
    assert len(recorded.span("B").links) == 1


def test_a_gate_behind_complete_blocks_the_task(recorded: Recorded) -> None:
    """What a task says of itself does not stand against a gate that its block did not get past."""

    def work() -> None:
        with task_span("T") as task:
            task.complete()
            gate("G", lambda: False)

    with pytest.raises(GateBlockedError):
        work()

    assert _attributes(recorded, "T")["task.status"] == "blocked"


def test_a_task_above_one_that_stays_blocked_is_blocked(recorded: Recorded) -> None:
    """It cannot be said to be completed; it says which one it waits for, and what that needs."""
    with task_span("A") as above:
        with task_span("B") as task:
            task.block("stale", "export again")
        with pytest.raises(TaskStateError, match=r"before those below it: B \(blocked\)"):
            above.complete()

    attributes = _attributes(recorded, "A")
    assert (above.status, attributes["task.status"]) == ("blocked", "blocked")
    assert attributes["task.blocked_reason"] == "B is blocked: stale"
    assert (attributes["task.next_action"], attributes["task.blocked_on_span_id"]) == ("export again", "B")


def test_a_blocked_task_that_is_done_again_blocks_nobody(recorded: Recorded) -> None:
    """What counts is how the last task of an id has ended."""
    with task_span("A"):
        with task_span("B") as task:
            task.block("stale", "export again")
        with task_span("B"):
            pass

    assert _attributes(recorded, "A")["task.status"] == "completed"


@pytest.mark.parametrize(("end", "status"), [("fail", "failed"), ("cancel", "cancelled")])
def test_a_task_is_given_up_with_a_reason(recorded: Recorded, end: str, status: str) -> None:
    """The reason stands on the span; only a failure is an error."""
    with task_span("T") as task:
        getattr(task, end)("no longer needed")

    assert _attributes(recorded, "T")["task.status"] == status
    assert _attributes(recorded, "T")["task.ended_reason"] == "no longer needed"
    assert (recorded.span("T").status.status_code is StatusCode.ERROR) == (end == "fail")


WRONG: dict[str, tuple[str, Callable[[Any], object]]] = {
    "completed twice": ("completed already", lambda task: (task.complete(), task.complete())),
    "failed after completed": ("cannot be failed any more", lambda task: (task.complete(), task.fail("no"))),
    "completed while blocked": ("unblock it first", lambda task: (task.block("a", "b"), task.complete())),
    "unblocked while in progress": ("not blocked", lambda task: task.unblock()),
    "blocked without a reason": ("without a reason", lambda task: task.block(" ", "b")),
    "blocked without a next action": ("without a reason", lambda task: task.block("a", "")),
    "blocked by itself": ("blocked by itself", lambda task: task.block("a", "b", on=task)),
    "updated after completed": ("has ended", lambda task: (task.complete(), task.update(title="x"))),
    "commented on after completed": ("has ended", lambda task: (task.complete(), task.comment("x"))),
    "started twice": ("started already", lambda task: task.__enter__()),
    "another of its id": ("started already", lambda _: task_span("T").__enter__()),
    "its own parent": ("its own parent", lambda _: task_span("X", parent="X").__enter__()),
    "its own dependency": ("depend on itself", lambda _: task_span("X", depends_on=["X"]).__enter__()),
    "waiting for its parent": ("waits for X", lambda _: task_span("X", depends_on=["T"]).__enter__()),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_a_state_does_not_allow_raises(recorded: Recorded, what: str) -> None:
    """The error says what is wrong, and the record stays as it was."""
    message, wrong = WRONG[what]

    with task_span("T") as task, pytest.raises(TaskStateError, match=message):
        wrong(task)

    assert [span.name for span in recorded.spans] == ["T"]


def test_a_cycle_over_several_tasks_raises(recorded: Recorded) -> None:
    """A waits for B, so B cannot wait for A."""
    with task_span("A", depends_on=["B"]), pytest.raises(TaskStateError, match="that waits for B"):
        task_span("B", depends_on=["A"]).__enter__()

    assert len(recorded.spans) == 1


def test_a_parent_is_not_completed_before_its_children(recorded: Recorded) -> None:
    """The error names them; the parent stays in progress."""
    with task_span("A") as parent:
        with task_span("B"), pytest.raises(TaskStateError, match=r"before those below it: B \(in_progress\)"):
            parent.complete()
        assert parent.status == "in_progress"

    assert _attributes(recorded, "A")["task.status"] == "completed"


def test_a_task_below_one_that_has_ended_is_refused(recorded: Recorded) -> None:
    """Nobody adds to a task that is done."""
    with task_span("A"):
        pass

    with pytest.raises(TaskStateError, match="A, the parent of B, has ended: it is completed"):
        task_span("B", parent="A").__enter__()
    assert len(recorded.spans) == 1


def test_a_parent_that_is_not_found_is_logged(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    """The work goes on, with the parent's id on its span: whether one is stored must not decide what an agent does."""
    with task_span("T", parent="nope"):
        pass

    assert "its parent nope is not found" in caplog.text
    assert _attributes(recorded, "T")["task.parent_id"] == "nope"


def test_an_id_may_be_used_again_once_its_task_has_ended(recorded: Recorded) -> None:
    """A program that runs its pipeline twice has two spans."""
    for _ in range(2):
        with task_span("T"):
            pass

    assert len(recorded.spans) == 2


def test_async_tasks_side_by_side_are_siblings(recorded: Recorded) -> None:
    """Each coroutine has its own task, below the one that they were started in."""

    async def work(number: int) -> None:
        async with task_span(f"T{number}"):
            await asyncio.sleep(0)

    async def run() -> None:
        async with task_span("all"):
            await asyncio.gather(work(1), work(2))

    asyncio.run(run())

    assert recorded.parent_of("T1") == recorded.parent_of("T2") == "all"


def test_a_trace_context_around_tasks_gives_them_its_session(recorded: Recorded) -> None:
    """As any other span below it."""
    with TraceContext("agent", session_id="s"), task_span("T"):
        pass

    assert _attributes(recorded, "T")["session.id"] == "s"


def test_states_are_kept_without_a_recorder() -> None:
    """Where nobody records, a task still knows where it stands."""
    with task_span("T") as task, task_span("child"):
        task.block("a", "b")

    assert task.status == "blocked"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: task_span(""),
        lambda: task_span(3),  # type: ignore[arg-type]
        lambda: task_span("T", parent=3),  # type: ignore[arg-type]
        lambda: task_span("T", depends_on="T2"),
        lambda: task_span("T", attributes=["a"]),  # type: ignore[arg-type]
    ],
)
def test_arguments_of_a_wrong_type_raise(wrong: Callable[[], object]) -> None:
    """At once, before anything is recorded."""
    with pytest.raises(TypeError):
        wrong()
