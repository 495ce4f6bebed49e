"""Merging rows into rows of the same identity: the way that repeated batches and updated spans take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from otel_agenttrace.model.codec import SerializedSpan, deserialize
from otel_agenttrace.model.merge import merge
from otel_agenttrace.model.record import session_id_of
from otel_agenttrace.stores.sql.groups import name_sessions, time_trace
from otel_agenttrace.stores.sql.rows import to_record
from otel_agenttrace.stores.sql.verdicts import starts_of_verdict

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.sql.interned import Interned
    from otel_agenttrace.stores.sql.rows import SpanRow

_MAX_REPLACED = 100_000
"""When more rows than this wait to be taken out of the deferred index, building it anew is less work."""


class _Stored(NamedTuple):
    id: int
    origin_id: int
    operation_id: int
    conflict: int
    span: SpanRecord


def merge_repeated(connection: sqlite3.Connection, interned: Interned, rows: Iterable[SpanRow]) -> None:
    """Merge rows, each into the row that is stored under its identity; a verdict into the one that is stored."""
    regrouped = {row.trace_id for row in rows if _merge_row(connection, interned, row)}
    for trace_id in regrouped:
        time_trace(connection, trace_id)
        name_sessions(connection, trace_id, _named_sessions(connection, trace_id))
    interned.delete_unused(connection)


def keep_replaced(connection: sqlite3.Connection, where: str, parameters: Iterable[object]) -> None:
    """Keep what rows say that are about to change, until the deferred index has taken it out."""
    columns = "id, start_ns, end_ns, origin_id, operation_id, status, body"
    has_index = "(SELECT value FROM state WHERE name = 'index_id') <> ''"
    connection.execute(
        f"INSERT INTO replaced ({columns}) SELECT {columns} FROM spans {where} AND {has_index}", [*parameters]
    )
    ((waiting,),) = connection.execute("SELECT (SELECT max(change) FROM replaced) - (SELECT min(change) FROM replaced)")
    if (waiting or 0) > _MAX_REPLACED:
        connection.execute("DELETE FROM replaced")
        connection.execute("UPDATE state SET value = '' WHERE name = 'index_id'")


def _merge_row(connection: sqlite3.Connection, interned: Interned, row: SpanRow) -> bool:
    """Merge one row; return whether the times or the sessions of its trace may have changed."""
    stored = _stored(connection, row)
    new = deserialize(SerializedSpan(row.body.encode(), *row.origin))
    winner, conflict = merge(stored.span, new, conflict=bool(stored.conflict))
    if winner is not stored.span:
        _replace(connection, interned, stored, row)
    if conflict != stored.conflict:
        connection.execute("UPDATE spans SET conflict = ? WHERE id = ?", [conflict, stored.id])
    is_moved = stored.span.start_time_unix_nano != row.start_ns
    return is_moved or session_id_of(stored.span.attributes) != session_id_of(new.attributes)


def _stored(connection: sqlite3.Connection, row: SpanRow) -> _Stored:
    found = _at(connection, row, row.start_ns)
    if found is None:
        (start,) = starts_of_verdict(connection, row.trace_id, row.span_id)
        found = _at(connection, row, start)
    *columns, body, resource, scope = found
    return _Stored._make([*columns, to_record(body, resource, scope)])


def _at(connection: sqlite3.Connection, row: SpanRow, start_ns: int) -> Any:
    return connection.execute(
        "SELECT spans.id, origin_id, operation_id, conflict, body, resource, scope"
        " FROM spans JOIN origins ON origins.id = origin_id"
        " WHERE trace_id = ? AND span_id = ? AND start_ns = ?",
        [row.trace_id, row.span_id, start_ns],
    ).fetchone()


def _replace(connection: sqlite3.Connection, interned: Interned, stored: _Stored, row: SpanRow) -> None:
    keep_replaced(connection, "WHERE id = ?", [stored.id])
    origin_id, operation_id = interned.origins[row.origin], interned.operations[row.operation]
    connection.execute(
        "UPDATE spans SET start_ns = ?, end_ns = ?, origin_id = ?, operation_id = ?, status = ?, failing = ?, body = ?"
        " WHERE id = ?",
        [row.start_ns, row.end_ns, origin_id, operation_id, row.status, row.failing, row.body, stored.id],
    )
    interned.count(connection, {origin_id: 1}, {operation_id: 1})
    interned.count(connection, {stored.origin_id: -1}, {stored.operation_id: -1})


def _named_sessions(connection: sqlite3.Connection, trace_id: str) -> set[str]:
    rows = connection.execute(
        "SELECT body, resource, scope FROM spans JOIN origins ON origins.id = origin_id WHERE trace_id = ?", [trace_id]
    )
    named = {session_id_of(to_record(*row).attributes) for row in rows}
    return {name for name in named if name is not None}
