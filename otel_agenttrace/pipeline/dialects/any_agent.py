"""any-agent, which traces seven frameworks in words that are OTel's for the most part.

https://mozilla-ai.github.io/any-agent/tracing/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.contract.attributes import GEN_AI_REQUEST_MODEL, GEN_AI_TOOL_NAME
from otel_agenttrace.pipeline.dialects.dialect import Dialect
from otel_agenttrace.pipeline.message_forms import read_messages
from otel_agenttrace.pipeline.message_parts import parsed
from otel_agenttrace.pipeline.messages import Message, ToolCallPart
from otel_agenttrace.pipeline.numbers import as_number

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord

_OUTPUT = "gen_ai.output"
_COSTS = ("gen_ai.usage.input_cost", "gen_ai.usage.output_cost")


def _cost(record: SpanRecord) -> Any:
    costs = [as_number(record.attributes.get(name)) for name in _COSTS]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None


def _provider(record: SpanRecord) -> Any:
    """LiteLLM's way of naming models, which any-agent follows: the provider stands before a slash."""
    model = record.attributes.get(GEN_AI_REQUEST_MODEL)
    return model.partition("/")[0] if isinstance(model, str) and "/" in model else None


def _answer(record: SpanRecord) -> Any:
    """What a model answered: a text, or the tools that it asks for."""
    if GEN_AI_TOOL_NAME in record.attributes:
        return None
    output = record.attributes.get(_OUTPUT)
    calls = parsed(output)
    if isinstance(calls, list) and calls and all(isinstance(call, dict) and "tool.name" in call for call in calls):
        parts = tuple(
            ToolCallPart("", str(call["tool.name"]), parsed(call.get("tool.args")))
            for call in calls
            if isinstance(call, dict)
        )
        return (Message("assistant", parts),)
    return read_messages(output, "assistant") if isinstance(output, str) else None


ANY_AGENT = Dialect(
    name="any_agent",
    marks=("any_agent", "gen_ai.tool.args", *_COSTS),
    scopes=("any_agent",),
    provider=(_provider,),
    reported_cost_usd=(_cost,),
    output_messages=(_answer,),
    input=("gen_ai.tool.args",),
    output=(_OUTPUT,),
)
