"""OTel's GenAI conventions, with the names that they used before.

https://opentelemetry.io/docs/specs/semconv/gen-ai/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import (
    GEN_AI_AGENT_NAME,
    GEN_AI_COMPLETION,
    GEN_AI_INPUT_MESSAGES,
    GEN_AI_OUTPUT_MESSAGES,
    GEN_AI_PROMPT,
    GEN_AI_PROVIDER_NAME,
    GEN_AI_REQUEST_MODEL,
    GEN_AI_RESPONSE_FINISH_REASONS,
    GEN_AI_RESPONSE_MODEL,
    GEN_AI_SYSTEM,
    GEN_AI_SYSTEM_INSTRUCTIONS,
    GEN_AI_TOOL_DEFINITIONS,
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
from otel_agenttrace.pipeline.dialects.dialect import Dialect, told_anywhere
from otel_agenttrace.pipeline.dialects.genai_events import answered_in_events, asked_in_events
from otel_agenttrace.pipeline.dialects.genai_tools import (
    operation_of,
    tool_answer,
    tool_arguments,
    tool_call_id_of,
    tool_name_of,
)
from otel_agenttrace.pipeline.message_forms import read_messages
from otel_agenttrace.pipeline.message_parts import parsed, read_parts
from otel_agenttrace.pipeline.messages import Message

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue, SpanRecord


def _input_messages(record: SpanRecord) -> tuple[Message, ...]:
    """The messages with the instructions before them, which stand apart."""
    messages = read_messages(told_anywhere(record, GEN_AI_INPUT_MESSAGES), "user")
    if not messages:
        return asked_in_events(record)
    instructions = parsed(told_anywhere(record, GEN_AI_SYSTEM_INSTRUCTIONS))
    parts = read_parts(instructions)
    return (Message("system", parts), *messages) if parts else messages


def _finish_reasons(record: SpanRecord) -> AnyValue:
    """Semantic Kernel's single name: `FinishReason.LENGTH`, with commas between choices, or JSON text of a list."""
    told = parsed(record.attributes.get("gen_ai.response.finish_reason"))
    words = told.split(",") if isinstance(told, str) else told
    if not isinstance(words, list):
        return None
    reasons = [word.strip().removeprefix("FinishReason.").lower() for word in words if isinstance(word, str)]
    return [reason for reason in reasons if reason not in ("", "none")]


OTEL_GENAI = Dialect(
    name="otel_genai",
    marks=("gen_ai",),
    operation=(operation_of,),
    operations={
        "call_llm": "chat",
        "completion": "text_completion",
        "embedding": "embeddings",
        "agent": "invoke_agent",
        "chat.completions": "chat",
        "chat.streaming_completions": "chat",
        "text.completions": "text_completion",
        "text.streaming_completions": "text_completion",
    },
    keeps_operations=True,
    request_model=(GEN_AI_REQUEST_MODEL,),
    response_model=(GEN_AI_RESPONSE_MODEL,),
    provider=(GEN_AI_PROVIDER_NAME, GEN_AI_SYSTEM),
    agent_name=(GEN_AI_AGENT_NAME,),
    tool_name=(tool_name_of,),
    tool_call_id=(tool_call_id_of,),
    input_tokens=(GEN_AI_USAGE_INPUT_TOKENS, GEN_AI_USAGE_PROMPT_TOKENS, "gen_ai.response.prompt_tokens"),
    output_tokens=(GEN_AI_USAGE_OUTPUT_TOKENS, GEN_AI_USAGE_COMPLETION_TOKENS, "gen_ai.response.completion_tokens"),
    cache_read_tokens=(GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, "gen_ai.usage.cache_read_input_tokens"),
    cache_write_tokens=(
        GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
        GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS,
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_write_input_tokens",
    ),
    reasoning_tokens=(GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, "gen_ai.usage.reasoning_tokens"),
    total_tokens=("gen_ai.usage.total_tokens",),
    finish_reasons=(
        GEN_AI_RESPONSE_FINISH_REASONS,
        _finish_reasons,
        "anthropic.message.stop_reason",  # Anthropic's SDK by itself
    ),
    reported_cost_usd=(GEN_AI_USAGE_COST,),
    tool_definitions=(GEN_AI_TOOL_DEFINITIONS,),
    input_messages=(_input_messages, GEN_AI_PROMPT),
    output_messages=(GEN_AI_OUTPUT_MESSAGES, answered_in_events, GEN_AI_COMPLETION),
    input=(tool_arguments, GEN_AI_INPUT_MESSAGES, GEN_AI_PROMPT),
    output=(tool_answer, GEN_AI_OUTPUT_MESSAGES, GEN_AI_COMPLETION),
)
