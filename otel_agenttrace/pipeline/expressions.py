r"""What patterns are searched with: RE2, and a quicker look that keeps the interpreter's lock.

RE2 finds places, but its binding lets go of the interpreter's lock for every search, and with several threads another
one takes it: a span in eight threads then costs 15 to 20 microseconds more, ten times the search itself. The regex
crate in pydantic-core is as fast and as linear (https://docs.rs/regex/latest/regex/#untrusted-input), keeps the lock,
and says of nearly every text that there is nothing to be found in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import re2
from pydantic_core import SchemaError, SchemaValidator, core_schema

from otel_agenttrace.forks import call_in_children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_Compiled = TypeVar("_Compiled")

_of_parents: list[object] = []
"""Expressions that a thread of the parent may have locked: neither to be used nor to be freed."""


class _InThisProcess(Generic[_Compiled]):
    """What RE2 has compiled; it is compiled anew in a forked child.

    RE2 locks an expression for moments while it searches, without Python's own lock: the thread of the parent that did
    so right then is not in the child to unlock it.
    """

    def __init__(self, make: Callable[[], _Compiled]) -> None:
        self._make = make
        self._made: _Compiled | None = make()
        call_in_children(self._forget)

    def get(self) -> _Compiled:
        if self._made is None:
            self._made = self._make()
        return self._made

    def _forget(self) -> None:
        _of_parents.append(self._made)
        self._made = None
        re2.purge()  # its cache, which would give the same one again


class Expression:
    """An expression of RE2's. Thread-safe.

    Args:
        pattern: bytes are matched against bytes, see `secrets`; a text against UTF-8.

    Raises:
        re2.error: RE2 does not take it.
        TypeError: it is neither text nor bytes.
    """

    def __init__(self, pattern: str | bytes) -> None:
        options = _options(of_bytes=isinstance(pattern, bytes))
        self._compiled: _InThisProcess[Any] = _InThisProcess(lambda: re2.compile(pattern, options))

    def search(self, text: bytes, start: int = 0) -> Any:
        """The first match from `start` on, or None; it is like one of `re`."""
        return self._compiled.get().search(text, start)

    def match(self, text: bytes, start: int, end: int) -> Any:
        """The match at `start` that does not go beyond `end`, or None."""
        return self._compiled.get().match(text, start, end)

    def finditer(self, text: bytes) -> Iterator[Any]:
        """All matches, from left to right."""
        return self._compiled.get().finditer(text)  # type: ignore[no-any-return]


class ExpressionSet:
    """Several patterns over bytes that are searched for at once. Thread-safe.

    It does not stop at the first match, and asks for no positions: 2.8 microseconds for 1 KB, against 3.4 for the
    alternation of the same patterns by itself.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = tuple(patterns)
        self._compiled = _InThisProcess(self._compile)

    def match(self, text: bytes) -> list[int] | None:
        """The indices of the patterns that `text` holds, in no order; None if it holds none."""
        return self._compiled.get().Match(text)  # type: ignore[no-any-return]

    def _compile(self) -> re2.Set:
        found = re2.Set.SearchSet(_options(of_bytes=True))
        for pattern in self._patterns:
            found.Add(pattern.encode())
        found.Compile()
        return found


def _options(*, of_bytes: bool) -> re2.Options:
    chosen = re2.Options()
    chosen.log_errors = False
    if of_bytes:  # a class that leaves a few signs out would otherwise be all of UTF-8
        chosen.encoding = re2.Options.Encoding.LATIN1
    return chosen


class QuickLook:
    """Says of most texts without any of the patterns that there is none, and keeps the interpreter's lock. Thread-safe.

    Args:
        patterns: as an ExpressionSet takes them, in ASCII. What is compiled is exactly their alternation: nothing is
            derived from them that could be derived wrongly.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._finds_any = _compile_quick([_PROBE.decode(), *map(_in_rust, patterns)])

    def finds_nothing(self, text: bytes) -> bool:
        """Whether an ExpressionSet of the patterns would certainly find none; False also means that nobody looked."""
        if len(text) > _MAX_BYTES:
            return False
        return not self._finds_any(text if text.isascii() else text.translate(_ASCII))


_MAX_BYTES = 8_192
"""From here on, RE2 gains more by its speed than it loses to the other threads."""

_ASCII = bytes(range(128)) + b"\x7f" * 128
"""Every byte beyond ASCII becomes the one sign that patterns do not tell from them; not UTF-8 is no fault then."""

_PROBE = b"\x00"
"""No text of ours holds it, and it must be found. The look is not trusted where it is not."""

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CLASSES = {"w": "[0-9A-Za-z_]", "s": r"[\t\n\f\r ]"}
"""RE2's classes, which mean more to Rust; in a class they are a part of it."""


def _in_rust(pattern: str) -> str:
    r"""A pattern for RE2 over Latin-1 as one for Rust over ASCII.

    The two differ in what `\w` and `\s` hold, and in that Rust gives a meaning to more signs with a backslash.
    See https://docs.rs/regex/latest/regex/#syntax.
    """
    return f"(?:{_ESCAPE.sub(_escape_in_rust, pattern)})"


def _escape_in_rust(escape: re.Match[str]) -> str:
    sign = escape.group(1)
    return _CLASSES.get(sign) or (escape.group() if sign.isalnum() else rf"\x{ord(sign):02x}")


def _compile_quick(patterns: Iterable[str]) -> Callable[[bytes], bool]:
    schema = core_schema.str_schema(pattern="|".join(patterns), strict=False, regex_engine="rust-regex")
    try:
        finds_any = SchemaValidator(schema).isinstance_python
    except SchemaError:
        return _always  # too large: names by the thousand
    return finds_any if finds_any(_PROBE) else _always


def _always(_: bytes) -> bool:
    return True
