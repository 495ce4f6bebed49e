"""The pydantic models that users read and make."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from otel_agenttrace.model.entry import MAX_RAW_LENGTH, TraceEntry
from otel_agenttrace.model.event import AgentEvent
from otel_agenttrace.model.failure import FailureEvent
from otel_agenttrace.model.kinds import AgentEventType
from otel_agenttrace.model.session import TraceSession
from otel_agenttrace.model.trace_record import TraceRecord, TraceStep

_TIME = "2026-09-21T14:13:20.000000Z"


def _failure_event(**overrides: Any) -> FailureEvent:
    fields = {"failure_id": "a-b", "subject": "booking", "failure_type": "timeout", "timestamp": _TIME}
    return FailureEvent(**(fields | overrides))


def _trace_record(**overrides: Any) -> TraceRecord:
    fields = {"failure_id": "a-b", "subject": "booking", "status": "failed", "started_at": _TIME, "ended_at": _TIME}
    return TraceRecord(**(fields | overrides))


def test_the_field_names_are_those_that_users_rely_on() -> None:
    """Fields may be added, never renamed."""
    assert {model: list(model.model_fields) for model in (FailureEvent, TraceRecord, TraceStep, TraceSession)} == {
        FailureEvent: ["failure_id", "subject", "failure_type", "timestamp", "trace_id", "error", "metadata"],
        TraceRecord: [
            "schema_version", "failure_id", "subject", "status", "started_at", "ended_at", "steps",
        ],
        TraceStep: ["name", "kind", "input", "output", "error"],
        TraceSession: [
            "id", "task", "started_at", "completed_at", "status", "total_events", "total_tokens", "total_cost_usd",
            "cost_complete",
        ],
    }  # fmt: skip
    assert list(AgentEvent.model_fields) == [
        "type", "data", "session_id", "timestamp", "trace_id", "parent_trace_id", "duration_ms", "input_tokens",
        "output_tokens", "model_used", "provider_used", "estimated_cost_usd", "raw_input", "raw_output",
    ]  # fmt: skip
    assert list(TraceEntry.model_fields) == [
        "id", "session_id", "type", "timestamp", "duration_ms", "parent_trace_id", "data", "input_tokens",
        "output_tokens", "model_used", "provider_used", "cost_usd", "raw_input", "raw_output",
    ]  # fmt: skip


def test_a_failure_event_refuses_what_it_does_not_know() -> None:
    """Unknown fields and types are mistakes; what is optional may be left out."""
    event = _failure_event()

    assert (event.trace_id, event.error, event.metadata) == (None, None, {})
    for wrong in ({"severity": "high"}, {"failure_type": "crash"}, {"failure_id": ""}):
        with pytest.raises(ValidationError):
            _failure_event(**wrong)


def test_a_trace_record_refuses_what_it_does_not_know() -> None:
    """Unknown fields, steps and versions are refused."""
    assert _trace_record().schema_version == 1
    assert _trace_record(steps=[{"name": "search", "kind": "tool_call"}]).steps[0].output is None
    for wrong in ({"schema_version": 2}, {"status": "running"}, {"steps": [{"name": "x", "kind": "span"}]}, {"x": 1}):
        with pytest.raises(ValidationError):
            _trace_record(**wrong)


def test_times_take_one_form() -> None:
    """Any offset and aware datetimes are turned into UTC; a time without an offset is refused."""
    assert _failure_event(timestamp="2026-09-21T16:13:20+02:00").timestamp == _TIME
    assert _failure_event(timestamp=datetime(2026, 9, 21, 14, 13, 20, tzinfo=timezone.utc)).timestamp == _TIME
    with pytest.raises(ValidationError):
        _failure_event(timestamp="2026-09-21T16:13:20")


def test_models_come_back_from_their_json() -> None:
    """What is written as JSON reads back equal."""
    record = _trace_record(steps=[{"name": "s", "kind": "model_output", "input": [{"role": "user"}], "output": None}])
    event = _failure_event(metadata={"path": ["a", "b"], "recovered": False})

    assert TraceRecord.model_validate_json(record.model_dump_json()) == record
    assert FailureEvent.model_validate_json(event.model_dump_json()) == event


def test_every_type_of_agent_event_has_a_factory() -> None:
    """Each factory makes an event of its own name for the session that it is given."""
    arguments: dict[str, tuple[Any, ...]] = {
        "state_change": ("planning",),
        "plan_created": (["a", "b"],),
        "step_started": ("a",),
        "step_completed": ("a",),
        "tool_called": ("search", {"q": 1}),
        "tool_result": ("search", [1]),
        "message": ("user", "hello"),
        "error": ("broken",),
        "budget_warning": (9, 10),
        "budget_exceeded": (11, 10),
        "iteration_limit": (5,),
        "completed": ("done",),
        "cancelled": ("by the user",),
        "model_selected": ("gpt-5-mini", "openai", "cheap"),
        "model_switched": ("gpt-5-mini", "gpt-5"),
        "trace_started": ("booking",),
        "trace_ended": ("failed",),
    }

    assert set(arguments) == set(get_args(AgentEventType))
    for kind, values in arguments.items():
        event = getattr(AgentEvent, kind)(*values, session_id="s1")
        assert (event.type, event.session_id, list(event.data.values())) == (kind, "s1", list(values))


def test_factories_fill_the_fields_that_the_event_has_a_place_for() -> None:
    """The model, its provider and the duration can be read without knowing the data's keys."""
    selected = AgentEvent.model_selected("gpt-5-mini", "openai", "cheap", "s1")
    switched = AgentEvent.model_switched("gpt-5-mini", "gpt-5", "s1")

    assert (selected.model_used, selected.provider_used) == ("gpt-5-mini", "openai")
    assert switched.model_used == "gpt-5"
    assert AgentEvent.step_completed("a", "s1", duration_ms=2.5).duration_ms == 2.5
    assert AgentEvent.error("broken", "s1", error_type="ValueError").data["error_type"] == "ValueError"


