"""What happens while agents run, a line at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.model.record import session_id_of
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.told import name_told
from otel_agenttrace.pipeline.usage import Totals
from otel_agenttrace.views.failure import short_failure_id
from otel_agenttrace.views.lines import UNICODE, Glyphs, Line, Segment, Style, cut_line, line_width
from otel_agenttrace.views.rows import error_text
from otel_agenttrace.views.shapes import span_shape, summary_shape
from otel_agenttrace.views.summary import STATUS_STYLES
from otel_agenttrace.views.text import cell_width, cut, safe_text, wrap
from otel_agenttrace.views.tree import usage_text
from otel_agenttrace.views.units import at_utc, format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.pipeline.summary import TraceSummary
    from otel_agenttrace.stores.run_events import RunEvent

_MAX_LEVELS = 10
_MAX_NAME = 48
_MIN_ERROR = 16
_MAX_ERROR_LINES = 3
_TIME = len("14:13:20")


class TailLines:
    """Writes one line for each thing that happens; below it what went wrong, and for a run what to type next.

    Times are local; the day is told in a line of its own before the first line of it.

    Args:
        width: columns that no line exceeds but a command, which is there to be copied.
        glyphs: the signs to draw with.
        next_option: what a command needs besides, e.g. ` --store traces.db`.
    """

    def __init__(self, *, width: int = 80, glyphs: Glyphs = UNICODE, next_option: str = "") -> None:
        self._width = width
        self._glyphs = glyphs
        self._next_option = next_option
        self._day = ""
        self._started_run = ""

    def lines(self, event: RunEvent) -> list[Line]:
        """Return the lines of one event; none of a root that is known to have started as its run has."""
        if event.kind == "span_started" and event.span.span_id == self._started_run:
            return []
        self._started_run = event.span.span_id if event.kind == "run_started" else ""
        moment = at_utc(event.time_unix_nano).astimezone()
        line = self._head(event, moment) + self._body(event)
        error = _error(event)
        if error and event.cause is None and line_width(line) + 1 + cell_width(safe_text(error)) <= self._width:
            line, error = (*line, Segment(" "), Segment(error, "error")), ""
        lines = [*self._new_day(moment), cut_line(line, self._width, self._glyphs), *self._below(event, error)]
        if event.cause is not None:
            lines.append((self._margin(event), Segment(self._command(event), "dim")))
        return lines

    def _new_day(self, moment: datetime) -> Iterator[Line]:
        day = moment.strftime("%Y-%m-%d UTC%z")
        if day != self._day:
            self._day = day
            yield (Segment(day, "dim"),)

    def _head(self, event: RunEvent, moment: datetime) -> Line:
        sign, style = self._sign(event)
        return (
            Segment(moment.strftime("%H:%M:%S"), "dim"),
            Segment(" "),
            Segment(event.short_trace_id, "heading"),
            Segment(" "),
            Segment(sign + " ", style),
        )

    def _sign(self, event: RunEvent) -> tuple[str, Style]:
        if event.is_bad:
            return self._glyphs.cross, "error"
        return (self._glyphs.running, "running") if event.kind.endswith("_started") else (" ", "")

    def _body(self, event: RunEvent) -> Line:
        if event.summary is not None:
            return self._run_ended(event.summary)
        if event.kind == "run_started":
            return self._run_started(event.span)
        return self._span(event)

    def _run_started(self, root: SpanRecord) -> Line:
        session = session_id_of(root.attributes)
        facts = [root.resource.service_name, f"session {session}" if session else ""]
        told = f" {self._glyphs.dot} ".join(filter(None, facts))
        return Segment("run ", "running"), self._name(name_told(root)), *self._words(told, gap="  ")

    def _run_ended(self, summary: TraceSummary) -> Line:
        used = Totals(summary.input_tokens, summary.output_tokens, summary.cost_usd, summary.cost_complete)
        return (
            Segment(summary.status, STATUS_STYLES[summary.status]),
            Segment(" "),
            self._name(summary.root_name),
            *self._words(format_duration(round(summary.duration_ms * 1e6))),
            *self._words(usage_text(used, self._glyphs)),
        )

    def _span(self, event: RunEvent) -> Line:
        span, said = event.span, canonical(event.span)
        own = said.tool_name if said.is_tool_call else said.model if said.is_model_call else said.agent_name
        # Names made by the GenAI conventions say all of that already.
        told = " ".join(part for part in (said.operation, own) if part and part not in span.name)
        line: Line = (Segment("  " * min(event.depth, _MAX_LEVELS)), self._name(span.name), *self._words(told))
        if span.duration_nano is not None:
            line += self._words(format_duration(span.duration_nano))
            is_known = said.cost_usd is not None or not said.is_model_call
            usage = Totals(said.input_tokens or 0, said.output_tokens or 0, said.cost_usd, cost_complete=is_known)
            line += self._words(usage_text(usage, self._glyphs))
        return line

    def _below(self, event: RunEvent, error: str) -> Iterator[Line]:
        """The error on lines of its own."""
        margin = self._margin(event)
        room = max(self._width - cell_width(margin.text), _MIN_ERROR)
        for text in wrap(error, room, most=_MAX_ERROR_LINES, ellipsis=self._glyphs.ellipsis):
            yield margin, Segment(text, "error")

    def _name(self, name: str) -> Segment:
        return Segment(cut(safe_text(name), _MAX_NAME, self._glyphs.ellipsis), "name")

    def _words(self, text: str, gap: str = " ") -> Line:
        return (Segment(gap), Segment(text, "dim")) if text else ()

    def _margin(self, event: RunEvent) -> Segment:
        return Segment(" " * (_TIME + len(event.short_trace_id) + 4))

    def _command(self, event: RunEvent) -> str:
        summary = event.summary
        assert summary is not None and event.cause is not None  # noqa: S101, PT018 - tells the type checker
        failure_id = event.short_trace_id
        if len(summary.failure_ids) > 1:
            others = summary.failure_ids
            failure_id = short_failure_id(event.cause.failure_id, event.short_trace_id, self._glyphs, others=others)
        return f"agenttrace failure show {failure_id}{self._next_option}"


def tail_shape(event: RunEvent) -> dict[str, Any]:
    """A line of `trace tail --json`: the span of the event, how it failed, and of a run that ended its summary."""
    return {
        "event": event.kind,
        **span_shape(event.span),
        "failure": _failure_shape(event),
        "run": None if event.summary is None else summary_shape(event.summary),
    }


def _failure_shape(event: RunEvent) -> dict[str, Any] | None:
    if event.cause is not None:
        return {"failure_type": event.cause.type, "message": error_text(event.cause)}
    if event.failure is not None:
        return {"failure_type": event.failure.type, "message": event.failure.text}
    return None


def _error(event: RunEvent) -> str:
    """The failure in words; of a span that passes on what one below it told, nothing more than that it failed."""
    if event.is_repeated:
        return ""
    failure = _failure_shape(event)
    return "" if failure is None else f"{failure['failure_type']}: {' '.join(failure['message'].split())}"
