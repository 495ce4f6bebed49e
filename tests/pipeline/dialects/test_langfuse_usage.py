"""Amounts in Langfuse's usage and cost details."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given

from otel_agenttrace.pipeline.dialects.langfuse_usage import Usage, cost_of, usage_of
from otel_agenttrace.testing.strategies import any_values

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue


@pytest.mark.parametrize(
    ("details", "usage"),
    [
        pytest.param({"input": 7, "output": 3, "total": 10}, (7, 3, None, None, None), id="plain"),
        pytest.param({"input": "7", "output": 3.0}, (7, 3, None, None, None), id="as text"),
        pytest.param(
            {"input": 67, "input_cache_read": 64, "input_audio": 0, "output": 11, "output_reasoning": 8, "total": 150},
            (131, 19, 64, None, 8),
            id="LangChain's details are taken out of the totals",
        ),
        pytest.param(
            {"input": 10, "output": 5, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20},
            (130, 5, 100, 20, None),
            id="Anthropic counts cached tokens apart",
        ),
        pytest.param(
            {
                "prompt_tokens": 178,
                "completion_tokens": 23,
                "total_tokens": 201,
                "prompt_tokens_details": {"cached_tokens": 128, "audio_tokens": None},
                "completion_tokens_details": {"reasoning_tokens": 8},
            },
            (178, 23, 128, None, 8),
            id="OpenAI's chat API",
        ),
        pytest.param(
            {
                "input_tokens": 21,
                "output_tokens": 9,
                "total_tokens": 30,
                "input_tokens_details": {"cached_tokens": 16},
                "output_tokens_details": {"reasoning_tokens": 4},
            },
            (21, 9, 16, None, 4),
            id="OpenAI's responses API",
        ),
        pytest.param(
            {
                "promptTokenCount": 100,
                "toolUsePromptTokenCount": 7,
                "cachedContentTokenCount": 30,
                "candidatesTokenCount": 20,
                "thoughtsTokenCount": 300,
                "totalTokenCount": 427,
            },
            (107, 320, 30, None, 300),
            id="Gemini counts thoughts beside the answer",
        ),
        pytest.param(
            {"prompt_token_count": 100, "candidates_token_count": 20, "total_token_count": 120},
            (100, 20, None, None, None),
            id="Gemini's names in Python",
        ),
        pytest.param(
            {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 100},
            (110, 5, 100, None, None),
            id="Anthropic's own names",
        ),
        pytest.param(
            {"input": 100, "input_cached_tokens": 30, "output": 20, "total": 120},
            (100, 20, 30, None, None),
            id="a total that has the details in it already",
        ),
        pytest.param({"input": 5, "cached_modality_text": 2}, (7, None, 2, None, None), id="Vertex AI's cache"),
        pytest.param({"characters": 5}, (None, None, None, None, None), id="no tokens"),
        pytest.param({"input": -5, "output": True}, (None, None, None, None, None), id="no amounts"),
    ],
)
def test_amounts_of_every_form_are_added_up(details: dict[str, Any], usage: tuple[Any, ...]) -> None:
    """As JSON text, and as the mapping that some exporters make of it."""
    assert usage_of(details) == Usage(*usage)
    assert usage_of(orjson.dumps(details).decode()) == Usage(*usage)


def test_costs_are_told_as_a_total_or_in_parts() -> None:
    """An empty mapping tells nothing."""
    assert cost_of('{"input": 1, "output": 2, "total": 3.5}') == 3.5
    assert cost_of({"input": 1, "output": 2}) == 3
    assert cost_of("{}") is None


@given(any_values)
def test_odd_details_are_no_harm(details: AnyValue) -> None:
    """Wrong types count as absent."""
    usage_of(details)
    cost_of(details)
    for text in ("{", "[1]", '{"input": {"input": [1]}}', "x" * 100_000):
        assert usage_of(text) in (None, Usage(None, None, None, None, None))
