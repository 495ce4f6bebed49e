"""Messages as OTel's conventions wrote them from version to version."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from otel_agenttrace.model.record import EventRecord
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.messages import Message, TextPart, ToolCallPart, ToolResultPart
from otel_agenttrace.testing.spans import make_span

ASKED = [{"role": "user", "parts": [{"type": "text", "content": "Oslo?"}]}]
ANSWERED = [{"role": "assistant", "parts": [{"type": "text", "content": "3."}], "finish_reason": "stop"}]
SYSTEM = [{"type": "text", "content": "Be brief."}]
EXPECTED_INPUT = (Message("system", (TextPart("Be brief."),)), Message("user", (TextPart("Oslo?"),)))
EXPECTED_OUTPUT = (Message("assistant", (TextPart("3."),), "stop"),)


@pytest.mark.parametrize("is_text", [False, True], ids=["structured", "json"])
@pytest.mark.parametrize("is_event", [False, True], ids=["span", "event"])
def test_instructions_come_before_the_messages(*, is_text: bool, is_event: bool) -> None:
    """Structured or as JSON text; on the span, or on the event of the inference's details."""
    content: dict[str, Any] = {
        "gen_ai.system_instructions": SYSTEM,
        "gen_ai.input.messages": ASKED,
        "gen_ai.output.messages": ANSWERED,
    }
    if is_text:
        content = {name: orjson.dumps(value).decode() for name, value in content.items()}
    details = EventRecord("gen_ai.client.inference.operation.details", 1, content)
    said = canonical(make_span(events=(details,)) if is_event else make_span(attributes=content))

    assert said.input_messages == EXPECTED_INPUT
    assert said.output_messages == EXPECTED_OUTPUT


@pytest.mark.parametrize("in_content", [False, True], ids=["attributes", "event-content"])
def test_messages_that_are_events_are_read(*, in_content: bool) -> None:
    """Until version 1.37 each message was one; some emitters write its body as JSON text."""
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("gen_ai.system.message", {"content": "Be brief."}),
        ("gen_ai.user.message", {"content": "Oslo?"}),
        ("gen_ai.assistant.message", {"tool_calls": [{"id": "c1", "function": {"name": "w", "arguments": "{}"}}]}),
        ("gen_ai.tool.message", {"id": "c1", "content": "3"}),
        ("gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": {"content": "3."}}),
    ]
    events = tuple(
        EventRecord(name, 1, {"gen_ai.event.content": orjson.dumps(body).decode()} if in_content else body)
        for name, body in bodies
    )
    said = canonical(make_span(events=events))

    assert said.input_messages == (
        *EXPECTED_INPUT,
        Message("assistant", (ToolCallPart("c1", "w", {}),)),
        Message("tool", (ToolResultPart("c1", "", "3"),)),
    )
    assert said.output_messages == EXPECTED_OUTPUT


def test_a_prompt_and_a_completion_are_messages() -> None:
    """The first version had one attribute for each."""
    said = canonical(make_span(attributes={"gen_ai.prompt": "Oslo?", "gen_ai.completion": "3."}))

    assert [(message.role, message.text) for message in said.input_messages] == [("user", "Oslo?")]
    assert [(message.role, message.text) for message in said.output_messages] == [("assistant", "3.")]


def test_anthropics_sdk_tells_by_itself_why_the_model_stopped() -> None:
    """Its own spans speak OTel's words but for that."""
    told = {"gen_ai.operation.name": "chat", "anthropic.message.stop_reason": "max_tokens"}

    assert canonical(make_span(attributes=told)).finish_reasons == ("max_tokens",)
    assert canonical(make_span(attributes=told | {"gen_ai.response.finish_reasons": ["length"]})).finish_reasons == (
        "length",
    )


def test_semantic_kernels_words_are_understood() -> None:
    """It has names of its own for operations, tokens and the reason of an end, which its enumeration prints."""
    said = canonical(
        make_span(
            attributes={
                "gen_ai.operation.name": "chat.streaming_completions",
                "gen_ai.request.model": "gpt-4o",
                "gen_ai.response.prompt_tokens": 50,
                "gen_ai.response.completion_tokens": 20,
                "gen_ai.response.finish_reason": "FinishReason.LENGTH",
            }
        )
    )
    failed = canonical(make_span(attributes={"gen_ai.operation.name": "chat.completions"}))

    assert (said.operation, said.input_tokens, said.output_tokens) == ("chat", 50, 20)
    assert said.finish_reasons == ("length",)
    assert failed.is_model_call


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("STOP", ("stop",)),
        ("FinishReason.STOP,FinishReason.TOOL_CALLS", ("stop", "tool_calls")),
        ('["Stop"]', ("stop",)),
        ("None", ()),
        (5, ()),
        ([5], ()),
    ],
)
def test_a_single_finish_reason_may_be_several(told: Any, expected: tuple[str, ...]) -> None:
    """One for each choice, with commas between or as JSON text."""
    assert canonical(make_span(attributes={"gen_ai.response.finish_reason": told})).finish_reasons == expected
