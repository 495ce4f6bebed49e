"""Lists that are kept ready: traces, sessions, operations, ids, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.stores.api import Operation
from otel_agenttrace.stores.sql.queries import Condition, all_of, started

if TYPE_CHECKING:
    import sqlite3

    from otel_agenttrace.stores.api import SpanQuery

_NAMED = "session_id", "sessions AS one LEFT JOIN traces AS other ON trace_id = session_id AND names_session = 0"
_UNNAMED = "trace_id", "traces AS one LEFT JOIN sessions AS other ON session_id = trace_id"
"""Where sessions are: those that are named, and traces that are their own; each beside the other one of its id."""

_IS_FIRST = Condition("(other.first_id IS NULL OR one.first_id < other.first_id)")
"""Of two that are one session, as it was named after a trace that names none, the one that came first stands for it."""


def list_trace_ids(connection: sqlite3.Connection, query: SpanQuery) -> list[str]:
    """A page of all traces, in an order of storing.

    Raises:
        TraceNotFoundError: the last one of the page before is not stored.
    """
    is_descending = query.order.endswith("_desc")
    behind = Condition("1")
    if query.after is not None:
        row = connection.execute("SELECT first_id FROM traces WHERE trace_id = ?", [query.after]).fetchone()
        if row is None:
            raise TraceNotFoundError(f"no trace is stored under {query.after!r}")
        behind = Condition(f"first_id {'<' if is_descending else '>'} ?", row)
    direction = "DESC" if is_descending else "ASC"
    return _texts(
        connection,
        f"SELECT trace_id FROM traces WHERE {behind.sql} ORDER BY first_id {direction} LIMIT ?",
        *behind.parameters,
        max(query.limit, 0),
    )


def list_session_ids(connection: sqlite3.Connection, query: SpanQuery) -> list[str]:
    """A page of sessions, the latest first.

    Raises:
        TraceNotFoundError: the last one of the page before is not stored.
    """
    after = None if query.after is None else (_first_id(connection, query.after), query.after)
    arms = [_sessions(query, after, *_NAMED), _sessions(query, after, *_UNNAMED, Condition("names_session = 0"))]
    return _texts(
        connection,
        f"{' UNION ALL '.join(arm.sql for arm in arms)} ORDER BY first_id DESC, id LIMIT ?",
        *(value for arm in arms for value in arm.parameters),
        max(query.limit, 0),
    )


def list_session_traces(connection: sqlite3.Connection, session_id: str) -> list[str]:
    """The traces of a session, the oldest first."""
    return _texts(
        connection,
        "SELECT trace_id FROM traces WHERE trace_id IN (SELECT trace_id FROM session_traces WHERE session_id = ?)"
        " OR (trace_id = ? AND names_session = 0) ORDER BY first_id",
        session_id,
        session_id,
    )


def list_operations(connection: sqlite3.Connection) -> list[Operation]:
    """Each service, span name and kind, sorted."""
    rows = connection.execute("SELECT service_name, name, kind FROM operations WHERE spans > 0 ORDER BY 1, 2, 3")
    return [Operation(*row) for row in rows]


def complete_id(connection: sqlite3.Connection, prefix: str, limit: int) -> list[str]:
    """The first ids of traces and sessions that start with a prefix."""
    bounds = (prefix, prefix + "\U0010ffff")
    return _texts(
        connection,
        "SELECT trace_id AS id FROM traces WHERE trace_id >= ? AND trace_id < ?"
        " UNION SELECT session_id FROM sessions WHERE session_id >= ? AND session_id < ? ORDER BY id LIMIT ?",
        *bounds,
        *bounds,
        max(limit, 0),
    )


def get_setting(connection: sqlite3.Connection, name: str) -> str | None:
    """A setting, None if it was never set."""
    row = connection.execute("SELECT value FROM settings WHERE name = ?", [name]).fetchone()
    return None if row is None else str(row[0])


def count_all(connection: sqlite3.Connection) -> dict[str, Any]:
    """How many spans, traces and sessions there are, and when the first and the last span started."""
    unnamed = "SELECT trace_id FROM traces WHERE names_session = 0"
    sql = {
        "spans": "SELECT count(*) FROM spans",
        "traces": "SELECT count(*) FROM traces",
        "sessions": f"SELECT count(*) FROM (SELECT session_id FROM sessions UNION {unnamed})",
        "oldest_unix_nano": "SELECT min(start_ns) FROM spans",
        "newest_unix_nano": "SELECT max(start_ns) FROM spans",
    }
    return {name: connection.execute(query).fetchone()[0] for name, query in sql.items()}


def _sessions(
    query: SpanQuery, after: tuple[int, str] | None, id_column: str, source: str, *conditions: Condition
) -> Condition:
    """The SELECT for the sessions of one source."""
    within = started(
        query,
        "min(one.first_start_ns, ifnull(other.first_start_ns, one.first_start_ns))",
        "max(one.last_start_ns, ifnull(other.last_start_ns, one.last_start_ns))",
    )
    behind = []
    if after is not None:
        first_id, last = after
        sql = f"one.first_id <= ? AND (one.first_id < ? OR {id_column} > ?)"
        behind = [Condition(sql, (first_id, first_id, last))]
    where = all_of([_IS_FIRST, *conditions, *within, *behind])
    return Condition(
        f"SELECT {id_column} AS id, one.first_id AS first_id FROM {source} WHERE {where.sql}", where.parameters
    )


def _first_id(connection: sqlite3.Connection, session_id: str) -> int:
    ((first_id,),) = connection.execute(
        "SELECT min(first_id) FROM (SELECT first_id FROM sessions WHERE session_id = ?"
        " UNION ALL SELECT first_id FROM traces WHERE trace_id = ? AND names_session = 0)",
        [session_id, session_id],
    )
    if first_id is None:
        raise TraceNotFoundError(f"no session is stored under {session_id!r}")
    return int(first_id)


def _texts(connection: sqlite3.Connection, sql: str, *parameters: object) -> list[str]:
    return [row[0] for row in connection.execute(sql, parameters)]
