"""What people, models and tools said to each other, in one form whatever the emitter's was.

The form is that of OTel's GenAI conventions: a message has a role and parts.
https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-input-messages.json
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class TextPart:
    """Words."""

    content: str


@dataclass(frozen=True, slots=True)
class ReasoningPart:
    """What a model told of its reasoning."""

    content: str


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A model asks for a tool. `arguments` are parsed where they were JSON text; `id` is empty where none was told."""

    id: str
    name: str
    arguments: AnyValue = None


@dataclass(frozen=True, slots=True)
class ToolResultPart:
    """What a tool answered; `name` is empty where only the call's id was told."""

    id: str
    name: str
    result: AnyValue = None


@dataclass(frozen=True, slots=True)
class MediaPart:
    """Something that is no text. `reference` is a URL or a file's name; content itself is not repeated here.

    Attributes:
        kind: image, audio, video, document or whatever the emitter calls it.
    """

    kind: str
    mime_type: str = ""
    reference: str = ""


Part: TypeAlias = "TextPart | ReasoningPart | ToolCallPart | ToolResultPart | MediaPart"


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        finish_reason: why a model stopped, on what it said; empty where not told.
        name: who speaks, where several have one role; empty where not told.
    """

    role: Role
    parts: tuple[Part, ...]
    finish_reason: str = ""
    name: str = ""

    @property
    def text(self) -> str:
        """The words of the message, without reasoning; parts are joined by line ends."""
        return "\n".join(part.content for part in self.parts if isinstance(part, TextPart))

    @property
    def tool_calls(self) -> tuple[ToolCallPart, ...]:
        """The tools that the message asks for."""
        return tuple(part for part in self.parts if isinstance(part, ToolCallPart))

    @property
    def tool_results(self) -> tuple[ToolResultPart, ...]:
        """What tools answered in the message."""
        return tuple(part for part in self.parts if isinstance(part, ToolResultPart))


def message_shape(message: Message) -> dict[str, Any]:
    """The message as the conventions write it in JSON; names are left out where they are empty."""
    shape: dict[str, Any] = {"role": message.role, "parts": [_part_shape(part) for part in message.parts]}
    if message.finish_reason:
        shape["finish_reason"] = message.finish_reason
    if message.name:
        shape["name"] = message.name
    return shape


def _part_shape(part: Part) -> dict[str, Any]:
    match part:
        case TextPart(content):
            return {"type": "text", "content": content}
        case ReasoningPart(content):
            return {"type": "reasoning", "content": content}
        case ToolCallPart(id_, name, arguments):
            return {"type": "tool_call", "id": id_ or None, "name": name, "arguments": arguments}
        case ToolResultPart(id_, name, result):
            shape = {"type": "tool_call_response", "id": id_ or None, "response": result}
            return {**shape, "name": name} if name else shape
        case MediaPart(kind, mime_type, reference):
            return {"type": "uri", "modality": kind, "mime_type": mime_type or None, "uri": reference}
