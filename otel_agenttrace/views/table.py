"""Tables for lists: columns as wide as they must be, and one that takes what is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_agenttrace.views.lines import UNICODE, Glyphs, Line, Segment, Style, cell
from otel_agenttrace.views.text import cell_width, safe_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_GAP = 2
_MIN_SHARE = 12


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `share` columns divide the width that is left; the others are never wider than `most`.

    A `whole` column gives nothing away where there is no room: it is there to be copied.
    """

    title: str
    right: bool = False
    share: bool = False
    whole: bool = False
    most: int = 40


@dataclass(frozen=True, slots=True)
class Cell:
    """One value in a table."""

    text: str
    style: Style = ""


def format_table(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, width: int = 80, glyphs: Glyphs = UNICODE
) -> list[Line]:
    """Return a heading and one line per row, none wider than `width` columns.

    A column that is empty in every row is left out, so that what a list has to say keeps its room.
    """
    used = [index for index, column in enumerate(columns) if column.share or any(row[index].text for row in rows)]
    columns = [columns[index] for index in used]
    rows = [[row[index] for index in used] for row in rows]
    widths = _widths(columns, rows, width)
    heading = [Cell(column.title, "heading") for column in columns]
    return [_line(columns, widths, row, glyphs) for row in (heading, *rows)]


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int) -> list[int]:
    needed = [
        max(len(column.title), *(cell_width(safe_text(row[index].text)) for row in rows), 1)
        for index, column in enumerate(columns)
    ]
    shares = [index for index, column in enumerate(columns) if column.share]
    widths = [0 if column.share else min(need, column.most) for column, need in zip(columns, needed, strict=True)]
    room = width - sum(widths) - _GAP * (len(columns) - 1)
    lacking = sum(min(needed[index], _MIN_SHARE) for index in shares) - room
    givers = [index for index, column in enumerate(columns) if not column.share and not column.whole]
    if lacking > 0 and shares and givers:
        widest = max(givers, key=lambda index: widths[index])
        taken = min(lacking, max(widths[widest] - _MIN_SHARE, 0))
        widths[widest] -= taken
        room += taken
    # The narrower ones first: what they leave over goes to the others.
    for left, index in zip(range(len(shares), 0, -1), sorted(shares, key=lambda index: needed[index]), strict=True):
        widths[index] = min(needed[index], max(room, 0) // left)
        room -= widths[index]
    return widths


def _line(columns: Sequence[Column], widths: Sequence[int], row: Sequence[Cell], glyphs: Glyphs) -> Line:
    segments: list[Segment] = []
    for column, width, item in zip(columns, widths, row, strict=True):
        if segments:
            segments.append(Segment(" " * _GAP))
        segments.append(cell(item.text, width, item.style, right=column.right, glyphs=glyphs))
    return tuple(segments)
