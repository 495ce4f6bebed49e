"""Lists that emitters spread over many attributes, as in `llm.input_messages.0.message.role`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_agenttrace.model.record import AnyValue, Attributes

_MAX_ATTRIBUTES = 10_000
_MAX_DIGITS = 9

_ROLES = {
    "agent": "assistant",
    "chatbot": "assistant",
    "tool-call": "assistant",
    "tool-response": "tool",
}
"""Those that only some emitters use: OpenInference, Cohere, smolagents."""

_KNOWN_ROLES = ("ai", "assistant", "developer", "function", "human", "model", "system", "tool", "user")


def numbered(attributes: Mapping[str, AnyValue], prefix: str) -> list[Attributes]:
    """The items of a list that is spread over attributes named `prefix.N.rest`, each as a mapping from `rest`.

    They are in order of N, which neither has to start at 0 nor to be without gaps: SDKs drop attributes past a limit.
    """
    start = len(prefix) + 1
    items: dict[int, Attributes] = {}
    names = [name for name in attributes if name.startswith(prefix) and name[start - 1 : start] == "."]
    for name in names[:_MAX_ATTRIBUTES]:
        index, _, rest = name[start:].partition(".")
        if index.isdecimal() and len(index) <= _MAX_DIGITS:
            items.setdefault(int(index), {})[rest] = attributes[name]
    return [items[index] for index in sorted(items)]


def column(attributes: Mapping[str, AnyValue], prefix: str, name: str) -> list[str]:
    """The texts under `prefix.N.name`, in order."""
    return [value for item in numbered(attributes, prefix) if isinstance(value := item.get(name), str)]


def chat_role(value: AnyValue, default: str) -> str:
    """The role of a message; `default` where it says none that is known."""
    word = value.lower() if isinstance(value, str) else ""
    return word if word in _KNOWN_ROLES else _ROLES.get(word, default)


def without_absent(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that hold something."""
    return {name: value for name, value in fields.items() if value not in (None, "", [])}
