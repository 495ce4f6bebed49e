"""OTel's GenAI conventions, with the names that they used before.

https://opentelemetry.io/docs/specs/semconv/gen-ai/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.contract.attributes import (
    GEN_AI_AGENT_NAME,
    GEN_AI_COMPLETION,
    GEN_AI_INPUT_MESSAGES,
    GEN_AI_OPERATION_NAME,
    GEN_AI_OUTPUT_MESSAGES,
    GEN_AI_PROMPT,
    GEN_AI_PROVIDER_NAME,
    GEN_AI_REQUEST_MODEL,
    GEN_AI_RESPONSE_FINISH_REASONS,
    GEN_AI_RESPONSE_MODEL,
    GEN_AI_SYSTEM,
    GEN_AI_SYSTEM_INSTRUCTIONS,
    GEN_AI_TOOL_CALL_ARGUMENTS,
    GEN_AI_TOOL_CALL_ID,
    GEN_AI_TOOL_CALL_RESULT,
    GEN_AI_TOOL_DEFINITIONS,
    GEN_AI_TOOL_NAME,
    GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS,
    GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    GEN_AI_USAGE_COMPLETION_TOKENS,
    GEN_AI_USAGE_COST,
    GEN_AI_USAGE_INPUT_TOKENS,
    GEN_AI_USAGE_OUTPUT_TOKENS,
    GEN_AI_USAGE_PROMPT_TOKENS,
    GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
)
from otel_agenttrace.pipeline.dialects.dialect import Dialect
from otel_agenttrace.pipeline.dialects.tool_values import arguments_of, is_callback, result_of
from otel_agenttrace.pipeline.message_forms import read_messages
from otel_agenttrace.pipeline.message_parts import parsed, read_parts
from otel_agenttrace.pipeline.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.model.record import AnyValue, SpanRecord
    from otel_agenttrace.pipeline.messages import Role

_CHOICE = "gen_ai.choice"
_EVENT_ROLES: dict[str, Role] = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    _CHOICE: "assistant",
}
"""Until semconv 1.37 each message was an event."""


def _input_messages(record: SpanRecord) -> tuple[Message, ...]:
    """The messages with the instructions before them, which stand apart."""
    messages = read_messages(_first(record, GEN_AI_INPUT_MESSAGES), "user")
    if not messages:
        return tuple(message for name, message in _event_messages(record) if name != _CHOICE)
    instructions = parsed(_first(record, GEN_AI_SYSTEM_INSTRUCTIONS))
    parts = read_parts(instructions)
    return (Message("system", parts), *messages) if parts else messages


def _callback_arguments(record: SpanRecord) -> AnyValue:
    """OpenLLMetry writes what LangChain's callbacks are given under the names for arguments and results."""
    value = parsed(record.attributes.get(GEN_AI_TOOL_CALL_ARGUMENTS))
    found: AnyValue = arguments_of(value) if is_callback(value) else None
    return found


def _callback_result(record: SpanRecord) -> AnyValue:
    value = parsed(record.attributes.get(GEN_AI_TOOL_CALL_RESULT))
    found: AnyValue = result_of(value) if isinstance(value, dict) and "output" in value else None
    return found


def _output_events(record: SpanRecord) -> tuple[Message, ...]:
    return tuple(message for name, message in _event_messages(record) if name == _CHOICE)


def _event_messages(record: SpanRecord) -> Iterator[tuple[str, Message]]:
    for event in record.events:
        role = _EVENT_ROLES.get(event.name)
        if role is not None:
            body = parsed(event.attributes.get("gen_ai.event.content")) or event.attributes
            for message in read_messages(_with_role(body, role), role):
                yield event.name, message


def _with_role(body: Any, role: Role) -> Any:
    """The body of an event as a message: its role is in the event's name, and a choice holds a message."""
    if not isinstance(body, dict):
        return body
    inner = body.get("message")
    message = {**inner, "finish_reason": body.get("finish_reason")} if isinstance(inner, dict) else body
    return {"role": role, "tool_call_id": message.get("id"), **message}


def _first(record: SpanRecord, name: str) -> AnyValue:
    holders = (record.attributes, *(event.attributes for event in record.events))
    return next((holder[name] for holder in holders if name in holder), None)


OTEL_GENAI = Dialect(
    name="otel_genai",
    marks=("gen_ai",),
    operation=(GEN_AI_OPERATION_NAME,),
    operations={
        "call_llm": "chat",
        "completion": "text_completion",
        "embedding": "embeddings",
        "agent": "invoke_agent",
    },
    keeps_operations=True,
    request_model=(GEN_AI_REQUEST_MODEL,),
    response_model=(GEN_AI_RESPONSE_MODEL,),
    provider=(GEN_AI_PROVIDER_NAME, GEN_AI_SYSTEM),
    agent_name=(GEN_AI_AGENT_NAME,),
    tool_name=(GEN_AI_TOOL_NAME,),
    tool_call_id=(GEN_AI_TOOL_CALL_ID,),
    input_tokens=(GEN_AI_USAGE_INPUT_TOKENS, GEN_AI_USAGE_PROMPT_TOKENS),
    output_tokens=(GEN_AI_USAGE_OUTPUT_TOKENS, GEN_AI_USAGE_COMPLETION_TOKENS),
    cache_read_tokens=(GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, "gen_ai.usage.cache_read_input_tokens"),
    cache_write_tokens=(
        GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
        GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS,
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_write_input_tokens",
    ),
    reasoning_tokens=(GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, "gen_ai.usage.reasoning_tokens"),
    finish_reasons=(GEN_AI_RESPONSE_FINISH_REASONS, "anthropic.message.stop_reason"),  # Anthropic's SDK by itself
    reported_cost_usd=(GEN_AI_USAGE_COST,),
    tool_definitions=(GEN_AI_TOOL_DEFINITIONS,),
    input_messages=(_input_messages, GEN_AI_PROMPT),
    output_messages=(GEN_AI_OUTPUT_MESSAGES, _output_events, GEN_AI_COMPLETION),
    input=(GEN_AI_INPUT_MESSAGES, _callback_arguments, GEN_AI_TOOL_CALL_ARGUMENTS, GEN_AI_PROMPT),
    output=(GEN_AI_OUTPUT_MESSAGES, _callback_result, GEN_AI_TOOL_CALL_RESULT, GEN_AI_COMPLETION),
)
