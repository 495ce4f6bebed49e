"""What is new in a store: each span once, in the order of storing, wherever the store was left."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.stores.api import SpanQuery, span_cursor
from otel_agenttrace.stores.followed import Recent

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import SpanStore

PAGE = 500
_MAX_PLACES = 1_000


class News:
    """Reads a store page by page, from a place that it keeps itself.

    The place is where the last span stands that was seen; of each of the last 1,000 traces the last one is kept, as
    traces may be deleted. Where none of them is left, the store was emptied or exchanged: then what has started since
    the beginning is new.

    Args:
        since: begin with the first span stored that started then or later, in nanoseconds since the Unix epoch;
            None to begin with what is stored from now on.
        is_new: the store was not there yet: begin with its first span.
    """

    def __init__(self, *, since: int | None = None, is_new: bool = False) -> None:
        self.begun_unix_nano = time.time_ns() if since is None else since
        self._since = since
        self._is_placed = is_new
        self._started_from: int | None = None
        self._places: Recent[str, str] = Recent(_MAX_PLACES)

    def find_place(self, spans: SpanStore) -> list[SpanRecord]:
        """Find where to begin, the first time; return the last spans before, oldest first."""
        if self._is_placed:
            return []
        behind = None
        if self._since is not None:
            first = spans.find_spans(SpanQuery(order="stored_asc", started_from=self._since, limit=1))
            behind = span_cursor(first[0]) if first else None
        known = spans.find_spans(SpanQuery(after=behind, limit=PAGE))[::-1]
        self._is_placed = True
        for span in known:
            self.mark(span)
        return known

    def page(self, spans: SpanStore) -> list[SpanRecord]:
        """Return what was stored behind the last span that was marked, 500 spans at most."""
        places = self._places.values
        had_place = bool(places)
        while places:
            with suppress(TraceNotFoundError):
                return self._find(spans, after=next(reversed(places.values())))
            places.popitem()
        if had_place:
            self._started_from = self.begun_unix_nano
        return self._find(spans, started_from=self._started_from)

    def mark(self, span: SpanRecord) -> None:
        """Go on behind a span."""
        self._places.set(span.trace_id, span_cursor(span))

    def _find(self, spans: SpanStore, *, after: str | None = None, started_from: int | None = None) -> list[SpanRecord]:
        return spans.find_spans(SpanQuery(order="stored_asc", after=after, started_from=started_from, limit=PAGE))
