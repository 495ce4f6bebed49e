"""Messages, arguments, results, documents and tools of OpenInference, most of which are flattened lists.

https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md#attribute-naming-conventions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.pipeline.dialects.flattened import chat_role, column, numbered, without_absent
from otel_agenttrace.pipeline.dialects.tool_values import arguments_of, result_of
from otel_agenttrace.pipeline.message_forms import read_messages
from otel_agenttrace.pipeline.message_parts import parsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.model.record import AnyValue, Attributes, SpanRecord

KIND = "openinference.span.kind"
_INSTRUCTOR = "openinference.instrumentation.instructor"
_WRAPPED = ('{"args"', "{'role'")
_SPEAKING = ("", "LLM", "AGENT", "CHAIN")
"""Kinds of spans whose values are what somebody said; other values are arguments, results or documents."""


def kind_of(record: SpanRecord) -> str:
    """The kind of the span in capitals, empty where it says none; `STEP`, a word of ours, where it is wrong."""
    kind = record.attributes.get(KIND)
    if record.scope.name == _INSTRUCTOR:  # what it wraps around a call of a model is a tool to it
        return "STEP"
    return kind.upper() if isinstance(kind, str) else ""


def chat_messages(prefix: str, role: str) -> Callable[[SpanRecord], AnyValue]:
    """Messages of a chat; `role` is that of messages which do not say."""

    def read_list(record: SpanRecord) -> Any:
        items = numbered(record.attributes, prefix)
        reason = record.attributes.get("llm.finish_reason") if role == "assistant" else None
        messages = [_message(item, role, reason) for item in items]
        return messages or parsed(record.attributes.get(prefix))

    return read_list


def _message(item: Attributes, default_role: str, reason: AnyValue) -> dict[str, Any]:
    role = chat_role(item.get("message.role"), default_role)
    calls = [_call(call) for call in numbered(item, "message.tool_calls")]
    function = item.get("message.function_call_name")
    if function and role not in ("tool", "function"):
        calls.append({"name": function, "arguments": item.get("message.function_call_arguments_json")})
    return without_absent(
        {
            "role": role,
            "content": [_part(part) for part in numbered(item, "message.contents")] or item.get("message.content"),
            "tool_calls": calls,
            "tool_call_id": item.get("message.tool_call_id"),
            "name": item.get("message.name") or (function if not calls else None),
            "finish_reason": reason,
        }
    )


def _call(item: Attributes) -> dict[str, Any]:
    return {
        "id": item.get("tool_call.id"),
        "name": item.get("tool_call.function.name"),
        "arguments": item.get("tool_call.function.arguments"),
    }


def _part(item: Attributes) -> dict[str, Any]:
    kind = item.get("message_content.type") or "text"
    if kind in ("text", "reasoning"):
        return {"type": kind, "text": item.get("message_content.text")}
    if kind == "tool_use":
        return {"type": "tool_use", **_call({name.removeprefix("message_content."): item[name] for name in item})}
    fields = {name.rpartition(".")[2]: value for name, value in item.items()}
    return {**fields, "type": kind}


def completion_texts(prefix: str, name: str, role: str) -> Callable[[SpanRecord], AnyValue]:
    """What the completions API was given and answered, as messages."""

    def read_texts(record: SpanRecord) -> AnyValue:
        whole = parsed(record.attributes.get(prefix))  # LlamaIndex has a plain list
        texts = column(record.attributes, prefix, name) or (whole if isinstance(whole, list) else [])
        return [{"role": role, "content": text} for text in texts if isinstance(text, str)] or None

    return read_texts


def said(name: str) -> Callable[[SpanRecord], AnyValue]:
    """The whole value of the span, where it is what somebody said."""

    def read_value(record: SpanRecord) -> AnyValue:
        if kind_of(record) not in _SPEAKING:
            return None
        value = record.attributes.get(name)
        return _opened(value) if isinstance(value, str) and value.startswith(_WRAPPED) else value

    return read_value


def _opened(text: str) -> AnyValue:
    """What was said, out of the call of a function or of what Python shows of a message, where that is all there is."""
    found: AnyValue = arguments_of(text)
    return found if isinstance(found, str) or read_messages(found, "user") else text


def documents(prefix: str) -> Callable[[SpanRecord], AnyValue]:
    """Documents that were found, each with `content` and, where told, `id`, `score` and `metadata`."""

    def read_documents(record: SpanRecord) -> AnyValue:
        items = numbered(record.attributes, prefix)
        return [{name.removeprefix("document."): item[name] for name in item} for item in items] or None

    return read_documents


def embedded_texts(record: SpanRecord) -> AnyValue:
    """The texts that were embedded, without their vectors."""
    return list(column(record.attributes, "embedding.embeddings", "embedding.text")) or None


def tool_arguments(record: SpanRecord) -> AnyValue:
    """What a tool was called with, on a tool's own span."""
    attributes = record.attributes
    if kind_of(record) != "TOOL":
        return None
    given = attributes.get("input.value")
    value = arguments_of(attributes.get("tool.parameters") if given is None else given, _parameters(record))
    return None if given is None and _is_schema(value) else value


def _parameters(record: SpanRecord) -> tuple[str, ...]:
    """The names of a tool's parameters; smolagents tells them without a schema around them."""
    schema = parsed(record.attributes.get("tool.parameters"))
    parameters = schema.get("properties") if _is_schema(schema) else schema
    is_told = isinstance(parameters, dict) and all(isinstance(about, dict) for about in parameters.values())
    return tuple(parameters) if is_told else ()


def tool_result(record: SpanRecord) -> AnyValue:
    """What a tool answered, on its own span."""
    return result_of(record.attributes.get("output.value")) if kind_of(record) == "TOOL" else None


def tools(record: SpanRecord) -> AnyValue:
    """Definitions of the tools that a model was offered, or of the tool whose span it is."""
    offered = [_tool(item) for item in numbered(record.attributes, "llm.tools")]
    return offered or _own_definition(record)


def _own_definition(record: SpanRecord) -> AnyValue:
    """The definition that a tool's own span gives; some instrumentors put the arguments there instead."""
    attributes = record.attributes
    names = {"name": attributes.get("tool.name"), "description": attributes.get("tool.description")}
    for source in ("tool.json_schema", "tool.parameters"):
        schema = parsed(attributes.get(source))
        if _is_schema(schema):
            return [{**without_absent(names), "parameters": schema}]
    return None


def _is_schema(value: AnyValue) -> bool:
    return isinstance(value, dict) and value.get("type") == "object" and isinstance(value.get("properties"), dict)


def _tool(item: Attributes) -> Any:
    schema = parsed(item.get("tool.json_schema"))
    if not isinstance(schema, dict) or "name" in schema or isinstance(schema.get("function"), dict):
        return schema
    parameters = {} if "parameters" in schema or "input_schema" in schema else {"parameters": schema}
    names = {"name": item.get("tool.name"), "description": item.get("tool.description")}
    return without_absent(names) | (parameters or schema)
