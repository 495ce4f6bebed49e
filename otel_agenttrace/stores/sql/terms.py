"""What the deferred index knows of a span, as SQL over its row, and how to ask for it.

All of it is computed by SQLite, one statement for thousands of rows: Python code would take the interpreter's lock
from the agent for as long. What is found is a superset of what `stores.matching` finds, which has the last word; so
terms may leave out what is long or rare. There are two FTS5 tables, as words and attributes are split differently:

- `words`: all texts of a span, split by `unicode61` with the separators of `stores.text`.
- `pairs`: `key=value` of each attribute, of its first characters, and terms for operation, origin, status and duration;
  split at control characters only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson

from otel_agenttrace.stores.limits import INT64
from otel_agenttrace.stores.matching import number_of, text_of
from otel_agenttrace.stores.text import MAX_JSON_DEPTH, SYMBOLS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from otel_agenttrace.stores.api import AttributeFilter

_MAX_VALUE = 100
"""Characters of an attribute's value that are in its term."""

_TEXTS = "json_tree(json_extract(body, '$.name', '$.status_message', '$.attributes', '$.events'))"
_PLAIN_WORDS = f"(SELECT group_concat(atom, ' ') FROM {_TEXTS} WHERE type IN ('text', 'integer'))"
_NESTED_WORDS = f"""(
    WITH RECURSIVE texts (atom, depth) AS (
        SELECT atom, 0 FROM {_TEXTS} WHERE type IN ('text', 'integer')
        UNION ALL
        SELECT parsed.atom, depth + 1
        FROM texts, json_tree(
            iif(substr(texts.atom, 1, 1) IN ('{{', '[') AND json_valid(texts.atom), texts.atom, 'null')
        ) AS parsed
        WHERE depth < {MAX_JSON_DEPTH} AND parsed.type IN ('text', 'integer')
    )
    SELECT group_concat(atom, ' ') FROM texts
)"""

WORDS = f"CASE WHEN body GLOB '*\"[[{{]*' THEN {_NESTED_WORDS} ELSE {_PLAIN_WORDS} END"
"""The text of a row for `words`; strings that look like JSON, and only they, are worth the slower way."""

PAIRS = f"""ifnull((
    SELECT group_concat(key || '=' || substr(ifnull(atom, ''), 1, {_MAX_VALUE}), char(31))
    FROM json_each(body, '$.attributes')
), '')
|| char(31) || '!o' || operation_id || char(31) || '!g' || origin_id || char(31) || '!s' || status
|| char(31) || '!d' || CASE typeof(end_ns - start_ns)
    WHEN 'integer' THEN length(end_ns - start_ns) || substr(end_ns - start_ns, 1, 1)
    WHEN 'null' THEN 'open' ELSE 'huge' END"""
"""The text of a row for `pairs`. A duration's term is how many digits it has, and the first of them."""

WORDS_TOKENIZER = "unicode61 remove_diacritics 0 separators '{}'".format(
    "".join(chr(code_point) for first, last in SYMBOLS for code_point in range(first, last + 1))
)
PAIRS_TOKENIZER = "ascii tokenchars '{}'".format(
    "".join(chr(code) for code in range(32, 127) if not chr(code).isalnum()).replace("'", "''").replace('"', '""')
)

OPEN_TERM = '"!dopen"'
"""The term of the rows of spans that have not ended."""

EVERY_ROW = '"!s0" OR "!s1" OR "!s2"'
"""Finds each row once: a span has one status."""

_CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f]")


def all_of(groups: Iterable[Iterable[str]]) -> str:
    """The FTS5 query for rows that have a term of each group."""
    return " AND ".join(f"({' OR '.join(terms)})" for terms in groups)


def word_term(word: str) -> str:
    """The term of a word, which `stores.text.is_indexable`."""
    return f'"{word}"'


def operation_term(operation_id: int) -> str:
    """The term of the rows of an operation."""
    return f'"!o{operation_id}"'


def origin_term(origin_id: int) -> str:
    """The term of the rows of an origin."""
    return f'"!g{origin_id}"'


def status_term(status: int) -> str:
    """The term of the rows with a status."""
    return f'"!s{status}"'


def attribute_terms(connection: sqlite3.Connection, condition: AttributeFilter) -> list[str]:
    """The terms one of which every row has whose own attributes meet the condition."""
    key = condition.key + "="
    if condition.operator != "=":
        return [_quoted(key) + " *"]
    text = text_of(condition.value)
    values = {text, "", *_as_sqlite_writes(connection, text)}
    return [_quoted(key + value[:_MAX_VALUE]) for value in sorted(values)]


def duration_terms(least: int | None, most: int | None) -> list[str]:
    """The terms one of which every row has whose duration, in nanoseconds, is within the bounds."""
    least = INT64.start if least is None else least
    most = INT64.stop if most is None else most
    buckets = (name for name, first, last in _duration_buckets() if last >= least and first <= most)
    return [f'"!d{name}"' for name in (*buckets, "huge")]


def _quoted(text: str) -> str:
    """As much of a text as is one token: that is enough to find it."""
    token = _CONTROL_CHARACTERS.split(text, maxsplit=1)[0]
    return '"{}"'.format(token.replace('"', '""'))


def _as_sqlite_writes(connection: sqlite3.Connection, text: str) -> Iterator[str]:
    """What stands in the index for values of which `text` is the text, where that is not the text itself.

    Nothing stands there for null, lists, mappings and what only mappings can say in JSON; the caller looks for that.
    """
    if text in ("true", "false"):
        yield str(int(text == "true"))
    number = number_of(text)
    if isinstance(number, float) or (number is not None and number not in INT64):
        try:
            array = orjson.dumps([number]).decode()
        except TypeError:  # beyond JSON's 64 bits
            return
        ((atom,),) = connection.execute("SELECT CAST(atom AS TEXT) FROM json_each(?)", [array])
        yield atom or ""


def _duration_buckets() -> Iterator[tuple[str, int, int]]:
    """The name of each bucket of durations, the least and the greatest duration in it."""
    yield "10", 0, 0
    for digits in range(1, 20):
        unit = 10 ** (digits - 1)
        yield f"{digits + 1}-", 1 - unit * 10, -unit
        for first in range(1, 10):
            yield f"{digits}{first}", first * unit, (first + 1) * unit - 1
