"""Spans of any-agent."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agenttrace.model.record import ScopeRecord
from otel_agenttrace.pipeline.canonical import Canonical, canonical
from otel_agenttrace.pipeline.messages import Message, TextPart, ToolCallPart
from otel_agenttrace.testing.spans import make_span


def _said(**attributes: Any) -> Canonical:
    named = {f"gen_ai.{name.replace('__', '.')}": value for name, value in attributes.items()}
    return canonical(make_span(attributes=named, scope=ScopeRecord("any_agent")))


def test_a_model_call_says_its_cost_in_two_parts() -> None:
    """The provider stands before the model, as LiteLLM writes it."""
    said = _said(
        operation__name="call_llm",
        request__model="mistral/mistral-small-latest",
        usage__input_tokens=269,
        usage__output_tokens=16,
        usage__input_cost=0.25,
        usage__output_cost=0.5,
    )

    assert (said.dialect, said.operation, said.provider) == ("any_agent", "chat", "mistral_ai")
    assert said.reported_cost_usd == 0.75
    assert said.is_model_call


def test_an_answer_is_a_text_or_the_tools_that_it_asks_for() -> None:
    """JSON that is no list of calls is an answer in JSON."""
    calls = _said(output='[{"tool.name": "write_file", "tool.args": "{\\"text\\": \\"2025\\"}"}]')

    assert calls.output_messages == (Message("assistant", (ToolCallPart("", "write_file", {"text": "2025"}),)),)
    for text in ("Done.", '{"steps": []}', "[1]"):
        assert _said(output=text).output_messages == (Message("assistant", (TextPart(text),)),)


def test_a_tool_call_has_arguments_and_an_output() -> None:
    """Its output is no message."""
    said = _said(operation__name="execute_tool", tool__name="w", tool__args='{"city": "Oslo"}', output='{"t": 3}')

    assert (said.input, said.output, said.output_messages) == ({"city": "Oslo"}, {"t": 3}, ())


@pytest.mark.parametrize("odd", [None, 5, [], [5], "[", {"a": 1}, b"x", float("nan")])
def test_odd_values_are_no_harm(odd: Any) -> None:
    """Whatever an attribute holds, a span can be read."""
    said = _said(output=odd, usage__input_cost=odd, request__model=odd, tool__args=odd)

    _ = said.output_messages, said.output, said.input
