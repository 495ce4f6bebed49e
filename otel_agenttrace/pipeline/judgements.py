"""What trace stages found, as events of the verdict, and read back from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from otel_agenttrace.contract.attributes import (
    AGENTTRACE_FLAG_EVIDENCE,
    AGENTTRACE_FLAG_KIND,
    AGENTTRACE_FLAG_MESSAGE,
    AGENTTRACE_FLAG_SPAN_ID,
    AGENTTRACE_VERDICT_JUDGED_SPAN_ID,
    EVENT_EVALUATION_RESULT,
    EVENT_FLAG,
    GEN_AI_EVALUATION_EXPLANATION,
    GEN_AI_EVALUATION_NAME,
    GEN_AI_EVALUATION_SCORE_LABEL,
    GEN_AI_EVALUATION_SCORE_VALUE,
)
from otel_agenttrace.model.plain import plain_text, plain_value
from otel_agenttrace.model.record import EventRecord
from otel_agenttrace.pipeline.evaluations import hallucination_told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_agenttrace.grounding import Claim, GroundingReport
    from otel_agenttrace.model.record import AnyValue, Attributes
    from otel_agenttrace.pipeline.flag import Flag
    from otel_agenttrace.pipeline.grounded import Judgement

_MAX_NAMED_CLAIMS = 5
_MAX_CLAIM = 160
_MAX_MESSAGE = 500
_MAX_EVIDENCE_BYTES = 4096


def grounding_event(judgement: Judgement, time_unix_nano: int) -> EventRecord | None:
    """The judgement as an evaluation; None where nothing was checked, which is neither good nor bad.

    https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/#event-gen_aievaluationresult
    """
    report = judgement.report
    if report.is_skipped or report.score is None:
        return None
    attributes: Attributes = {
        str(GEN_AI_EVALUATION_NAME): "grounding",
        str(GEN_AI_EVALUATION_SCORE_VALUE): float(report.score),
        str(GEN_AI_EVALUATION_SCORE_LABEL): "unsupported" if report.unsupported else "supported",
        str(GEN_AI_EVALUATION_EXPLANATION): _explanation(report) + (_PARTIAL if judgement.is_partial else ""),
        str(AGENTTRACE_VERDICT_JUDGED_SPAN_ID): judgement.origin.span_id,
    }
    return EventRecord(EVENT_EVALUATION_RESULT, time_unix_nano, attributes)


def flag_event(flag: Flag, time_unix_nano: int) -> EventRecord:
    """A flag as an event; evidence beyond 4 KiB is left out."""
    attributes: Attributes = {
        str(AGENTTRACE_FLAG_KIND): flag.kind,
        str(AGENTTRACE_FLAG_SPAN_ID): flag.span_id,
        str(AGENTTRACE_FLAG_MESSAGE): _cut(flag.message, _MAX_MESSAGE),
    }
    evidence = plain_value(dict(flag.evidence))
    if evidence and _fits(evidence):
        attributes[str(AGENTTRACE_FLAG_EVIDENCE)] = evidence
    return EventRecord(EVENT_FLAG, time_unix_nano, attributes)


def judged_in(events: Iterable[EventRecord]) -> dict[str, str]:
    """Which spans' outputs a verdict calls hallucinations, and why; of several evaluations of one span, the last."""
    judged: dict[str, str] = {}
    for event in events:
        span_id = event.attributes.get(AGENTTRACE_VERDICT_JUDGED_SPAN_ID)
        if event.name == EVENT_EVALUATION_RESULT and isinstance(span_id, str):
            explanation = hallucination_told([event])
            judged.pop(span_id, None)
            if explanation is not None:
                judged[span_id] = explanation
    return judged


_PARTIAL = "; only the beginning of the output was checked"


def _explanation(report: GroundingReport) -> str:
    if not report.unsupported:
        return f"{len(report.claims)} of {len(report.claims)} claims supported"
    named = [_named(claim) for claim in report.unsupported[:_MAX_NAMED_CLAIMS]]
    more = len(report.unsupported) - len(named)
    rest = f"; and {more} more" if more else ""
    return f"{len(report.unsupported)} of {len(report.claims)} claims unsupported: {'; '.join(named)}{rest}"


def _named(claim: Claim) -> str:
    missing = ", ".join(claim.missing)
    reason = f"{claim.reason}: {missing}" if missing else claim.reason
    return f'"{_cut(claim.text, _MAX_CLAIM)}" ({_cut(str(reason), _MAX_CLAIM)})'


def _cut(text: str, most: int) -> str:
    line = " ".join(plain_text(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _fits(evidence: AnyValue) -> bool:
    try:
        return len(orjson.dumps(evidence)) <= _MAX_EVIDENCE_BYTES
    except TypeError:
        return False
