"""Where the candidates of a query come from, in its order: a walk, an index of the store, or the one beside it.

The planner of SQLite does not know how common a value is; we do, or look.
"""

from __future__ import annotations

from itertools import chain, islice, repeat
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.stores.sql.hits import hits
from otel_agenttrace.stores.sql.lookups import body_conditions, index_lookup
from otel_agenttrace.stores.sql.queries import (
    DURATION,
    Condition,
    all_of,
    behind,
    column_conditions,
    order_by,
    started,
    trace_order_by,
    wants_index,
)
from otel_agenttrace.stores.sql.rows import json_array

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from otel_agenttrace.stores.api import SpanQuery
    from otel_agenttrace.stores.sql.index import Progress
    from otel_agenttrace.stores.sql.lookups import Lookup
    from otel_agenttrace.stores.sql.queries import Position

_MAX_SORTED = 5_000
"""Candidates that are collected and sorted; where there are more, a walk in the order meets them soon enough."""

_CHUNKS = (32, 128, 512)
"""How many rows are looked up at a time: few at first, as most callers want one page."""


class Head(NamedTuple):
    """What is read of a row before its body."""

    id: int
    trace_id: str
    start_ns: int
    duration: int | None
    origin_id: int


_HEAD = f"id, trace_id, start_ns, {DURATION}, origin_id"


class Candidates:
    """The rows that may meet a query: columns are checked, attributes and text only roughly.

    Args:
        connection: in a transaction, with the index attached if `progress` is not None.
        query: what is asked.
        progress: how far the index has come; None to go without.
    """

    def __init__(self, connection: sqlite3.Connection, query: SpanQuery, progress: Progress | None) -> None:
        self._connection = connection
        self._query = query
        self._operations = _operations(connection, query)
        self._columns = column_conditions(query)
        if self._operations is not None:
            self._columns.append(_in("operation_id", self._operations))
        self._all = [*self._columns, *body_conditions(connection, query)]
        self._progress = progress if wants_index(query) else None

    def heads(self, after: Position | None = None) -> Iterator[Head]:
        """All candidates behind `after`, in the order of the query."""
        if self._operations == []:
            return iter(())
        beyond = [] if after is None else [behind(self._query.order, after)]
        if self._progress is not None:
            lookup = index_lookup(self._connection, self._query, self._operations)
            if any(lookup) and self._query.order.startswith("stored"):
                return self._found(lookup, self._progress, after, beyond)
            few = self._few(lookup, self._progress) if any(lookup) else None
            if few is not None:
                return self._select("NOT INDEXED", [few, *self._columns, *beyond])
        return self._select(self._hint(), [*self._all, *beyond])

    def heads_of_trace(self, trace_id: str) -> Iterator[Head]:
        """The candidates of one trace, first the one that gives the trace its place in the order of the query."""
        in_trace = Condition("trace_id = ?", (trace_id,))
        return self._select("INDEXED BY spans_identity", [in_trace, *self._all], trace_order_by(self._query.order))

    def _select(self, hint: str, conditions: list[Condition], order: str | None = None) -> Iterator[Head]:
        where = all_of(conditions)
        sql = f"SELECT {_HEAD} FROM spans {hint} WHERE {where.sql} ORDER BY {order or order_by(self._query.order)}"
        return map(Head._make, self._connection.execute(sql, where.parameters))

    def _found(
        self, lookup: Lookup, progress: Progress, after: Position | None, beyond: list[Condition]
    ) -> Iterator[Head]:
        """What the index finds, and what is not in it yet, in the order of storing."""
        is_descending = self._query.order.endswith("_desc")
        not_in_yet = Condition("id > ?", (progress.position,))
        tail = self._select("NOT INDEXED", [not_in_yet, *self._all, *beyond])
        last = None if after is None else after.id
        ids = hits(self._connection, lookup, progress, is_descending=is_descending, after=last)
        found = self._looked_up(ids)
        return chain(tail, found) if is_descending else chain(found, tail)

    def _looked_up(self, ids: Iterator[int]) -> Iterator[Head]:
        for size in chain(_CHUNKS, repeat(_CHUNKS[-1])):
            chunk = list(islice(ids, size))
            if not chunk:
                return
            yield from self._select("NOT INDEXED", [_in("id", chunk), *self._columns])

    def _few(self, lookup: Lookup, progress: Progress) -> Condition | None:
        """The condition for what the index finds, and what is not in it yet; None if the former is much."""
        ids = list(islice(hits(self._connection, lookup, progress, is_descending=True), _MAX_SORTED + 1))
        if len(ids) > _MAX_SORTED:
            return None
        tail = all_of([Condition("id > ?", (progress.position,)), *self._all])
        return Condition(
            f"id IN (SELECT value FROM json_each(?) UNION ALL SELECT id FROM spans NOT INDEXED WHERE {tail.sql})",
            (json_array(ids), *tail.parameters),
        )

    def _hint(self) -> str:
        """Which index of `spans` to walk; that of its ids is none."""
        query = self._query
        if query.trace_id or query.session_id:
            return "INDEXED BY spans_identity"
        if query.span_id:
            return "NOT INDEXED"
        if query.failing:
            return "INDEXED BY spans_failing"
        times = started(query)
        if query.order.startswith("start") or (times and self._is_few(all_of(times))):
            return "INDEXED BY spans_start"
        return "NOT INDEXED"

    def _is_few(self, condition: Condition) -> bool:
        ((count,),) = self._connection.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM spans WHERE {condition.sql} LIMIT ?)",
            (*condition.parameters, _MAX_SORTED + 1),
        )
        return bool(count <= _MAX_SORTED)


def _operations(connection: sqlite3.Connection, query: SpanQuery) -> list[int] | None:
    """The ids of the operations that a query allows; None if it allows all."""
    wanted = {"service_name": query.service_name, "name": query.name, "kind": query.kind}
    conditions = [Condition(f"{column} = ?", (value,)) for column, value in wanted.items() if value]
    if not conditions:
        return None
    where = all_of(conditions)
    return [id_ for (id_,) in connection.execute(f"SELECT id FROM operations WHERE {where.sql}", where.parameters)]


def _in(column: str, values: list[int]) -> Condition:
    return Condition(f"{column} IN (SELECT value FROM json_each(?))", (json_array(values),))
