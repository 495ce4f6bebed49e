"""Calls of tools in OTel's words: which they are, and what went in and out, wherever emitters put that.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/#execute-tool-span
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.contract.attributes import (
    GEN_AI_INPUT_MESSAGES,
    GEN_AI_OPERATION_NAME,
    GEN_AI_OUTPUT_MESSAGES,
    GEN_AI_TOOL_CALL_ARGUMENTS,
    GEN_AI_TOOL_CALL_ID,
    GEN_AI_TOOL_CALL_RESULT,
    GEN_AI_TOOL_NAME,
)
from otel_agenttrace.pipeline.dialects.genai_events import CHOICE, TOOL_MESSAGE, body_of
from otel_agenttrace.pipeline.dialects.tool_values import arguments_of, is_callback, result_of
from otel_agenttrace.pipeline.message_parts import parsed, tool_call, tool_result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.model.record import AnyValue, SpanRecord

_OPERATION = str(GEN_AI_OPERATION_NAME)
_NAME = str(GEN_AI_TOOL_NAME)
_CALL_ID = str(GEN_AI_TOOL_CALL_ID)

_MERGED = "(merged tools)"
"""ADK's span beside those of tools that were called at once, with all their results."""

_NO_CALL_ID = "<not specified>"
_MAX_MESSAGES = 100
_CALLS = ("tool_call", "tool_use", "function_call")
_RESULTS = ("tool_call_response", "tool_result", "function_call_output")


def operation_of(record: SpanRecord) -> AnyValue:
    """What the span does, unless it says so of the tools of other spans."""
    attributes = record.attributes
    return None if attributes.get(_NAME) == _MERGED else attributes.get(_OPERATION)


def tool_name_of(record: SpanRecord) -> AnyValue:
    """The tool that the span calls."""
    name = record.attributes.get(_NAME)
    return None if name == _MERGED else name


def tool_call_id_of(record: SpanRecord) -> AnyValue:
    """The id that the model gave the call."""
    attributes = record.attributes
    call_id = attributes.get(_CALL_ID)
    return None if call_id == _NO_CALL_ID or attributes.get(_NAME) == _MERGED else call_id


def _is_tool(record: SpanRecord) -> bool:
    """Whether the span says in OTel's words that it calls a tool; an agent may be one to another, and remains one."""
    operation = record.attributes.get(_OPERATION)
    return operation == "execute_tool" or (operation is None and _NAME in record.attributes)


def tool_arguments(record: SpanRecord) -> AnyValue:
    """What a tool was given; on spans of other kinds no more than is told under the name for it."""
    told = parsed(record.attributes.get(GEN_AI_TOOL_CALL_ARGUMENTS))
    if told is not None:
        # OpenLLMetry writes what LangChain's callbacks are given under this name.
        found: AnyValue = arguments_of(told) if is_callback(told) else told
        return found
    if not _is_tool(record):
        return None
    for part in _parts(record, GEN_AI_INPUT_MESSAGES, _CALLS):
        return tool_call(part).arguments
    body = body_of(record, TOOL_MESSAGE)
    arguments: AnyValue = None if body is None else arguments_of(body.get("content"))
    return arguments


def tool_answer(record: SpanRecord) -> AnyValue:
    """What a tool answered; on spans of other kinds no more than is told under the name for it."""
    told = parsed(record.attributes.get(GEN_AI_TOOL_CALL_RESULT))
    if told is not None:
        found: AnyValue = result_of(told) if isinstance(told, dict) and "output" in told else told
        return found
    if not _is_tool(record):
        return None
    for part in _parts(record, GEN_AI_OUTPUT_MESSAGES, _RESULTS):
        return tool_result(part).result
    body = body_of(record, CHOICE)
    return None if body is None else tool_result({"result": parsed(body.get("message"))}).result


def _parts(record: SpanRecord, name: str, types: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Parts of those types in the messages of the span and of its events."""
    for attributes in (record.attributes, *(event.attributes for event in record.events)):
        messages = parsed(attributes.get(name))
        for message in messages[:_MAX_MESSAGES] if isinstance(messages, list) else ():
            parts = message.get("parts") if isinstance(message, dict) else None
            for part in parts[:_MAX_MESSAGES] if isinstance(parts, list) else ():
                if isinstance(part, dict) and part.get("type") in types:
                    yield part
