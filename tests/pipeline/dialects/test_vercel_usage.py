"""Usage that the Vercel AI SDK leaves in the words of the provider."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from otel_agenttrace.pipeline.canonical import Canonical, canonical
from otel_agenttrace.pipeline.normalize import normalize
from otel_agenttrace.testing.spans import make_span


def _said(provider: str, metadata: Any = None, **usage: int) -> Canonical:
    span = make_span(
        attributes={
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.model.id": "m",
            "ai.model.provider": provider,
            **({} if metadata is None else {"ai.response.providerMetadata": orjson.dumps(metadata).decode()}),
            **{f"ai.usage.{name.replace('__', '.')}": value for name, value in usage.items()},
        }
    )
    said = canonical(span)
    assert canonical(normalize(span)) == said
    return said


def _in(said: Canonical) -> tuple[int | None, int | None, int | None]:
    return said.input_tokens, said.cache_read_tokens, said.cache_write_tokens


def test_version_4_tells_of_the_cache_in_the_metadata_alone() -> None:
    """Anthropic's count of the input lacks what was put into the cache."""
    metadata = {"anthropic": {"cacheCreationInputTokens": 2118, "cacheReadInputTokens": 0}}

    assert _in(_said("anthropic.messages", metadata, promptTokens=10)) == (2128, 0, 2118)
    assert _in(_said("anthropic.messages", metadata, promptTokens=9000)) == (11118, 0, 2118)


@pytest.mark.parametrize(
    ("provider", "metadata"),
    [
        (
            "anthropic.messages",
            {"anthropic": {"usage": {"input_tokens": 5000, "cache_creation_input_tokens": 100,
                                     "cache_read_input_tokens": 2000}, "cacheCreationInputTokens": 100}},
        ),
        ("amazon-bedrock", {"bedrock": {"usage": {"cacheWriteInputTokens": 100}}}),
        ("gateway", {"anthropic": {"cacheCreationInputTokens": 100}, "gateway": {"cost": "0.1"}}),
    ],
)  # fmt: skip
def test_version_5_counts_cached_tokens_beside_the_input(provider: str, metadata: Any) -> None:
    """Its own total is the sum of what it passes on, and so no proof."""
    usage = {"inputTokens": 5000, "outputTokens": 30, "totalTokens": 5030, "cachedInputTokens": 2000}

    assert _in(_said(provider, metadata, **usage)) == (7100, 2000, 100)


def test_without_metadata_the_provider_decides() -> None:
    """OpenAI counts cached tokens as input."""
    usage = {"inputTokens": 5000, "outputTokens": 30, "totalTokens": 5030, "cachedInputTokens": 2000}

    assert _said("vertex.anthropic.messages", **usage).input_tokens == 7000
    assert _said("openai.responses", **usage).input_tokens == 5000


def test_version_6_counts_all_of_them_as_input() -> None:
    """Its details tell that, and so does a count that differs from the provider's own."""
    usage = {"inputTokens": 7100, "outputTokens": 30, "cachedInputTokens": 2000}
    details = {"inputTokenDetails__cacheReadTokens": 2000, "inputTokenDetails__cacheWriteTokens": 100}
    metadata = {"anthropic": {"usage": {"input_tokens": 5000}, "cacheCreationInputTokens": 100}}

    assert _in(_said("anthropic.messages", **usage, **details)) == (7100, 2000, 100)
    assert _in(_said("anthropic.messages", metadata, **usage)) == (7100, 2000, 100)


def test_thoughts_of_gemini_are_output() -> None:
    """By the total of the SDK, or that of the provider; without any of them where there are more than it counts."""
    told = {"google": {"usageMetadata": {"thoughtsTokenCount": 150, "totalTokenCount": 450}}}
    usage = {"inputTokens": 100, "outputTokens": 200}

    for said in (
        _said("google.generative-ai", **usage, reasoningTokens=150, totalTokens=450),
        _said("google.generative-ai", told, **usage),
    ):
        assert (said.input_tokens, said.output_tokens, said.reasoning_tokens) == (100, 350, 150)
    assert _said("google.generative-ai", **usage, reasoningTokens=300).output_tokens == 500


@pytest.mark.parametrize("odd", [None, 5, True, [], "{", '{"anthropic": 5}', b"x", {"anthropic": {}}])
def test_odd_values_are_no_harm(odd: Any) -> None:
    """Whatever an attribute holds, a span can be read."""
    names = ("response.providerMetadata", "model.provider", "usage.inputTokens", "usage.cachedInputTokens")

    assert canonical(make_span(attributes={f"ai.{name}": odd for name in names})).cache_write_tokens is None