def test_an_agent_event_has_an_id_that_a_span_can_have() -> None:
    """Unless one is given, each event gets a new id of 16 hex digits, and the time of its making."""
    first, second = AgentEvent.state_change("a", "s1"), AgentEvent.state_change("a", "s1")

    assert re.fullmatch("[0-9a-f]{16}", first.trace_id)
    assert first.trace_id != second.trace_id
    assert first.timestamp.endswith("Z")
    with pytest.raises(ValidationError):
        AgentEvent(type="state_change", session_id="s1", colour="red")  # type: ignore[call-arg]


def test_an_entry_of_an_agent_event_says_all_that_the_event_says() -> None:
    """The event's id becomes the entry's, its estimated cost the cost."""
    event = AgentEvent(
        type="tool_result",
        data={"tool": "search"},
        session_id="s1",
        timestamp=_TIME,
        trace_id="00000000000000aa",
        parent_trace_id="00000000000000bb",
        duration_ms=1.5,
        input_tokens=1,
        output_tokens=2,
        model_used="m",
        provider_used="p",
        estimated_cost_usd=0.5,
        raw_input="in",
        raw_output="out",
    )

    assert TraceEntry.from_agent_event(event).model_dump() == {
        "id": "00000000000000aa",
        "session_id": "s1",
        "type": "tool_result",
        "timestamp": _TIME,
        "duration_ms": 1.5,
        "parent_trace_id": "00000000000000bb",
        "data": {"tool": "search"},
        "input_tokens": 1,
        "output_tokens": 2,
        "model_used": "m",
        "provider_used": "p",
        "cost_usd": 0.5,
        "raw_input": "in",
        "raw_output": "out",
    }


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=900, max_size=1500), st.integers(1, 5))
def test_raw_texts_are_cut_to_4096_bytes(piece: str, times: int) -> None:
    """Only what is longer is cut, as little as can be, and never within a character."""
    text = piece * times
    event = AgentEvent.state_change("a", "s1").model_copy(update={"raw_input": text, "raw_output": text})
    entry = TraceEntry.from_agent_event(event)

    assert entry.raw_output == entry.raw_input
    assert entry.raw_input is not None
    assert text.startswith(entry.raw_input)
    size = len(entry.raw_input.encode())
    assert size <= MAX_RAW_LENGTH == 4096
    assert entry.raw_input == text or size > MAX_RAW_LENGTH - 4
