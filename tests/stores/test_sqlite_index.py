"""The deferred index of the SQLite store: whatever state it is in, answers are the same."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.stores.api import AttributeFilter, SpanQuery
from otel_agenttrace.stores.sql import candidates, index, indexing, lookups, merging
from otel_agenttrace.stores.sql.index import index_path
from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
from otel_agenttrace.testing.spans import START, make_span
from otel_agenttrace.testing.store_cases import OTHER_TRACE_ID, filled, forms, reference, store_property
from otel_agenttrace.testing.store_strategies import TRACE_IDS, batches, narrow_queries, queries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_agenttrace.testing.store_cases import Batches


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Path]:
    """Paths of new stores."""
    return (tmp_path / str(number) / "traces.db" for number in range(1_000_000))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteSpanStore]:
    """An empty store whose index comes as far as a test brings it."""
    store = SqliteSpanStore(tmp_path / "traces.db", index_in_background=False)
    yield store
    store.close()


@pytest.fixture(params=["bounds as they are", "bounds that are met"])
def _bounds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches bring nothing into the index, and perhaps everything comes in small pieces."""
    monkeypatch.setattr(SqliteSpanStore, "_catch_up_briefly", lambda _: None)
    if request.param == "bounds that are met":
        monkeypatch.setattr(candidates, "_CHUNKS", (1, 2))
        monkeypatch.setattr(candidates, "_MAX_SORTED", 1)
        monkeypatch.setattr(lookups, "_MAX_TERMS", 1)
        monkeypatch.setattr(indexing, "_BATCH_SPANS", 2)
        monkeypatch.setattr(indexing, "_BATCH_BYTES", 500)
        monkeypatch.setattr(indexing, "_BATCH_CHANGES", 1)


@pytest.mark.usefixtures("_bounds")
@store_property
@given(
    indexed=batches,
    deleted=st.lists(st.sampled_from(TRACE_IDS), max_size=2),
    then=batches,
    query=queries | narrow_queries(),
)
def test_answers_do_not_depend_on_the_index(
    paths: Iterator[Path], indexed: Batches, deleted: list[str], then: Batches, query: SpanQuery
) -> None:
    """Caught up, caught up in part with changes and deletions waiting, or deleted: every query is answered the same."""
    expected, store = reference(indexed), filled(SqliteSpanStore(next(paths), index_in_background=False), indexed)
    assert store.catch_up(10)
    expected.delete_traces(deleted)
    store.delete_traces(deleted)
    filled(expected, then)
    filled(store, then)

    def assert_right() -> None:
        assert forms(store.find_spans(query)) == forms(expected.find_spans(query))
        assert store.find_trace_ids(query) == expected.find_trace_ids(query)
        assert store.check() == []

    assert_right()
    assert store.catch_up(10)
    assert_right()
    assert store.info().details["not_indexed_yet"] == 0
    store.close()
    path = index_path(store.path)
    path.unlink()
    store = SqliteSpanStore(store.path)
    assert_right()
    assert not path.exists()
    store.close()


def finds(store: SqliteSpanStore, text: str) -> list[str]:
    """The span ids, shortened, of what has the words."""
    return [span.span_id[-4:] for span in store.find_spans(SpanQuery(text=text, limit=10_000))]


def batch(*numbers: int, text: str = "words") -> list:  # type: ignore[type-arg]
    """Spans with a text."""
    return [make_span(span_id=f"{number:016x}", attributes={"text": f"{text} n{number}"}) for number in numbers]


def test_the_index_catches_up_by_itself(tmp_path: Path) -> None:
    """Writing starts a thread that brings the index up to date and ends."""
    with closing(SqliteSpanStore(tmp_path / "traces.db")) as store:
        store.write_spans(batch(*range(3_000)))
        for thread in threading.enumerate():
            if thread.name == "agenttrace-index":
                thread.join()
        assert store.info().details["not_indexed_yet"] == 0
        store.delete_traces([span.trace_id for span in batch(1)])
    assert not any(thread.name == "agenttrace-index" for thread in threading.enumerate())


