"""Tokens and cost, each model call once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.pipeline.usage import Totals, totals
from otel_agenttrace.testing.spans import make_span

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord


def _span(
    number: int, parent: int | None, operation: str, tokens: int | None = None, cost: float | None = None
) -> SpanRecord:
    said: dict[str, Any] = {"gen_ai.operation.name": operation, "gen_ai.request.model": "m"}
    if tokens is not None:
        said |= {"gen_ai.usage.input_tokens": tokens, "gen_ai.usage.output_tokens": tokens * 10}
    if cost is not None:
        said["gen_ai.usage.cost"] = cost
    ids = {"span_id": f"{number:016x}", "parent_span_id": None if parent is None else f"{parent:016x}"}
    return make_span(**ids, attributes=said)


def _tokens(*spans: SpanRecord) -> int:
    return totals(spans).input_tokens


def test_model_calls_are_added_up() -> None:
    """Input, output and cost each."""
    spans = [_span(1, None, "invoke_agent"), _span(2, 1, "chat", 5, 0.25), _span(3, 1, "chat", 7, 0.5)]

    assert totals(spans) == Totals(12, 120, 0.75, cost_complete=True)


def test_a_parent_that_repeats_its_childrens_usage_adds_nothing() -> None:
    """Neither an agent's totals nor a second instrumentation of the same call."""
    agent = [_span(1, None, "invoke_agent", 12), _span(2, 1, "chat", 5), _span(3, 1, "chat", 7)]
    twice = [_span(1, None, "invoke_agent"), _span(2, 1, "chat", 5), _span(3, 2, "chat", 5)]
    through = [_span(1, None, "invoke_agent", 5), _span(2, 1, "plan"), _span(3, 2, "chat", 5)]

    assert (_tokens(*agent), _tokens(*twice), _tokens(*through)) == (12, 5, 5)


def test_what_a_parent_reports_beyond_its_children_is_counted() -> None:
    """Calls of which there is no span; less than the children is the last call alone."""
    assert _tokens(_span(1, None, "invoke_agent", 20), _span(2, 1, "chat", 5), _span(3, 1, "chat", 7)) == 20
    assert _tokens(_span(1, None, "invoke_agent", 7), _span(2, 1, "chat", 5), _span(3, 1, "chat", 7)) == 12
    assert _tokens(_span(1, None, "invoke_agent", 20)) == 20


def test_what_a_tool_used_comes_on_top_of_the_call_it_belongs_to() -> None:
    """A tool may ask a model itself: another call, but a part of what the agent reports."""
    inner = [_span(2, 1, "execute_tool"), _span(3, 2, "chat", 8)]

    assert _tokens(_span(1, None, "chat", 10), *inner) == 18
    assert _tokens(_span(1, None, "invoke_agent", 18), _span(4, 1, "chat", 10), *inner) == 18
    assert _tokens(_span(1, None, "invoke_agent"), _span(4, 1, "chat", 10), *inner) == 18


def test_a_model_call_without_a_cost_leaves_the_sum_incomplete() -> None:
    """What is unknown is not zero; a cost reported further up covers it."""
    unknown = [_span(1, None, "invoke_agent"), _span(2, 1, "chat", 5, 0.25), _span(3, 1, "chat", 7)]
    covered = [_span(1, None, "invoke_agent", cost=0.5), *unknown[1:]]

    assert totals(unknown) == Totals(12, 120, 0.25, cost_complete=False)
    assert totals(covered) == Totals(12, 120, 0.5, cost_complete=True)
    assert totals([_span(1, None, "chat")]) == Totals(0, 0, None, cost_complete=False)


def test_without_model_calls_nothing_is_missing() -> None:
    """No cost is known, and none is unknown."""
    assert totals([make_span()]) == totals([]) == Totals(0, 0, None, cost_complete=True)


def test_a_failed_model_call_without_usage_counts_as_a_call() -> None:
    """Its cost is unknown, even below a span that reports another."""
    assert not totals([_span(1, None, "execute_tool"), _span(2, 1, "chat")]).cost_complete
