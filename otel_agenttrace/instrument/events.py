"""`agent_event`: what an agent does, as events of its current span; and the id of the trace that it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from opentelemetry.trace import format_trace_id, get_current_span

from otel_agenttrace.contract.attributes import (
    AGENTTRACE_EVENT_DATA,
    AGENTTRACE_EVENT_DURATION_MS,
    AGENTTRACE_INPUT,
    AGENTTRACE_OUTPUT,
    EVENT_AGENT_PREFIX,
    GEN_AI_PROVIDER_NAME,
    GEN_AI_RESPONSE_MODEL,
    GEN_AI_USAGE_COST,
    GEN_AI_USAGE_INPUT_TOKENS,
    GEN_AI_USAGE_OUTPUT_TOKENS,
    SESSION_ID,
)
from otel_agenttrace.instrument.capture import capture, keeps_content
from otel_agenttrace.instrument.faults import contained, logger
from otel_agenttrace.model.kinds import AgentEventType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_agenttrace.model.record import AnyValue, Attributes

_ATTRIBUTES = {
    "session_id": SESSION_ID,
    "duration_ms": AGENTTRACE_EVENT_DURATION_MS,
    "input_tokens": GEN_AI_USAGE_INPUT_TOKENS,
    "output_tokens": GEN_AI_USAGE_OUTPUT_TOKENS,
    "model_used": GEN_AI_RESPONSE_MODEL,
    "provider_used": GEN_AI_PROVIDER_NAME,
    "estimated_cost_usd": GEN_AI_USAGE_COST,
    "raw_input": AGENTTRACE_INPUT,
    "raw_output": AGENTTRACE_OUTPUT,
}
"""Fields of an AgentEvent that have an attribute of their own."""

_CONTENT = (AGENTTRACE_INPUT, AGENTTRACE_OUTPUT)

_known_types = set(get_args(AgentEventType))
_MAX_WARNINGS = 20
_warned_types: set[str] = set()


def agent_event(type: AgentEventType, data: Mapping[str, Any] | None = None, **fields: Any) -> None:  # noqa: A002
    """Add an event `agent.<type>` to the current span; without one that records, nothing happens.

    It never raises: it stands in code that has to go on. An event of an unknown type is recorded all the same, a
    warning is logged the first time, and the attribute contract counts it as a violation.

    Args:
        type: the field of that name of `AgentEvent`.
        data: what the event is about, any names and values.
        fields: the optional fields of `AgentEvent` (`duration_ms`, `input_tokens`, `output_tokens`, `model_used`,
            `provider_used`, `estimated_cost_usd`, `raw_input`, `raw_output`, `session_id`); others go into `data`.
    """
    span = get_current_span()
    if not span.is_recording():
        return
    with contained("record an agent event"):
        if type not in _known_types:
            _warn_of(type)
        span.add_event(f"{EVENT_AGENT_PREFIX}{type}", _attributes(data, fields))


def get_current_trace_id() -> str | None:
    """The id of the current trace as 32 lower-case hex digits, None outside of any."""
    context = get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else None


def _attributes(data: Mapping[str, Any] | None, fields: dict[str, Any]) -> Attributes:
    attributes: dict[str, AnyValue] = {}
    rest = {**(data or {})}
    for field, value in fields.items():
        name = _ATTRIBUTES.get(field)
        if name is None:
            rest[field] = value
        elif value is not None and (name not in _CONTENT or keeps_content()):
            attributes[name] = capture(value)
    if rest:
        attributes[AGENTTRACE_EVENT_DATA] = capture(rest)
    return attributes


def _warn_of(unknown: object) -> None:
    name = str(unknown)
    if name not in _warned_types and len(_warned_types) < _MAX_WARNINGS:
        _warned_types.add(name)
        logger.warning("agent_event: unknown type %r; known are %s", name, ", ".join(sorted(_known_types)))
