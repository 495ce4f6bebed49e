"""What the SQLite store says of files that are damaged."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.contract.attributes import SESSION_ID
from otel_agenttrace.errors import StoreDamagedError, StoreUnavailableError
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.sql.index import index_path
from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
from otel_agenttrace.testing.spans import TRACE_ID, make_span

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of 500 spans with an index, closed."""
    path = tmp_path / "traces.db"
    with closing(SqliteSpanStore(path)) as store:
        names = [f"{number:016x}" for number in range(500)]
        store.write_spans([make_span(span_id=name, attributes={SESSION_ID: "s", "text": name * 10}) for name in names])
        assert store.catch_up(10)
    return path


def change(path: Path, *statements: str) -> None:
    """Do what only somebody else would do to a store."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def overwrite(path: Path, start: int, end: int) -> None:
    """Write nonsense over a part of a file, given in parts of a hundred."""
    content = bytearray(path.read_bytes())
    first, last = len(content) * start // 100, len(content) * end // 100
    content[first:last] = b"\xde\xad" * ((last - first) // 2)
    path.write_bytes(content)


def test_damaged_pages_are_named(path: Path) -> None:
    """Reading damaged pages raises an error that names the file and what to do; `check` says what SQLite sees."""
    overwrite(path, 30, 60)
    with closing(SqliteSpanStore(path)) as store:
        with pytest.raises(StoreDamagedError, match=f"{path} is damaged"):
            store.get_trace(TRACE_ID)
        found = store.check()
    assert found
    assert len(found) <= 11
    assert found[0].startswith(("SQLite: ", "cannot be read to the end: "))


def test_a_body_that_cannot_be_read_is_named(path: Path) -> None:
    """A body that is no span keeps its trace from being read; `check` names the span, and others are still found."""
    change(path, "UPDATE spans SET body = '{' WHERE id = 7")
    with closing(SqliteSpanStore(path)) as store:
        with pytest.raises(StoreUnavailableError, match="damaged"):
            store.get_trace(TRACE_ID)
        (found,) = store.check()
        assert found.startswith(f"span {TRACE_ID}-{6:016x} (row 7): cannot be read: ")
        name = f"{20:016x}" * 10
        assert len(store.find_spans(SpanQuery(text=name))) == 1
        index_path(path).unlink()
        assert store.catch_up(10)
        assert len(store.find_spans(SpanQuery(text=name))) == 1


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE spans SET start_ns = 5 WHERE id = 7", "(row 7): its columns do not say what its body says"),
        ("UPDATE spans SET status = 2 WHERE id = 7", "(row 7): its columns do not say what its body says"),
        ("UPDATE spans SET origin_id = 77 WHERE id = 7", "row 7 of spans: refers to a row that is not in origins"),
        ("UPDATE state SET value = 3 WHERE name = 'next_id'", "row 3: its id will be given again"),
        ("UPDATE traces SET first_id = 2", f"trace {TRACE_ID}: is not listed as its spans say"),
        ("INSERT INTO traces VALUES ('t', 1, 1, 1, 0)", "trace t: is listed without spans"),
        ("UPDATE traces SET names_session = 0", f"trace {TRACE_ID}: is not in the sessions that it is said to name"),
        ("UPDATE sessions SET last_start_ns = 0", "session s: is not listed as its traces say"),
        ("INSERT INTO sessions VALUES ('t', 1, 1, 1)", "session t: is listed without traces"),
        ("UPDATE session_traces SET session_id = 'x'", "(row 1): its trace is not in its session"),
        ("UPDATE origins SET spans = 3", "origin 1: counts its spans wrongly"),
        ("UPDATE operations SET spans = 3", "operation 1: counts its spans wrongly"),
        ("DELETE FROM spans WHERE id = 7", "index: row 7 is in it and not in the store"),
    ],
)
def test_contradictions_are_named(path: Path, statement: str, sentence: str) -> None:
    """`check` compares each table with what it is derived from."""
    change(path, statement)
    with closing(SqliteSpanStore(path)) as store:
        assert any(sentence in found for found in store.check()), store.check()


def test_rows_that_the_index_lacks_are_named(path: Path) -> None:
    """`check` compares the index with the store."""
    with closing(SqliteSpanStore(path, index_in_background=False)) as store:
        store.write_spans([make_span(span_id="f" * 16)])
    change(
        index_path(path),
        "UPDATE state SET value = 501 WHERE name = 'position'",
        f"UPDATE state SET value = '{TRACE_ID}{'f' * 16}' WHERE name = 'mark'",  # noqa: S608
    )
    with closing(SqliteSpanStore(path)) as store:
        assert store.check() == ["index: row 501 of the store is not in it"]


@pytest.mark.parametrize("part", [(0, 3), (10, 90), (95, 100)])
def test_a_damaged_index_is_made_anew(path: Path, part: tuple[int, int]) -> None:
    """An index is no loss: a search goes without a damaged one, and the next one has a new one."""
    overwrite(index_path(path), *part)
    with closing(SqliteSpanStore(path, index_in_background=False)) as store:
        for number in (3, 300):
            assert len(store.find_spans(SpanQuery(text=f"{number:016x}" * 10))) == 1
            assert len(store.find_spans(SpanQuery(text=f"{number:016x}" * 10, order="start_asc"))) == 1
        store.catch_up(10)
        assert all(sentence.startswith("index: ") for sentence in store.check())


def test_a_damaged_index_that_may_not_be_written_is_ignored(path: Path) -> None:
    """Opened read-only, a search goes without a damaged index."""
    overwrite(index_path(path), 10, 90)
    before = index_path(path).read_bytes()
    with closing(SqliteSpanStore(path, read_only=True)) as store:
        for number in (3, 300):
            assert len(store.find_spans(SpanQuery(text=f"{number:016x}" * 10))) == 1
    assert index_path(path).read_bytes() == before
