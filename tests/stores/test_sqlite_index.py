"""The deferred index of the SQLite store: whatever state it is in, answers are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.stores.sql import indexing
from otel_agenttrace.stores.sql.index import index_path
from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
from otel_agenttrace.testing.store_cases import filled, forms, reference, store_property
from otel_agenttrace.testing.store_strategies import TRACE_IDS, batches, narrow_queries, queries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_agenttrace.stores.api import SpanQuery
    from otel_agenttrace.testing.store_cases import Batches


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Path]:
    """Paths of new stores."""
    return (tmp_path / str(number) / "traces.db" for number in range(1_000_000))


@pytest.fixture
def no_catching_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The index comes as far as a test brings it."""
    monkeypatch.setattr(SqliteSpanStore, "_catch_up_briefly", lambda _: None)
    monkeypatch.setattr(indexing.DeferredIndex, "wake", lambda _: None)


@pytest.mark.usefixtures("no_catching_up")
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
    expected, store = reference(indexed), filled(SqliteSpanStore(next(paths)), indexed)
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
