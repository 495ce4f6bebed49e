"""Messages in the forms of many emitters."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.pipeline.message_forms import read_messages
from otel_agenttrace.pipeline.messages import (
    MediaPart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    message_shape,
)

CALL = ToolCallPart("c1", "weather", {"city": "Oslo"})
CONVERSATION = (
    Message("system", (TextPart("Be brief."),)),
    Message("user", (TextPart("Oslo?"),)),
    Message("assistant", (CALL,)),
    Message("tool", (ToolResultPart("c1", "", {"temp": 3}),)),
    Message("assistant", (TextPart("3 degrees."),)),
)
"""What each of the forms below says."""

SEMCONV = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
    {"role": "user", "parts": [{"type": "text", "content": "Oslo?"}]},
    {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Oslo"}}],
    },
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": {"temp": 3}}]},
    {"role": "assistant", "parts": [{"type": "text", "content": "3 degrees."}]},
]
OPENAI_CHAT = [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Oslo?"}]},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": '{"temp":3}'},
    {"role": "assistant", "content": "3 degrees."},
]
OPENAI_RESPONSES = [
    {"type": "message", "role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "input_text", "text": "Oslo?"}]},
    {"type": "function_call", "id": "fc_9", "call_id": "c1", "name": "weather", "arguments": '{"city":"Oslo"}'},
    {"type": "function_call_output", "call_id": "c1", "output": '{"temp":3}'},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "3 degrees."}]},
]
ANTHROPIC = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Oslo?"},
    {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Oslo"}}],
    },
    {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": '{"temp":3}'}]}],
    },
    {"role": "assistant", "content": [{"type": "text", "text": "3 degrees."}]},
]
LANGCHAIN = {
    "messages": [
        [
            {"lc": 1, "id": ["langchain", "schema", "SystemMessage"], "kwargs": {"content": "Be brief."}},
            {"type": "human", "content": "Oslo?"},
            {"type": "ai", "content": "", "tool_calls": [{"name": "weather", "args": {"city": "Oslo"}, "id": "c1"}]},
            {"type": "tool", "content": '{"temp":3}', "tool_call_id": "c1", "id": "run-7"},
            {"type": "AIMessageChunk", "content": "3 degrees."},
        ]
    ]
}  # fmt: skip
VERCEL = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Oslo?"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "tool-call", "toolCallId": "c1", "toolName": "weather", "input": {"city": "Oslo"}},
            ],
        },
        {
            "role": "tool",
            "content": [
                {"type": "tool-result", "toolCallId": "c1", "output": {"type": "json", "value": {"temp": 3}}},
            ],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "3 degrees."}]},
    ]
}
PYDANTIC_AI = [
    {
        "kind": "request",
        "parts": [
            {"part_kind": "system-prompt", "content": "Be brief."},
            {"part_kind": "user-prompt", "content": "Oslo?"},
        ],
    },
    {
        "kind": "response",
        "parts": [{"part_kind": "tool-call", "tool_call_id": "c1", "tool_name": "weather", "args": '{"city":"Oslo"}'}],
    },
    {"kind": "request", "parts": [{"part_kind": "tool-return", "tool_call_id": "c1", "content": {"temp": 3}}]},
    {"kind": "response", "parts": [{"part_kind": "text", "content": "3 degrees."}]},
]
FORMS = [SEMCONV, OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC, LANGCHAIN, VERCEL, PYDANTIC_AI]


@pytest.mark.parametrize("is_text", [False, True], ids=["values", "json"])
@pytest.mark.parametrize(
    "form", FORMS, ids=["semconv", "openai", "responses", "anthropic", "langchain", "vercel", "pydantic-ai"]
)
def test_one_conversation_reads_the_same_in_every_form(form: Any, *, is_text: bool) -> None:
    """Structured or as JSON text: the same roles, words, calls and results."""
    assert read_messages(orjson.dumps(form).decode() if is_text else form, "user") == CONVERSATION


def test_gemini_names_no_calls() -> None:
    """Its roles are user and model, and a call is known by the tool's name."""
    contents: Any = [
        {"role": "user", "parts": [{"text": "Oslo?"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {"city": "Oslo"}}}]},
        {"role": "user", "parts": [{"function_response": {"name": "weather", "response": {"temp": 3}}}]},
    ]

    assert read_messages({"contents": contents}, "user") == (
        Message("user", (TextPart("Oslo?"),)),
        Message("assistant", (ToolCallPart("", "weather", {"city": "Oslo"}),)),
        Message("tool", (ToolResultPart("", "weather", {"temp": 3}),)),
    )


@pytest.mark.parametrize(
    "envelope",
    [
        {"choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Hi"}], "stop_reason": "stop"},
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "stop"}]},
        {"output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}}, "stopReason": "stop"},
        {"generations": [[{"message": {"type": "ai", "content": "Hi"}, "generation_info": {"finish_reason": "stop"}}]]},
    ],
    ids=["openai", "anthropic", "gemini", "bedrock", "langchain"],
)
def test_an_answer_is_taken_out_of_its_envelope(envelope: Any) -> None:
    """With why the model stopped, wherever that stands."""
    assert read_messages(envelope, "assistant") == (Message("assistant", (TextPart("Hi"),), finish_reason="stop"),)