def test_a_search_brings_in_what_is_far_behind(store: SqliteSpanStore) -> None:
    """Somebody who only reads gets a quick store, too."""
    store.write_spans(batch(*range(1_500)))
    assert finds(store, "n1499") == ["05db"]
    assert store.info().details["not_indexed_yet"] == 0


def test_the_index_may_be_deleted_while_it_is_used(store: SqliteSpanStore) -> None:
    """Who has it open finds what was written since, and everybody goes over to the new one."""
    store.write_spans(batch(1, 2))
    assert store.catch_up(10)
    assert finds(store, "words") == ["0002", "0001"]
    index_path(store.path).unlink()
    with closing(SqliteSpanStore(store.path, index_in_background=False)) as other:
        other.write_spans(
            [*batch(3), make_span(span_id=f"{1:016x}", attributes={"text": "now", "agenttrace.revision": 1})]
        )
        assert other.catch_up(10)
        for one in (store, other):
            assert finds(one, "words") == ["0003", "0002"]
            assert finds(one, "now") == ["0001"]
    store.write_spans(batch(4))
    assert store.catch_up(10)
    assert finds(store, "words") == ["0004", "0003", "0002"]
    assert store.check() == []


@pytest.mark.parametrize("suffix", ["", "-index"])
@pytest.mark.parametrize("is_deleted", [False, True])
@pytest.mark.parametrize("written_first", [0, 1, 3])
def test_a_restored_copy_is_noticed(
    store: SqliteSpanStore, suffix: str, written_first: int, *, is_deleted: bool
) -> None:
    """When the store or its index was put back from a copy, the index is made anew."""
    path, copies = store.path, store.path.parent / "copies"
    copies.mkdir()
    store.write_spans([*batch(1, 2), make_span(trace_id=OTHER_TRACE_ID, attributes={"text": "words"})])
    assert store.catch_up(10)
    store.close()
    for name in ("traces.db", "traces.db-index"):
        shutil.copy(path.with_name(name), copies / name)
    with closing(SqliteSpanStore(path)) as later:
        later.delete_traces([OTHER_TRACE_ID] * is_deleted)
        later.write_spans(batch(3, 4))
        assert later.catch_up(10)
    shutil.copy(copies / f"traces.db{suffix}", path.with_name(f"traces.db{suffix}"))
    with closing(SqliteSpanStore(path, index_in_background=False)) as restored:
        restored.write_spans(batch(*range(10, 10 + written_first)))
        for number in (5, 6):
            assert forms(restored.find_spans(SpanQuery(text="words"))) == forms(restored.find_spans(SpanQuery()))
            assert restored.catch_up(10)
            assert restored.check() == []
            restored.write_spans(batch(number))
        assert finds(restored, "words")[:2] == ["0006", "0005"]


def test_the_index_of_another_store_is_not_believed(store: SqliteSpanStore, tmp_path: Path) -> None:
    """An index that does not belong to the store beside it is made anew."""
    store.write_spans(batch(1, 2))
    assert store.catch_up(10)
    with closing(SqliteSpanStore(tmp_path / "other.db", index_in_background=False)) as other:
        other.write_spans(batch(7, text="quite different"))
        shutil.copy(index_path(store.path), index_path(other.path))
        assert finds(other, "different") == ["0007"]
        assert other.catch_up(10)
        assert finds(other, "different") == ["0007"]
        assert finds(other, "words") == []
        assert other.check() == []


