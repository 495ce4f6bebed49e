"""Walks over what is stored: the traces of a session, traces and entries page by page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.pipeline.sessions import is_session_mark
from otel_agenttrace.stores.api import span_cursor
from otel_agenttrace.stores.entry_spans import span_to_entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel_agenttrace.model.entry import TraceEntry
    from otel_agenttrace.stores.api import SpanQuery, SpanStore, StoredTrace


def require_session(spans: SpanStore, session_id: str) -> list[str]:
    """Return the ids of a session's traces, oldest stored first.

    Raises:
        TraceNotFoundError: there is no such session.
    """
    trace_ids = spans.find_session_trace_ids(session_id)
    if not trace_ids:
        raise TraceNotFoundError(f"there is no session {session_id!r}")
    return trace_ids


def get_known(spans: SpanStore, trace_ids: Iterable[str]) -> Iterator[StoredTrace]:
    """Yield the traces of these ids that are still there: retention may have deleted some since they were listed."""
    for trace_id in trace_ids:
        try:
            trace = spans.get_trace(trace_id)
        except TraceNotFoundError:
            continue
        yield trace


def walk_traces(spans: SpanStore, query: SpanQuery) -> Iterator[StoredTrace]:
    """Yield the traces that a query finds, page by page; not those that only tell of a session's start and end."""
    while page := spans.find_trace_ids(query):
        for trace in get_known(spans, page):
            if not all(map(is_session_mark, trace.spans)):
                yield trace
        query = replace(query, after=page[-1])


def walk_entries(spans: SpanStore, query: SpanQuery) -> Iterator[TraceEntry]:
    """Yield the spans that a query finds as entries, page by page.

    Not those that only tell of a session's start and end, or of a trace's verdict.
    """
    while page := spans.find_spans(query):
        for span in page:
            if is_session_mark(span) or is_verdict(span):
                continue
            entry = span_to_entry(span)
            # A span need not name the session that its trace belongs to.
            yield entry if query.session_id is None else entry.model_copy(update={"session_id": query.session_id})
        query = replace(query, after=span_cursor(page[-1]))
