"""A failure in a few lines: what, where, with which input, and what to type next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.pipeline.explain import explain
from otel_agenttrace.views.lines import UNICODE, Glyphs, Line, Segment, Style, cut_line, line_width
from otel_agenttrace.views.rows import Row, TraceRows, error_text, input_text, outcome
from otel_agenttrace.views.text import wrap
from otel_agenttrace.views.units import cost_text, format_duration

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from otel_agenttrace.pipeline.root_cause import Failure
    from otel_agenttrace.stores.api import StoredTrace

_MAX_LEVELS = 10
_MAX_ERROR_LINES = 12
_MAX_INPUT_LINES = 6
_MIN_INPUT = 16


def format_failure(
    trace: StoredTrace,
    failure: Failure | None,
    *,
    failure_id: str,
    trace_id: str,
    notes: Sequence[Line] = (),
    next_option: str = "",
    width: int = 80,
    glyphs: Glyphs = UNICODE,
) -> list[Line]:
    """Return a failure as lines: its kind, a sentence, the way from the root to where it began, the next command.

    The input is that of the span where it began, or of the nearest span above that has one.

    Args:
        trace: the whole trace.
        failure: None for a trace that passed.
        failure_id: the id as it is to be shown, see `short_failure_id`.
        trace_id: the trace's id as it is to be typed; short, if the store can complete it.
        notes: what must be known besides, see `format_warnings`.
        next_option: what the next command needs besides, e.g. ` --store traces.db`.
        width: columns that no line exceeds but the last, which is there to be copied.
        glyphs: the signs to draw with.
    """
    rows = TraceRows(trace)
    lines = [_heading(rows, failure, failure_id, glyphs)]
    if failure is not None:
        lines += _told(failure, width, glyphs)
    lines.extend(_path_lines(_path(rows, failure), width, glyphs))
    lines = [cut_line(line, width, glyphs) for line in (*lines, *notes)]
    return [*lines, (Segment("next: ", "dim"), Segment(f"agenttrace trace show {trace_id}{next_option}"))]


def short_failure_id(failure_id: str, trace_id: str, glyphs: Glyphs = UNICODE, *, others: Collection[str] = ()) -> str:
    """Return `<trace_id>…-<8 digits of the span id>`, which is accepted where a failure id is; other ids unchanged.

    The span id stays whole where one of `others`, the ids of failures that are not meant, starts in the same way.
    """
    head, _, tail = failure_id.partition("-")
    if len(head) != 32 or len(tail) != 16:
        return failure_id
    is_unique = all(other == failure_id or not other.startswith(failure_id[:-8]) for other in others)
    tail = tail[:8] if is_unique else tail
    return f"{trace_id}{glyphs.ellipsis}-{tail}" if len(trace_id) < len(head) else f"{head}-{tail}"


def _heading(rows: TraceRows, failure: Failure | None, failure_id: str, glyphs: Glyphs) -> Line:
    style: Style = "ok" if failure is None else "recovered" if failure.recovered else "error"
    kind = "none" if failure is None else failure.type
    subject = (rows.root.said.agent_name or rows.root.span.name) if failure is None else failure.subject
    rest = f" {glyphs.dot} {subject} {glyphs.dot} {outcome(failure)}"
    return Segment(failure_id, "heading"), Segment("  "), Segment(kind, style), Segment(rest)


def _told(failure: Failure, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """The failure in a sentence; the error in full where the sentence cuts it."""
    style: Style = "recovered" if failure.recovered else "error"
    sentence, message = explain(failure), " ".join(failure.error.message.split())
    for text in wrap(sentence, width - 2, most=_MAX_ERROR_LINES, ellipsis=glyphs.ellipsis):
        yield Segment("  "), Segment(text, style)
    if message not in sentence and not failure.error.is_cancellation:
        for text in wrap(error_text(failure), width - 2, most=_MAX_ERROR_LINES, ellipsis=glyphs.ellipsis):
            yield Segment("  "), Segment(text, "dim")


def _path(rows: TraceRows, failure: Failure | None) -> list[Row]:
    if failure is None:
        return [rows.root]
    by_node = {id(row.node): row for row in rows.rows}
    origin = rows.origin_of(failure)
    return [*reversed([by_node[id(node)] for node in origin.node.ancestors()]), origin]


def _path_lines(path: Sequence[Row], width: int, glyphs: Glyphs) -> Iterator[Line]:
    inputs = [input_text(row) for row in path]
    with_input = max((index for index, text in enumerate(inputs) if text), default=None)
    for index, row in enumerate(path):
        hidden = f"{glyphs.ellipsis}{index - _MAX_LEVELS} " if index > _MAX_LEVELS else ""
        indent = hidden + "   " * min(index - 1, _MAX_LEVELS - 1)
        line: Line = (
            Segment(indent + glyphs.last if index else "", "dim"),
            Segment(row.span.name, "name"),
            *(_origin_mark(row, glyphs) if "origin" in row.mark else _measures(row)),
        )
        if index == with_input:
            yield from _with_input(line, inputs[index], " " * len(indent), width, glyphs)
        else:
            yield line


def _with_input(line: Line, text: str, indent: str, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """The input behind its span, or below it on a few lines if there is no room for it."""
    whole = (*line, Segment("  input ", "dim"), Segment(text))
    if line_width(whole) <= width:
        yield whole
        return
    yield line
    title = "   input "
    room = max(width - len(indent + title), _MIN_INPUT)
    for number, part in enumerate(wrap(text, room, most=_MAX_INPUT_LINES, ellipsis=glyphs.ellipsis)):
        yield Segment(indent + (" " * len(title) if number else title), "dim"), Segment(part)


def _origin_mark(row: Row, glyphs: Glyphs) -> Iterator[Segment]:
    recovered = row.mark.startswith("recovered")
    sign = glyphs.recovered if recovered else glyphs.cross
    yield Segment(f" {sign} origin", "recovered" if recovered else "error")


def _measures(row: Row) -> Iterator[Segment]:
    if row.span.duration_nano is not None:
        yield Segment(" " + format_duration(row.span.duration_nano), "dim")
    if cost := cost_text(row.usage.cost_usd, is_complete=row.usage.cost_complete):
        yield Segment(f" {cost}", "dim")
