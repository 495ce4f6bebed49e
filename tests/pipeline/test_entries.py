"""Spans as entries, and the agent events on them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import use_span

from otel_agenttrace.instrument.events import agent_event
from otel_agenttrace.model.codec import deserialize, serialize_readable
from otel_agenttrace.model.record import EventRecord, SpanRecord
from otel_agenttrace.pipeline.entries import agent_events, trace_entry
from otel_agenttrace.testing.spans import SPAN_ID, START, TRACE_ID, make_span
from otel_agenttrace.testing.strategies import span_records


def test_a_span_is_an_entry() -> None:
    """Its id, parent, time, model, usage and content; all of its attributes are in the data."""
    attributes: Any = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5-mini",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 4,
        "gen_ai.usage.cost": 0.5,
        "gen_ai.input.messages": [{"role": "user"}],
        "gen_ai.output.messages": "hello" * 1000,
        "session.id": "s1",
        "image": b"\x00",
    }
    entry = trace_entry(make_span(parent_span_id="b" * 16, attributes=attributes))

    assert entry.model_dump(exclude={"data", "raw_output"}) == {
        "id": SPAN_ID,
        "session_id": "s1",
        "type": "chat",
        "timestamp": "2026-09-21T14:13:20.000000Z",
        "duration_ms": 1000.0,
        "parent_trace_id": "b" * 16,
        "input_tokens": 3,
        "output_tokens": 4,
        "model_used": "gpt-5-mini",
        "provider_used": "openai",
        "cost_usd": 0.5,
        "raw_input": '[{"role":"user"}]',
    }
    assert len(entry.raw_output or "") == 4096
    assert entry.data["name"] == "invoke_agent booking"
    assert (entry.data["status"], entry.data["trace_id"], entry.data["attributes"]["image"]) == (
        "UNSET",
        TRACE_ID,
        "AA==",
    )


def test_an_entry_of_a_failed_span_tells_the_error() -> None:
    """Type and message stand in the data; an open span has no duration, and a trace without a session is one."""
    entry = trace_entry(make_span(status_code="ERROR", status_message="too late"))
    running = trace_entry(make_span(end_time_unix_nano=None))

    assert (entry.type, entry.data["failure_type"], entry.data["error"]) == ("span", "exception", "too late")
    assert (running.duration_ms, running.session_id) == (None, TRACE_ID)


@given(span_records)
def test_any_span_can_be_an_entry(record: SpanRecord) -> None:
    """Whatever a span holds, its entry and its events are JSON."""
    json.loads(trace_entry(record).model_dump_json())
    assert agent_events(record) == []


def test_agent_events_come_back_as_they_were_reported() -> None:
    """What `agent_event` put on a span is read again, with ids that stay the same."""
    span = TracerProvider().get_tracer("t").start_span("run", attributes={"session.id": "s1"})

    with use_span(span, end_on_exit=True):
        agent_event("state_change", {"state": "planning"})
        span.add_event("something else")
        agent_event("model_selected", model_used="m", provider_used="p", estimated_cost_usd=0.5, duration_ms=2, why="x")
        agent_event("tool_result", raw_output={"found": 1}, session_id="s2", input_tokens=1, output_tokens=2)
    record = deserialize(serialize_readable(span))  # type: ignore[arg-type]
    first, second, third = agent_events(record)

    assert (first.type, first.data, first.session_id, first.parent_trace_id) == (
        "state_change", {"state": "planning"}, "s1", record.span_id,
    )  # fmt: skip
    assert (second.model_used, second.provider_used, second.estimated_cost_usd, second.duration_ms, second.data) == (
        "m", "p", 0.5, 2, {"why": "x"},
    )  # fmt: skip
    assert (third.raw_output, third.session_id, third.input_tokens, third.output_tokens) == ('{"found":1}', "s2", 1, 2)
    assert [event.trace_id for event in agent_events(record)] == [first.trace_id, second.trace_id, third.trace_id]
    assert len({first.trace_id, second.trace_id, third.trace_id}) == 3


def test_an_event_of_an_unknown_type_is_no_agent_event() -> None:
    """It stays an event of the span."""
    events = (EventRecord("agent.danced", START), EventRecord("agent.message", START, {"agenttrace.event.data": 5}))

    (event,) = agent_events(make_span(events=events))
    assert (event.type, event.data, event.session_id) == ("message", {}, TRACE_ID)
