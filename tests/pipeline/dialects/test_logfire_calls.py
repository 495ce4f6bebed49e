"""Calls of models as Logfire's own instrumentations record them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_agenttrace.model.record import ScopeRecord
from otel_agenttrace.pipeline.canonical import Canonical, canonical
from otel_agenttrace.pipeline.messages import Message, TextPart, ToolCallPart
from otel_agenttrace.testing.spans import make_span


def _said(request: Any, response: Any, scope: str = "logfire.openai", **attributes: Any) -> Canonical:
    data = {"request_data": request, "response_data": response}
    written = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in data.items()}
    said = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "logfire.span_type": "span"}
    return canonical(make_span(scope=ScopeRecord(scope), attributes={**said, **written, **attributes}))


def test_the_request_and_the_response_of_a_chat_are_read() -> None:
    """Messages stand in them as OpenAI's API has them; a parameter of the name `input` is one of the tool's."""
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"input":{"city":"Oslo"}}'}}
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    said = _said(
        {"model": "gpt-4o", "messages": [{"role": "user", "content": "Rain?"}], "tools": tools},
        {"message": {"role": "assistant", "content": "I look.", "tool_calls": [call]}, "usage": {}},
    )

    assert said.input_messages == (Message("user", (TextPart("Rain?"),)),)
    answer = (TextPart("I look."), ToolCallPart("c1", "weather", {"input": {"city": "Oslo"}}))
    assert said.output_messages == (Message("assistant", answer),)
    assert said.tool_definitions == tools


def test_a_call_of_anthropic_has_its_instructions_and_plain_arguments() -> None:
    """The system prompt stands beside the messages, the arguments within an object of their own."""
    call = {"id": "t1", "function": {"name": "weather", "arguments": '{"input":{"city":"Oslo"}}'}}
    said = _said(
        {"system": "Be brief.", "messages": [{"role": "user", "content": [{"type": "text", "text": "Rain?"}]}]},
        {"message": {"role": "assistant", "tool_calls": [call]}},
        "logfire.anthropic",
    )

    assert [(message.role, message.text) for message in said.input_messages] == [
        ("system", "Be brief."),
        ("user", "Rain?"),
    ]
    assert said.output_messages == (Message("assistant", (ToolCallPart("t1", "weather", {"city": "Oslo"}),)),)


def test_cached_tokens_of_anthropic_are_input_too() -> None:
    """Only the usage of the response tells of them, and the count beside it is without them."""
    usage = {"input_tokens": 5000, "cache_read_input_tokens": 1000, "cache_creation_input_tokens": 200}
    counted: dict[str, Any] = {"gen_ai.usage.input_tokens": 5000, "gen_ai.usage.output_tokens": 30}
    said = _said({}, {"message": {"role": "assistant", "content": "Yes."}, "usage": usage}, **counted)

    assert (said.input_tokens, said.cache_read_tokens, said.cache_write_tokens) == (6200, 1000, 200)


@pytest.mark.parametrize(
    "response",
    [
        {"combined_chunk_content": "Sunny day", "chunk_count": 2},
        {"combined_chunk_content": "Sunny day", "message": {"role": "assistant", "content": None}},
        {"text": "Sunny day", "finish_reason": "stop"},
        {"message": {"role": "assistant", "content": "Sunny day"}},
    ],
)
def test_an_answer_is_read_however_it_came(response: dict[str, Any]) -> None:
    """In pieces, as a completion, or whole."""
    (answer,) = _said({"prompt": "Weather?"}, response).output_messages

    assert (answer.role, answer.text) == ("assistant", "Sunny day")


@pytest.mark.parametrize("name", ["input", "prompt", "messages"])
def test_what_was_asked_is_read_whatever_the_api(name: str) -> None:
    """A plain text is one message of the user."""
    assert _said({name: "Weather?"}, {}).input_messages == (Message("user", (TextPart("Weather?"),)),)


@pytest.mark.parametrize(
    "odd", [None, 5, [], "{", b"x", {"messages": 5}, {"message": [5]}, {"system": 5, "text": 5, "tools": 5}]
)
def test_odd_values_are_no_harm(odd: Any) -> None:
    """Whatever an attribute holds, a span can be read."""
    said = _said(odd, odd)

    assert said.output_messages == ()
    _ = said.input_messages, said.tool_definitions, said.input_tokens
