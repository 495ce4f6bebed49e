"""What is said about a trace as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.model.record import EventRecord, ScopeRecord
from otel_agenttrace.testing.spans import START, make_span
from otel_agenttrace.views.lines import line_width, plain
from otel_agenttrace.views.notes import trace_notes
from otel_agenttrace.views.rows import TraceRows
from tests.views.conftest import NASTY
from tests.views.talking import make_agent, trace_of

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord


def notes_of(*spans: SpanRecord, width: int = 80) -> list[str]:
    """The notes on some spans as plain lines."""
    return [plain(line) for line in trace_notes(TraceRows(trace_of(*spans)), width=width)]


def make_call(number: int, model: str | None, tokens: int | None = 7, cost: float | None = None) -> SpanRecord:
    """A model call that says only what it used."""
    said: dict[str, Any] = {"gen_ai.operation.name": "chat"}
    said |= {} if model is None else {"gen_ai.request.model": model}
    said |= {} if tokens is None else {"gen_ai.usage.input_tokens": tokens}
    said |= {} if cost is None else {"agenttrace.cost_usd": cost}
    return make_span(span_id=f"{number:016x}", attributes=said)


def test_a_model_without_a_price_is_named() -> None:
    """What is not known is not left to be guessed."""
    assert notes_of(make_call(1, "my-model"), make_call(2, "other", cost=0.5)) == [
        "  cost incomplete: no price for my-model"
    ]
    assert notes_of(make_call(1, "my-model"), make_call(2, "b"), make_call(3, "my-model")) == [
        "  cost unknown: no price for b, my-model"
    ]
    assert notes_of(make_call(1, "my-model", cost=0.5)) == []


def test_a_call_without_tokens_is_not_said_to_lack_a_price() -> None:
    """Nobody knows what it used; and a model may have no name."""
    assert notes_of(make_call(1, "my-model", tokens=None)) == ["  cost unknown: no token counts of my-model"]
    assert notes_of(make_call(1, None)) == ["  cost unknown: a call names no model"]
    assert notes_of(make_call(1, "a", tokens=None), make_call(2, "b"), make_call(3, "c", cost=1.0)) == [
        "  cost incomplete: no price for b; no token counts of a"
    ]


def test_words_that_nobody_knows_are_said_to_be_shown_as_they_are() -> None:
    """Unless the span is one of ours, which needs no convention."""
    assert notes_of(make_span(attributes={"http.route": "/"})) == ["  no known GenAI convention: shown as recorded"]
    assert notes_of(make_span(scope=ScopeRecord("otel_agenttrace"))) == []
    assert notes_of(make_span(attributes={"task.status": "completed"})) == []
    assert notes_of(make_agent()) == []


def test_a_judgement_of_the_output_is_told() -> None:
    """Its name, its score and why, from the verdict."""
    attributes: dict[str, Any] = {
        "gen_ai.evaluation.name": "grounding",
        "gen_ai.evaluation.score.value": 1.0,
        "gen_ai.evaluation.explanation": "4 of 4 claims supported",
    }
    event = EventRecord("gen_ai.evaluation.result", START, attributes)
    odd = EventRecord("gen_ai.evaluation.result", START, {"gen_ai.evaluation.explanation": NASTY * 20})
    verdict = make_span(
        span_id=f"{9:016x}", name="agenttrace.verdict", scope=ScopeRecord("otel_agenttrace"), events=(event, odd)
    )

    notes = trace_notes(TraceRows(trace_of(make_agent(), verdict)), width=50)

    assert plain(notes[0]) == "  grounding 1.00: 4 of 4 claims supported"
    assert len(notes) == 4
    assert max(map(line_width, notes)) <= 50
    assert all(plain(line).isprintable() for line in notes)
