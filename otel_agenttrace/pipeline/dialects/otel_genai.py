"""OTel's GenAI conventions, with the names that they used before.

https://opentelemetry.io/docs/specs/semconv/gen-ai/
"""

from __future__ import annotations

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
    MCP_METHOD_NAME,
)
from otel_agenttrace.pipeline.dialects.dialect import Dialect

OTEL_GENAI = Dialect(
    name="otel_genai",
    marks=("gen_ai", MCP_METHOD_NAME),
    operation=(GEN_AI_OPERATION_NAME, MCP_METHOD_NAME),
    operations={"tools/call": "execute_tool"},
    keeps_operations=True,
    request_model=(GEN_AI_REQUEST_MODEL,),
    response_model=(GEN_AI_RESPONSE_MODEL,),
    provider=(GEN_AI_PROVIDER_NAME, GEN_AI_SYSTEM),
    agent_name=(GEN_AI_AGENT_NAME,),
    tool_name=(GEN_AI_TOOL_NAME,),
    tool_call_id=(GEN_AI_TOOL_CALL_ID,),
    input_tokens=(GEN_AI_USAGE_INPUT_TOKENS, GEN_AI_USAGE_PROMPT_TOKENS),
    output_tokens=(GEN_AI_USAGE_OUTPUT_TOKENS, GEN_AI_USAGE_COMPLETION_TOKENS),
    cache_read_tokens=(GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,),
    cache_write_tokens=(GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS),
    reasoning_tokens=(GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,),
    finish_reasons=(GEN_AI_RESPONSE_FINISH_REASONS,),
    reported_cost_usd=(GEN_AI_USAGE_COST,),
    tool_definitions=(GEN_AI_TOOL_DEFINITIONS,),
    input_messages=(GEN_AI_INPUT_MESSAGES, GEN_AI_PROMPT),
    output_messages=(GEN_AI_OUTPUT_MESSAGES, GEN_AI_COMPLETION),
    input=(GEN_AI_INPUT_MESSAGES, GEN_AI_TOOL_CALL_ARGUMENTS, GEN_AI_PROMPT),
    output=(GEN_AI_OUTPUT_MESSAGES, GEN_AI_TOOL_CALL_RESULT, GEN_AI_COMPLETION),
)
