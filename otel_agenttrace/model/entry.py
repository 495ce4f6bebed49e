"""TraceEntry: one span as an entry of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from otel_agenttrace.model.fields import Timestamp

if TYPE_CHECKING:
    from otel_agenttrace.model.event import AgentEvent

MAX_RAW_LENGTH = 4096
"""Bytes of UTF-8 to which `raw_input` and `raw_output` are cut; the span keeps the whole."""


def cut_raw(text: str | None) -> str | None:
    """`text` as far as MAX_RAW_LENGTH bytes of UTF-8 reach, never ending within a character."""
    if text is None or len(text) * 4 <= MAX_RAW_LENGTH:
        return text
    # `replace`: an unpaired surrogate has no UTF-8 and becomes a question mark.
    return text.encode("utf-8", "replace")[:MAX_RAW_LENGTH].decode("utf-8", "ignore")


class TraceEntry(BaseModel):
    """One span as an entry.

    Attributes:
        id: the span's id.
        session_id: the session, which is the trace's id for a trace that names none.
        type: the span's operation (`chat`, `execute_tool`, `invoke_agent`, ...), else `span`; of an agent event its
            type.
        timestamp: when the span started, RFC 3339.
        duration_ms: milliseconds, None while the span is open.
        parent_trace_id: the id of the parent span.
        data: of a span `name`, `kind`, `status`, `trace_id`, `attributes` and, if it failed, `failure_type` and
            `error`; of an agent event its data.
        raw_input: messages or arguments as text, cut to MAX_RAW_LENGTH bytes.
        raw_output: messages or result as text, cut to MAX_RAW_LENGTH bytes.
    """

    model_config = ConfigDict(protected_namespaces=())

    id: str
    session_id: str
    type: str
    timestamp: Timestamp
    duration_ms: float | None = None
    parent_trace_id: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    input_tokens: int | None = None
    output_tokens: int | None = None
    model_used: str | None = None
    provider_used: str | None = None
    cost_usd: float | None = None
    raw_input: str | None = None
    raw_output: str | None = None

    @classmethod
    def from_agent_event(cls, event: AgentEvent) -> TraceEntry:
        """The entry of an agent event; `raw_input` and `raw_output` are cut to MAX_RAW_LENGTH bytes."""
        return cls(
            id=event.trace_id,
            session_id=event.session_id,
            type=event.type,
            timestamp=event.timestamp,
            duration_ms=event.duration_ms,
            parent_trace_id=event.parent_trace_id,
            data=event.data,
            input_tokens=event.input_tokens,
            output_tokens=event.output_tokens,
            model_used=event.model_used,
            provider_used=event.provider_used,
            cost_usd=event.estimated_cost_usd,
            raw_input=cut_raw(event.raw_input),
            raw_output=cut_raw(event.raw_output),
        )
