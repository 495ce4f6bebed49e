"""Reads JSON as it stands in a text, with positions: whole, cut off, within prose, or as Python prints it."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<open>[{\[])|(?P<close>[}\]])|(?P<colon>:)|(?P<comma>,)
    |(?P<string>"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)|'[^'\\]*(?:\\.[^'\\]*)*(?:'|\Z))
    |(?P<number>-?\d[\d.eE+-]{0,40})(?![\w])
    |(?P<literal>true|false|null|True|False|None)\b
    )""",
    re.VERBOSE | re.DOTALL,
)
_START = re.compile(r"\{\s{0,99}[\"'}]|\[\s{0,99}[{\[\"'\]]|\[\s{0,99}-?\d[\d.]{0,20}\s{0,99},")
_LITERALS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_MAX_DEPTH = 64
_MAX_VALUES = 500_000

Scalar = str | float | bool | None


class Value(NamedTuple):
    """A scalar of a JSON document.

    Attributes:
        path: keys that lead to it, outermost first; items of lists have none of their own.
        content: the scalar, strings decoded.
        start: index of its first character in the text, of its key if it has one.
        end: index after its last.
        record: number of the innermost object or list it is a member of.
    """

    path: tuple[str, ...]
    content: Scalar
    start: int
    end: int
    record: int


class Container(NamedTuple):
    """An object or list.

    Attributes:
        number: what `Value.record` says.
        parent: number of the one around it, None for the outermost.
        path: keys that lead to it.
        items: how many members a list has; None for an object.
    """

    number: int
    parent: int | None
    path: tuple[str, ...]
    items: int | None


class Document(NamedTuple):
    """What was read, and where it ends in the text."""

    values: list[Value]
    containers: list[Container]
    end: int


def find_json(text: str, position: int) -> int:
    """The index where the next thing like JSON begins, or the length of the text."""
    match = _START.search(text, position)
    return match.start() if match else len(text)


class _Open:
    """A container that is being read."""

    def __init__(self, container: Container, *, is_object: bool) -> None:
        self.container = container
        self.is_object = is_object
        self.key: tuple[str, int] | None = None
        self.items = 0


def read_json(text: str, position: int) -> Document:
    """Read one document; ends where it is closed, where it stops being JSON, or at a limit."""
    values: list[Value] = []
    containers: list[Container] = []
    stack: list[_Open] = []
    end = position
    while (match := _TOKEN.match(text, end)) and len(values) < _MAX_VALUES:
        end = match.end()
        kind = match.lastgroup
        if kind == "open":
            if len(stack) >= _MAX_DEPTH:
                break
            _enter(stack, containers, is_object=match["open"] == "{")
        elif kind == "close":
            _leave(stack, containers)
            if not stack:
                break
        elif kind in ("string", "number", "literal"):
            _take(stack, values, match)
    while stack:
        _leave(stack, containers)
    return Document(values, containers, max(end, position + 1))


def _enter(stack: list[_Open], containers: list[Container], *, is_object: bool) -> None:
    parent = stack[-1] if stack else None
    path: tuple[str, ...] = ()
    if parent is not None:
        path = (*parent.container.path, parent.key[0]) if parent.key else parent.container.path
        parent.items, parent.key = parent.items + 1, None
    container = Container(len(containers), parent.container.number if parent else None, path, None)
    containers.append(container)
    stack.append(_Open(container, is_object=is_object))


def _leave(stack: list[_Open], containers: list[Container]) -> None:
    left = stack.pop()
    if not left.is_object:
        containers[left.container.number] = left.container._replace(items=left.items)


def _take(stack: list[_Open], values: list[Value], match: re.Match[str]) -> None:
    within = stack[-1]
    content = _content(match)
    start = match.end() - len(match.group().lstrip())
    if within.is_object and within.key is None and isinstance(content, str):
        within.key = (content[:200], start)
        return
    path = within.container.path
    if within.key is not None:
        path, start = (*path, within.key[0]), within.key[1]
    within.items, within.key = within.items + 1, None
    values.append(Value(path, content, start, match.end(), within.container.number))


def _content(match: re.Match[str]) -> Scalar:
    if (literal := match["literal"]) is not None:
        return _LITERALS[literal]
    if (number := match["number"]) is not None:
        try:
            return float(number)
        except ValueError:
            return number
    return _string(match["string"])


def _string(quoted: str) -> str:
    is_closed = len(quoted) > 1 and quoted[-1] == quoted[0]
    inner = quoted[1:-1] if is_closed else quoted[1:]
    if "\\" not in inner:
        return inner
    if quoted[0] == '"' and is_closed:
        try:
            return str(json.loads(quoted, strict=False))
        except ValueError:
            pass
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), inner, flags=re.DOTALL)
