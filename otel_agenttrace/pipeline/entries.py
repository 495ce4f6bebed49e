"""Spans -> entries and agent events. Imports pydantic, so only for reading."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, get_args

import orjson

from otel_agenttrace.contract.attributes import (
    AGENTTRACE_EVENT_DATA,
    AGENTTRACE_EVENT_DURATION_MS,
    AGENTTRACE_INPUT,
    AGENTTRACE_OUTPUT,
    EVENT_AGENT_PREFIX,
)
from otel_agenttrace.model.entry import TraceEntry, cut_raw
from otel_agenttrace.model.event import AgentEvent
from otel_agenttrace.model.kinds import AgentEventType
from otel_agenttrace.model.plain import plain_text, plain_value
from otel_agenttrace.model.record import SpanRecord, session_id_of
from otel_agenttrace.model.times import to_rfc3339
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.failures import classify

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue, EventRecord

_EVENT_TYPES = frozenset(get_args(AgentEventType))


def trace_entry(record: SpanRecord) -> TraceEntry:
    """One span as an entry."""
    said = canonical(record)
    duration = record.duration_nano
    return TraceEntry(
        id=record.span_id,
        session_id=plain_text(session_id_of(record.attributes) or record.trace_id),
        type=plain_text(said.operation or "span"),
        timestamp=to_rfc3339(record.start_time_unix_nano),
        duration_ms=None if duration is None else max(duration, 0) / 1e6,
        parent_trace_id=record.parent_span_id,
        data=_data(record),
        input_tokens=said.input_tokens,
        output_tokens=said.output_tokens,
        model_used=said.model,
        provider_used=said.provider,
        cost_usd=said.cost_usd,
        raw_input=cut_raw(_raw(said.input)),
        raw_output=cut_raw(_raw(said.output)),
    )


def agent_events(record: SpanRecord) -> list[AgentEvent]:
    """The agent events that were recorded on a span, in its order; those of an unknown type are left out.

    The id of an event is made from the span's id and the event's place in it, so it is the same at each reading.
    """
    return [
        _agent_event(record, event, index)
        for index, event in enumerate(record.events)
        if event.name.startswith(EVENT_AGENT_PREFIX) and event.name.removeprefix(EVENT_AGENT_PREFIX) in _EVENT_TYPES
    ]


def _agent_event(record: SpanRecord, event: EventRecord, index: int) -> AgentEvent:
    # The same attributes as on a span, so the same tables read them.
    said = canonical(SpanRecord(record.trace_id, record.span_id, event.name, 0, attributes=event.attributes))
    kind: Any = event.name.removeprefix(EVENT_AGENT_PREFIX)
    data = plain_value(event.attributes.get(AGENTTRACE_EVENT_DATA))
    duration = event.attributes.get(AGENTTRACE_EVENT_DURATION_MS)
    session_id = session_id_of(event.attributes) or session_id_of(record.attributes) or record.trace_id
    return AgentEvent(
        type=kind,
        data=data if isinstance(data, dict) else {},
        session_id=plain_text(session_id),
        timestamp=to_rfc3339(event.time_unix_nano),
        trace_id=hashlib.sha256(f"{record.span_id}/{index}".encode()).hexdigest()[:16],
        parent_trace_id=record.span_id,
        duration_ms=duration if isinstance(duration, (int, float)) else None,
        input_tokens=said.input_tokens,
        output_tokens=said.output_tokens,
        model_used=said.model,
        provider_used=said.provider,
        estimated_cost_usd=said.cost_usd,
        raw_input=_raw(event.attributes.get(AGENTTRACE_INPUT)),
        raw_output=_raw(event.attributes.get(AGENTTRACE_OUTPUT)),
    )


def _data(record: SpanRecord) -> dict[str, Any]:
    data = {
        "name": record.name,
        "kind": record.kind,
        "status": record.status_code,
        "trace_id": record.trace_id,
        "attributes": record.attributes,
    }
    failure = classify(record)
    if failure is not None:
        data |= {"failure_type": failure.type, "error": failure.text}
    plain: dict[str, Any] = plain_value(data)  # type: ignore[arg-type]
    return plain


def _raw(value: AnyValue) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else plain_text(value)
    return orjson.dumps(plain_value(value), default=str).decode()
