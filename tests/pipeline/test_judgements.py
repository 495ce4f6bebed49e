"""What trace stages found, as events and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.grounding import Claim, GroundingReport
from otel_agenttrace.model.record import EventRecord
from otel_agenttrace.pipeline.flag import Flag
from otel_agenttrace.pipeline.grounded import Judgement
from otel_agenttrace.pipeline.judgements import flag_event, grounding_event, judged_in
from otel_agenttrace.testing.spans import SPAN_ID, START, make_span

if TYPE_CHECKING:
    from otel_agenttrace.model.record import Attributes


def _claim(text: str, reason: Any = None, missing: tuple[str, ...] = ()) -> Claim:
    return Claim(text, 0, len(text), "statement", 0.0 if reason else 1.0, reason=reason, missing=missing)


def _judgement(*claims: Claim) -> Judgement:
    return Judgement(GroundingReport.of(claims), make_span())


def _evaluation(label: str, span_id: Any = SPAN_ID, name: str = "grounding") -> EventRecord:
    said: Any = {
        "gen_ai.evaluation.name": name,
        "gen_ai.evaluation.score.label": label,
        "gen_ai.evaluation.explanation": f"it is {label}",
        "agenttrace.verdict.judged_span_id": span_id,
    }
    return EventRecord("gen_ai.evaluation.result", START, said)


def test_what_is_judged_unsupported_is_read_back() -> None:
    """The span whose output it was, and why."""
    claims = _claim("it has 412 employees", "unsupported_number", ("412",)), _claim("b")
    event = grounding_event(_judgement(*claims), START)

    assert event is not None
    explanation = '1 of 2 claims unsupported: "it has 412 employees" (unsupported_number: 412)'
    assert judged_in([event]) == {SPAN_ID: explanation}


def test_the_first_claims_are_named_and_the_rest_is_counted() -> None:
    """Each on one line, cut where it is long."""
    claims = [_claim(f"claim\n{number} " + "x" * 300, "contradiction") for number in range(7)]
    event = grounding_event(_judgement(*claims), START)

    assert event is not None
    explanation = str(event.attributes["gen_ai.evaluation.explanation"])
    assert explanation.startswith('7 of 7 claims unsupported: "claim 0 xxx')
    assert explanation.count("(contradiction)") == 5
    assert explanation.endswith("; and 2 more")
    assert len(explanation) < 1200


def test_of_several_evaluations_of_one_span_the_last_decides() -> None:
    """As on the spans of emitters; each span is judged by itself."""
    other = "1" * 16

    assert judged_in([_evaluation("unsupported"), _evaluation("supported")]) == {}
    assert judged_in([_evaluation("unsupported", other), _evaluation("supported")]) == {other: "it is unsupported"}


def test_what_judges_no_span_is_passed_over() -> None:
    """Imported verdicts may hold anything."""
    assert judged_in([_evaluation("unsupported", 5), _evaluation("supported"), _evaluation("no", name="taste")]) == {}
    assert judged_in([EventRecord("other", START, _evaluation("unsupported").attributes)]) == {}


def test_a_flag_keeps_what_can_be_shown() -> None:
    """Bytes are written as text; a message is cut; evidence that is too large, or no JSON, is left out."""
    event = flag_event(Flag("token_burn", SPAN_ID, "m\n" * 1000, {"digest": b"\x00"}), START)

    assert event.attributes["agenttrace.flag.evidence"] == {"digest": "AA=="}
    assert len(str(event.attributes["agenttrace.flag.message"])) == 500
    too_much: list[Attributes] = [{}, {"x": "y" * 5000}, {"n": 2**70}]
    for evidence in too_much:
        flag = Flag("token_burn", SPAN_ID, "m", evidence)
        assert "agenttrace.flag.evidence" not in flag_event(flag, START).attributes
