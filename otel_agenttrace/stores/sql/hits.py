"""Rows that the deferred index finds."""

from __future__ import annotations

import heapq
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from otel_agenttrace.stores.sql.index import Progress
    from otel_agenttrace.stores.sql.lookups import Lookup


def hits(
    connection: sqlite3.Connection,
    lookup: Lookup,
    progress: Progress,
    *,
    is_descending: bool,
    after: int | None = None,
) -> Iterator[int]:
    """The ids of rows that the index finds or that have changed since it took them in, each once, in order."""
    low, high = 0, progress.position + 1
    if after is not None:
        low, high = (low, min(high, after)) if is_descending else (after, high)
    direction = "DESC" if is_descending else "ASC"
    found = [
        _numbers(
            connection,
            f"SELECT rowid FROM idx.{table} WHERE {table} MATCH ? AND rowid > ? AND rowid < ?"
            f" ORDER BY rowid {direction}",
            (match, low, high),
        )
        for table, match in zip(lookup._fields, lookup, strict=True)
        if match
    ]
    changed = _numbers(
        connection,
        f"SELECT DISTINCT id FROM replaced WHERE change > ? AND id > ? AND id < ? ORDER BY id {direction}",
        (progress.change, low, high),
    )
    merged = heapq.merge(_in_all(found, is_descending=is_descending), changed, reverse=is_descending)
    return (id_ for id_, _ in groupby(merged))


def _numbers(connection: sqlite3.Connection, sql: str, parameters: tuple[object, ...]) -> Iterator[int]:
    return (number for (number,) in connection.execute(sql, parameters))


def _in_all(streams: list[Iterator[int]], *, is_descending: bool) -> Iterator[int]:
    """What is in each of one or two ordered streams."""
    if len(streams) == 1:
        yield from streams[0]
        return
    one, other = streams
    try:
        left, right = next(one), next(other)
        while True:
            if left == right:
                yield left
                left, right = next(one), next(other)
            elif (left > right) is is_descending:
                left = next(one)
            else:
                right = next(other)
    except StopIteration:
        return
