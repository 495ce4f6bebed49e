"""What a word is."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from unicodedata import ucd_3_2_0

import pytest

from otel_agenttrace.model.record import EventRecord
from otel_agenttrace.stores.sql.index import TABLES
from otel_agenttrace.stores.text import is_indexable, span_words, words
from otel_agenttrace.testing.spans import START, make_span

CODE_POINTS = [code for code in range(1, sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World!", {"hello", "world"}),
        ("", set()),
        ("%_ \n", set()),
        ("snake_case kebab-case camelCase a.b", {"snake", "case", "kebab", "camelcase", "a", "b"}),
        ("2026-02-15T10:00", {"2026", "02", "15t10", "00"}),
        ("don't \u201cquoted\u201d\u2014dashed", {"don", "t", "quoted", "dashed"}),
        ("GRÖSSE straße ΛΩΔ Москва", {"grösse", "straße", "λωδ", "москва"}),
        ("\u212a \u0130", {"\u212a", "\u0130"}),
        ("\u5317\u4eac 東京", {"\u5317\u4eac", "東京"}),
        ("e\u0301t", {"e\u0301t"}),
        ("\U0001f916\u2705done 5\u20ac", {"done", "5"}),
    ],
)
def test_words_are_runs_of_letters_and_digits(text: str, expected: set[str]) -> None:
    """In any script, in lower case; whatever else there is stands between words."""
    assert words(text) == expected


def test_all_texts_of_a_span_are_looked_at() -> None:
    """Name, status message, attribute values and events; strings and integers, however deep; not keys, not links."""
    span = make_span(
        name="name",
        status_message="status",
        attributes={"key": ["list", {"inner": "mapping"}, 42, 2**63, 1.5, True, None, b"bytes"]},
        events=(EventRecord("event", START, {"key": "value"}),),
    )
    assert span_words(span) == {"name", "status", "list", "mapping", "42", "event", "value"}


def test_json_in_strings_is_looked_into() -> None:
    """Escapes in it are what they mean, three levels deep; what only looks like JSON is a text."""
    nested = r'{"a": "one\ntwo \u00fcber", "b": "[\"th\\u00fcr\", \"{\\\"c\\\": \\\"\\\\u00f6l\\\"}\"]"}'
    assert {"one", "two", "über", "thür", "öl"} <= span_words(make_span(attributes={"text": nested}))
    assert "ntwo" in span_words(make_span(attributes={"text": nested}))
    assert span_words(make_span(name="", attributes={"text": "{not json"})) == {"not", "json"}


def test_a_text_ends_at_a_nul_character() -> None:
    """As it does for SQLite."""
    assert span_words(make_span(name="before\0after")) == {"before"}


def test_fts5_splits_where_we_do() -> None:
    """FTS5 separates words wherever we do, and keeps together and folds alike what is looked up there.

    Then a word of ours, looked up, is found in every text that has it.
    """
    separators = {code for code in CODE_POINTS if not words(chr(code))}
    letters = {code for code in CODE_POINTS if code not in separators and is_indexable(chr(code))}
    assert len(separators) > 5_000
    assert len(letters) > 90_000
    tokens = fts5_tokens(separators | letters)
    assert {chr(code) for code in separators if tokens[code] != ["x", "y"]} == set()
    for code in letters:
        (token,), (word,) = tokens[code], words(f"x{chr(code)}y")
        assert not is_indexable(word) or fts5_folds(token, word, tokens)


def fts5_folds(token: str, word: str, tokens: dict[int, list[str]]) -> bool:
    """Whether FTS5 makes the same token of our form of a word."""
    return tokens.get(ord(word[1:-1])) == [token]


def fts5_tokens(codes: set[int]) -> dict[int, list[str]]:
    """What the tokenizer of our table makes of each character between an x and a y."""
    tokens: dict[int, list[str]] = {code: [] for code in codes}
    create = next(statement for statement in TABLES if " words " in statement)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(create.replace("detail = none", "detail = full"))
        connection.execute("CREATE VIRTUAL TABLE vocabulary USING fts5vocab (words, instance)")
        connection.executemany(
            "INSERT INTO words (rowid, text) VALUES (?, ?)", ((code, f"x{chr(code)}y") for code in sorted(codes))
        )
        for code, token in connection.execute("SELECT doc, term FROM vocabulary ORDER BY doc, offset"):
            tokens[code].append(token)
    return tokens


def test_the_oldest_tables_have_the_letters_of_today() -> None:
    """The languages that agents speak are looked up, not searched for."""
    for word in (
        "naïve",
        "größe",
        "ñandú",
        "москва",
        "αθήνα",
        "שלום",
        "سلام",
        "नमस",
        "\u5317\u4eac",
        "東京",
        "서울",
        "ไทย",
    ):
        assert is_indexable(word), [ucd_3_2_0.category(character) for character in word]
