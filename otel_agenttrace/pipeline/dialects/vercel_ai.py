"""The Vercel AI SDK, versions 4 to 6; from 7 on it speaks OTel's conventions, through an adapter.

https://ai-sdk.dev/docs/ai-sdk-core/telemetry#collected-data
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from otel_agenttrace.pipeline.dialects import vercel_usage
from otel_agenttrace.pipeline.dialects.dialect import Dialect
from otel_agenttrace.pipeline.message_forms import read_messages
from otel_agenttrace.pipeline.message_parts import parsed, read_parts, tool_call
from otel_agenttrace.pipeline.messages import Message, ReasoningPart, TextPart

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.pipeline.messages import Part

_WRAPPERS = ("ai.generatetext", "ai.streamtext", "ai.generateobject", "ai.streamobject")
"""They run steps until there is an answer, calling models and tools on the way."""


def _prompt(record: SpanRecord) -> tuple[Message, ...]:
    """What `generateText` was given: instructions, and a prompt or messages."""
    prompt = parsed(record.attributes.get("ai.prompt"))
    if not isinstance(prompt, dict):
        return read_messages(prompt, "user")
    instructions = read_parts(prompt.get("system") or prompt.get("instructions"))
    asked = read_messages(prompt.get("messages") or prompt.get("prompt"), "user")
    return (Message("system", instructions), *asked) if instructions else asked


def _answer(record: SpanRecord) -> tuple[Message, ...]:
    attributes = record.attributes
    reasoning, text = attributes.get("ai.response.reasoning"), attributes.get("ai.response.text")
    parts: list[Part] = [ReasoningPart(reasoning)] if isinstance(reasoning, str) and reasoning else []
    spoken = text or attributes.get("ai.response.object")
    if isinstance(spoken, str) and spoken:
        parts.append(TextPart(spoken))
    calls = parsed(attributes.get("ai.response.toolCalls"))
    parts += [tool_call(call) for call in (calls if isinstance(calls, list) else ()) if isinstance(call, dict)]
    reason = attributes.get("ai.response.finishReason")
    return (Message("assistant", tuple(parts), reason if isinstance(reason, str) else ""),) if parts else ()


def _result(record: SpanRecord) -> Any:
    """What a tool returned."""
    return _unquoted(record.attributes.get("ai.toolCall.result"))


def _embedded(record: SpanRecord) -> Any:
    """What was embedded: one value, or a list of them."""
    values = record.attributes.get("ai.values")
    if isinstance(values, list):
        return [_unquoted(value) for value in values]
    return _unquoted(record.attributes.get("ai.value") if values is None else values)


def _unquoted(value: Any) -> Any:
    """The SDK writes values as JSON, a text in quotes too."""
    try:
        return orjson.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _tools(record: SpanRecord) -> Any:
    """The tools, each of which is JSON text, with the schema under the name that the conventions use."""
    tools = parsed(record.attributes.get("ai.prompt.tools"))
    read: list[Any] = [parsed(tool) for tool in tools] if isinstance(tools, list) else []
    found = [{**tool, "parameters": tool.get("inputSchema")} for tool in read if isinstance(tool, dict)]
    return found or None


VERCEL_AI = Dialect(
    name="vercel_ai",
    marks=("ai.operationId", "ai.model", "ai.usage", "ai.prompt", "ai.response", "ai.toolCall"),
    operation=("ai.operationId",),
    operations={
        **dict.fromkeys(_WRAPPERS, "invoke_agent"),
        **dict.fromkeys((f"{wrapper}.dogenerate" for wrapper in _WRAPPERS), "chat"),
        **dict.fromkeys((f"{wrapper}.dostream" for wrapper in _WRAPPERS), "chat"),
        "ai.embed": "invoke_workflow",
        "ai.embedmany": "invoke_workflow",
        "ai.embed.doembed": "embeddings",
        "ai.embedmany.doembed": "embeddings",
        "ai.toolcall": "execute_tool",
    },
    request_model=("ai.model.id",),
    response_model=("ai.response.model",),
    provider=("ai.model.provider",),
    agent_name=("ai.telemetry.functionId", "resource.name"),
    tool_name=("ai.toolCall.name",),
    tool_call_id=("ai.toolCall.id",),
    conversation=(
        "ai.telemetry.metadata.sessionId",
        "ai.telemetry.metadata.session_id",
        "ai.telemetry.metadata.conversationId",
        "ai.telemetry.metadata.threadId",
        "ai.telemetry.metadata.chatId",
    ),
    input_tokens=("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
    output_tokens=("ai.usage.outputTokens", "ai.usage.completionTokens"),
    cache_read_tokens=(
        "ai.usage.inputTokenDetails.cacheReadTokens",
        "ai.usage.cachedInputTokens",
        vercel_usage.cache_read,
    ),
    cache_write_tokens=("ai.usage.inputTokenDetails.cacheWriteTokens", vercel_usage.cache_write),
    reasoning_tokens=(
        "ai.usage.outputTokenDetails.reasoningTokens",
        "ai.usage.reasoningTokens",
        vercel_usage.reasoning,
    ),
    total_tokens=("ai.usage.totalTokens", vercel_usage.total),
    uncached_input_tokens=(vercel_usage.uncached_input,),
    finish_reasons=("ai.response.finishReason",),
    tool_definitions=(_tools,),
    input_messages=("ai.prompt.messages", _prompt),
    output_messages=(_answer,),
    input=("ai.toolCall.args", "ai.prompt.messages", "ai.prompt", _embedded),
    output=(_result, "ai.response.text", "ai.response.object", "ai.response.toolCalls"),
)