@pytest.mark.parametrize(
    "value",
    [
        {"messages": [["user", "Oslo?"]]},
        ["human", "Oslo?"],
        [{"type": "human", "data": {"content": "Oslo?", "type": "human"}}],
        [{"graph": None, "update": {"messages": [{"type": "human", "content": "Oslo?"}]}}],
    ],
)
def test_messages_of_graphs_may_be_pairs_dumps_and_updates(value: Any) -> None:
    """As LangGraph takes them, as LangChain dumps them, and as a node hands them on."""
    assert read_messages(value, "assistant") == (Message("user", (TextPart("Oslo?"),)),)


def test_what_is_no_text_is_named_and_not_repeated() -> None:
    """A URL is kept, content is not."""
    parts: Any = [
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBOR"}},
        {"inline_data": {"mime_type": "audio/wav", "data": "UklGR"}},
        {"type": "input_image", "image_url": "data:image/png;base64,iVBOR"},
    ]
    (message,) = read_messages([{"role": "user", "content": parts}], "user")

    assert message.parts == (
        MediaPart("image", "", "https://example.org/a.png"),
        MediaPart("image", "image/png"),
        MediaPart("inline_data", "audio/wav"),
        MediaPart("image"),
    )


@pytest.mark.parametrize(
    "item",
    [
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Yes."}]},
        {"role": "assistant", "reasoning_content": "Hm.", "content": "Yes."},
        {
            "role": "assistant",
            "parts": [{"type": "reasoning", "content": "Hm."}, {"type": "text", "content": "Yes."}],
        },
    ],
    ids=["anthropic", "deepseek", "semconv"],
)
def test_reasoning_is_told_from_what_was_said(item: Any) -> None:
    """It is a part of its own, and no part of the message's text."""
    (message,) = read_messages([item], "assistant")

    assert message.parts == (ReasoningPart("Hm."), TextPart("Yes."))
    assert message.text == "Yes."


def test_what_a_tool_answered_has_the_id_of_the_call() -> None:
    """In an event that is the id of the event itself; elsewhere a message has an id of its own."""
    answer = {"role": "tool", "id": "c1", "content": "3 degrees."}

    assert read_messages([{**answer, "event.name": "gen_ai.tool.message"}], "user") == (
        Message("tool", (ToolResultPart("c1", "", "3 degrees."),)),
    )
    assert read_messages([answer], "user") == (Message("tool", (ToolResultPart("", "", "3 degrees."),)),)


def test_a_message_may_have_a_text_for_its_content() -> None:
    """As BeeAI writes them; one that has both keeps its content."""
    messages = [{"role": "user", "text": "Oslo?"}, {"role": "tool", "text": "3 degrees."}]

    assert read_messages(messages, "user") == (
        Message("user", (TextPart("Oslo?"),)),
        Message("tool", (ToolResultPart("", "", "3 degrees."),)),
    )
    assert read_messages([{"role": "user", "content": "Oslo?", "text": "x"}], "user")[0].text == "Oslo?"


def test_text_is_one_message_of_the_role_that_is_given() -> None:
    """JSON that holds no messages is text too: a model may answer in JSON."""
    assert read_messages("Hello", "user") == (Message("user", (TextPart("Hello"),)),)
    assert read_messages('{"answer": 42}', "assistant") == (Message("assistant", (TextPart('{"answer": 42}'),)),)


@pytest.mark.parametrize("value", [None, "", "  ", 5, True, {}, [], {"city": "Oslo"}, [[[]]], b"x", [None, 3]])
def test_what_holds_no_messages_has_none(value: Any) -> None:
    """Arguments of a tool are not taken for a message."""
    assert read_messages(value, "user") == ()


def test_a_message_is_written_as_the_conventions_write_it() -> None:
    """And reads the same from there."""
    shapes = [message_shape(message) for message in CONVERSATION]

    assert shapes == SEMCONV
    assert read_messages(shapes, "user") == CONVERSATION


NAMES = (
    "role", "type", "content", "parts", "text", "tool_calls", "function", "id", "kind", "part_kind", "kwargs", "name",
    "messages", "choices", "result", "message", "output",
)  # fmt: skip
WORDS = ("user", "assistant", "tool", "tool_use", "tool_call", "text", "reasoning", "image", "request", "response")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=25,
)


@given(json_values)
def test_no_value_is_too_odd_to_be_read(value: Any) -> None:
    """What comes out is messages, and can be written as JSON."""
    for message in read_messages(value, "user"):
        orjson.dumps(message_shape(message), default=str)


@pytest.mark.parametrize("key", ["messages", "content", "text", "kwargs", "message", "output", "parts"])
def test_a_hostile_nesting_is_not_followed_for_ever(key: str) -> None:
    """Envelopes within envelopes are opened a few deep; nothing runs out of stack."""
    value: Any = "x"
    for _ in range(900):
        value = {"id": ["AIMessage"], key: [value] if key != "kwargs" else value}

    read_messages(value, "user")
    read_messages([{"role": "user", "content": value}], "user")
