"""Reading spans, traces and sessions, on one connection in one transaction."""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import SPAN_VERDICT
from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.stores.api import StoredTrace, split_cursor
from otel_agenttrace.stores.matching import matches
from otel_agenttrace.stores.sql.candidates import Candidates
from otel_agenttrace.stores.sql.queries import DURATION, Position, is_exact, order_by, trace_order_by
from otel_agenttrace.stores.sql.rows import to_record

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Generator

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import SpanQuery
    from otel_agenttrace.stores.sql.candidates import Head
    from otel_agenttrace.stores.sql.index import Progress

_POSITION = f"id, start_ns, {DURATION}"


class Finder:
    """Answers one query.

    Args:
        connection: in a transaction, with the index attached if `progress` is not None.
        query: what is asked.
        progress: how far the index has come; None to go without.
    """

    def __init__(self, connection: sqlite3.Connection, query: SpanQuery, progress: Progress | None) -> None:
        self._connection = connection
        self._query = query
        self._candidates = Candidates(connection, query, progress)
        self._origins: dict[int, tuple[str, str]] = {}

    def spans(self) -> list[SpanRecord]:
        """The page of spans."""
        query = self._query
        after = None if query.after is None else self._span_position(query.after)
        records = (self._record(head) for head in self._candidates.heads(after))
        with closing(records):
            return list(islice((span for span in records if self._matches(span)), max(query.limit, 0)))

    def trace_ids(self) -> list[str]:
        """The page of ids of traces."""
        query = self._query
        after = None if query.after is None else self._trace_position(query.after)
        found = self._placed_traces(after)
        with closing(found):
            return list(islice(found, max(query.limit, 0)))

    def _placed_traces(self, after: Position | None) -> Generator[str]:
        """Each trace where the span stands that gives it its place."""
        places: dict[str, int | None] = {}
        for head in self._candidates.heads(after):
            trace_id = head.trace_id
            if trace_id not in places:
                if not self._head_matches(head):
                    continue
                place = self._place(trace_id)
                places[trace_id] = place and place.id
            if places[trace_id] == head.id:
                yield trace_id

    def _place(self, trace_id: str) -> Head | None:
        """The span that gives a trace its place among those that meet the query."""
        return next((head for head in self._candidates.heads_of_trace(trace_id) if self._head_matches(head)), None)

    def _trace_position(self, trace_id: str) -> Position:
        """Where a trace stands; one that does not meet the query (any more), where it would."""
        place = self._place(trace_id)
        if place is not None:
            return Position(place.id, place.start_ns, place.duration)
        row = self._connection.execute(
            f"SELECT {_POSITION} FROM spans WHERE trace_id = ? ORDER BY {trace_order_by(self._query.order)}", [trace_id]
        ).fetchone()
        if row is None:
            raise TraceNotFoundError(f"no trace is stored under {trace_id!r}")
        return Position(*row)

    def _span_position(self, cursor: str) -> Position:
        """Where a span stands; where its id is repeated, the last of them."""
        trace_id, span_id, start = split_cursor(cursor)
        rows = self._connection.execute(
            f"SELECT {_POSITION}, operation_id IN (SELECT id FROM operations WHERE name = ?) FROM spans"
            f" WHERE trace_id = ? AND span_id = ? ORDER BY {order_by(self._query.order)}",
            [SPAN_VERDICT, trace_id, span_id],
        ).fetchall()
        # A verdict may have been replaced meanwhile by one that starts at another time.
        positions = [Position(*row) for *row, is_verdict in rows if is_verdict or start in (None, row[1])]
        if not positions:
            raise TraceNotFoundError(f"no span is stored under {cursor!r}")
        return positions[-1]

    def _head_matches(self, head: Head) -> bool:
        return is_exact(self._query) or matches(self._record(head), self._query)

    def _matches(self, span: SpanRecord) -> bool:
        return is_exact(self._query) or matches(span, self._query)

    def _record(self, head: Head) -> SpanRecord:
        ((body,),) = self._connection.execute("SELECT body FROM spans WHERE id = ?", [head.id])
        if head.origin_id not in self._origins:
            (self._origins[head.origin_id],) = self._connection.execute(
                "SELECT resource, scope FROM origins WHERE id = ?", [head.origin_id]
            )
        return to_record(body, *self._origins[head.origin_id])


def read_trace(connection: sqlite3.Connection, trace_id: str) -> StoredTrace:
    """The whole trace.

    Raises:
        TraceNotFoundError: no span of it is stored.
    """
    rows = connection.execute(
        "SELECT span_id, conflict, body, resource, scope FROM spans JOIN origins ON origins.id = origin_id"
        " WHERE trace_id = ? ORDER BY start_ns, span_id",
        [trace_id],
    ).fetchall()
    if not rows:
        raise TraceNotFoundError(f"no trace is stored under {trace_id!r}")
    conflicts = frozenset(span_id for span_id, conflict, *_ in rows if conflict)
    return StoredTrace(trace_id, tuple(to_record(*row[2:]) for row in rows), conflicts)
