"""The calls of models and tools in a trace."""

from __future__ import annotations

from typing import Any

from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.steps import steps_of
from otel_agenttrace.testing.spans import START, make_span


def _span(number: int, parent: int | None, operation: str, **attributes: Any) -> Any:
    said = {
        "gen_ai.operation.name": operation,
        **{name.replace("__", "."): value for name, value in attributes.items()},
    }
    parent_id = None if parent is None else f"{parent:016x}"
    return make_span(
        span_id=f"{number:016x}", parent_span_id=parent_id, start_time_unix_nano=START + number, attributes=said
    )


def _numbers(*spans: Any) -> list[tuple[int, int]]:
    """Each step with its agent."""
    return [(int(step.span.span_id, 16), int(step.agent.record.span_id, 16)) for step in steps_of(SpanTree(spans))]


def test_steps_come_in_order_with_the_agent_that_made_them() -> None:
    """Of an agent within an agent the steps are its own."""
    spans = (
        _span(1, None, "invoke_agent"),
        _span(2, 1, "chat"),
        _span(3, 1, "execute_tool", gen_ai__tool__name="ask_expert"),
        _span(4, 3, "invoke_agent"),
        _span(5, 4, "chat"),
        _span(6, 4, "execute_tool", gen_ai__tool__name="search"),
    )

    assert _numbers(*reversed(spans)) == [(2, 1), (3, 1), (5, 4), (6, 4)]


def test_the_inner_call_of_a_model_counts_and_the_outer_call_of_a_tool() -> None:
    """A client within a wrapper; a server behind a client."""
    spans = (
        _span(1, None, "invoke_agent"),
        _span(2, 1, "chat"),
        _span(3, 2, "chat"),
        _span(4, 1, "execute_tool", gen_ai__tool__name="search"),
        _span(5, 4, "execute_tool", gen_ai__tool__name="search"),
        _span(6, 5, "chat"),
    )

    assert _numbers(*spans) == [(3, 1), (4, 1), (6, 1)]


def test_a_tool_that_calls_models_is_a_step_beside_them() -> None:
    """Neither hides the other, nor the model call that asked for it."""
    spans = (_span(1, None, "chat"), _span(2, 1, "execute_tool", gen_ai__tool__name="t"), _span(3, 2, "chat"))

    assert _numbers(*spans) == [(1, 1), (2, 1), (3, 1)]


def test_a_trace_without_calls_has_no_steps() -> None:
    """An empty one has none either."""
    assert steps_of(SpanTree([])) == steps_of(SpanTree([make_span()])) == ()
