"""Spans that are recorded again while they are open, since something of them has changed that others are to see."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import Span

_RECORD = "agenttrace_record_open"


def let_record_again(span: Span, record: Callable[[Span], None]) -> None:
    """Have `record_open_again` call `record`; on the span itself, so that spans of other providers are left alone."""
    setattr(span, _RECORD, record)


def record_open_again(span: object) -> None:
    """Record an open span as it is now, if whoever records it has seen it start."""
    record = getattr(span, _RECORD, None)
    if record is not None:
        record(span)
