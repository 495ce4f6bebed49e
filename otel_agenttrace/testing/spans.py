"""Spans for tests: small, valid, deterministic."""

from __future__ import annotations

from typing import Any

from otel_agenttrace.model.record import ResourceRecord, ScopeRecord, SpanRecord

TRACE_ID = "0199c2f4a0b17c3d8e5f60718293a4b5"
SPAN_ID = "a77f14b0c1d2e3f4"
START = 1_790_000_000_000_000_000
"""2026-09-21T14:13:20Z in nanoseconds since the Unix epoch."""

SECOND = 1_000_000_000


def make_span(**overrides: Any) -> SpanRecord:
    """A SpanRecord of one second, ended, with the given fields changed."""
    fields: dict[str, Any] = {
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "name": "invoke_agent booking",
        "start_time_unix_nano": START,
        "end_time_unix_nano": START + SECOND,
        "resource": ResourceRecord({"service.name": "booking-agent"}),
        "scope": ScopeRecord("tests"),
    }
    return SpanRecord(**(fields | overrides))
