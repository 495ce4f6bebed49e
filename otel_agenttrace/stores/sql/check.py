"""What is wrong with a store: damage that SQLite sees, bodies that no longer decode, tables that contradict others."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from otel_agenttrace.errors import DecodeError, StoreRejectedError
from otel_agenttrace.model.codec import SerializedSpan, deserialize
from otel_agenttrace.stores.sql.index import read_progress
from otel_agenttrace.stores.sql.rows import SpanRow, span_columns
from otel_agenttrace.stores.sql.terms import EVERY_ROW

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MAX_OF_A_KIND = 10
"""Sentences of one kind: a damaged file has thousands."""

_CONTRADICTIONS = {
    "row {}: its id will be given again": """
        SELECT id FROM spans WHERE id >= (SELECT value FROM state WHERE name = 'next_id')
    """,
    "trace {}: is not listed as its spans say": """
        SELECT trace_id FROM (
            SELECT trace_id, min(id), min(start_ns), max(start_ns) FROM spans GROUP BY trace_id
            EXCEPT SELECT trace_id, first_id, first_start_ns, last_start_ns FROM traces
        )
    """,
    "trace {}: is listed without spans": """
        SELECT trace_id FROM traces WHERE trace_id NOT IN (SELECT trace_id FROM spans)
    """,
    "trace {}: is not in the sessions that it is said to name": """
        SELECT trace_id FROM traces
        WHERE names_session <> EXISTS (SELECT 1 FROM session_traces WHERE trace_id = traces.trace_id)
    """,
    "session {}: is not listed as its traces say": """
        SELECT session_id FROM (
            SELECT session_id, min(first_id), min(first_start_ns), max(last_start_ns)
            FROM session_traces JOIN traces USING (trace_id) GROUP BY session_id
            EXCEPT SELECT session_id, first_id, first_start_ns, last_start_ns FROM sessions
        )
    """,
    "session {}: is listed without traces": """
        SELECT session_id FROM sessions WHERE session_id NOT IN (SELECT session_id FROM session_traces)
    """,
    "origin {}: counts its spans wrongly": """
        SELECT id FROM origins LEFT JOIN (SELECT origin_id, count(*) AS found FROM spans GROUP BY 1) ON origin_id = id
        WHERE spans <> ifnull(found, 0)
    """,
    "operation {}: counts its spans wrongly": """
        SELECT id FROM operations
        LEFT JOIN (SELECT operation_id, count(*) AS found FROM spans GROUP BY 1) ON operation_id = id
        WHERE spans <> ifnull(found, 0)
    """,
}
"""A sentence, and a query for what it is true of."""


def check_store(connection: sqlite3.Connection) -> list[str]:
    """Return what is wrong, one sentence each."""
    found = _some(_damage(connection, "main"))
    if not found:
        for sentence, query in _CONTRADICTIONS.items():
            found += _some(sentence.format(row[0]) for row in connection.execute(query))
        found += _some(_wrong_rows(connection))
    return found + [f"index: {sentence}" for sentence in _some(_wrong_index(connection))]


def _some(sentences: Iterable[str]) -> list[str]:
    found: list[str] = []
    try:
        for sentence in sentences:
            if len(found) == _MAX_OF_A_KIND:
                return [*found, "... and more of these"]
            found.append(sentence)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        found.append(f"cannot be read to the end: {error}")
    return found


def _damage(connection: sqlite3.Connection, schema: str) -> Iterator[str]:
    for (sentence,) in connection.execute(f"PRAGMA {schema}.integrity_check"):
        if sentence != "ok":
            yield f"SQLite: {sentence}"
    for table, row, parent, _ in connection.execute(f"PRAGMA {schema}.foreign_key_check"):
        yield f"row {row} of {table}: refers to a row that is not in {parent}"


def _wrong_rows(connection: sqlite3.Connection) -> Iterator[str]:
    """Rows whose columns do not say what their body says, or whose body cannot be read."""
    rows = connection.execute(
        "SELECT spans.id, body, resource, scope, trace_id, span_id, start_ns, end_ns, status, failing,"
        " operations.service_name, name, kind FROM spans"
        " JOIN origins ON origins.id = origin_id JOIN operations ON operations.id = operation_id"
    )
    for id_, body, resource, scope, *columns in rows:
        span = SerializedSpan(_bytes(body), _bytes(resource), _bytes(scope))
        name = f"span {columns[0]}-{columns[1]} (row {id_})"
        try:
            deserialize(span)
            row = SpanRow._make(*span_columns([span]))
        except (DecodeError, StoreRejectedError) as error:
            yield f"{name}: cannot be read: {error}"
            continue
        if columns != [*row[:4], row.status, row.failing, *row.operation]:
            yield f"{name}: its columns do not say what its body says"
        elif row.session_id is not None and not _is_in(connection, row.session_id, row.trace_id):
            yield f"{name}: its trace is not in its session"


def _is_in(connection: sqlite3.Connection, session_id: str, trace_id: str) -> bool:
    found = connection.execute(
        "SELECT 1 FROM session_traces WHERE session_id = ? AND trace_id = ?", [session_id, trace_id]
    )
    return found.fetchone() is not None


def _bytes(text: object) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode()


def _wrong_index(connection: sqlite3.Connection) -> Iterator[str]:
    """Rows that are in the index and not in the store, or the other way round."""
    progress = read_progress(connection)
    if progress is None:
        return
    yield from _damage(connection, "idx")
    indexed = "SELECT rowid FROM idx.pairs WHERE pairs MATCH ?"
    unsettled = "SELECT id FROM replaced WHERE change > ?"
    for sentence, query in (
        ("row {} is in it and not in the store", f"{indexed} AND rowid NOT IN (SELECT id FROM spans)"),
        (
            "row {} of the store is not in it",
            f"SELECT id FROM spans WHERE id <= {progress.position} AND id NOT IN ({indexed})",
        ),
    ):
        for (id_,) in connection.execute(query, [EVERY_ROW]):
            if not connection.execute(f"{unsettled} AND id = ?", [progress.change, id_]).fetchone():
                yield sentence.format(id_)
