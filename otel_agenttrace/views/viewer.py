"""TraceViewer: what is stored, ready to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.pipeline.sessions import is_session_mark
from otel_agenttrace.pipeline.summary import summarize
from otel_agenttrace.stores.api import StoredTrace
from otel_agenttrace.stores.entry_spans import span_to_entry
from otel_agenttrace.stores.lookup import complete_trace_id
from otel_agenttrace.views.chat import format_chat
from otel_agenttrace.views.lines import UNICODE, Glyphs, Line, Segment, render
from otel_agenttrace.views.rows import TraceRows
from otel_agenttrace.views.summary import summarize_session
from otel_agenttrace.views.timeline import format_timeline
from otel_agenttrace.views.tree import format_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_agenttrace.model.entry import TraceEntry
    from otel_agenttrace.model.session import TraceSession
    from otel_agenttrace.pipeline.root_cause import Failure
    from otel_agenttrace.pipeline.summary import TraceSummary
    from otel_agenttrace.stores.moment import Moment
    from otel_agenttrace.stores.trace_store import TraceStore
    from otel_agenttrace.views.summary import SessionSummary


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One span of a session's timeline.

    Attributes:
        entry: the span as an entry.
        trace_id: the trace that it is in.
        offset_ms: milliseconds from the session's start to the span's.
        depth: how many spans of the trace are above it.
        error: the message, if the span failed.
    """

    entry: TraceEntry
    trace_id: str
    offset_ms: float
    depth: int
    error: str | None


@dataclass(frozen=True, slots=True)
class TraceDetail:
    """One trace.

    Attributes:
        summary: the trace in one line.
        entries: its spans as entries, each behind its parent.
        failures: its root causes, recovered ones too.
        trace: its spans themselves.
    """

    summary: TraceSummary
    entries: tuple[TraceEntry, ...]
    failures: tuple[Failure, ...]
    trace: StoredTrace


