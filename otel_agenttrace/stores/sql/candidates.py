"""Where the candidates of a query come from, in the order of the query: a walk, or an index of the store or beside it.

The planner of SQLite does not know how common a value is; we do, or look.
"""

from __future__ import annotations

import heapq
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.stores.sql.lookups import body_conditions, index_lookup
from otel_agenttrace.stores.sql.queries import (
    DURATION,
    Condition,
    all_of,
    behind,
    column_conditions,
    is_exact,
    order_by,
    trace_order_by,
)
from otel_agenttrace.stores.sql.rows import json_array

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from otel_agenttrace.stores.api import SpanQuery
    from otel_agenttrace.stores.sql.index import Progress
    from otel_agenttrace.stores.sql.queries import Position

_MAX_MERGED = 20
"""Operations that are read side by side; of more, some are bound to come soon."""

_MAX_SORTED = 5_000
"""Candidates that are collected and sorted; where there are more, a walk in the order meets them soon enough."""

_CHUNKS = (32, 128, 512)
"""How many rows are looked up at a time: few first, as most callers want one page."""


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
        progress: how far the index has come, None to go without.
    """

    def __init__(self, connection: sqlite3.Connection, query: SpanQuery, progress: Progress | None) -> None:
        self._connection = connection
        self._query = query
        self._progress = progress
        self._operations = _operations(connection, query)
        self._conditions = column_conditions(query)
        if self._operations is not None:
            self._conditions.append(_any_of("operation_id", self._operations))

    def heads(self, after: Position | None = None) -> Iterator[Head]:
        """All candidates behind `after`, in the order of the query."""
        query = self._query
        beyond = [behind(query.order, after)] if after is not None else []
        if query.trace_id or query.session_id:
            return self._walk("INDEXED BY spans_identity", beyond)
        lookup = index_lookup(self._connection, query, self._operations)
        if self._progress is not None and any(lookup):
            ids = self._indexed(lookup, after)
            ...
        return self._in_store(beyond)
