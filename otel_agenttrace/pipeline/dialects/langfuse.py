"""Langfuse's SDKs, which write an observation of Langfuse's as a span.

https://langfuse.com/integrations/native/opentelemetry (property mapping)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.pipeline.dialects.dialect import Dialect
from otel_agenttrace.pipeline.dialects.langfuse_usage import cost_of, usage_of
from otel_agenttrace.pipeline.dialects.tool_values import arguments_of, tool_call_id_in
from otel_agenttrace.pipeline.message_forms import read_messages
from otel_agenttrace.pipeline.message_parts import as_text, parsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.model.record import AnyValue, SpanRecord
    from otel_agenttrace.pipeline.messages import Message

_TYPE = "langfuse.observation.type"
_INPUT = "langfuse.observation.input"
_OUTPUT = "langfuse.observation.output"

_OPERATIONS = {
    "agent": "invoke_agent",
    "chain": "invoke_workflow",
    "embedding": "embeddings",
    "evaluator": "evaluate",
    "generation": "chat",
    "guardrail": "guardrail",
    "retriever": "retrieval",
    "tool": "execute_tool",
}
_SPEAKING = ("generation", "agent", "chain", "span")
"""Types of observations whose values are what somebody said; other values are arguments, results or documents."""

_MAX_MESSAGE_OF_TOOL = 64 * 1024


def _type(record: SpanRecord) -> str:
    kind = record.attributes.get(_TYPE)
    kind = kind.lower() if isinstance(kind, str) else ""
    return "tool" if kind == "span" and _answers_a_call(record.attributes.get(_OUTPUT)) else kind


def _answers_a_call(output: AnyValue) -> bool:
    """Whether an output is LangChain's message of a tool: the SDK had no type for tools before its version 3.3."""
    if not isinstance(output, str) or not output.startswith('{"content"') or len(output) > _MAX_MESSAGE_OF_TOOL:
        return False
    message = parsed(output)
    return isinstance(message, dict) and message.get("type") == "tool" and "tool_call_id" in message


def _name_of(kind: str) -> Callable[[SpanRecord], AnyValue]:
    """An observation's name is that of the agent or the tool."""

    def read_name(record: SpanRecord) -> AnyValue:
        return record.name if _TYPE in record.attributes and _type(record) == kind else None

    return read_name


def _tool_call_id(record: SpanRecord) -> AnyValue:
    output = record.attributes.get(_OUTPUT)
    return tool_call_id_in(output) if output is not None and _type(record) == "tool" else None


def _amount(name: str) -> Callable[[SpanRecord], AnyValue]:
    def read_amount(record: SpanRecord) -> AnyValue:
        usage = usage_of(record.attributes.get("langfuse.observation.usage_details"))
        return None if usage is None else getattr(usage, name)

    return read_amount


def _cost(record: SpanRecord) -> AnyValue:
    return cost_of(record.attributes.get("langfuse.observation.cost_details"))


def _input(record: SpanRecord) -> AnyValue:
    value = record.attributes.get(_INPUT)
    return None if value is None else arguments_of(value)


def _input_messages(record: SpanRecord) -> AnyValue | tuple[Message, ...]:
    """Messages; an object that holds none is what was said, as on the side of the output."""
    value = _input(record) if _type(record) in _SPEAKING else None
    if isinstance(value, list):
        value = [item for item in value if not _is_definition(item)]
    is_told = isinstance(value, (dict, list)) and bool(value) and not _is_state(value)
    return value if not is_told else read_messages(value, "user") or as_text(value)


def _is_state(value: AnyValue) -> bool:
    """Whether an input is the state of a graph, which may have no messages yet."""
    return isinstance(value, dict) and "messages" in value


def _output_messages(record: SpanRecord) -> AnyValue:
    value = record.attributes.get(_OUTPUT) if _type(record) in _SPEAKING else None
    return None if value == "None" else value  # what Python's `str` makes of an answer without a text


def _definitions(record: SpanRecord) -> AnyValue:
    value = record.attributes.get(_INPUT)
    if not isinstance(value, str) or '"function"' not in value:
        return None
    request = parsed(value)
    if isinstance(request, dict):
        return request.get("tools")
    if isinstance(request, list):
        return [item["content"] for item in request if _is_definition(item)] or None
    return None


def _is_definition(item: Any) -> bool:
    """Whether one of the messages is none: the callbacks for LangChain put the tools at their end."""
    content = item.get("content") if isinstance(item, dict) else None
    return isinstance(content, dict) and content.get("type") == "function" and item.get("role") == "tool"


LANGFUSE = Dialect(
    name="langfuse",
    marks=("langfuse",),
    scopes=("langfuse-sdk",),
    operation=(_type,),
    operations=_OPERATIONS,
    request_model=("langfuse.observation.model.name",),
    agent_name=(_name_of("agent"),),
    tool_name=(_name_of("tool"),),
    tool_call_id=(_tool_call_id,),
    conversation=("langfuse.session.id",),
    input_tokens=(_amount("input_tokens"),),
    output_tokens=(_amount("output_tokens"),),
    cache_read_tokens=(_amount("cache_read_tokens"),),
    cache_write_tokens=(_amount("cache_write_tokens"),),
    reasoning_tokens=(_amount("reasoning_tokens"),),
    reported_cost_usd=(_cost,),
    tool_definitions=(_definitions,),
    input_messages=(_input_messages,),
    output_messages=(_output_messages,),
    input=(_input, "langfuse.trace.input"),
    output=(_OUTPUT, "langfuse.trace.output"),
)
