"""What a verdict tells of its trace, for where nothing else is left of that, as behind a tail sampler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import (
    AGENTTRACE_VERDICT_COST_COMPLETE,
    AGENTTRACE_VERDICT_COST_USD,
    AGENTTRACE_VERDICT_INPUT_TOKENS,
    AGENTTRACE_VERDICT_OUTPUT_TOKENS,
    FAILURE_SUBJECT,
)
from otel_agenttrace.model.verdicts import is_verdict

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue, SpanRecord


def name_told(record: SpanRecord) -> str:
    """The name of the trace that a span stands for: its own, or whose failure it tells of where it is a verdict."""
    subject = record.attributes.get(FAILURE_SUBJECT) if is_verdict(record) else None
    return subject if isinstance(subject, str) and subject else record.name


def tokens_told(verdict: SpanRecord) -> tuple[int, int]:
    """Tokens that went in, and that came out."""
    attributes = verdict.attributes
    return (
        _count(attributes.get(AGENTTRACE_VERDICT_INPUT_TOKENS)),
        _count(attributes.get(AGENTTRACE_VERDICT_OUTPUT_TOKENS)),
    )


def cost_told(verdict: SpanRecord) -> tuple[float | None, bool]:
    """US dollars, None if unknown, and whether that is all of it."""
    cost = verdict.attributes.get(AGENTTRACE_VERDICT_COST_USD)
    is_known = isinstance(cost, (int, float)) and not isinstance(cost, bool) and 0 <= cost < float("inf")
    return float(cost) if is_known else None, verdict.attributes.get(AGENTTRACE_VERDICT_COST_COMPLETE) is True  # type: ignore[arg-type]


def _count(value: AnyValue) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
