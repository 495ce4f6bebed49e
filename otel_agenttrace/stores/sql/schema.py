"""The tables of an SQLite store, and how a file gets them.

`spans` is the store; every other table is derived from it or interned for it. `spans.id` counts the spans as they
were first stored and is never given twice: pages and the deferred index (see `index`) stand on that. `replaced` keeps
what rows said before they were changed or deleted, until the deferred index has taken that out. On the write path there
are only the key and two small indexes.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from otel_agenttrace.errors import StoreRejectedError, StoreUnavailableError
from otel_agenttrace.stores.sql.index import attach_index
from otel_agenttrace.stores.sql.transactions import snapshot, transaction

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from otel_agenttrace.stores.sql.connections import Reader

APPLICATION_ID = 0x41475452
"""Marks our files in SQLite's header: AGTR."""

_FIRST_SCHEMA = """
CREATE TABLE origins (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    service_name TEXT NOT NULL,
    resource TEXT NOT NULL,
    scope TEXT NOT NULL,
    spans INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX origins_unused ON origins (spans) WHERE spans = 0;
CREATE TABLE operations (
    id INTEGER PRIMARY KEY,
    service_name TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    spans INTEGER NOT NULL DEFAULT 0,
    UNIQUE (service_name, name, kind)
);
CREATE INDEX operations_unused ON operations (spans) WHERE spans = 0;
CREATE TABLE spans (
    id INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,
    origin_id INTEGER NOT NULL REFERENCES origins (id),
    operation_id INTEGER NOT NULL REFERENCES operations (id),
    status INTEGER NOT NULL,
    failing INTEGER NOT NULL,
    conflict INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL
);
CREATE UNIQUE INDEX spans_identity ON spans (trace_id, span_id, start_ns);
CREATE INDEX spans_start ON spans (start_ns);
CREATE INDEX spans_failing ON spans (failing) WHERE failing = 1;

CREATE TABLE traces (
    trace_id TEXT PRIMARY KEY,
    first_id INTEGER NOT NULL,
    first_start_ns INTEGER NOT NULL,
    last_start_ns INTEGER NOT NULL,
    names_session INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX traces_first ON traces (first_id);
CREATE INDEX traces_unnamed ON traces (first_id) WHERE names_session = 0;
CREATE TABLE sessions (
    session_id TEXT PRIMARY KEY,
    first_id INTEGER NOT NULL,
    first_start_ns INTEGER NOT NULL,
    last_start_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_first ON sessions (first_id);
CREATE TABLE session_traces (
    session_id TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    PRIMARY KEY (session_id, trace_id)
) WITHOUT ROWID;
CREATE INDEX session_traces_trace ON session_traces (trace_id);

CREATE TABLE replaced (
    change INTEGER PRIMARY KEY AUTOINCREMENT,
    id INTEGER NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,
    origin_id INTEGER NOT NULL,
    operation_id INTEGER NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

MIGRATIONS: tuple[str, ...] = (_FIRST_SCHEMA,)
"""What makes version n + 1 of version n; the first makes version 1 of an empty file. Append, never change."""


def latest_version() -> int:
    """The schema version that this code writes."""
    return len(MIGRATIONS)


class StoreFormat:
    """The tables of a store, and its index attached to those who read.

    Args:
        index: the file of the index, which need not be there; None to go without.
    """

    def __init__(self, index: Path) -> None:
        self.index: Path | None = index

    def prepare(self, connection: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
        """Check that a file is ours and give it the tables of this version.

        Raises:
            StoreRejectedError: it is no store, or was written by a newer version.
            StoreUnavailableError: it was written by an older version and cannot be changed.
        """
        with snapshot(connection):  # another process may be making it
            version = _version(connection, path)
        if version == latest_version():
            return
        if read_only:
            raise StoreUnavailableError(
                f"{path} has schema version {version}: open it for writing once, to make that {latest_version()}"
            )
        with transaction(connection):
            _migrate(connection, _version(connection, path))

    def before_reading(self, reader: Reader) -> None:
        """Attach the index."""
        attach_index(reader, self.index)


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    for script in MIGRATIONS[version:]:
        # Not executescript(), which would commit first.
        for statement in script.split(";"):
            connection.execute(statement)
    if version == 0:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.executemany(
            "INSERT INTO state VALUES (?, ?)", [("store_id", uuid.uuid4().hex), ("next_id", 1), ("index_id", "")]
        )
    connection.execute(f"PRAGMA user_version = {latest_version()}")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application_id != APPLICATION_ID:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application_id or version or tables:
            raise StoreRejectedError(f"{path} is an SQLite database, but not a store of otel-agenttrace")
        return 0
    if version > latest_version():
        raise StoreRejectedError(
            f"{path} has schema version {version}, and this version of otel-agenttrace knows {latest_version()}: "
            "update otel-agenttrace"
        )
    return int(version)
