"""Usage that the Vercel AI SDK leaves in the words of the provider.

Until version 5 the SDK passes on what a provider counts. Anthropic and Bedrock count cached tokens beside the others,
and of those that are put into the cache only the metadata of the provider tell. Version 6 counts all of them as input,
and says how many are what.
https://ai-sdk.dev/providers/ai-sdk-providers/anthropic#cache-control
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.pipeline.dialects.counts_in_json import count_in

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue, SpanRecord

_METADATA = "ai.response.providerMetadata"
_FAMILIES = ("anthropic", "bedrock")
_DETAILS = tuple(f"ai.usage.inputTokenDetails.{name}Tokens" for name in ("noCache", "cacheRead", "cacheWrite"))
_MAX_SEARCHED = 8192

cache_read = count_in(_METADATA, "cacheReadInputTokens", "cache_read_input_tokens", "cachedContentTokenCount")
cache_write = count_in(_METADATA, "cacheCreationInputTokens", "cacheWriteInputTokens", "cache_creation_input_tokens")
reasoning = count_in(_METADATA, "thoughtsTokenCount")
total = count_in(_METADATA, "totalTokenCount")
_input_of_anthropic = count_in(_METADATA, "input_tokens")


def uncached_input(record: SpanRecord) -> AnyValue:
    """The input tokens, where cached ones are not among them."""
    attributes = record.attributes
    if any(name in attributes for name in _DETAILS) or not _counts_cached_beside(record):
        return None
    told = _input_of_anthropic(record)
    return attributes.get("ai.usage.inputTokens", attributes.get("ai.usage.promptTokens")) if told is None else told


def _counts_cached_beside(record: SpanRecord) -> bool:
    provider, metadata = record.attributes.get("ai.model.provider"), record.attributes.get(_METADATA)
    if isinstance(provider, str) and any(family in provider for family in _FAMILIES):
        return True
    # Behind a gateway the metadata alone tell.
    return isinstance(metadata, str) and any(f'"{family}"' in metadata[:_MAX_SEARCHED] for family in _FAMILIES)
