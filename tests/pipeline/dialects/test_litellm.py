"""LiteLLM's own spans."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agenttrace.model.record import ScopeRecord
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.testing.spans import make_span

LITELLM = ScopeRecord("litellm")


@pytest.mark.parametrize(
    ("word", "operation"),
    [
        ("completion", "chat"),
        ("acompletion", "chat"),
        ("atext_completion", "text_completion"),
        ("aembedding", "embeddings"),
        ("aresponses", "chat"),
        ("aimage_generation", None),
    ],
)
def test_its_functions_are_operations(word: str, operation: str | None) -> None:
    """Its `completion` is that of chats; others say that of texts with the same word."""
    told = {"llm.request.type": word, "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "hi"}
    said = canonical(make_span(scope=LITELLM, attributes=told))

    assert (said.dialect, said.operation) == ("litellm", operation)
    assert canonical(make_span(attributes={"llm.request.type": "completion"})).operation == "text_completion"


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ({"input_cost": 0.1, "output_cost": 0.2, "total_cost": 0.25}, 0.25),
        ({"input_cost": 0.25, "output_cost": 0.5}, 0.75),
        ({"input_cost": 0.25}, 0.25),
        ({"input_cost": "x", "output_cost": None}, None),
    ],
)
def test_the_cost_is_the_one_reported(costs: dict[str, Any], expected: float | None) -> None:
    """The sum of its parts where the total is not told."""
    attributes = {f"gen_ai.cost.{name}": cost for name, cost in costs.items()}

    assert canonical(make_span(scope=LITELLM, attributes=attributes)).reported_cost_usd == expected


def test_the_raw_request_is_a_span_of_its_own_that_calls_no_model() -> None:
    """It lies below the call that it belongs to, and repeats it in the provider's words."""
    said = canonical(make_span(name="raw_gen_ai_request", scope=LITELLM, attributes={"llm.openai.model": "gpt-4o"}))

    assert said.dialect == "litellm"
    assert not said.is_model_call
