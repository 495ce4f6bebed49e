r"""What text search looks at, and what a word is: the same in every store, whatever index it keeps.

A word is a run of letters, digits and accents, in any script; everything else stands between words, `_` and emoji
included. Case does not count. Only strings and integers (of 64 bits) have words. A string that is itself JSON, as
GenAI messages and tool arguments often are, is also looked into, so that `\n` and `\u00fc` in it are what they mean.

An index may split text differently as long as it finds all that is found here and the rest is dropped afterwards.
For SQLite's FTS5 that holds because both know the letters of Unicode 3.2, the oldest tables that Python and the
`unicode61` tokenizer agree on: later ones count as letters here but are not looked up there, see `is_indexable`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import ucd_3_2_0

import orjson

from otel_agenttrace.stores.limits import INT64

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.model.record import AnyValue, SpanRecord

SYMBOLS = ((0x20A0, 0x20CF), (0x2190, 0x245F), (0x2500, 0x2775), (0x2794, 0x2BFF), (0x1F000, 0x1FAFF))
"""First and last code points of blocks (currencies, arrows, dingbats, emoji) that never belong to a word."""

MAX_JSON_DEPTH = 3
"""How many times a string inside a string inside a string is read as JSON."""

_ACCENTS = range(0x0300, 0x0370)


def words(text: str) -> frozenset[str]:
    """The words of a text, in lower case."""
    return frozenset(text.translate(_FOLDED).split())


def is_indexable(word: str) -> bool:
    """Whether every tokenizer agrees that this is one word."""
    return all(character.isascii() or ucd_3_2_0.category(character)[0] in "LN" for character in word)


def span_words(span: SpanRecord) -> frozenset[str]:
    """All words that a text search finds a span by."""
    return words(" ".join(_span_texts(span)))


def _span_texts(span: SpanRecord) -> Iterator[str]:
    yield from _texts(span.name)
    yield from _texts(span.status_message)
    yield from _texts(span.attributes)
    for event in span.events:
        yield from _texts(event.name)
        yield from _texts(event.attributes)


def _texts(value: AnyValue, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        # SQLite's JSON functions end a string there.
        text = value.split("\0", 1)[0]
        yield text
        if depth < MAX_JSON_DEPTH and text[:1] in ("{", "["):
            yield from _texts(_parsed(text), depth + 1)
    elif isinstance(value, int) and not isinstance(value, bool) and value in INT64:
        yield str(value)
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item, depth)


def _parsed(text: str) -> AnyValue:
    try:
        return orjson.loads(text)  # type: ignore[no-any-return]
    except orjson.JSONDecodeError:
        return None


class _Folding(dict[int, str]):
    """For `str.translate`: code point -> its lower case, or a space if it is in no word; filled as they turn up."""

    def __missing__(self, code_point: int) -> str:
        character = chr(code_point)
        folded = " " if _is_separator(code_point, character) else _lower(character)
        self[code_point] = folded
        return folded


def _is_separator(code_point: int, character: str) -> bool:
    if code_point in _ACCENTS:
        return False
    category = ucd_3_2_0.category(character)
    if category in ("Cn", "Co"):
        return any(first <= code_point <= last for first, last in SYMBOLS)
    # A few modifiers were no letters yet in Unicode 3.2.
    is_letter = category[0] in "LN" or character.isalnum()
    return not is_letter or any(first <= code_point <= last for first, last in SYMBOLS)


def _lower(character: str) -> str:
    """The lower case where it is one letter that stood in the same tables; never ASCII for what is not."""
    lower = character.lower()
    if len(lower) != 1 or ucd_3_2_0.category(lower)[0] != "L" or lower.isascii() != character.isascii():
        return character
    return lower


_FOLDED = _Folding()