def test_too_many_changes_make_the_index_anew(store: SqliteSpanStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits to be taken out is bounded: beyond that, the index begins again."""
    monkeypatch.setattr(merging, "_MAX_REPLACED", 10)
    store.write_spans(batch(*range(100)))
    store.write_spans([make_span(trace_id=OTHER_TRACE_ID, attributes={"text": "words left"})])
    assert store.catch_up(10)
    store.delete_traces([span.trace_id for span in batch(1)])
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("SELECT count(*) FROM replaced").fetchone() == (0,)
    assert len(finds(store, "words")) == 1
    assert store.catch_up(10)
    assert len(finds(store, "words left")) == 1
    assert store.check() == []


def test_deleted_words_leave_the_index(store: SqliteSpanStore) -> None:
    """What was deleted cannot be read from the index either."""
    store.write_spans([*batch(1), make_span(trace_id=OTHER_TRACE_ID, attributes={"secret": "swordfish"})])
    assert store.catch_up(10)
    store.delete_traces([OTHER_TRACE_ID])
    assert store.catch_up(10)
    with closing(sqlite3.connect(index_path(store.path))) as connection:
        for table, term in (("words", "swordfish"), ("pairs", '"secret=swordfish"')):
            found = connection.execute(f"SELECT rowid FROM {table} WHERE {table} MATCH ?", [term])  # noqa: S608
            assert found.fetchall() == []


def test_without_fts5_searches_read_the_store(
    store: SqliteSpanStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """On an SQLite without FTS5 everything works, is slower, and is said once."""
    monkeypatch.setattr(indexing, "TABLES", ("CREATE VIRTUAL TABLE words USING nosuch(text)",))
    monkeypatch.setattr(indexing, "_NO_FTS5", "no such module: nosuch")
    store.write_spans(batch(1, 2))
    with caplog.at_level(logging.WARNING):
        assert not store.catch_up(10)
        assert not store.catch_up(10)
    assert finds(store, "n1") == ["0001"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "no such module" in caplog.text


def test_a_locked_index_is_done_without(store: SqliteSpanStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process works on the index, searches go without what is not in it yet."""
    monkeypatch.setattr(indexing, "_BUSY_TIMEOUT_MILLIS", 10)
    store.write_spans(batch(1))
    assert store.catch_up(10)
    with closing(SqliteSpanStore(store.path, index_in_background=False)) as other:
        with closing(sqlite3.connect(index_path(store.path))) as busy:
            busy.execute("BEGIN IMMEDIATE")
            other.write_spans(batch(2))
            assert not other.catch_up(0.1)
            assert finds(other, "words") == ["0002", "0001"]
        assert other.catch_up(10)


def test_a_large_store_is_searched_in_any_order(store: SqliteSpanStore) -> None:
    """With more hits than are looked up at once, or sorted, pages are still right and whole."""
    starts = [START + (number * 7_919) % 6_000 for number in range(6_000)]
    store.write_spans(
        [
            make_span(span_id=f"{number:016x}", start_time_unix_nano=start, attributes={"n": number, "t": "w"})
            for number, start in enumerate(starts)
        ]
    )
    assert store.catch_up(30)
    condition = AttributeFilter("t", "=", "w")
    for order, expected in (
        ("stored_desc", list(range(5_999, -1, -1))),
        ("start_asc", sorted(range(6_000), key=lambda number: (starts[number], number))),
    ):
        query = SpanQuery(text="w", attributes=(condition,), order=order, limit=10_000)  # type: ignore[arg-type]
        assert [int(span.span_id, 16) for span in store.find_spans(query)] == expected
    many = SpanQuery(attributes=(condition, AttributeFilter("n", ">=", 5_990)), order="start_desc")
    assert [span.start_time_unix_nano for span in store.find_spans(many)] == sorted(starts[5_990:], reverse=True)


def test_the_version_of_the_index_is_looked_at(store: SqliteSpanStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that another version made is made anew."""
    store.write_spans(batch(1))
    assert store.catch_up(10)
    inode = index_path(store.path).stat().st_ino
    for module in (index, indexing):
        monkeypatch.setattr(module, "VERSION", 99)
    assert finds(store, "words") == ["0001"]
    assert store.catch_up(10)
    assert index_path(store.path).stat().st_ino != inode
    assert finds(store, "words") == ["0001"]
