"""Traces as sessions."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agenttrace.model.record import EventRecord, SpanRecord
from otel_agenttrace.pipeline.sessions import trace_session
from otel_agenttrace.testing.spans import SECOND, START, make_span

_FAILED: dict[str, Any] = {"status_code": "ERROR"}
_CANCELLED: dict[str, Any] = {"status_code": "ERROR", "attributes": {"error.type": "asyncio.CancelledError"}}


def _trace(number: int, **fields: Any) -> list[SpanRecord]:
    start = START + number * SECOND
    ids = {"trace_id": f"{number:032x}", "name": f"run {number}"}
    return [make_span(**ids | {"start_time_unix_nano": start, "end_time_unix_nano": start + SECOND} | fields)]


def _mark(number: int, status: str, task: str = "book a flight") -> list[SpanRecord]:
    attributes = {"agenttrace.session.status": status, "agenttrace.session.task": task, "session.id": "s1"}
    return _trace(number, attributes=attributes)


def test_a_session_sums_up_its_traces() -> None:
    """From the first start to the last end, with spans, agent events, tokens and known costs."""
    chat = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 4}
    events = (EventRecord("agent.message", START), EventRecord("exception.like", START))
    traces = [_trace(2, attributes=chat | {"gen_ai.usage.cost": 0.5}), _trace(1, attributes=chat, events=events)]

    assert trace_session("s1", traces).model_dump() == {
        "id": "s1",
        "task": "run 1",
        "started_at": "2026-09-21T14:13:21.000000Z",
        "completed_at": "2026-09-21T14:13:23.000000Z",
        "status": "completed",
        "total_events": 3,
        "total_tokens": 14,
        "total_cost_usd": 0.5,
        "cost_complete": False,
    }


@pytest.mark.parametrize(
    ("traces", "status"),
    [
        ([_trace(1)], "completed"),
        ([_trace(1), _trace(2, **_FAILED)], "failed"),
        ([_trace(1), _trace(2, **_CANCELLED)], "cancelled"),
        ([_trace(1, **_FAILED), _trace(2, **_CANCELLED)], "failed"),
        ([_trace(1, **_FAILED), _trace(2, end_time_unix_nano=None)], "running"),
    ],
)
def test_a_session_that_nobody_ended_stands_as_its_traces_do(traces: list[list[SpanRecord]], status: str) -> None:
    """It runs while one of them does, and has no end then."""
    session = trace_session("s1", traces)

    assert session.status == status
    assert (session.completed_at is None) == (status == "running")


def test_what_was_said_at_the_end_of_a_session_counts() -> None:
    """Its task and status stand on spans of their own, which are not events of the session."""
    marks = [_mark(0, "running"), _mark(3, "cancelled")]
    session = trace_session("s1", [marks[1], _trace(1, **_FAILED), marks[0]])

    assert (session.task, session.status, session.total_events) == ("book a flight", "cancelled", 1)
    assert (session.started_at, session.completed_at) == ("2026-09-21T14:13:20.000000Z", "2026-09-21T14:13:24.000000Z")


def test_a_session_that_was_started_and_not_ended_runs() -> None:
    """Even if all that it did so far has failed; a status of unknown name is no status."""
    assert trace_session("s1", [_mark(0, "running"), _trace(1, **_FAILED)]).status == "running"
    assert trace_session("s1", [_mark(0, "paused"), _trace(1, **_FAILED)]).status == "failed"
    alone = trace_session("s1", [_mark(0, "completed", task="")])
    assert (alone.task, alone.status, alone.total_events) == ("", "completed", 0)


@pytest.mark.parametrize("said", [["failed"], {"status": "failed"}, 3, "over"])
def test_an_end_that_says_nothing_known_is_passed_over(said: Any) -> None:
    """Imported spans may carry our attributes with anything in them."""
    mark = make_span(attributes={"agenttrace.session.status": said})

    assert trace_session("s", [[mark]]).status == "completed"
