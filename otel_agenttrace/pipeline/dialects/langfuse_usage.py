"""The amounts of Langfuse's `usage_details` and `cost_details`.

Their names are free. Those with `input` in them add up to the input, and so for `output`, except in the forms of
OpenAI's APIs, whose totals have the details in them.
https://langfuse.com/docs/observability/features/token-and-cost-tracking
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_agenttrace.pipeline.message_parts import parsed
from otel_agenttrace.pipeline.numbers import as_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.model.record import AnyValue

_MAX_LENGTH = 8192
_MAX_NAMES = 100

_INPUT_TOTALS = ("prompt_tokens", "input_tokens", "promptTokens")
_OUTPUT_TOTALS = ("completion_tokens", "output_tokens", "completionTokens")
_INPUT_DETAILS = ("prompt_tokens_details", "input_tokens_details", "input_token_details")
_OUTPUT_DETAILS = ("completion_tokens_details", "output_tokens_details", "output_token_details")
_OF_GEMINI = {
    "promptTokenCount": "input",
    "toolUsePromptTokenCount": "input_tool_use",
    "cachedContentTokenCount": "cached",
    "candidatesTokenCount": "output",
    "thoughtsTokenCount": "output_thoughts",
    "prompt_token_count": "input",
    "tool_use_prompt_token_count": "input_tool_use",
    "cached_content_token_count": "cached",
    "candidates_token_count": "output",
    "thoughts_token_count": "output_thoughts",
}
"""Gemini's names -> names that say by themselves what they are part of: the cached tokens are among those of the
prompt, the thoughts beside the answer."""

_OF_OPENAI = ("prompt_tokens", "promptTokens", "total_tokens", *_INPUT_DETAILS)


class Usage(NamedTuple):
    """Tokens of a model call; None where not told."""

    input_tokens: float | None
    output_tokens: float | None
    cache_read_tokens: float | None
    cache_write_tokens: float | None
    reasoning_tokens: float | None


def usage_of(details: AnyValue) -> Usage | None:
    """The tokens that `usage_details` tell, as JSON text or as a mapping; None where they are neither."""
    if isinstance(details, str):
        return _usage_in(details) if len(details) <= _MAX_LENGTH else None
    return _usage(details) if isinstance(details, dict) else None


def cost_of(details: AnyValue) -> float | None:
    """US dollars: the total, else the sum of its parts."""
    amounts = _amounts(parsed(details) if isinstance(details, str) and len(details) <= _MAX_LENGTH else details)
    return amounts["total"] if "total" in amounts else sum(amounts.values()) if amounts else None


# Every amount of a span is asked for by itself, and every stage asks again.
@lru_cache(maxsize=1024)
def _usage_in(text: str) -> Usage | None:
    details = parsed(text)
    return _usage(details) if isinstance(details, dict) else None


def _usage(details: dict[str, Any]) -> Usage:
    amounts = _amounts(details)
    nested = {**_nested(details, _INPUT_DETAILS, "input"), **_nested(details, _OUTPUT_DETAILS, "output")}
    if any(name in details for name in _OF_OPENAI):
        totals = [_first(amounts, _INPUT_TOTALS), _first(amounts, _OUTPUT_TOTALS)]
    else:
        totals = _summed(amounts)
    parts = {**amounts, **nested}
    return Usage(
        totals[0], totals[1], _sum(parts, _is_cache_read), _sum(parts, _is_cache_write), _sum(parts, _is_reasoning)
    )


def _amounts(details: AnyValue) -> dict[str, float]:
    if not isinstance(details, dict):
        return {}
    numbers = ((_OF_GEMINI.get(name, name), as_number(value)) for name, value in list(details.items())[:_MAX_NAMES])
    return {name: number for name, number in numbers if number is not None and number >= 0}


def _nested(details: dict[str, Any], names: tuple[str, ...], side: str) -> dict[str, float]:
    inner = next((details[name] for name in names if isinstance(details.get(name), dict)), None)
    return {f"{side}_{name}": number for name, number in _amounts(inner).items()}


def _summed(amounts: dict[str, float]) -> list[float | None]:
    plain = [amounts.get("input"), amounts.get("output")]
    total = amounts.get("total")
    if total is not None and total == sum(number for number in plain if number is not None):
        return plain  # the details are in them already
    return [_sum(amounts, _is_input), _sum(amounts, lambda name: "output" in name)]


def _sum(amounts: dict[str, float], counts: Callable[[str], bool]) -> float | None:
    counted = [number for name, number in amounts.items() if counts(name)]
    return sum(counted) if counted else None


def _first(amounts: dict[str, float], names: tuple[str, ...]) -> float | None:
    return next((amounts[name] for name in names if name in amounts), None)


def _is_input(name: str) -> bool:
    # The callbacks for LangChain take these out of `input`, too.
    return "input" in name or name.startswith("cached_modality")


def _is_cache_write(name: str) -> bool:
    return ("cache" in name and ("creation" in name or "write" in name)) or "ephemeral" in name


def _is_cache_read(name: str) -> bool:
    return "cache" in name and "output" not in name and not _is_cache_write(name)


def _is_reasoning(name: str) -> bool:
    return "reasoning" in name or "thought" in name
