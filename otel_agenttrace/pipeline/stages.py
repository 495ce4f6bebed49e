"""The span stages in their order: the same for spans that end here, are imported, or are handed to a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.failures import failure_stage
from otel_agenttrace.pipeline.gates import gate_stage
from otel_agenttrace.pipeline.normalize import normalize
from otel_agenttrace.pipeline.stage import run_stages
from otel_agenttrace.pipeline.usage import usage_stage

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.pipeline.stage import Stage


def understand(record: SpanRecord) -> SpanRecord:
    """`normalize` and `usage_stage`, which need the same canonical fields."""
    said = canonical(record)
    return record if said.dialect is None else usage_stage(normalize(record, said), said)


SPAN_STAGES: tuple[Stage, ...] = (understand, gate_stage, failure_stage)
"""What is worked out of one span alone; each sees what those before it have written."""


def staged(record: SpanRecord) -> SpanRecord:
    """Pass a span through all span stages; a verdict tells of a trace, and is left as it was made."""
    return record if is_verdict(record) else run_stages(record, SPAN_STAGES)
