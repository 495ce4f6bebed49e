"""The parts of a message, in any of the forms that emitters write.

A part is known by its own `type`, where it has one, else by the key that holds its content. The forms are those of the
GenAI conventions, of the APIs of OpenAI (chat, responses), Anthropic, Gemini and Bedrock, and of LangChain, the Vercel
AI SDK and Pydantic AI.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from otel_agenttrace.pipeline.messages import MediaPart, ReasoningPart, TextPart, ToolCallPart, ToolResultPart

if TYPE_CHECKING:
    from otel_agenttrace.pipeline.messages import Part

_MAX_PARTS = 1000
_MAX_REFERENCE = 500
"""Characters kept of a reference: a `data:` URL holds the content itself."""

_TEXT_KEYS = ("text", "content", "refusal", "value")
_NAME_KEYS = ("name", "toolName", "tool_name")
_ARGUMENT_KEYS = ("arguments", "args", "input", "parameters")
_MIME_TYPE_KEYS = ("mime_type", "mimeType", "media_type", "mediaType")
_REFERENCE_KEYS = ("uri", "url", "image_url", "fileUri", "file_uri", "file_id", "filename", "image")
_RESULT_KEYS = ("response", "result", "output", "content")


def read_parts(content: Any) -> tuple[Part, ...]:
    """Read the content of a message: a text, a part, or a list of them. What is of no known form is kept as text."""
    if content is None or content == "":
        return ()
    items = content if isinstance(content, list) else [content]
    return tuple(part for item in items[:_MAX_PARTS] for part in _parts(item))


def tool_call(item: dict[str, Any]) -> ToolCallPart:
    """Read a call of a tool, as all of these write it: flat, or with its name and arguments under `function`."""
    function = item.get("function")
    inner = function if isinstance(function, dict) else item
    call_id = _text_of(item, ("id", "call_id", "toolCallId", "tool_call_id", "toolUseId"))
    return ToolCallPart(
        _text_of(item, ("call_id",)) or call_id, _text_of(inner, _NAME_KEYS), parsed(_first(inner, _ARGUMENT_KEYS))
    )


def tool_result(item: dict[str, Any], *, result_keys: tuple[str, ...] = _RESULT_KEYS) -> ToolResultPart:
    """Read what a tool answered."""
    call_id = _text_of(item, ("id", "call_id", "tool_use_id", "toolCallId", "tool_call_id", "toolUseId"))
    return ToolResultPart(
        _text_of(item, ("call_id",)) or call_id, _text_of(item, _NAME_KEYS), _result(_first(item, result_keys))
    )


def parsed(value: Any) -> Any:
    """The value; JSON text of an object or a list is parsed."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return orjson.loads(value)
    except ValueError:
        return value


def _parts(item: Any) -> Iterator[Part]:
    if isinstance(item, str):
        yield TextPart(item)
    elif isinstance(item, dict):
        kind = item.get("type") or item.get("part_kind") or item.get("kind")
        read = _BY_TYPE.get(kind.replace("-", "_")) if isinstance(kind, str) else None
        if read is None:
            read = next((_BY_KEY[key] for key in item if key in _BY_KEY), _unknown)
        yield from read(item)
    elif item is not None:
        yield TextPart(as_text(item))


def _text(item: dict[str, Any]) -> Iterator[Part]:
    value = _first(item, _TEXT_KEYS)
    if isinstance(value, dict):  # OpenAI's assistants: {"text": {"value": ...}}
        value = _first(value, _TEXT_KEYS)
    if isinstance(value, list):
        texts = (_first(piece, _TEXT_KEYS) if isinstance(piece, dict) else piece for piece in value[:_MAX_PARTS])
        yield from (TextPart(text) for text in texts if isinstance(text, str))
    elif value not in (None, ""):
        yield TextPart(value if isinstance(value, str) else as_text(value))


def _reasoning(item: dict[str, Any]) -> Iterator[Part]:
    value = _first(item, ("thinking", "reasoning", "text", "content", "summary", "reasoningText"))
    pieces = value if isinstance(value, list) else [value]
    texts = [_first(piece, _TEXT_KEYS) if isinstance(piece, dict) else piece for piece in pieces]
    text = "\n".join(piece for piece in texts if isinstance(piece, str))
    if text:
        yield ReasoningPart(text)


