"""Traces, spans and failures as plain JSON values: what commands print with `--json`.

Names are stable: they are added to, never renamed. Ids are lower-case hex, times in `*_at` RFC 3339 and in
`*_unix_nano` decimal strings (JavaScript rounds such integers), bytes base64, what JSON has no number for a string as
in OTLP JSON. `otel_agenttrace/schemas/` holds a JSON Schema for each shape.
"""

from __future__ import annotations

import base64
import math
from dataclasses import asdict, fields
from itertools import filterfalse
from typing import TYPE_CHECKING, Any

from otel_agenttrace.model.plain import plain_value
from otel_agenttrace.model.times import to_rfc3339
from otel_agenttrace.model.tree import SpanTree, distinct
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.explain import explain
from otel_agenttrace.pipeline.flags import find_flags
from otel_agenttrace.pipeline.messages import message_shape
from otel_agenttrace.pipeline.summary import summarize
from otel_agenttrace.views.warnings import warning_shapes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_agenttrace.model.record import EventRecord, LinkRecord, SpanRecord
    from otel_agenttrace.pipeline.flag import Flag
    from otel_agenttrace.pipeline.summary import TraceSummary
    from otel_agenttrace.stores.api import StoredTrace, StoreInfo
    from otel_agenttrace.stores.failures import FoundFailure
    from otel_agenttrace.views.summary import SessionSummary
    from otel_agenttrace.views.warnings import ViewWarning

_CANONICAL = (
    "dialect", "operation", "model", "request_model", "response_model", "provider", "agent_name", "tool_name",
    "tool_call_id", "conversation", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
    "reasoning_tokens", "finish_reasons", "cost_usd", "reported_cost_usd",
)  # fmt: skip
_SAFE_INTEGER = 2**63


def summary_shape(summary: TraceSummary) -> dict[str, Any]:
    """One item of `trace list`."""
    return asdict(summary)


def trace_shape(trace: StoredTrace, warnings: Iterable[ViewWarning] = ()) -> dict[str, Any]:
    """`trace show`: the summary, its flags, every span, and apart from them what is said of all of them."""
    tree = SpanTree(trace.spans)
    return {
        **summary_shape(summarize(trace)),
        "flags": [_flag_shape(flag) for flag in find_flags(tree)],
        "conflicting_span_ids": sorted(trace.conflicts),
        "spans": [span_shape(span) for span in distinct(filterfalse(is_verdict, trace.spans))],
        "verdict": span_shape(tree.verdict) if tree.verdict else None,
        "warnings": warning_shapes(warnings),
    }


def span_shape(span: SpanRecord) -> dict[str, Any]:
    """One span: the fields of SpanRecord, then its canonical fields."""
    end = span.end_time_unix_nano
    said = canonical(span)
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "name": span.name,
        "kind": span.kind,
        "start_time_unix_nano": str(span.start_time_unix_nano),
        "end_time_unix_nano": None if end is None else str(end),
        "status_code": span.status_code,
        "status_message": span.status_message,
        "attributes": _plain(span.attributes),
        "events": [_event_shape(event) for event in span.events],
        "links": [_link_shape(link) for link in span.links],
        "resource": _owner_shape(span.resource),
        "scope": {"name": span.scope.name, "version": span.scope.version, **_owner_shape(span.scope)},
        "trace_state": span.trace_state,
        "flags": span.flags,
        "dropped_attributes_count": span.dropped_attributes_count,
        "dropped_events_count": span.dropped_events_count,
        "dropped_links_count": span.dropped_links_count,
        **{name: getattr(said, name) for name in _CANONICAL},
        "input_messages": [_said(message_shape(message)) for message in said.input_messages],
        "output_messages": [_said(message_shape(message)) for message in said.output_messages],
        "input": _said(said.input),
        "output": _said(said.output),
    }


def session_shape(
    summary: SessionSummary, traces: Sequence[TraceSummary], warnings: Iterable[ViewWarning] = ()
) -> dict[str, Any]:
    """`session show`: the fields of TraceSession, its totals, its slowest steps, and its traces."""
    session = summary.session.model_dump(mode="json")
    numbers = {field.name: getattr(summary, field.name) for field in fields(summary) if field.name != "session"}
    numbers["slowest_steps"] = [asdict(step) for step in summary.slowest_steps]
    shapes = [summary_shape(trace) for trace in traces]
    return {**session, **numbers, "traces": shapes, "warnings": warning_shapes(warnings)}


def failure_shape(found: FoundFailure, warnings: Iterable[ViewWarning] = ()) -> dict[str, Any]:
    """`failure show`: the failure in a sentence, the event, the trace as steps, the span ids from root to origin."""
    event, record = found.stored
    path = found.failure.path if found.failure else (SpanTree(found.trace.spans).root.record.span_id,)
    return {
        "explanation": explain(found.failure) if found.failure else None,
        "failure_event": event.model_dump(mode="json"),
        "trace_record": record.model_dump(mode="json"),
        "path": list(path),
        "warnings": warning_shapes(warnings),
    }


def info_shape(info: StoreInfo) -> dict[str, Any]:
    """`store info`."""
    facts = asdict(info)
    for bound in ("oldest", "newest"):
        moment = facts.pop(f"{bound}_unix_nano")
        facts[f"{bound}_at"] = None if moment is None else to_rfc3339(moment)
    return facts


def _flag_shape(flag: Flag) -> dict[str, Any]:
    return {
        "kind": flag.kind,
        "span_id": flag.span_id,
        "message": flag.message,
        "evidence": _plain(flag.evidence),
    }


def _event_shape(event: EventRecord) -> dict[str, Any]:
    return {
        "name": event.name,
        "time_unix_nano": str(event.time_unix_nano),
        "attributes": _plain(event.attributes),
        "dropped_attributes_count": event.dropped_attributes_count,
    }


def _link_shape(link: LinkRecord) -> dict[str, Any]:
    return {
        "trace_id": link.trace_id,
        "span_id": link.span_id,
        "attributes": _plain(link.attributes),
        "trace_state": link.trace_state,
        "flags": link.flags,
        "dropped_attributes_count": link.dropped_attributes_count,
    }


def _owner_shape(owner: Any) -> dict[str, Any]:
    return {
        "attributes": _plain(owner.attributes),
        "schema_url": owner.schema_url,
        "dropped_attributes_count": owner.dropped_attributes_count,
    }


def _said(value: Any) -> Any:
    """A value that was JSON text once, and may be nested as deeply as its writer liked."""
    return _plain(plain_value(value))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, int) and not -_SAFE_INTEGER <= value < _SAFE_INTEGER:
        return str(value)
    return value
