r"""Text as a terminal can be given it: nothing in it acts, and its width is known in columns.

What agents record comes from models, tools and web pages. A control character in it could move the cursor, set the
clipboard, draw a link or hide text, and a bidirectional override could turn a name around. Such characters are shown
as the escape that Python would write for them (`\x1b`, `\u202e`), never dropped, so what was recorded stays visible.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import islice
from typing import TYPE_CHECKING

import orjson

from otel_agenttrace.model.plain import plain_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.model.record import AnyValue

# Control, bidirectional and invisible format characters, line separators, surrogates, non-characters. The two joiners
# (U+200C, U+200D) stay: Persian, Indic scripts and emoji are spelled with them.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufdd0-\ufdef\ufeff"
    "\ufff0-\ufffb\ufffe\uffff\U0001d173-\U0001d17a\U000e0000-\U000effff]"
)
_SHORT_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}

_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
# Stacked without end, combining marks paint over the lines above and below.
_STACKED_MARKS = re.compile(f"([{_MARKS}]{{4}})[{_MARKS}]+")

MOST_COUNTED = 10_000
"""Lines left out that are counted one by one."""

_LINE_ENDS = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_PREVIEW_LENGTH = 4096
_WINDOW = 8
"""Characters looked at for each column of a line: as many as one can take, with joiners and marks."""


def safe_text(text: str) -> str:
    """Return `text` on one line, with every character spelled out that could drive a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return _STACKED_MARKS.sub(r"\1…", _UNSAFE.sub(_escape, text))


def safe_lines(text: str) -> list[str]:
    """Return the lines of `text`, each safe; tabs become spaces. An empty text has no lines."""
    return [safe_text(line.expandtabs(4)) for line in _LINE_ENDS.split(text.rstrip())] if text.strip() else []


def wrap(text: str, width: int, *, most: int, ellipsis: str = "…") -> list[str]:
    """Return `text` as safe lines of at most `width` columns, broken at spaces where there are any.

    What is beyond `most` lines is left out, and `ellipsis` says so.
    """
    bound = width * (most + 1)
    lines = [piece for line in safe_lines(text[:bound]) for piece in _wrap_line(line, width)]
    if len(lines) > most or len(text) > bound:
        lines = lines[:most]
        lines[-1:] = [_head(line, width - len(ellipsis)) + ellipsis for line in lines[-1:]]
    return lines


def wrap_counted(text: str, width: int, *, most: int) -> tuple[list[str], int]:
    """Return the first lines of `text` as `wrap` does, and how many more there are, counted up to MOST_COUNTED."""
    pieces = (piece for line in safe_lines(text) for piece in _wrap_line(line, width))
    lines = list(islice(pieces, most))
    return lines, sum(1 for _ in islice(pieces, MOST_COUNTED))


def one_line(value: AnyValue) -> str:
    """Return a short safe form of a value: JSON compact, runs of white space as one space, the rest left out.

    At most 4096 characters: this is for a line of a view, the value itself stays in the span.
    """
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    text = value if isinstance(value, str) else to_json(value)
    if len(text) <= _PREVIEW_LENGTH and text[:1] in ("{", "["):
        text = _compact(text)
    return safe_text(" ".join(text[:_PREVIEW_LENGTH].split()))


def compact_text(value: AnyValue) -> str:
    """Return a value as text that still has to be made safe: JSON on one line, other text as it is."""
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    text = value if isinstance(value, str) else to_json(value)
    return _compact(text) if text.lstrip()[:1] in ("{", "[") else text


def to_json(value: AnyValue, *, indent: bool = False) -> str:
    """Return `value` as JSON text; bytes are base64, an integer beyond 64 bits makes the whole Python's own text."""
    option = orjson.OPT_NON_STR_KEYS | (orjson.OPT_INDENT_2 if indent else 0)
    try:
        return orjson.dumps(plain_value(value), option=option).decode()
    except TypeError:
        return str(value)


def cell_width(text: str) -> int:
    """Return how many terminal columns a safe text takes."""
    return len(text) if text.isascii() else sum(map(_char_width, text))


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """Return a safe text cut to at most `width` columns; `ellipsis` stands for what was cut."""
    if len(text) * 2 <= width or cell_width(text) <= width:
        return text
    room = width - len(ellipsis)
    if room < 0:
        return ellipsis[: max(width, 0)]
    return _head(text, room).rstrip() + ellipsis


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Return a safe text filled up with spaces to `width` columns; `right` aligns it to the right."""
    fill = " " * max(width - cell_width(text), 0)
    return fill + text if right else text + fill


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    if code < 0x100:
        return _SHORT_ESCAPES.get(char) or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _compact(text: str) -> str:
    try:
        return orjson.dumps(orjson.loads(text)).decode()
    except (ValueError, TypeError):
        return text


def _char_width(char: str) -> int:
    # U+FE0F asks for the picture form of the narrow sign before it, which then takes two columns.
    if char == "\ufe0f":
        return 1
    if "\u1160" <= char <= "\u11ff" or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _head(text: str, width: int) -> str:
    used = 0
    for position, char in enumerate(text):
        used += _char_width(char)
        if used > width:
            return text[:position]
    return text


def _wrap_line(line: str, width: int) -> Iterator[str]:
    # Through a window: measuring all of a long line again for each piece would take quadratic time.
    at = 0
    while len(line) - at > width * _WINDOW or cell_width(line[at:]) > width:
        window = line[at : at + width * _WINDOW]
        head = _head(window, width) or window[:1]
        after = line[at + len(head) : at + len(head) + 1]
        space = len(head) if after in (" ", "") else head.rfind(" ")
        end = space if head[: max(space, 0)].strip() else len(head)
        yield line[at : at + end]
        at += end
        while line[at : at + 1] == " ":
            at += 1
    yield line[at:]
