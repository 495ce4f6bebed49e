"""A trace as a tree of lines."""

from __future__ import annotations

from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import AGENTTRACE_EVENT_DATA, EVENT_AGENT_PREFIX
from otel_agenttrace.pipeline.contract import recorded_violations
from otel_agenttrace.views.gates import gate_texts
from otel_agenttrace.views.lines import UNICODE, Glyphs, Line, Segment, Style, cut_line, line_width
from otel_agenttrace.views.rows import Row, Section, TraceRows, error_text, input_text, rows_of
from otel_agenttrace.views.text import cell_width, cut, one_line, safe_text, wrap
from otel_agenttrace.views.units import cost_text, format_count, format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.contract.violation import Violation
    from otel_agenttrace.model.tree import SpanNode
    from otel_agenttrace.pipeline.usage import Totals
    from otel_agenttrace.stores.api import StoredTrace

_MAX_LEVELS = 10
"""How many levels of indentation are drawn; of a deeper span only the nearest ones, behind the number left out."""

_MIN_NAME = 16
_MAX_ERROR_LINES = 3
_MAX_EVENTS = 10
_MAX_FLAGS = 3
_MAX_VIOLATIONS = 3


def format_tree(trace: StoredTrace | TraceRows, *, width: int = 80, glyphs: Glyphs = UNICODE) -> list[Line]:
    """Return one line per span; below it its error where a failure began, events, gates, flags, violations.

    A line says: name, duration, input and output tokens, cost (of the root: of the whole trace), whether the span is
    still running, and what it has to do with a failure. Spans whose parent is not there stand under a heading of
    their own, as do those whose parents lead back to themselves. No line is wider than `width` columns.
    """
    lines: list[Line] = []
    for section in rows_of(trace).sections:
        if section.heading:
            lines.append((Segment(section.heading, "heading"),))
        for row in section.rows:
            lines.append(span_line(row, guides(row.node, section, glyphs), width=width, glyphs=glyphs))
            lines.extend(_error_lines(row, section, width, glyphs))
            lines.extend(_event_lines(row, section, glyphs))
            lines.extend(_gate_lines(row, section, width, glyphs))
            lines.extend(_flag_lines(row, section, width, glyphs))
            lines.extend(_violation_lines(row, section, width, glyphs))
    return [cut_line(line, width, glyphs) for line in lines]


def span_line(row: Row, guide: str, *, width: int, glyphs: Glyphs) -> Line:
    """Return the line of one span; a name too long for the width is cut, what follows it is not."""
    rest: list[Segment] = []
    for segment in (*_measures(row, glyphs), *marks(row, glyphs)):
        rest += (Segment(" "), segment)
    room = width - cell_width(guide) - line_width(tuple(rest))
    name = Segment(cut(safe_text(row.span.name), max(room, _MIN_NAME), glyphs.ellipsis), "name")
    line = (Segment(guide, "dim"), name, *rest)
    if "origin" in row.mark and (text := input_text(row)):
        line += (Segment("  input ", "dim"), Segment(text))
    return line


def marks(row: Row, glyphs: Glyphs) -> Iterator[Segment]:
    """Yield what must be told about a span: running, failed, where the failure began, recovered, odd."""
    if row.span.end_time_unix_nano is None:
        yield Segment(f"{glyphs.running} running", "running")
    if row.mark:
        recovered = row.mark.startswith("recovered")
        sign = glyphs.recovered if recovered else glyphs.cross
        style: Style = "recovered" if recovered else "error"
        yield Segment(f"{sign} {row.mark}" if row.mark != "failed" else sign, style)
    for note in row.notes:
        yield Segment(f"({note})", "dim")


def guides(node: SpanNode, section: Section, glyphs: Glyphs, *, below: bool = False) -> str:
    """Return what leads from a span's line to its parent's (an orphan's parent is its heading).

    `below` is for a line that continues the span's own.
    """
    levels = node.depth + bool(section.heading)
    pieces = ["   " if _is_last(at, section) else glyphs.pipe for at in islice(_upward(node), min(levels, _MAX_LEVELS))]
    if below:
        pieces.insert(0, glyphs.pipe if node.children else "   ")
    elif levels:
        pieces[0] = glyphs.last if _is_last(node, section) else glyphs.branch
    if levels > _MAX_LEVELS:
        pieces.append(f"{glyphs.ellipsis}{levels - _MAX_LEVELS} ")
    return "".join(reversed(pieces))


