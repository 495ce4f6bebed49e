"""Text that is safe for terminals, measured and cut in columns."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.views.text import (
    MOST_COUNTED,
    cell_width,
    compact_text,
    cut,
    one_line,
    pad,
    safe_lines,
    safe_text,
    to_json,
    wrap,
    wrap_counted,
)

NASTY = (
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;cm0gLXJm\x07",
    "\x9b31m",
    "one\ntwo\r\nthree",
    "bell\x07\x08\x7f",
    "\u202egnp.exe\u2066\u2069\u200f",
    "zero\u200bwidth\ufeff",
    "\ud800 alone",
    "line\u2028paragraph\u2029next\x85",
    "tag\U000e0041",
)


@pytest.mark.parametrize("text", NASTY)
def test_a_text_that_drives_terminals_is_spelled_out(text: str) -> None:
    """Nothing is dropped: each character that acts is written as its escape, on one line."""
    shown = safe_text(text)

    assert shown.isprintable()
    assert "\\" in shown
    assert safe_text(shown) == shown


def test_an_escape_names_the_character() -> None:
    """The escapes are those of Python."""
    assert safe_text("a\x1b\n\t\u202e\U000e0041") == r"a\x1b\n\t\u202e\U000e0041"


def test_every_control_character_is_covered() -> None:
    """No control, surrogate, separator or bidirectional control of this Python's Unicode passes."""
    embeddings = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
    passed = [
        hex(ord(char))
        for char in map(chr, range(0x110000))
        if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(char) in embeddings
        if safe_text(char) == char
    ]

    assert passed == []


@pytest.mark.parametrize(
    "text", ["search_flights", "日本語", "naïve “quoted”", "👨\u200d👩\u200d👧", "न\u200cह", "\ufffd"]
)
def test_ordinary_text_of_any_script_is_left_alone(text: str) -> None:
    """Letters, punctuation, emoji, joiners and the replacement character stay as they are."""
    assert safe_text(text) == text


def test_stacked_marks_are_cut() -> None:
    """A letter under a tower of marks would paint over the lines above it."""
    assert safe_text("a" + "\u0301" * 500) == "a" + "\u0301" * 4 + "…"


@given(st.text())
def test_what_is_safe_is_printable(text: str) -> None:
    """Any text at all comes out as printable characters, joiners and unassigned code points apart."""
    assert all(
        char.isprintable() or char in "\u200c\u200d" or unicodedata.category(char) in ("Cn", "Co", "Cf", "Zs")
        for char in safe_text(text)
    )


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("日本", 4), ("e\u0301", 1), ("👍", 2), ("⚠\ufe0f", 2), ("각", 2), ("", 0), ("a\u200db", 2)],
)
def test_width_counts_columns(text: str, width: int) -> None:
    """Wide characters take two columns, combining ones none."""
    assert cell_width(text) == width


@given(st.text().map(safe_text), st.integers(0, 30))
def test_a_cut_text_fits(text: str, width: int) -> None:
    """No cut text is wider than asked for; a padded one is exactly as wide."""
    assert cell_width(cut(text, width)) <= width
    assert cell_width(pad(cut(text, width), width)) == width
    assert cut(text, 1000) == text


def test_a_cut_says_so() -> None:
    """An ellipsis stands for what was cut, and a wide character is never halved."""
    assert cut("abcdef", 4) == "abc…"
    assert cut("日本語", 4) == "日…"
    assert cut("abcdef", 5, "...") == "ab..."
    assert cut("abcdef", 2, "...") == ".."
    assert pad("ab", 4, right=True) == "  ab"


def test_one_line_is_compact() -> None:
    """JSON loses its indentation, other text its runs of white space, bytes their content."""
    assert one_line('{\n  "date": "15/02/2026"\n}') == '{"date":"15/02/2026"}'
    assert one_line({"a": [1, None, b"\x00"]}) == '{"a":[1,null,"AA=="]}'
    assert one_line("  several\n words  here ") == "several words here"
    assert one_line("{not json") == "{not json"
    assert one_line(b"\x00\x01") == "<2 bytes>"
    assert one_line("\x1b[2J") == r"\x1b[2J"
    assert len(one_line("x" * 1_000_000)) == 4096


def test_values_without_json_become_text() -> None:
    """Integers beyond 64 bits and unpaired surrogates do not break the view of a value."""
    assert to_json(2**70) == str(2**70)
    assert to_json({"a": 1}, indent=True) == '{\n  "a": 1\n}'


def test_lines_are_kept_apart_and_safe() -> None:
    """Any line end ends a line; tabs become spaces; an empty text has no lines."""
    assert safe_lines("one\r\n\ttwo\x1b\n") == ["one", r"    two\x1b"]
    assert safe_lines(" \n ") == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        ("several words that wrap", ["several", "words that", "wrap"]),
        ("unbreakable_and_long", ["unbreakabl", "e_and_long"]),
        ("    indented text", ["    indent", "ed text"]),
        ("one two three four five six seven eight", ["one two", "three four", "five six…"]),
        ("日本語日本語", ["日本語日本", "語"]),
        ("", []),
    ],
)
def test_wrapped_lines_break_at_spaces(text: str, lines: list[str]) -> None:
    """A line breaks at its last space that fits, else where it must; what is too much is marked as left out."""
    assert wrap(text, 10, most=3) == lines


@given(st.text(), st.integers(2, 40), st.integers(1, 5))
def test_wrapped_lines_fit(text: str, width: int, most: int) -> None:
    """No line is wider than asked for, and there are no more than asked for."""
    lines = wrap(text, width, most=most)

    assert len(lines) <= most
    assert all(cell_width(line) <= width for line in lines)


def test_lines_that_are_left_out_are_counted() -> None:
    """Exactly, up to a bound."""
    assert wrap_counted("one two\nthree\n", 5, most=2) == (["one", "two"], 1)
    assert wrap_counted("one two", 10, most=2) == (["one two"], 0)
    assert wrap_counted("", 10, most=2) == ([], 0)
    assert wrap_counted("x\n" * 3 * MOST_COUNTED, 10, most=0)[1] == MOST_COUNTED


@given(st.text(alphabet="ab \u200c天\u0301", max_size=200), st.integers(2, 12))
def test_nothing_is_lost_in_lines(text: str, width: int) -> None:
    """Every character but spaces is on some line, and no line is too wide."""
    lines, left_out = wrap_counted(text, width, most=10_000)

    assert left_out == 0
    assert "".join(lines).replace(" ", "") == "".join(safe_lines(text)).replace(" ", "")
    assert all(cell_width(line) <= width for line in lines)


def test_a_very_long_line_is_wrapped_in_time() -> None:
    """The time grows with the text and not with its square: this would take minutes."""
    lines, left_out = wrap_counted("é" * 1_000_000, 60, most=1)

    assert (lines, left_out) == (["é" * 60], MOST_COUNTED)


def test_json_in_a_text_is_made_compact() -> None:
    """What is no JSON is left as it is."""
    assert compact_text(' {"a": [1, 2]}') == '{"a":[1,2]}'
    assert compact_text({"a": 1}) == '{"a":1}'
    assert compact_text("[see below]") == "[see below]"
    assert compact_text(b"abc") == "<3 bytes>"