def _call(item: dict[str, Any]) -> Iterator[Part]:
    yield tool_call(item)


def _answer(item: dict[str, Any]) -> Iterator[Part]:
    yield tool_result(item)


def _wrapped(key: str, read: Callable[[dict[str, Any]], Part]) -> _Reader:
    """A reader of a part that stands under its kind: `{"functionCall": {...}}`."""

    def read_wrapped(item: dict[str, Any]) -> Iterator[Part]:
        inner = item.get(key)
        yield read(inner) if isinstance(inner, dict) else TextPart(as_text(item))

    return read_wrapped


def _media(item: dict[str, Any]) -> Iterator[Part]:
    kind = str(item.get("modality") or item.get("type") or next(iter(item)))
    holders = [item, *(value for value in item.values() if isinstance(value, dict))]
    mime_type = next(filter(None, (_text_of(holder, _MIME_TYPE_KEYS) for holder in holders)), "")
    reference = next(filter(None, (_text_of(holder, _REFERENCE_KEYS) for holder in holders)), "")
    is_content = reference.startswith("data:") or len(reference) > _MAX_REFERENCE
    yield MediaPart(kind.removesuffix("_url").removeprefix("input_"), mime_type, "" if is_content else reference)


def _unknown(item: dict[str, Any]) -> Iterator[Part]:
    yield TextPart(as_text(item))


def _result(value: Any) -> Any:
    """What a tool answered, out of the list of texts or the typed value that it may be wrapped in."""
    if isinstance(value, dict) and set(value) <= {"type", "value"} and "value" in value:
        return value["value"]
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        inner = [_first(item, ("json", "text")) for item in value if set(item) & {"json", "text"}]
        if len(inner) == len(value):
            texts = [item for item in inner if isinstance(item, str)]
            joined = "\n".join(texts) if len(texts) == len(inner) else inner
            return parsed(joined) if isinstance(joined, str) else joined[0] if len(joined) == 1 else joined
    return parsed(value)


def _first(item: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((item[key] for key in keys if item.get(key) is not None), None)


def _text_of(item: dict[str, Any], keys: tuple[str, ...]) -> str:
    return next((value for key in keys if isinstance(value := item.get(key), str) and value), "")


def as_text(value: Any) -> str:
    """A value as JSON text; one that JSON cannot hold as Python shows it."""
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # nested too deep
        return reprlib.repr(value)


_Reader: TypeAlias = Callable[[dict[str, Any]], Iterator["Part"]]

_TYPES: tuple[tuple[_Reader, tuple[str, ...]], ...] = (
    (_text, ("text", "input_text", "output_text", "refusal", "user_prompt", "system_prompt")),
    (_reasoning, ("reasoning", "thinking", "redacted_thinking", "reasoning_text")),
    (_call, ("tool_call", "tool_use", "function_call", "function", "server_tool_use", "custom_tool_call")),
    (_answer, ("tool_call_response", "tool_result", "function_call_output", "tool_return", "retry_prompt",
               "custom_tool_call_output")),
    (_media, ("image", "image_url", "input_image", "audio", "input_audio", "video", "file", "input_file", "document",
              "blob", "uri", "media", "binary")),
)  # fmt: skip
_BY_TYPE: dict[str, _Reader] = {name: read for read, names in _TYPES for name in names}

_BY_KEY: dict[str, _Reader] = {
    "text": _text,
    "toolUse": _wrapped("toolUse", tool_call),
    "toolResult": _wrapped("toolResult", tool_result),
    "function_call": _wrapped("function_call", tool_call),
    "functionCall": _wrapped("functionCall", tool_call),
    "function_response": _wrapped("function_response", tool_result),
    "functionResponse": _wrapped("functionResponse", tool_result),
    "reasoningContent": _wrapped("reasoningContent", lambda item: next(_reasoning(item), ReasoningPart(""))),
    "tool_use_id": _answer,
    "inline_data": _media,
    "inlineData": _media,
    "file_data": _media,
    "fileData": _media,
    "content": _text,
}
