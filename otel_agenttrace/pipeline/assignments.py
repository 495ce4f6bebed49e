"""Secrets that a name before them gives away, in text: `password=...`, headers, flags, XML, JSON that does not parse.

Text is not only data. It is code, documentation and prose too, in which `password: str` and `token=token` hide
nothing. What is quoted, or stands in a URL or a connection string, is a value; what is bare has to look like one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.pipeline.secret_keys import is_header, is_secret_text
from otel_agenttrace.pipeline.secrets import Found, compile_pattern, found_at, name_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.pipeline.secret_keys import SecretNames

_NAME_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-[")
_MAX_NAME_BYTES = 128
_BLANKS = re.compile(rb"[ \t]*")
_OPENING = re.compile(rb"""[bBfFrRuU]{0,2}(\\*)(["'`])""")
_BARE = re.compile(rb"""[^\s"'`&;\\]+""")
_LINE = re.compile(rb"""[^\r\n"'`\\]+""")
_AFTER_STRING = frozenset(b" \t\r\n),.:;+]}")
_CODE = re.compile(rb"[A-Za-z_]\w*(?:(?:\.\w+)*[(\[{]|(?:\.[A-Za-z_]\w*)+$)")
_WORD = re.compile(rb"[A-Za-z_]*")
_SCHEME = re.compile(rb"(?i)(?:bearer|basic|token|digest|negotiate|ntlm|dpop|oauth|hawk|api-?key|aws4-hmac-sha256)\s+")
_COOKIE = re.compile(rb"[^=;,\s]+=[^;\s]")


class _Name(NamedTuple):
    """A secret name in a text, and what follows it up to its value."""

    text: bytes
    start: int
    end: int
    separator: bytes
    rule: str

    @property
    def whole(self) -> str:
        return self.text[self.start : self.end].decode("utf-8", "replace")

    @property
    def is_quoted(self) -> bool:
        return self.text[self.end : self.end + 1] in (b'"', b"'", b"`", b"\\")

    @property
    def is_parameter(self) -> bool:
        """Whether it is one of a URL's or form's."""
        return self.text[self.start - 1 : self.start] in (b"?", b"&") or self.text[: self.start].endswith(b"&amp;")


class AssignmentFinder:
    """Finds values under secret names in text. Thread-safe."""

    def __init__(self, names: SecretNames) -> None:
        self._names = names
        ending = name_pattern(names.extra)
        self._assignment = compile_pattern(rf"""({ending})\]?(?:\\*["'`]|%22)?\]?[ \t]*(=>|:=|[:=]|%3[ADad])""")
        self._flag = compile_pattern(rf"--[\w-]*({ending})[ \t]+")
        self._element = compile_pattern(rf"<[\w:.-]*({ending})(?:\s[^<>]*)?>([^<>]+)</")

    def find(self, text: bytes) -> Iterator[Found]:
        """Values in `text`, in no order."""
        for match in self._assignment.finditer(text):
            if name := self._name(text, match.span(1), match.group(2)):
                yield from _assigned(name, match.end())
        for match in self._flag.finditer(text):
            if name := self._name(text, match.span(1), b" "):
                yield from _flagged(name, match.end())
        for match in self._element.finditer(text):
            if (name := self._name(text, match.span(1), b">")) and _is_secret(name.rule, match.group(2)):
                yield found_at(match, 2, name.rule)

    def _name(self, text: bytes, span: tuple[int, int], separator: bytes) -> _Name | None:
        start, end = span
        least = max(0, start - _MAX_NAME_BYTES)
        while start > least and text[start - 1] in _NAME_BYTES:
            start -= 1
        if text[start - 1 : start] == b"\\" and text[start : start + 1] in (b"n", b"r", b"t"):
            start += 1  # an escaped line end before the name
        if text[:start].endswith(b"[REDACTED:"):
            return None
        rule = self._names.rule_of(text[start:end].decode("utf-8", "replace"))
        return _Name(text, start, end, separator, rule) if rule else None


def _assigned(name: _Name, position: int) -> Iterator[Found]:
    text = name.text
    if text[position : position + 1] in (b"=", b":", b"/"):
        return  # ==, ::, ://
    position = _after_blanks(text, position)
    in_list = text[position : position + 1] == b"["
    if in_list:
        position = _after_blanks(text, position + 1)
    while opening := _OPENING.match(text, position):
        start = opening.end()
        if not name.is_quoted and (start >= len(text) or text[start] in _AFTER_STRING):
            return  # the end of a text like "Password: "
        end, after = _quoted(text, start, opening.group(2), len(opening.group(1)))
        if _is_secret(name.rule, text[start:end]):
            yield Found(start, end, name.rule)
        position = _after_blanks(text, after)
        if not in_list or text[position : position + 1] != b",":
            return
        position = _after_blanks(text, position + 1)
    if not in_list:
        yield from _bare(name, position)


def _after_blanks(text: bytes, position: int) -> int:
    blanks = _BLANKS.match(text, position)
    return blanks.end() if blanks else position


def _quoted(text: bytes, start: int, quote: bytes, backslashes: int) -> tuple[int, int]:
    """Where a quoted value ends, and where the text goes on.

    Its quotes have `backslashes` before them, since it stands in JSON in JSON; a quote that has more is the value's.
    A value without a last quote was cut off; it ends with its line.
    """
    line_end = text.find(b"\n", start)
    limit = len(text) if line_end < 0 else line_end
    position = text.find(quote, start, limit)
    while position >= 0:
        run = position
        while run > start and text[run - 1] == 0x5C:
            run -= 1
        if (position - run) % (2 * (backslashes + 1)) == backslashes:
            return position - backslashes, position + 1
        position = text.find(quote, position + 1, limit)
    return limit, limit


def _bare(name: _Name, position: int) -> Iterator[Found]:
    if name.separator == b":" and is_header(name.whole) and (found := _header(name, position)):
        yield found
        return
    run = _BARE.match(name.text, position)
    if run is None:
        return
    is_value = name.is_parameter or name.separator.startswith(b"%") or _is_terminated(name, run.end())
    end = run.end() if is_value else _code_end(name.text, position, run.end())
    value = name.text[position:end]
    if _is_secret(name.rule, value) and (is_value or _looks_secret(name, value, run.group())):
        yield Found(position, end, name.rule)


def _is_terminated(name: _Name, end: int) -> bool:
    """Whether a bare value ends like one in a form or in a connection string."""
    return name.separator == b"=" and name.text[end : end + 1] in (b"&", b";")


def _code_end(text: bytes, start: int, end: int) -> int:
    ends = [position for sign in b",)}]<>|" if (position := text.find(sign, start, end)) >= 0]
    return min(ends, default=end)


def _looks_secret(name: _Name, value: bytes, run: bytes) -> bool:
    """Whether a bare value is one rather than code or prose."""
    if _CODE.match(run):
        return False
    if not _WORD.fullmatch(value):
        return len(value) >= (4 if name.separator == b"=" else 6) and any(48 <= byte <= 57 for byte in value)
    if len(value) >= 20 or name.whole.isupper():
        return len(value) >= 8
    # password=correcthorse, but not connect(password=given), token = read(), password=db_password
    is_tight = name.separator == b"=" and name.text[name.end : name.end + 1] == b"="
    goes_on = len(run) > len(value)
    return is_tight and not goes_on and b"_" not in value and not name.whole.lower().endswith(value.decode().lower())


def _header(name: _Name, position: int) -> Found | None:
    line = _LINE.match(name.text, position)
    if line is None:
        return None
    value = line.group().rstrip()
    scheme = _SCHEME.match(value)
    if name.rule == "cookie":
        is_value = bool(_COOKIE.match(value))
    elif scheme and name.rule == "authorization":
        credentials = value[scheme.end() :]
        is_value = (b"=" in credentials or len(credentials.split()) == 1) and _is_secret(name.rule, credentials)
    else:
        is_value = False
    return Found(position, position + len(value), name.rule) if is_value else None


def _flagged(name: _Name, position: int) -> Iterator[Found]:
    text = name.text
    if opening := _OPENING.match(text, position):
        end, _ = _quoted(text, opening.end(), opening.group(2), len(opening.group(1)))
        if _is_secret(name.rule, text[opening.end() : end]):
            yield Found(opening.end(), end, name.rule)
    elif (run := _BARE.match(text, position)) and not run.group().startswith(b"-"):
        value = run.group()
        is_value = len(value) >= 12 or any(48 <= byte <= 57 for byte in value)
        if is_value and not value.isupper() and _is_secret(name.rule, value):
            yield Found(*run.span(), name.rule)


def _is_secret(rule: str, value: bytes) -> bool:
    return is_secret_text(rule, value.decode("utf-8", "replace"))
