"""A trace as bars along one axis of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_agenttrace.views.lines import UNICODE, Glyphs, Line, Segment, Style, cell, cut_line
from otel_agenttrace.views.rows import Row, TraceRows, rows_of
from otel_agenttrace.views.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import StoredTrace

_TIME_WIDTH = 7
_MARK_WIDTH = 2
_MAX_INDENT = 8
_NAME_SHARE = 0.36
_MIN_BAR = 8


@dataclass(frozen=True, slots=True)
class Axis:
    """The time from the first start to the last end of some spans, in nanoseconds since the Unix epoch."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Nanoseconds, at least one."""
        return max(self.end - self.start, 1)

    def place(self, record: SpanRecord) -> tuple[float, float]:
        """Return where a span begins on the axis and how much of it it takes, both from 0 to 1.

        A span that is still open reaches to the end; one that ends before it starts takes nothing.
        """
        end = self.end if record.end_time_unix_nano is None else record.end_time_unix_nano
        offset = (record.start_time_unix_nano - self.start) / self.length
        return offset, max(end - record.start_time_unix_nano, 0) / self.length


def axis_of(spans: Iterable[SpanRecord]) -> Axis:
    """Return the axis on which all of `spans`, at least one, have their place."""
    starts, ends = zip(*((span.start_time_unix_nano, span.end_time_unix_nano or 0) for span in spans), strict=True)
    return Axis(min(starts), max(*starts, *ends))


def format_timeline(trace: StoredTrace | TraceRows, *, width: int = 80, glyphs: Glyphs = UNICODE) -> list[Line]:
    """Return one line per span: name, offset from the first start, bar, duration, and `marks` as in the tree.

    The spans stand in the order of the tree, children indented. No line is wider than `width` columns.
    """
    found = rows_of(trace)
    rows, axis = found.rows, axis_of(found.trace.spans)
    name_width = max(int(width * _NAME_SHARE), 12)
    bar_width = max(width - name_width - 2 * (_TIME_WIDTH + 1) - _MARK_WIDTH - 1, _MIN_BAR)
    heading = (
        cell("SPAN", name_width, "heading"),
        cell("START", _TIME_WIDTH + 1, "heading", right=True),
        Segment(" 0" + format_duration(axis.length).rjust(bar_width - 1), "dim"),
        cell("TIME", _TIME_WIDTH + 1, "heading", right=True),
    )
    lines = [heading, *(_line(row, axis, name_width, bar_width, glyphs) for row in rows)]
    return [cut_line(line, width, glyphs) for line in lines]


def _line(row: Row, axis: Axis, name_width: int, bar_width: int, glyphs: Glyphs) -> Line:
    record = row.span
    duration = record.duration_nano
    return (
        cell(" " * min(row.node.depth, _MAX_INDENT) + record.name, name_width, "name", glyphs=glyphs),
        cell("+" + format_duration(record.start_time_unix_nano - axis.start), _TIME_WIDTH + 1, "dim", right=True),
        Segment(" " + _bar(axis.place(record), bar_width, glyphs), _bar_style(row)),
        cell("" if duration is None else format_duration(duration), _TIME_WIDTH + 1, right=True),
        Segment(" " + _sign(row, glyphs), _bar_style(row)),
    )


def _bar(place: tuple[float, float], width: int, glyphs: Glyphs) -> str:
    offset, share = place
    first = min(round(offset * width), width - 1)
    length = min(round(share * width), width - first)
    return (" " * first + (glyphs.bar * length or glyphs.tick)).ljust(width)


def _bar_style(row: Row) -> Style:
    if row.span.end_time_unix_nano is None:
        return "running"
    if not row.mark:
        return "bar"
    return "recovered" if row.mark.startswith("recovered") else "error"


def _sign(row: Row, glyphs: Glyphs) -> str:
    if row.mark:
        return glyphs.recovered if row.mark.startswith("recovered") else glyphs.cross
    return glyphs.running if row.span.end_time_unix_nano is None else ""