class TraceViewer:
    """Reads sessions and traces out of a store. It never writes.

    Trace ids may be shortened while unique. Times are as in `TraceStore`, durations milliseconds. A method that is
    asked for a session or a trace that is not there raises TraceNotFoundError; any method raises
    StoreUnavailableError when the store cannot be reached or stays locked.

    Args:
        store: any store.
    """

    def __init__(self, store: TraceStore) -> None:
        self._store = store

    def list_sessions(self, limit: int = 100, offset: int = 0) -> list[TraceSession]:
        """Return sessions, the one stored last first.

        Args:
            limit: how many at most.
            offset: how many to leave out before them.
        """
        return self._store.get_sessions(limit, offset)

    def get_session_timeline(self, session_id: str) -> list[TimelineItem]:
        """Return all spans of a session by their start.

        Raises:
            TraceNotFoundError: there is no such session.
        """
        traces = self.get_session_traces(session_id)
        items = [item for trace in traces for item in _timeline(trace, session_id, _start_of(traces))]
        return sorted(items, key=lambda item: item.offset_ms)

    def get_session_summary(self, session_id: str) -> SessionSummary:
        """Return a session's time, tokens, cost, steps and errors, and its slowest steps with their share of the time.

        Raises:
            TraceNotFoundError: there is no such session.
        """
        return summarize_session(self._store.get_session(session_id), self.get_session_traces(session_id))

    def search_traces(
        self,
        text: str,
        *,
        session_id: str | None = None,
        event_type: str | None = None,
        start_time: Moment | None = None,
        end_time: Moment | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[TraceEntry]:
        """Return the spans in which all words of a text stand, as `TraceStore.get_traces` does.

        Args:
            text: words, in any case; looked for in names, statuses, attribute values and events.
            session_id: only of this session.
            event_type: only of this `TraceEntry.type`.
            start_time: only what started then or later.
            end_time: only what started before.
            limit: how many at most.
            offset: how many to leave out before them.
        """
        return self._store.get_traces(session_id, event_type, start_time, end_time, text, limit, offset)

    def get_trace_detail(self, trace_id: str) -> TraceDetail:
        """Return one trace with its summary, its entries and its failures.

        Raises:
            TraceNotFoundError: there is no such trace, or the id fits more than one.
        """
        trace = self._trace(trace_id)
        rows = TraceRows(trace)
        entries = tuple(span_to_entry(row.span) for row in rows.rows)
        return TraceDetail(summarize(trace), entries, rows.failures, trace)

    def format_timeline(self, id_: str, *, width: int = 80, glyphs: Glyphs = UNICODE) -> str:
        """Return a trace, or each trace of a session, as bars along an axis of time; see `views.timeline`.

        Args:
            id_: a trace's or a session's id.
            width: terminal columns that no line exceeds.
            glyphs: the signs to draw with, see `views.lines.glyphs_for`.

        Raises:
            TraceNotFoundError: there is neither a trace nor a session of this id.
        """
        return self._format(id_, lambda trace: format_timeline(trace, width=width, glyphs=glyphs))

    def format_tree(self, id_: str, *, width: int = 80, glyphs: Glyphs = UNICODE) -> str:
        """Return a trace, or each trace of a session, as a tree; see `views.tree`.

        Args:
            id_: a trace's or a session's id.
            width: terminal columns that no line exceeds.
            glyphs: the signs to draw with, see `views.lines.glyphs_for`.

        Raises:
            TraceNotFoundError: there is neither a trace nor a session of this id.
        """
        return self._format(id_, lambda trace: format_tree(trace, width=width, glyphs=glyphs))

    def format_chat(self, id_: str, *, width: int = 80, glyphs: Glyphs = UNICODE, full: bool = False) -> str:
        """Return what was said in a trace, or in each trace of a session; see `views.chat`.

        Args:
            id_: a trace's or a session's id.
            width: terminal columns that no line exceeds.
            glyphs: the signs to draw with, see `views.lines.glyphs_for`.
            full: all of it, where long messages and conversations would be cut.

        Raises:
            TraceNotFoundError: there is neither a trace nor a session of this id.
        """
        return self._format(id_, lambda trace: format_chat(trace, width=width, glyphs=glyphs, full=full))

    def filter_by_type(self, session_id: str, event_type: str) -> list[TraceEntry]:
        """Return the entries of a session whose `type` is `event_type`, by their start.

        Raises:
            TraceNotFoundError: there is no such session.
        """
        return [item.entry for item in self.get_session_timeline(session_id) if item.entry.type == event_type]

    def filter_errors(self, session_id: str) -> list[TraceEntry]:
        """Return the entries of a session that failed, recovered or not, by their start.

        Raises:
            TraceNotFoundError: there is no such session.
        """
        return [item.entry for item in self.get_session_timeline(session_id) if item.error is not None]

    def filter_by_duration(
        self, session_id: str, min_duration_ms: float = 0.0, max_duration_ms: float | None = None
    ) -> list[TraceEntry]:
        """Return the entries of a session that took at least and at most so long, longest first.

        Args:
            session_id: the session.
            min_duration_ms: milliseconds, included.
            max_duration_ms: milliseconds, included; None for no bound. What still runs has no duration: it is left out.

        Raises:
            TraceNotFoundError: there is no such session.
        """
        timed = [
            (item.entry.duration_ms, item.entry)
            for item in self.get_session_timeline(session_id)
            if item.entry.duration_ms is not None
        ]
        fitting = [
            (duration_ms, entry)
            for duration_ms, entry in timed
            if duration_ms >= min_duration_ms and (max_duration_ms is None or duration_ms <= max_duration_ms)
        ]
        return [entry for _, entry in sorted(fitting, key=lambda pair: -pair[0])]

    def _trace(self, trace_id: str) -> StoredTrace:
        return self._store.spans.get_trace(complete_trace_id(self._store.spans, trace_id))

    def get_session_traces(self, session_id: str) -> list[StoredTrace]:
        """Return the traces of a session, without the spans that only tell of its start and end.

        Raises:
            TraceNotFoundError: there is no such session.
        """
        told = [_without_marks(trace) for trace in self._store.get_session_traces(session_id)]
        return [trace for trace in told if trace.spans]

    def _format(self, id_: str, view: Callable[[StoredTrace], list[Line]]) -> str:
        try:
            return render(view(self._trace(id_)))
        except TraceNotFoundError:
            traces = self.get_session_traces(id_)
        lines: list[Line] = []
        for trace in traces:
            lines += [(Segment(f"trace {trace.trace_id}", "heading"),), *view(trace), ()]
        return render(lines[:-1])


def _timeline(trace: StoredTrace, session_id: str, start_unix_nano: int) -> Iterator[TimelineItem]:
    for row in TraceRows(trace).rows:
        yield TimelineItem(
            entry=span_to_entry(row.span).model_copy(update={"session_id": session_id}),
            trace_id=trace.trace_id,
            offset_ms=(row.span.start_time_unix_nano - start_unix_nano) / 1e6,
            depth=row.node.depth,
            error=row.error.text if row.error else None,
        )


def _start_of(traces: list[StoredTrace]) -> int:
    return min((span.start_time_unix_nano for trace in traces for span in trace.spans), default=0)


def _without_marks(trace: StoredTrace) -> StoredTrace:
    spans = tuple(span for span in trace.spans if not is_session_mark(span))
    return StoredTrace(trace.trace_id, spans, trace.conflicts)