def usage_text(usage: Totals, glyphs: Glyphs) -> str:
    """Return tokens and cost as far as they are known; `$?` for tokens of which none has a price."""
    tokens = f"{format_count(usage.input_tokens)}{glyphs.arrow}{format_count(usage.output_tokens)} tok"
    parts = [tokens] if usage.input_tokens or usage.output_tokens else []
    if cost := cost_text(usage.cost_usd, is_complete=usage.cost_complete):
        parts.append(cost)
    elif parts and not usage.cost_complete:
        parts.append("$?")
    return " ".join(parts)


def _measures(row: Row, glyphs: Glyphs) -> Iterator[Segment]:
    if row.span.duration_nano is not None:
        yield Segment(format_duration(row.span.duration_nano), "dim")
    if usage := usage_text(row.usage, glyphs):
        yield Segment(usage, "dim")


def _error_lines(row: Row, section: Section, width: int, glyphs: Glyphs) -> Iterator[Line]:
    if "origin" not in row.mark or row.failure is None:
        return
    guide = guides(row.node, section, glyphs, below=True)
    style: Style = "recovered" if row.mark.startswith("recovered") else "error"
    error = f"{row.failure.type}: {error_text(row.failure)}"
    room = max(width - cell_width(guide), _MIN_NAME)
    for text in wrap(error, room, most=_MAX_ERROR_LINES, ellipsis=glyphs.ellipsis):
        yield (Segment(guide, "dim"), Segment(text, style))


def _event_lines(row: Row, section: Section, glyphs: Glyphs) -> Iterator[Line]:
    """What the agent said of itself, see `agent_event`."""
    events = [event for event in row.span.events if event.name.startswith(EVENT_AGENT_PREFIX)]
    if not events:
        return
    guide = Segment(guides(row.node, section, glyphs, below=True), "dim")
    for event in events[:_MAX_EVENTS]:
        data = event.attributes.get(AGENTTRACE_EVENT_DATA)
        said = "" if data is None else " " + one_line(data)
        yield guide, Segment(event.name.removeprefix(EVENT_AGENT_PREFIX) + said, "dim")
    if len(events) > _MAX_EVENTS:
        yield guide, Segment(f"and {len(events) - _MAX_EVENTS} more events", "dim")


def _gate_lines(row: Row, section: Section, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """What the gates of the span found; not again where one of them is the error."""
    texts = [told for told in gate_texts(row.span) if told[1] != "error" or "origin" not in row.mark]
    if not texts:
        return
    guide = guides(row.node, section, glyphs, below=True)
    room = max(width - cell_width(guide), _MIN_NAME)
    for told, style in texts:
        for text in wrap(told, room, most=_MAX_ERROR_LINES, ellipsis=glyphs.ellipsis):
            yield (Segment(guide, "dim"), Segment(text, style))


def _flag_lines(row: Row, section: Section, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """What is remarkable about the span without being a failure."""
    if not row.flags:
        return
    guide = guides(row.node, section, glyphs, below=True)
    room = max(width - cell_width(guide), _MIN_NAME)
    for flag in row.flags[:_MAX_FLAGS]:
        for text in wrap(f"{flag.kind}: {flag.message}", room, most=_MAX_ERROR_LINES, ellipsis=glyphs.ellipsis):
            yield (Segment(guide, "dim"), Segment(text, "recovered"))
    if len(row.flags) > _MAX_FLAGS:
        yield (Segment(guide, "dim"), Segment(f"and {len(row.flags) - _MAX_FLAGS} more flags", "recovered"))


def _violation_lines(row: Row, section: Section, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """What breaks the contract, and the line of code that did it."""
    violations = recorded_violations(row.span)
    if not violations:
        return
    guide = guides(row.node, section, glyphs, below=True)
    room = max(width - cell_width(guide), _MIN_NAME)
    for violation in violations[:_MAX_VIOLATIONS]:
        for text in wrap(_violation_text(violation), room, most=_MAX_ERROR_LINES, ellipsis=glyphs.ellipsis):
            yield (Segment(guide, "dim"), Segment(text, "recovered"))
    if len(violations) > _MAX_VIOLATIONS:
        yield (Segment(guide, "dim"), Segment(f"and {len(violations) - _MAX_VIOLATIONS} more violations", "recovered"))


def _violation_text(violation: Violation) -> str:
    text = f"contract: {violation.message}"
    if violation.file_path is None:
        return text
    line = "" if violation.line_number is None else f":{violation.line_number}"
    return f"{text} ({PurePath(violation.file_path).name}{line})"


def _is_last(node: SpanNode, section: Section) -> bool:
    siblings = node.parent.children if node.parent else section.tops
    return siblings[-1] is node


def _upward(node: SpanNode) -> Iterator[SpanNode]:
    yield node
    yield from node.ancestors()
