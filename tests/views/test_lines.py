"""Lines with styles, and tables made of them."""

from __future__ import annotations

import pytest

from otel_agenttrace.views.lines import (
    ASCII,
    UNICODE,
    Segment,
    cell,
    cut_line,
    glyphs_for,
    line_width,
    plain,
    render,
)
from otel_agenttrace.views.table import Cell, Column, format_table

NASTY = "\x1b[31mred\nnext"


def test_a_segment_is_safe_from_the_start() -> None:
    """No view can forget to make a text safe: a segment does it."""
    assert Segment(NASTY).text == r"\x1b[31mred\nnext"


def test_lines_are_cut_where_they_are_too_wide() -> None:
    """A cut line keeps the styles of what is left, and says that something is missing."""
    line = (Segment("abc", "name"), Segment("日本", "error"), Segment("xyz"))

    assert cut_line(line, 10, UNICODE) == line
    assert plain(cut_line(line, 9, UNICODE)) == "abc日本x…"
    assert plain(cut_line(line, 7, UNICODE)) == "abc日…"
    assert cut_line(line, 3, UNICODE) == (Segment("ab…", "name"),)
    assert plain(cut_line(line, 9, ASCII)) == "abc日本.."


@pytest.mark.parametrize("width", range(12))
def test_a_cut_line_fits(width: int) -> None:
    """Whatever the width."""
    line = (Segment("abc"), Segment("日本"), Segment("xyz"))

    assert line_width(cut_line(line, width, UNICODE)) <= width
    assert line_width(cut_line(line, width, ASCII)) <= width


@pytest.mark.parametrize(
    ("encoding", "glyphs"),
    [("utf-8", UNICODE), ("ascii", ASCII), ("latin-1", ASCII), (None, ASCII), ("nonsense", ASCII)],
)
def test_signs_suit_the_encoding(encoding: str | None, glyphs: object) -> None:
    """Where stdout cannot say a corner or a cross, plain characters stand for them."""
    assert glyphs_for(encoding) is glyphs


def test_rendering_says_what_an_encoding_can() -> None:
    """What the output's encoding has no word for becomes an escape, so that printing never fails."""
    lines = [(Segment("naïve "), Segment("日本", "error")), ()]

    assert render(lines) == "naïve 日本\n\n"
    assert render(lines, encoding="latin-1") == "naïve \\u65e5\\u672c\n\n"
    assert render(lines, encoding="ascii", paint=lambda text, style: f"[{style}:{text}]") == (
        "[:na\\xefve ][error:\\u65e5\\u672c]\n\n"
    )


def test_a_cell_has_its_width() -> None:
    """Cut or filled up, on either side."""
    assert cell("abcdef", 4).text == "abc…"
    assert cell("ab", 4).text == "ab  "
    assert cell("ab", 4, right=True).text == "  ab"
    assert cell("\n", 4).text == r"\n  "


def lines_of(columns: list[Column], rows: list[list[str]], width: int = 30) -> list[str]:
    """A table as plain lines."""
    return [plain(line) for line in format_table(columns, [[Cell(text) for text in row] for row in rows], width=width)]


def test_a_table_fills_the_width() -> None:
    """Columns are as wide as they must be; the sharing one takes what is left, or less."""
    columns = [Column("ID"), Column("COST", right=True), Column("NAME", share=True)]

    assert lines_of(columns, [["a1", "$1", "short"], ["b", "$10", "a name that is too long for it"]]) == [
        "ID  COST  NAME",
        "a1    $1  short",
        "b    $10  a name that is too…",
    ]


def test_an_empty_column_is_left_out() -> None:
    """What no row has takes no room; the columns that share stay."""
    assert lines_of([Column("ID"), Column("COST"), Column("NAME", share=True)], [["a", "", ""]]) == ["ID  NAME", "a"]
    assert lines_of([Column("ID"), Column("NAME", share=True)], []) == ["NAME"]


def test_the_sharing_column_is_never_squeezed_out() -> None:
    """A wide column gives up room before a name becomes unreadable."""
    columns = [Column("ID", most=36), Column("NAME", share=True)]

    assert lines_of(columns, [["x" * 36, "invoke_agent booking"]], width=40) == [
        "ID                          NAME",
        "x" * 25 + "…  invoke_agen…",
    ]


def test_two_sharing_columns_divide_what_is_left() -> None:
    """What the narrower one does not need goes to the other."""
    columns = [Column("A", share=True), Column("B", share=True)]

    assert lines_of(columns, [["x" * 40, "short"]]) == ["A                        B", "x" * 22 + "…  short"]


def test_nothing_in_a_table_acts() -> None:
    """Names and values are shown, not obeyed."""
    (_, line) = lines_of([Column("NAME", share=True)], [[NASTY]])

    assert line == r"\x1b[31mred\nnext"
