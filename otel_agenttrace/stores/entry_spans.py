"""A TraceEntry as a span, and the same entry back from that span.

What OTel has words for (times, model, tokens, cost, errors) is said in them, so that totals, failures and searches
see an entry like any other span; the rest stands beside it.
"""

from __future__ import annotations

import hashlib
import math
import re
from typing import TYPE_CHECKING, get_args

from pydantic import ValidationError

from otel_agenttrace.contract.attributes import (
    AGENTTRACE_COST_USD,
    AGENTTRACE_INPUT,
    AGENTTRACE_OUTPUT,
    AGENTTRACE_REVISION,
    AGENTTRACE_STORED_ENTRY,
    ERROR_TYPE,
    EVENT_AGENT_PREFIX,
    GEN_AI_OPERATION_NAME,
    GEN_AI_PROVIDER_NAME,
    GEN_AI_RESPONSE_MODEL,
    GEN_AI_USAGE_INPUT_TOKENS,
    GEN_AI_USAGE_OUTPUT_TOKENS,
    SESSION_ID,
)
from otel_agenttrace.errors import StoreRejectedError
from otel_agenttrace.model.entry import TraceEntry
from otel_agenttrace.model.kinds import AgentEventType
from otel_agenttrace.model.record import ScopeRecord, SpanRecord
from otel_agenttrace.model.times import from_rfc3339
from otel_agenttrace.pipeline.entries import trace_entry
from otel_agenttrace.stores.plain_model import plain_model

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue, Attributes

_SCOPE = ScopeRecord("otel_agenttrace.stores")
_SPAN_ID = re.compile("(?!0{16})[0-9a-f]{16}")
_EVENT_TYPES = frozenset(get_args(AgentEventType))
_FIELDS = {
    "model_used": GEN_AI_RESPONSE_MODEL,
    "provider_used": GEN_AI_PROVIDER_NAME,
    "input_tokens": GEN_AI_USAGE_INPUT_TOKENS,
    "output_tokens": GEN_AI_USAGE_OUTPUT_TOKENS,
    "cost_usd": AGENTTRACE_COST_USD,
    "raw_input": AGENTTRACE_INPUT,
    "raw_output": AGENTTRACE_OUTPUT,
}
_WHOLE = {"raw_input", "raw_output"}
"""Fields that may be long, and are kept in their attribute only."""


def entry_trace_id(session_id: str) -> str:
    """Return the id of the trace that holds the entries of a session that were saved one by one."""
    return hashlib.sha256(f"entries of {session_id}".encode("utf-8", "backslashreplace")).hexdigest()[:32]


def entry_span_id(entry_id: str) -> str:
    """Return an entry's id if it can be a span's, else one made from it."""
    if _SPAN_ID.fullmatch(entry_id):
        return entry_id
    return hashlib.sha256(entry_id.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def entry_to_span(entry: TraceEntry, earlier: SpanRecord | None = None) -> SpanRecord:
    """Return the span that stands for an entry.

    Args:
        entry: what is to be kept.
        earlier: the span of the same entry as it was saved before, which the new one takes the place of.

    Raises:
        StoreRejectedError: the entry holds something that a span cannot.
    """
    duration_ms = entry.duration_ms or 0.0
    if not math.isfinite(duration_ms):
        raise StoreRejectedError(f"TraceEntry cannot be stored: duration_ms is {duration_ms}")
    start = from_rfc3339(entry.timestamp) if earlier is None else earlier.start_time_unix_nano
    error = _error_of(entry)
    return SpanRecord(
        trace_id=entry_trace_id(entry.session_id),
        span_id=entry_span_id(entry.id),
        parent_span_id=None if entry.parent_trace_id is None else entry_span_id(entry.parent_trace_id),
        name=_name_of(entry),
        start_time_unix_nano=start,
        end_time_unix_nano=start + max(round(duration_ms * 1_000_000), 0),
        status_code="UNSET" if error is None else "ERROR",
        status_message=error or "",
        attributes=_attributes(entry, earlier),
        scope=_SCOPE,
    )


def span_to_entry(span: SpanRecord) -> TraceEntry:
    """Return the entry that a span was made from, else the span as an entry, whatever it claims."""
    kept = span.attributes.get(AGENTTRACE_STORED_ENTRY)
    if not isinstance(kept, dict):
        return trace_entry(span)
    whole = {field: span.attributes.get(_FIELDS[field]) for field in _WHOLE}
    try:
        return TraceEntry.model_validate({**kept, **whole})
    except ValidationError:  # imported spans may say anything
        return trace_entry(span)


def _attributes(entry: TraceEntry, earlier: SpanRecord | None) -> Attributes:
    dumped: dict[str, AnyValue] = plain_model(entry)
    attributes: Attributes = {name: dumped[field] for field, name in _FIELDS.items() if dumped[field] is not None}
    attributes[SESSION_ID] = entry.session_id
    attributes[AGENTTRACE_STORED_ENTRY] = {field: value for field, value in dumped.items() if field not in _WHOLE}
    if entry.type not in _EVENT_TYPES and entry.type != "span":
        attributes[GEN_AI_OPERATION_NAME] = entry.type
    if isinstance(kind := entry.data.get("error_type"), str):
        attributes[ERROR_TYPE] = kind
    if earlier is not None:
        revision = earlier.attributes.get(AGENTTRACE_REVISION)
        attributes[AGENTTRACE_REVISION] = revision + 1 if isinstance(revision, int) else 1
    return attributes


def _name_of(entry: TraceEntry) -> str:
    if entry.type in _EVENT_TYPES:
        return f"{EVENT_AGENT_PREFIX}{entry.type}"
    name = entry.data.get("name")
    return name if isinstance(name, str) else entry.type


def _error_of(entry: TraceEntry) -> str | None:
    """The message of an entry that tells of an error, None for any other."""
    if entry.type == "error":
        return str(entry.data.get("message", ""))
    error = entry.data.get("error")
    return error if isinstance(error, str) else None
