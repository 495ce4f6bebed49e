"""What no store takes."""

from __future__ import annotations

from otel_agenttrace.errors import StoreRejectedError

INT64 = range(-(2**63), 2**63)
"""The integers that databases, OTLP and JSON readers can all hold."""


def check_times(trace_id: str, span_id: str, start_time_unix_nano: object, end_time_unix_nano: object) -> None:
    """Refuse a span whose start or end no store could hold; only the end may be None.

    Raises:
        StoreRejectedError: it is no integer, or beyond 64 bits; names the span and the field.
    """
    times = {"start_time_unix_nano": start_time_unix_nano}
    if end_time_unix_nano is not None:
        times["end_time_unix_nano"] = end_time_unix_nano
    for field, value in times.items():
        if type(value) is not int or value not in INT64:
            raise StoreRejectedError(f"span {trace_id}-{span_id}: {field} is {value!r:.40}, not an integer of 64 bits")
