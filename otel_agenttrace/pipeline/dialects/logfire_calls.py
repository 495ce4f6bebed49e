"""Calls of models as Logfire's own instrumentations of OpenAI and Anthropic record them: as requests and responses.

https://logfire.pydantic.dev/docs/integrations/llms/openai/ and https://logfire.pydantic.dev/docs/integrations/llms/anthropic/
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from otel_agenttrace.pipeline.message_forms import read_messages
from otel_agenttrace.pipeline.message_parts import parsed, read_parts
from otel_agenttrace.pipeline.messages import Message, TextPart, ToolCallPart

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.pipeline.messages import Part

_ANTHROPIC = "logfire.anthropic"
"""A scope."""

_ANSWER_TEXTS = ("combined_chunk_content", "text")
"""Of a streamed chat, of a completion."""

_ASKED = ("messages", "input", "prompt")
"""Of a chat, of the responses API or embeddings, of a completion."""


def asked(record: SpanRecord) -> tuple[Message, ...]:
    """What a model was asked; Anthropic's instructions stand beside the messages."""
    request = _object(record, "request_data")
    given = next((request[name] for name in _ASKED if request.get(name)), None)
    instructions = read_parts(request.get("system") or request.get("instructions"))
    messages = read_messages(given, "user")
    return (Message("system", instructions), *messages) if instructions else messages


def answered(record: SpanRecord) -> tuple[Message, ...]:
    """What a model answered, streamed or not."""
    response = _object(record, "response_data")
    message = response.get("message")
    messages = read_messages([message], "assistant") if isinstance(message, dict) else ()
    if not any(message.parts for message in messages):
        text = next((response[name] for name in _ANSWER_TEXTS if response.get(name)), None)
        return (Message("assistant", (TextPart(text),)),) if isinstance(text, str) else messages
    if record.scope.name != _ANTHROPIC:
        return messages
    return tuple(replace(message, parts=tuple(map(_without_wrapper, message.parts))) for message in messages)


def tools(record: SpanRecord) -> Any:
    """The tools of a request."""
    return _object(record, "request_data").get("tools")


def _object(record: SpanRecord, name: str) -> dict[str, Any]:
    value = parsed(record.attributes.get(name))
    return value if isinstance(value, dict) else {}


def _without_wrapper(part: Part) -> Part:
    """A call without the object around its arguments, which is how Anthropic's block of a call looks in JSON."""
    if isinstance(part, ToolCallPart) and isinstance(part.arguments, dict) and part.arguments.keys() == {"input"}:
        inner = part.arguments["input"]
        return ToolCallPart(part.id, part.name, inner) if isinstance(inner, dict) else part
    return part
