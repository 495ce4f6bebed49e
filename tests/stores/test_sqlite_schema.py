"""The versions of the SQLite store's file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.errors import StoreRejectedError, StoreUnavailableError
from otel_agenttrace.stores.sql import schema
from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
from otel_agenttrace.testing.spans import TRACE_ID, make_span

if TYPE_CHECKING:
    from pathlib import Path

NEXT_VERSION = "ALTER TABLE traces ADD COLUMN verdict TEXT NOT NULL DEFAULT 'none'; CREATE INDEX v ON traces (verdict)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of this version with one span, closed."""
    path = tmp_path / "traces.db"
    with closing(SqliteSpanStore(path)) as store:
        store.write_spans([make_span()])
    return path


def columns_of_traces(path: Path) -> list[str]:
    """The columns of one table."""
    with closing(sqlite3.connect(path)) as connection:
        return [row[1] for row in connection.execute("PRAGMA table_info(traces)")]


def test_an_older_file_is_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a file of an older version gives it the tables of this one, and keeps what is in it."""
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, NEXT_VERSION))
    with closing(SqliteSpanStore(path)) as store:
        assert store.get_trace(TRACE_ID).spans == (make_span(),)
        assert store.check() == []
        assert store.info().schema_version == 2
    assert "verdict" in columns_of_traces(path)


def test_an_older_file_is_not_changed_by_reading(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of an older version cannot be opened read-only, and says what to do."""
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, NEXT_VERSION))
    with pytest.raises(StoreUnavailableError, match=r"schema version 1.*for writing once.*2"):
        SqliteSpanStore(path, read_only=True)
    assert "verdict" not in columns_of_traces(path)


def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of a migration happens, or nothing."""
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, f"{NEXT_VERSION}; DROP TABLE nowhere"))
    with pytest.raises(StoreUnavailableError, match="nowhere"):
        SqliteSpanStore(path)
    monkeypatch.undo()
    assert "verdict" not in columns_of_traces(path)
    with closing(SqliteSpanStore(path)) as store:
        assert store.get_trace(TRACE_ID).spans == (make_span(),)


def test_a_newer_file_is_refused(path: Path) -> None:
    """A file that a newer version wrote is refused, naming both versions, and left as it was."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")
    content = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(StoreRejectedError, match=r"schema version 7.* knows 1.*update"):
            SqliteSpanStore(path, read_only=read_only)
    assert path.read_bytes() == content


def test_bodies_can_be_asked_with_sql(path: Path) -> None:
    """A body is JSON with flat attributes, for those who want to look themselves."""
    with closing(SqliteSpanStore(path)) as store:
        store.write_spans([make_span(span_id="b" * 16, attributes={"task.id": "PI-101"})])
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT json_extract(body, '$.attributes.\"task.id\"') FROM spans ORDER BY id")
        assert found.fetchall() == [(None,), ("PI-101",)]
