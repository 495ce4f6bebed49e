"""What a reader must know about a trace as a whole before reading on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import (
    EVENT_EVALUATION_RESULT,
    GEN_AI_EVALUATION_EXPLANATION,
    GEN_AI_EVALUATION_NAME,
    GEN_AI_EVALUATION_SCORE_VALUE,
    TASK_STATUS,
)
from otel_agenttrace.model.verdicts import VERDICT_SCOPE
from otel_agenttrace.views.lines import Line, Segment
from otel_agenttrace.views.text import one_line, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.views.rows import TraceRows

_MAX_LINES = 3


def trace_notes(rows: TraceRows, *, width: int = 80) -> list[Line]:
    """Return lines about a trace: why its cost is not all known, how its output was judged, words nobody knows."""
    is_bad = any(failure.type == "hallucination_flag" for failure in rows.failures)
    texts = (*_cost(rows), *(() if is_bad else _judgements(rows.tree.verdict)), *_dialect(rows))
    return [(Segment("  "), Segment(line, "dim")) for text in texts for line in wrap(text, width - 2, most=_MAX_LINES)]


def _cost(rows: TraceRows) -> Iterator[str]:
    used = rows.totals
    if used.cost_complete:
        return
    counted = {row.said.model for row in rows.rows if row.said.input_tokens is not None and row.said.cost_usd is None}
    unpriced = [one_line(model) for model in used.unpriced_models if model in counted]
    uncounted = [one_line(model) for model in used.unpriced_models if model not in counted]
    reasons = [
        *([f"no price for {', '.join(unpriced)}"] if unpriced else []),
        *([f"no token counts of {', '.join(uncounted)}"] if uncounted else []),
    ]
    yield f"cost {'incomplete' if used.cost_usd else 'unknown'}: {'; '.join(reasons) or 'a call names no model'}"


def _judgements(verdict: SpanRecord | None) -> Iterator[str]:
    """How the output was judged. What is wrong with it is a failure, and told where that began instead."""
    for event in verdict.events if verdict else ():
        told = event.attributes.get(GEN_AI_EVALUATION_EXPLANATION)
        if event.name == EVENT_EVALUATION_RESULT and isinstance(told, str):
            name = one_line(event.attributes.get(GEN_AI_EVALUATION_NAME)) or "evaluation"
            score = event.attributes.get(GEN_AI_EVALUATION_SCORE_VALUE)
            yield f"{name} {score:.2f}: {told}" if isinstance(score, float) else f"{name}: {told}"


def _dialect(rows: TraceRows) -> Iterator[str]:
    if not any(row.said.dialect is not None or _is_ours(row.span) for row in rows.rows):
        yield "no known GenAI convention: shown as recorded"


def _is_ours(span: SpanRecord) -> bool:
    return span.scope.name == VERDICT_SCOPE.name or TASK_STATUS in span.attributes
