"""A span stage: what is done to one span, as a pure function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from otel_agenttrace.model.record import SpanRecord

Stage: TypeAlias = Callable[[SpanRecord], SpanRecord]
"""Returns the record, or a changed copy of it; never writes into what it was given, and never raises.

A stage run twice over a span changes nothing the second time: the same span may pass our pipeline in the agent,
and again in the server that it reports to.
"""


def run_stages(record: SpanRecord, stages: Iterable[Stage]) -> SpanRecord:
    """Pass the record through the stages in order."""
    for stage in stages:
        record = stage(record)
    return record
