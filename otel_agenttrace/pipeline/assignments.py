"""Secrets that a name before them gives away, in text: `password=...`, headers, flags, XML, JSON that does not parse.

Text is not only data. It is code, documentation and prose too, in which `password: str` and `token=token` hide
nothing. What is quoted, or stands in a URL or a connection string, is a value; what is bare has to look like one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.pipeline.secret_keys import is_header, is_secret_text, normalize
from otel_agenttrace.pipeline.secrets import Found, compile_pattern, found_at, name_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.pipeline.secret_keys import SecretNames

_NAME_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-[")
_MAX_NAME_BYTES = 128
_BACKSLASH = 0x5C
_BLANKS = re.compile(rb"[ \t]*")
_OPENING = re.compile(rb"""[bBfFrRuU]{0,2}(\\*)(["'`])""")
_BARE = re.compile(rb"""[^\s"'`&;\\]+""")
_LINE = re.compile(rb"""[^\r\n"'`\\]+""")
_AFTER_STRING = frozenset(b" \t\r\n),.:;+]}")
_CODE = re.compile(rb"[A-Za-z_]\w*(?:(?:\.\w+)*[(\[{]|(?:\.[A-Za-z_]\w*)+$)")
_SIGNS = frozenset(b"@#^~+")
_WORD = re.compile(rb"[A-Za-z_]*")
_CONNECTION = re.compile(
    rb"(?i)(?:^|[;\"'\s])(?:server|data source|host(?:name)?|endpoint|account(?:name)?|user ?(?:id|name)?|uid|database"
    rb"|initial catalog|driver|defaultendpointsprotocol|sharedaccesskeyname|address)\s*=[^;=]+;"
)
"""A pair of a connection string."""
_MAX_CONNECTION_BYTES = 512
_MAX_WORD_BYTES = 512
_MAX_HEADER_BYTES = 8192
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
        return self.text.endswith((b"?", b"&", b"&amp;"), 0, self.start)

    @property
    def is_tight(self) -> bool:
        """Whether an equals sign follows at once, as in configuration rather than in code."""
        return self.separator == b"=" and self.text[self.end : self.end + 1] == b"="

    @property
    def is_in_connection_string(self) -> bool:
        least = max(0, self.start - _MAX_CONNECTION_BYTES)
        line = self.text.rfind(b"\n", least, self.start) + 1
        return bool(_CONNECTION.search(self.text, max(line, least), self.end))

    def is_repeated_by(self, value: bytes) -> bool:
        """Whether the value only says the name again: `TOKEN = "token"`, `password=db_password`."""
        words = normalize(value.decode("utf-8", "replace")).strip("_")
        return bool(words) and normalize(self.whole).strip("_").endswith(words)


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
        done = 0
        for match in self._assignment.finditer(text):
            if match.start() >= done and (name := self._name(text, match.span(1), match.group(2))):
                for found in _assigned(name, match.end()):
                    done = found.end
                    yield found
        for match in self._flag.finditer(text):
            if name := self._name(text, match.span(1), b" "):
                yield from _flagged(name, match.end())
        for match in self._element.finditer(text):
            name = self._name(text, match.span(1), b">")
            if name and text.startswith(text[name.start : name.end], match.end()) and _is_secret(name, match.group(2)):
                yield found_at(match, 2, name.rule)

    def _name(self, text: bytes, span: tuple[int, int], separator: bytes) -> _Name | None:
        start, end = span
        least = max(0, start - _MAX_NAME_BYTES)
        while start > least and text[start - 1] in _NAME_BYTES:
            start -= 1
        if text[start - 1 : start] == b"\\" and text[start : start + 1] in (b"n", b"r", b"t"):
            start += 1  # an escaped line end before the name
        if text.endswith((b"[REDACTED:", b"::"), 0, start):
            return None  # a marker, or a type
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
        value = text[start:end]
        if _is_secret(name, value) and not name.is_repeated_by(value):
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

    A value without a last quote was cut off; it ends with its line.
    """
    last = _last_quote(text, start, quote, backslashes)
    end = len(text) if last < 0 else last - backslashes
    line_end = text.find(b"\n", start, end)
    if line_end >= 0:
        return line_end, line_end
    return end, end if last < 0 else last + 1


def _last_quote(text: bytes, position: int, quote: bytes, backslashes: int) -> int:
    """The place of the quote that ends a value, or -1.

    Quotes have `backslashes` before them where the value stands in JSON in JSON; one that has more is the value's own.
    """
    start = position
    while (position := text.find(quote, position)) >= 0:
        run = position
        while run > start and text[run - 1] == _BACKSLASH:
            run -= 1
        if (position - run) % (2 * (backslashes + 1)) == backslashes:
            return position
        position += 1
    return -1


def _bare(name: _Name, position: int) -> Iterator[Found]:
    if name.separator == b":" and is_header(name.whole) and (found := _header(name, position)):
        yield found
        return
    run = _BARE.match(name.text, position)
    if run is None or (name.separator == b":" and name.text.endswith(b":", 0, name.start)):
        return  # arn:aws:secretsmanager:...:secret:name
    if len(run.group()) > _MAX_WORD_BYTES:
        yield Found(position, run.end(), name.rule)  # nothing but data is that long
        return
    is_value = _is_value(name, run.end())
    end = run.end() if is_value else _code_end(name.text, position, run.end())
    value = name.text[position:end]
    if _is_secret(name, value) and (is_value or _looks_secret(name, value, run.group())):
        yield Found(position, end, name.rule)


def _is_value(name: _Name, end: int) -> bool:
    """Whether a bare value is one by the place it stands in: a URL, a form, a connection string."""
    if name.separator != b"=":
        return name.separator.startswith(b"%")
    return name.is_parameter or name.text.startswith(b"&", end) or name.is_in_connection_string


def _code_end(text: bytes, start: int, end: int) -> int:
    ends = [position for sign in b",)}]<>|" if (position := text.find(sign, start, end)) >= 0]
    return min(ends, default=end)


def _looks_secret(name: _Name, value: bytes, run: bytes) -> bool:
    """Whether a bare value is one rather than code or prose."""
    if _CODE.match(run) or name.is_repeated_by(value):
        return False
    if any(48 <= byte <= 57 for byte in value):
        return len(value) >= (4 if name.separator == b"=" else 6)
    if not _WORD.fullmatch(value):
        return name.is_tight and len(value) >= 6 and (value.endswith(b"=") or not _SIGNS.isdisjoint(value))
    if name.whole.isupper():
        return name.is_tight and len(value) >= 8 and not value.isupper()
    if not value.isalpha():
        return False
    # password=correcthorse, but not connect(password=given) nor token = read
    return (name.is_tight and len(run) == len(value)) or (len(value) >= 20 and value.islower())


def _header(name: _Name, position: int) -> Found | None:
    value = name.text[position : position + _MAX_HEADER_BYTES]
    scheme = _SCHEME.match(value)
    if name.rule == "cookie":
        is_value = bool(_COOKIE.match(value))
    elif scheme and name.rule == "authorization" and (line := _LINE.match(value)):
        credentials = line.group()[scheme.end() :].rstrip()
        is_value = (b"=" in credentials or len(credentials.split()) == 1) and _is_secret(name, credentials)
    else:
        is_value = False
    if not is_value or (line := _LINE.match(name.text, position)) is None:
        return None
    return Found(position, position + len(line.group().rstrip()), name.rule)


def _flagged(name: _Name, position: int) -> Iterator[Found]:
    text = name.text
    if opening := _OPENING.match(text, position):
        end, _ = _quoted(text, opening.end(), opening.group(2), len(opening.group(1)))
        if _is_secret(name, text[opening.end() : end]):
            yield Found(opening.end(), end, name.rule)
    elif (run := _BARE.match(text, position)) and not run.group().startswith(b"-"):
        value = run.group()
        is_value = len(value) >= 12 or any(48 <= byte <= 57 for byte in value)
        if is_value and not value.isupper() and _is_secret(name, value):
            yield Found(*run.span(), name.rule)


def _is_secret(name: _Name, value: bytes) -> bool:
    return is_secret_text(name.rule, value.decode("utf-8", "replace"))
