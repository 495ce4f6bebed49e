"""Spans of the Vercel AI SDK, as its documentation lists them."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agenttrace.pipeline.canonical import Canonical, canonical
from otel_agenttrace.pipeline.messages import Message, ReasoningPart, TextPart, ToolCallPart
from otel_agenttrace.testing.spans import make_span


def _said(**attributes: Any) -> Canonical:
    return canonical(
        make_span(attributes={f"ai.{name.replace('__', '.')}": value for name, value in attributes.items()})
    )


@pytest.mark.parametrize(
    ("operation_id", "operation"),
    [
        ("ai.generateText", "invoke_agent"),
        ("ai.streamText", "invoke_agent"),
        ("ai.generateObject", "invoke_agent"),
        ("ai.streamObject", "invoke_agent"),
        ("ai.generateText.doGenerate", "chat"),
        ("ai.streamText.doStream", "chat"),
        ("ai.generateObject.doGenerate", "chat"),
        ("ai.streamObject.doStream", "chat"),
        ("ai.embed", "invoke_workflow"),
        ("ai.embedMany.doEmbed", "embeddings"),
        ("ai.toolCall", "execute_tool"),
        ("ai.somethingNew", None),
    ],
)
def test_what_a_span_does_stands_in_its_operation_id(operation_id: str, operation: str | None) -> None:
    """Only the innermost span of a call is the call of a model."""
    said = _said(operationId=operation_id, model__id="gpt-5")

    assert (said.dialect, said.operation) == ("vercel_ai", operation)
    assert said.is_model_call is (operation in ("chat", "embeddings"))


def test_models_and_usage_are_read() -> None:
    """The names of version 6, where cached and reasoning tokens are parts of the others."""
    said = _said(
        operationId="ai.generateText.doGenerate",
        model__id="gpt-5",
        model__provider="openai.responses",
        response__model="gpt-5-2025-08-07",
        response__finishReason="stop",
        usage__inputTokens=178,
        usage__inputTokenDetails__cacheReadTokens=128,
        usage__inputTokenDetails__cacheWriteTokens=10,
        usage__outputTokens=23,
        usage__outputTokenDetails__reasoningTokens=8,
        telemetry__functionId="forecaster",
        telemetry__metadata__sessionId="visit-1",
    )

    assert said == Canonical(
        dialect="vercel_ai",
        operation="chat",
        request_model="gpt-5",
        response_model="gpt-5-2025-08-07",
        provider="openai",
        agent_name="forecaster",
        conversation="visit-1",
        input_tokens=178,
        output_tokens=23,
        cache_read_tokens=128,
        cache_write_tokens=10,
        reasoning_tokens=8,
        finish_reasons=("stop",),
    )


def test_usage_under_the_names_of_version_4_is_read() -> None:
    """Prompt and completion tokens; of embeddings just tokens."""
    said = _said(operationId="ai.streamText.doStream", usage__promptTokens=62, usage__completionTokens=85)

    assert (said.input_tokens, said.output_tokens) == (62, 85)
    assert _said(operationId="ai.embed.doEmbed", usage__tokens=7).input_tokens == 7


@pytest.mark.parametrize(
    ("written", "provider"),
    [
        ("openai.chat", "openai"),
        ("anthropic.messages", "anthropic"),
        ("google.generative-ai", "gcp.gemini"),
        ("google.vertex.chat", "gcp.vertex_ai"),
        ("amazon-bedrock", "aws.bedrock"),
        ("mistral.chat", "mistral_ai"),
        ("my-gateway", "my-gateway"),
    ],
)
def test_a_provider_has_otels_name(written: str, provider: str) -> None:
    """Without the API that the SDK writes behind a dot."""
    assert _said(model__provider=written).provider == provider


def test_the_prompt_and_the_answer_of_a_run_are_messages() -> None:
    """Instructions come first; reasoning, text and calls are parts of one answer."""
    said = _said(
        operationId="ai.generateText",
        prompt='{"system":"Be brief.","prompt":"Oslo?"}',
        response__reasoning="Hm.",
        response__text="Let me see.",
        response__toolCalls='[{"toolCallId":"c1","toolName":"weather","input":"{\\"city\\":\\"Oslo\\"}"}]',
        response__finishReason="tool-calls",
    )

    assert said.input_messages == (Message("system", (TextPart("Be brief."),)), Message("user", (TextPart("Oslo?"),)))
    assert said.output_messages == (
        Message(
            "assistant",
            (ReasoningPart("Hm."), TextPart("Let me see."), ToolCallPart("c1", "weather", {"city": "Oslo"})),
            finish_reason="tool-calls",
        ),
    )


def test_an_object_is_an_answer_too() -> None:
    """What `generateObject` made is JSON text."""
    said = _said(operationId="ai.generateObject.doGenerate", response__object='{"t":3}')

    assert [message.text for message in said.output_messages] == ['{"t":3}']


def test_a_tool_call_has_arguments_and_a_result() -> None:
    """Both are JSON, a text in quotes too."""
    said = _said(
        operationId="ai.toolCall",
        toolCall__name="weather",
        toolCall__id="c1",
        toolCall__args='{"city":"Oslo"}',
        toolCall__result='"4 degrees"',
    )

    assert (said.tool_name, said.tool_call_id) == ("weather", "c1")
    assert (said.input, said.output) == ({"city": "Oslo"}, "4 degrees")


def test_what_is_embedded_is_read() -> None:
    """Each value is JSON text."""
    assert _said(operationId="ai.embed", value='"rain"').input == "rain"
    assert _said(operationId="ai.embedMany.doEmbed", values=['"rain"', "snow", 5]).input == ["rain", "snow", 5]


@pytest.mark.parametrize(
    "tools",
    [
        ['{"name":"w","inputSchema":{"type":"object"}}'],
        '["{\\"name\\":\\"w\\",\\"inputSchema\\":{\\"type\\":\\"object\\"}}"]',
    ],
)
def test_tools_are_read_with_their_schemas(tools: Any) -> None:
    """Each is JSON text, in a list or in the text of one."""
    schema = {"type": "object"}

    assert _said(prompt__tools=tools).tool_definitions == [{"name": "w", "inputSchema": schema, "parameters": schema}]


@pytest.mark.parametrize("odd", [None, 5, True, [], ["{"], {"a": 1}, "{", "", '{"prompt": 5}', b"x"])
def test_odd_values_are_no_harm(odd: Any) -> None:
    """Whatever an attribute holds, a span can be read."""
    names = (
        "prompt",
        "prompt.messages",
        "prompt.tools",
        "response.toolCalls",
        "response.text",
        "toolCall.result",
        "value",
        "values",
    )
    said = canonical(make_span(attributes={"ai.operationId": odd, **{f"ai.{name}": odd for name in names}}))

    _ = said.input_messages, said.output_messages, said.tool_definitions, said.input, said.output
