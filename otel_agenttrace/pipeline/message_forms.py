"""Messages in any of the forms that emitters write.

Emitters put requests and answers of model APIs on their spans as they are, so besides lists of messages there are
envelopes: `{"messages": [...]}`, `{"choices": [...]}`, `{"generations": [[...]]}` and their like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.pipeline.message_parts import parsed, read_parts, tool_call, tool_result
from otel_agenttrace.pipeline.messages import Message, ReasoningPart, TextPart, ToolCallPart, ToolResultPart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.pipeline.messages import Part, Role

_MAX_MESSAGES = 5000
_MAX_DEPTH = 6
"""Envelopes within envelopes that are opened."""

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}
_ENVELOPES = (
    "messages", "choices", "generations", "candidates", "contents", "input_messages", "output_messages", "response",
    "output", "message", "content", "update",
)  # fmt: skip
"""Keys under which messages stand in something that is no message itself; the first that holds any counts."""

_REASONS = ("finish_reason", "stop_reason", "finishReason", "stopReason", "done_reason")
_TOOL_EVENT = "gen_ai.tool.message"
_ITEM_TYPES = ("function_call", "function_call_output", "reasoning", "custom_tool_call", "custom_tool_call_output")
_REQUEST_PARTS: dict[str, Role] = {"system-prompt": "system", "tool-return": "tool", "retry-prompt": "tool"}
"""Pydantic AI puts all that goes to the model into one request."""


def read_messages(value: Any, role: Role) -> tuple[Message, ...]:
    """Read messages; empty where the value holds none.

    Args:
        value: a list of messages, an envelope with messages in it, JSON text of either, or any other text, which is
            one message.
        role: of a message that does not say.
    """
    if isinstance(value, str):
        found = parsed(value)
        messages = () if isinstance(found, str) else _read(found, role)
        return messages or ((Message(role, (TextPart(value),)),) if value.strip() else ())
    return _read(value, role)


def _read(value: Any, role: Role) -> tuple[Message, ...]:
    messages: list[Message] = []
    for message in _walk(value, role, _MAX_DEPTH):
        messages.append(message)
        if len(messages) == _MAX_MESSAGES:
            break
    return tuple(messages)


def _walk(value: Any, role: Role, depth: int) -> Iterator[Message]:
    if depth == 0:
        return
    if isinstance(value, list):
        for item in [{"role": value[0], "content": value[1]}] if _is_pair(value) else value:
            yield from _walk(parsed(item), role, depth - 1)
    elif isinstance(value, dict) and value.get("kind") == "request" and isinstance(value.get("parts"), list):
        yield from (_request_part(part) for part in value["parts"] if isinstance(part, dict))
    elif isinstance(value, dict):
        message = _message(value, role)
        if message is not None:
            yield message
            return
        for key in _ENVELOPES:
            if isinstance(value.get(key), (list, dict)):
                found = [_finished(each, value) for each in _walk(value[key], role, depth - 1)]
                if found:
                    yield from found
                    return


def _is_pair(items: list[Any]) -> bool:
    """Whether a list is LangChain's short form of a message: `["user", "Hello"]`."""
    return len(items) == 2 and all(isinstance(item, str) for item in items) and items[0] in _ROLES


def _message(item: dict[str, Any], role: Role) -> Message | None:
    """The message that an object is; None if it is none."""
    inner = item.get("kwargs")
    if isinstance(inner, dict) and isinstance(item.get("id"), list):  # LangChain's own serialisation
        return _message({"type": str(item["id"][-1:]).strip("[]'"), **inner, "kwargs": None}, role)
    if item.keys() == {"type", "data"} and isinstance(item["data"], dict):  # LangChain's messages_to_dict
        return _message({"type": item["type"], **item["data"]}, role)
    if item.get("type") in _ITEM_TYPES:
        return _item(item)
    said = _role_of(item)
    if said is None:
        return None
    parts = _parts_of(item, said)
    if said == "tool" and parts and not any(isinstance(part, ToolResultPart) for part in parts):
        parts = (_tool_message(item),)
    if said == "user" and parts and all(isinstance(part, ToolResultPart) for part in parts):
        said = "tool"  # Anthropic and Gemini let the user hand in what tools answered
    return Message(said, parts, _reason_of(item), _name_of(item, said))


def _role_of(item: dict[str, Any]) -> Role | None:
    for key in ("role", "type", "event.name"):
        word = item.get(key)
        if isinstance(word, str):
            word = word.lower().removeprefix("gen_ai.").removesuffix(".message").removesuffix("messagechunk")
            if key == "role" or any(name in item for name in ("content", "parts", "tool_calls")):
                role = _ROLES.get(word.removesuffix("message"))
                if role is not None:
                    return role
    return "assistant" if item.get("kind") == "response" and "parts" in item else None


def _parts_of(item: dict[str, Any], role: Role) -> tuple[Part, ...]:
    content = item.get("parts") if isinstance(item.get("parts"), list) else item.get("content", item.get("text"))
    thoughts = item.get("reasoning_content") or item.get("thinking") or item.get("reasoning")
    reasoning = (ReasoningPart(thoughts),) if isinstance(thoughts, str) else ()
    refusal = item.get("refusal")
    parts = (*reasoning, *read_parts(content), *((TextPart(refusal),) if isinstance(refusal, str) and refusal else ()))
    if role != "assistant":
        return parts
    told = {part.id for part in parts if isinstance(part, ToolCallPart) and part.id}
    return (*parts, *(call for call in _calls_of(item) if call.id not in told))


def _calls_of(item: dict[str, Any]) -> Iterator[ToolCallPart]:
    extra = item.get("additional_kwargs")
    calls = parsed(item.get("tool_calls") or item.get("toolCalls")) or (
        extra.get("tool_calls") if isinstance(extra, dict) else None
    )
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict):
            yield tool_call(call)
    single = item.get("function_call")
    if isinstance(single, dict):
        yield tool_call(single)


def _tool_message(item: dict[str, Any]) -> ToolResultPart:
    # A message has an id of its own, except where it is an event of OTel's, whose id is the call's.
    content = item["parts"] if isinstance(item.get("parts"), list) else item.get("content", item.get("text"))
    dropped = ("parts",) if item.get("event.name") == _TOOL_EVENT else ("id", "parts")
    call = {key: value for key, value in item.items() if key not in dropped}
    return tool_result({**call, "content": content}, result_keys=("content",))


def _request_part(part: dict[str, Any]) -> Message:
    return Message(_REQUEST_PARTS.get(str(part.get("part_kind")), "user"), read_parts(part))


def _item(item: dict[str, Any]) -> Message:
    """An item of OpenAI's responses API that is no message."""
    return Message("tool" if str(item["type"]).endswith("_output") else "assistant", read_parts(item))


def _finished(message: Message, envelope: dict[str, Any]) -> Message:
    """The message with what its envelope says of its end."""
    reason = _reason_of(envelope)
    if message.finish_reason or not reason or message.role != "assistant":
        return message
    return Message(message.role, message.parts, reason, message.name)


def _reason_of(item: dict[str, Any]) -> str:
    for holder in (item, item.get("generation_info"), item.get("response_metadata")):
        if isinstance(holder, dict):
            for key in _REASONS:
                if isinstance(holder.get(key), str):
                    return str(holder[key])
    return ""


def _name_of(item: dict[str, Any], role: Role) -> str:
    name = item.get("name")
    return name if isinstance(name, str) and role != "tool" else ""
