"""Evaluation events that call an output a hallucination.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/#event-gen_aievaluationresult
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import (
    EVENT_EVALUATION_RESULT,
    GEN_AI_EVALUATION_EXPLANATION,
    GEN_AI_EVALUATION_NAME,
    GEN_AI_EVALUATION_SCORE_LABEL,
    GEN_AI_EVALUATION_SCORE_VALUE,
)
from otel_agenttrace.pipeline.numbers import as_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_agenttrace.model.record import EventRecord

_HALLUCINATED = frozenset(
    {"hallucinated", "hallucination", "not_factual", "not_grounded", "unfaithful", "ungrounded", "unsupported"}
)
"""Labels that say it under any name."""

_BAD_WHEN_HIGH = ("hallucinat",)
_BAD_WHEN_LOW = ("faithful", "ground", "factual")
_YES = frozenset({"detected", "fail", "failed", "flagged", "positive", "true", "yes"})
_NO = frozenset({"fail", "failed", "false", "negative", "no"})


def hallucination_told(events: Iterable[EventRecord]) -> str | None:
    """Why the last evaluation that speaks of hallucination says that there is one; None if it says there is none.

    A label decides. Without one a score does, if it lies between 0 and 1: other scales differ in what they mean.
    """
    verdict = None
    for event in events:
        if event.name == EVENT_EVALUATION_RESULT:
            flagged = _is_flagged(event)
            if flagged is not None:
                verdict = _explanation(event) if flagged else None
    return verdict


def _is_flagged(event: EventRecord) -> bool | None:
    """Whether the event says so; None if it speaks of something else."""
    label = _word(event, GEN_AI_EVALUATION_SCORE_LABEL)
    if label in _HALLUCINATED:
        return True
    name = _word(event, GEN_AI_EVALUATION_NAME)
    is_bad_when_high = any(part in name for part in _BAD_WHEN_HIGH)
    if not is_bad_when_high and not any(part in name for part in _BAD_WHEN_LOW):
        return None
    if label:
        return label in (_YES if is_bad_when_high else _NO)
    score = as_number(event.attributes.get(GEN_AI_EVALUATION_SCORE_VALUE))
    if score is None or not 0 <= score <= 1:
        return None
    return score > 0.5 if is_bad_when_high else score < 0.5


def _explanation(event: EventRecord) -> str:
    explanation = event.attributes.get(GEN_AI_EVALUATION_EXPLANATION)
    if isinstance(explanation, str) and explanation:
        return explanation
    told = (_word(event, name) for name in (GEN_AI_EVALUATION_NAME, GEN_AI_EVALUATION_SCORE_LABEL))
    return ": ".join(word for word in told if word) or "evaluated as a hallucination"


def _word(event: EventRecord, attribute: str) -> str:
    value = event.attributes.get(attribute)
    text = "" if value is None else str(value)
    return text.strip().lower().replace(" ", "_").replace("-", "_")
