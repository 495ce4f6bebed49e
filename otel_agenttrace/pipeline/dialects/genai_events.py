"""Messages that OTel's conventions put on events: one event each until 1.37, one with all of them since.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.pipeline.message_forms import read_messages
from otel_agenttrace.pipeline.message_parts import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.pipeline.messages import Message, Role

CHOICE = "gen_ai.choice"
TOOL_MESSAGE = "gen_ai.tool.message"
_ROLES: dict[str, Role] = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    TOOL_MESSAGE: "tool",
    CHOICE: "assistant",
}
_PARTS = frozenset(
    {
        "cachePoint",
        "citationsContent",
        "document",
        "guardContent",
        "image",
        "reasoningContent",
        "text",
        "toolResult",
        "toolUse",
        "type",
        "video",
    }
)
"""A part of a message has one of these keys: those of Bedrock, and what all others have."""


def asked_in_events(record: SpanRecord) -> tuple[Message, ...]:
    """What a model was given, as one event for each message."""
    return tuple(message for name, message in _messages(record) if name != CHOICE)


def answered_in_events(record: SpanRecord) -> tuple[Message, ...]:
    """What a model answered, as one event for each choice."""
    return tuple(message for name, message in _messages(record) if name == CHOICE)


def body_of(record: SpanRecord, name: str) -> dict[str, Any] | None:
    """The body of the first event of that name; some emitters write it as JSON text."""
    return next((_body(event.attributes) for event in record.events if event.name == name), None)


def _messages(record: SpanRecord) -> Iterator[tuple[str, Message]]:
    for event in record.events:
        role = _ROLES.get(event.name)
        if role is not None:
            for message in read_messages(_with_role(_body(event.attributes), role), role):
                yield event.name, message


def _body(attributes: dict[str, Any]) -> Any:
    body = parsed(attributes.get("gen_ai.event.content"))
    return body if isinstance(body, dict) and body else attributes


def _with_role(body: dict[str, Any], role: Role) -> dict[str, Any]:
    """The body of an event as a message: its role is in the event's name, and a choice holds a message."""
    inner = _message_in(body.get("message"))
    message = body if inner is None else {**inner, "finish_reason": body.get("finish_reason")}
    content = parts_or_text(message.get("content"))
    return {"role": role, "tool_call_id": message.get("id"), **message, "content": content}


def _message_in(value: Any) -> dict[str, Any] | None:
    """The message of a choice, which may be no more than its content: a text, or parts."""
    found = parsed(value)
    if isinstance(found, dict) and (isinstance(value, dict) or "role" in found):
        return found
    return None if value is None else {"content": value}


def parts_or_text(content: Any) -> Any:
    """The content of a message, with its parts read where they stand as JSON text (Strands writes Bedrock's)."""
    found = parsed(content)
    is_parts = isinstance(found, list) and all(isinstance(part, dict) and not _PARTS.isdisjoint(part) for part in found)
    return found if is_parts else content
