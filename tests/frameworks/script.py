"""What the model of these tests says: decided by the question alone, in no protocol's words.

A question about the weather gets a call of the offered tool first and, once a tool has answered, a text. Words in the
question bring about what a real model does now and then: `at length`, `forbidden`, `too fast`, `bad request`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Finish = Literal["stop", "length", "tool_call", "content_filter"]

TOOL = "get_weather"
WEATHER = "4 degrees and rain"
"""What the tool says about every place that it knows."""
NOWHERE = "Atlantis"
"""The place that the tool does not know."""
FINAL = "It is 4 degrees in Oslo, and raining."
APOLOGY = "I could not find out."
GREETING = "Hello, I am at your service."


@dataclass(frozen=True)
class Usage:
    """Tokens of one call; input counts the cached ones, output those of reasoning."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0


@dataclass(frozen=True)
class Price:
    """List prices in US dollars for a million tokens of each kind."""

    input: float
    output: float
    cache_read: float
    cache_write: float = 0.0

    def of(self, usage: Usage) -> float:
        """What a call costs, in US dollars."""
        plain = usage.input - usage.cache_read - usage.cache_write
        cached = usage.cache_read * self.cache_read + usage.cache_write * self.cache_write
        return (plain * self.input + cached + usage.output * self.output) / 1e6


@dataclass(frozen=True)
class ToolCall:
    """A wish to have a tool called."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Question:
    """What a request asks for.

    Attributes:
        number: of the call, from 1; ids in the answer are made of it.
        model: as it was asked for.
        text: the last thing that the user said.
        tools: names of the tools offered.
        result: what the last tool answered, None if none has.
        is_stream: whether the answer is wanted in pieces.
    """

    model: str
    text: str
    tools: tuple[str, ...] = ()
    result: str | None = None
    is_stream: bool = False
    number: int = 0


@dataclass(frozen=True)
class Answer:
    """What the model says."""

    text: str
    usage: Usage
    finish: Finish = "stop"
    tool_call: ToolCall | None = None

    @property
    def wish(self) -> ToolCall:
        """The tool call of an answer that is one."""
        assert self.tool_call is not None
        return self.tool_call


@dataclass(frozen=True)
class Refusal:
    """An HTTP error instead of an answer."""

    status: int
    message: str


_FIRST = Usage(input=131, output=19, cache_read=64)
_SECOND = Usage(input=178, output=23, cache_read=128, reasoning=8)
_PLAIN = Usage(input=21, output=9, cache_read=16, reasoning=4)
_FIRST_WRITING = Usage(input=131, output=19, cache_read=64, cache_write=32)

_MISHAPS: dict[str, Answer | Refusal] = {
    "too fast": Refusal(429, "Rate limit reached, please slow down"),
    "bad request": Refusal(400, "Invalid value: 'purple'"),
    "at length": Answer("Once upon a time", _PLAIN, "length"),
    "forbidden": Answer("", _PLAIN, "content_filter"),
}

_ANSWERED = {
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
    "text-embedding-3-small": "text-embedding-3-small",
}
PRICELESS = "house-model-1"
"""A model that no price list knows."""

_USD_PER_MILLION = {
    "gpt-5-mini": Price(0.25, 2.0, cache_read=0.025),
    "claude-sonnet-4-5": Price(3.0, 15.0, cache_read=0.3, cache_write=3.75),
    "gemini-2.5-flash": Price(0.3, 2.5, cache_read=0.03),
    "text-embedding-3-small": Price(0.02, 0.0, cache_read=0.02),
}


def answered_model(model: str) -> str:
    """The name that an answer gives for the model that was asked for."""
    return _ANSWERED.get(model, model)


def cost_usd(model: str, usage: Usage) -> float:
    """What the vendor of one of the models that are on its list takes for a call, in US dollars."""
    return _USD_PER_MILLION[model].of(usage)


def reply(question: Question, *, writes_cache: bool = False) -> Answer | Refusal:
    """Answer a question.

    Args:
        question: what is asked.
        writes_cache: whether the protocol tells tokens that were put into the cache.
    """
    text = question.text.lower()
    for words, answer in _MISHAPS.items():
        if words in text:
            return answer
    if question.result is not None:
        return Answer(FINAL if WEATHER in question.result else APOLOGY, _SECOND)
    if TOOL in question.tools:
        city = NOWHERE if NOWHERE.lower() in text else "Oslo"
        call = ToolCall(f"call_{question.number}", TOOL, {"city": city})
        return Answer("", _FIRST_WRITING if writes_cache else _FIRST, "tool_call", call)
    return Answer(GREETING, _PLAIN)
