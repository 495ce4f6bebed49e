"""The canonical fields under OTel's names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given

from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.normalize import normalize
from otel_agenttrace.testing.spans import make_span
from otel_agenttrace.testing.strategies import span_records

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord


def test_a_span_that_speaks_no_dialect_is_left_as_it_is() -> None:
    """Nothing is guessed of an HTTP call."""
    span = make_span(attributes={"http.request.method": "GET", "session.id": "s-1"})

    assert normalize(span) is span


def test_older_names_are_written_under_those_of_today() -> None:
    """What the emitter wrote stays beside them."""
    old = {
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.prompt_tokens": 5,
        "gen_ai.usage.completion_tokens": "6",
    }
    span = normalize(make_span(attributes=old))

    assert span.attributes == {
        **old,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 6,
    }


def test_nothing_that_the_emitter_wrote_is_overwritten() -> None:
    """A name that is taken keeps its value, of whatever type."""
    odd = {"gen_ai.usage.input_tokens": "many", "gen_ai.usage.prompt_tokens": 5, "gen_ai.operation.name": "call_llm"}
    span = normalize(make_span(attributes=odd))

    assert span.attributes == odd
    assert canonical(span).input_tokens == 5


@given(span_records)
def test_normalizing_changes_nothing_that_is_read(record: SpanRecord) -> None:
    """The same fields are read before and after, doing it twice changes nothing, and nothing else is touched."""
    normalized = normalize(record)

    assert canonical(normalized) == canonical(record)
    assert normalize(normalized) is normalized
    assert replace(normalized, attributes=record.attributes) == record
    assert all(normalized.attributes[name] == record.attributes[name] for name in record.attributes)
