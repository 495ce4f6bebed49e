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
    GEN_AI_RESPONSE_MODEL,
    GEN_AI_SYSTEM,
    GEN_AI_TOOL_CALL_ARGUMENTS,
    GEN_AI_TOOL_CALL_RESULT,
    GEN_AI_TOOL_NAME,
    GEN_AI_USAGE_COMPLETION_TOKENS,
    GEN_AI_USAGE_COST,
    GEN_AI_USAGE_INPUT_TOKENS,
    GEN_AI_USAGE_OUTPUT_TOKENS,
    GEN_AI_USAGE_PROMPT_TOKENS,
)
from otel_agenttrace.pipeline.dialects.dialect import Dialect

OTEL_GENAI = Dialect(
    operation=(GEN_AI_OPERATION_NAME,),
    model=(GEN_AI_RESPONSE_MODEL, GEN_AI_REQUEST_MODEL),
    provider=(GEN_AI_PROVIDER_NAME, GEN_AI_SYSTEM),
    tool_name=(GEN_AI_TOOL_NAME,),
    agent_name=(GEN_AI_AGENT_NAME,),
    input_tokens=(GEN_AI_USAGE_INPUT_TOKENS, GEN_AI_USAGE_PROMPT_TOKENS),
    output_tokens=(GEN_AI_USAGE_OUTPUT_TOKENS, GEN_AI_USAGE_COMPLETION_TOKENS),
    cost_usd=(GEN_AI_USAGE_COST,),
    input=(GEN_AI_INPUT_MESSAGES, GEN_AI_TOOL_CALL_ARGUMENTS, GEN_AI_PROMPT),
    output=(GEN_AI_OUTPUT_MESSAGES, GEN_AI_TOOL_CALL_RESULT, GEN_AI_COMPLETION),
)
