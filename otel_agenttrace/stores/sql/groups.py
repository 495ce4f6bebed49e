"""The tables `traces`, `sessions` and `session_traces`: what lists of traces and sessions are read from.

A trace that names no session is its own, but has no row in `sessions`: most traces would double there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.stores.sql.rows import json_array

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable

    from otel_agenttrace.stores.sql.rows import Columns

_SESSION_ROWS = """
    SELECT session_id, min(first_id), min(first_start_ns), max(last_start_ns)
    FROM session_traces JOIN traces USING (trace_id)
"""


def add_spans(connection: sqlite3.Connection, rows: Iterable[Columns], first_id: int) -> None:
    """Add rows, whose ids count from `first_id`, to their traces and sessions."""
    traces: dict[str, list[int]] = {}
    named: set[tuple[str, str]] = set()
    for id_, row in enumerate(rows, first_id):
        trace_id, start, session_id = row[0], row[2], row[8]
        places = traces.get(trace_id)
        if places is None:
            traces[trace_id] = [id_, start, start]
        elif start > places[2]:
            places[2] = start
        elif start < places[1]:
            places[1] = start
        if session_id is not None:
            named.add((session_id, trace_id))
    _add_traces(connection, traces, {trace_id for _, trace_id in named})
    connection.executemany("INSERT OR IGNORE INTO session_traces VALUES (?, ?)", named)
    _extend_sessions(connection, traces)


def time_trace(connection: sqlite3.Connection, trace_id: str) -> None:
    """Say anew when the first and the last span of a trace start; its sessions are the caller's to rebuild."""
    connection.execute(
        "UPDATE traces SET (first_start_ns, last_start_ns) ="
        " (SELECT min(start_ns), max(start_ns) FROM spans WHERE trace_id = ?1) WHERE trace_id = ?1",
        [trace_id],
    )


def name_sessions(connection: sqlite3.Connection, trace_id: str, session_ids: Collection[str]) -> None:
    """Say anew in which sessions a trace is."""
    before = {
        row[0] for row in connection.execute("SELECT session_id FROM session_traces WHERE trace_id = ?", [trace_id])
    }
    connection.execute("DELETE FROM session_traces WHERE trace_id = ?", [trace_id])
    connection.executemany("INSERT INTO session_traces VALUES (?, ?)", [(name, trace_id) for name in session_ids])
    connection.execute("UPDATE traces SET names_session = ? WHERE trace_id = ?", [bool(session_ids), trace_id])
    _rebuild_sessions(connection, before.union(session_ids))


def delete_groups(connection: sqlite3.Connection, trace_ids: Iterable[str]) -> int:
    """Take traces out of their sessions and out of the list; return how many there were."""
    traces = json_array(trace_ids)
    sessions = connection.execute(
        "SELECT DISTINCT session_id FROM session_traces WHERE trace_id IN (SELECT value FROM json_each(?))", [traces]
    ).fetchall()
    connection.execute("DELETE FROM session_traces WHERE trace_id IN (SELECT value FROM json_each(?))", [traces])
    deleted = connection.execute("DELETE FROM traces WHERE trace_id IN (SELECT value FROM json_each(?))", [traces])
    _rebuild_sessions(connection, (row[0] for row in sessions))
    return deleted.rowcount


def _add_traces(connection: sqlite3.Connection, traces: dict[str, list[int]], naming: Collection[str]) -> None:
    connection.executemany(
        "INSERT INTO traces VALUES (?, ?, ?, ?, ?) ON CONFLICT (trace_id) DO UPDATE SET"
        " first_start_ns = min(first_start_ns, excluded.first_start_ns),"
        " last_start_ns = max(last_start_ns, excluded.last_start_ns),"
        " names_session = max(names_session, excluded.names_session)",
        [(trace_id, *places, trace_id in naming) for trace_id, places in traces.items()],
    )


def _extend_sessions(connection: sqlite3.Connection, trace_ids: Iterable[str]) -> None:
    """Widen the sessions of traces that have grown."""
    connection.execute(
        f"INSERT INTO sessions {_SESSION_ROWS} WHERE trace_id IN (SELECT value FROM json_each(?)) GROUP BY session_id"
        " ON CONFLICT (session_id) DO UPDATE SET"
        " first_id = min(first_id, excluded.first_id),"
        " first_start_ns = min(first_start_ns, excluded.first_start_ns),"
        " last_start_ns = max(last_start_ns, excluded.last_start_ns)",
        [json_array(trace_ids)],
    )


def _rebuild_sessions(connection: sqlite3.Connection, session_ids: Iterable[str]) -> None:
    """Derive sessions from the traces that they still have; none left, and the session is gone."""
    sessions = json_array(session_ids)
    connection.execute("DELETE FROM sessions WHERE session_id IN (SELECT value FROM json_each(?))", [sessions])
    connection.execute(
        f"INSERT INTO sessions {_SESSION_ROWS} WHERE session_id IN (SELECT value FROM json_each(?)) GROUP BY 1",
        [sessions],
    )
