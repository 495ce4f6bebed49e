"""What has been said so far: a call of a model repeats the history of the one before, and is shown without it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

from otel_agenttrace.pipeline.messages import MediaPart, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from otel_agenttrace.views.text import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from otel_agenttrace.model.record import AnyValue
    from otel_agenttrace.pipeline.messages import Message, Part

Key: TypeAlias = "tuple[str, ...]"

_ANSWERS = ("assistant", "call")
_ASIDES = ("system", "reasoning", "id")
"""What may differ where a conversation goes on: another agent has other instructions, and reasoning is not repeated."""

_KEPT = ("system", "id")
"""What is not said again where a conversation begins anew."""


class Transcript:
    """The parts of messages that were said in one conversation, each as often as it was said.

    Parts are compared, and not messages or their positions: emitters split one message into several, leave out the
    beginning of a long history, and write an answer in another form when it comes back as input.
    """

    def __init__(self) -> None:
        self._counts: Counter[Key] = Counter()
        self._is_answered = False

    def copy(self) -> Transcript:
        """Return one that goes on from here by itself."""
        other = Transcript()
        other._counts.update(self._counts)
        other._is_answered = self._is_answered
        return other

    def add(self, message: Message) -> None:
        """Note a message that is new whatever was said before: an answer."""
        for part in message.parts:
            self._note(_keys(message.role, part))

    def take_new(self, messages: Sequence[Message]) -> Iterator[tuple[Message, tuple[Part, ...]]]:
        """Yield the messages that say something new, each with its new parts, and note those.

        What was said once and stands in `messages` twice is new once. Messages without any of the answers that were
        given so far begin anew, but for their instructions: somebody asks the same again.
        """
        repeated: Counter[Key] = Counter()
        is_anew = self._is_answered and not self._is_continued(messages)
        for message in messages:
            new = []
            for part in message.parts:
                keys = _keys(message.role, part)
                if not any(self._counts[key] > repeated[key] for key in keys if not is_anew or key[0] in _KEPT):
                    new.append(part)
                    self._note(keys)
                repeated.update(keys)
            if new:
                yield message, tuple(new)

    def is_part_of(self, said: Mapping[Key, int]) -> bool:
        """Whether all that was said here is part of what `count_parts` found, and something was answered here."""
        counts = self._counts.items()
        return self._is_answered and all(said.get(key, 0) >= count for key, count in counts if key[0] not in _ASIDES)

    def _note(self, keys: tuple[Key, ...]) -> None:
        self._counts.update(keys)
        self._is_answered = self._is_answered or keys[0][0] in _ANSWERS

    def _is_continued(self, messages: Iterable[Message]) -> bool:
        """Whether an answer is repeated; or a tool's result without what asked for it, which some emitters lose."""
        keys = {key for message in messages for part in message.parts for key in _keys(message.role, part)}
        answers = {key for key in keys if key[0] in _ANSWERS or key[:2] == ("id", "call")}
        if answers:
            return any(key in self._counts for key in answers)
        return any(key[0] == "result" for key in keys)


def count_parts(messages: Iterable[Message]) -> Mapping[Key, int]:
    """Return what is said in messages, and how often."""
    return Counter(_content_key(message.role, part) for message in messages for part in message.parts)


def _keys(role: str, part: Part) -> tuple[Key, ...]:
    """What a part is known by: its content, and the id of its call if it has one."""
    content = _content_key(role, part)
    if isinstance(part, (ToolCallPart, ToolResultPart)) and part.id:
        return content, ("id", content[0], part.id)
    return (content,)


def _content_key(role: str, part: Part) -> Key:
    match part:
        case TextPart(content):
            return role, " ".join(content.split())
        case ReasoningPart(content):
            return "reasoning", " ".join(content.split())
        case ToolCallPart(_, name, arguments):
            return "call", name, _text_of(arguments)
        case ToolResultPart(_, _, result):
            return "result", _text_of(result)
        case MediaPart(kind, mime_type, reference):
            return "media", kind, mime_type, reference


def _text_of(value: AnyValue) -> str:
    return " ".join(value.split()) if isinstance(value, str) else to_json(value)
