"""The store contract, part four: deleting, settings, counts, closing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.contract.attributes import SESSION_ID
from otel_agenttrace.errors import StoreUnavailableError, TraceNotFoundError
from otel_agenttrace.stores.api import AttributeFilter, Deleted, SpanQuery
from otel_agenttrace.testing.spans import SECOND, START, TRACE_ID, make_span
from otel_agenttrace.testing.store_cases import (
    OTHER_TRACE_ID,
    Batches,
    NewStore,
    StoreCase,
    filled,
    forms,
    reference,
    store_property,
)
from otel_agenttrace.testing.store_strategies import TRACE_IDS, batches, narrow_queries

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.stores.api import SpanStore


class UpkeepContract(StoreCase):
    """Promises about everything that is no question about spans."""

    def test_traces_are_deleted_whole(self, store: SpanStore) -> None:
        """A trace goes with all its spans and out of its session; unknown ids are passed over."""
        store.write_spans([make_span(span_id=f"{number:016x}", attributes={SESSION_ID: "s"}) for number in range(3)])
        kept = make_span(trace_id=OTHER_TRACE_ID, attributes={SESSION_ID: "s", "a": "deleted words"})
        store.write_spans([kept])
        assert store.delete_traces([TRACE_ID, "unknown", TRACE_ID]) == Deleted(traces=1, spans=3)
        with pytest.raises(TraceNotFoundError):
            store.get_trace(TRACE_ID)
        assert store.find_session_trace_ids("s") == [OTHER_TRACE_ID]
        assert store.delete_traces([OTHER_TRACE_ID]) == Deleted(traces=1, spans=1)
        assert store.find_session_ids(SpanQuery()) == []
        assert store.find_spans(SpanQuery(text="deleted words")) == []
        assert store.delete_traces([]) == Deleted()

    def test_what_was_deleted_may_come_again(self, store: SpanStore) -> None:
        """A deleted trace that is written again is as new."""
        span = make_span(attributes={"a": "some words"})
        store.write_spans([span, make_span(trace_id=OTHER_TRACE_ID)])
        store.delete_traces([TRACE_ID])
        store.write_spans([span])
        assert store.find_spans(SpanQuery(text="words")) == [span]
        assert store.find_trace_ids(SpanQuery()) == [TRACE_ID, OTHER_TRACE_ID]

    @store_property
    @given(
        first=batches, deleted=st.lists(st.sampled_from(TRACE_IDS), max_size=3), then=batches, query=narrow_queries()
    )
    def test_deleting_leaves_no_trace(
        self, new_store: NewStore, first: Batches, deleted: list[str], then: Batches, query: SpanQuery
    ) -> None:
        """Among writes, deletions answer and act as those of the memory store do."""
        expected, store = reference(first), filled(new_store(), first)
        assert store.delete_traces(deleted) == expected.delete_traces(deleted)
        filled(expected, then)
        filled(store, then)
        assert forms(store.find_spans(query)) == forms(expected.find_spans(query))
        assert store.find_session_ids(SpanQuery()) == expected.find_session_ids(SpanQuery())
        assert store.find_operations() == expected.find_operations()
        assert store.check() == []
        store.close()

    def test_settings_are_kept(self, store: SpanStore) -> None:
        """A setting reads as it was last set, None before that."""
        assert store.get_setting("retention_days") is None
        store.set_setting("retention_days", "30")
        store.set_setting("retention_days", "7")
        assert store.get_setting("retention_days") == "7"

    def test_an_empty_store_says_so(self, store: SpanStore) -> None:
        """There is nothing to count in it, and nothing wrong with it."""
        info = store.info()
        assert (info.spans, info.traces, info.sessions) == (0, 0, 0)
        assert (info.url, info.oldest_unix_nano, info.newest_unix_nano) == (store.url, None, None)
        lists = [store.check(), store.find_spans(SpanQuery()), store.find_trace_ids(SpanQuery())]
        lists += [store.find_session_ids(SpanQuery()), store.find_operations(), store.complete_id("0")]
        assert not any(lists)

    def test_counts_are_right(self, store: SpanStore) -> None:
        """`info` counts spans, traces and sessions, and knows the first and the last start."""
        store.write_spans([make_span(), make_span(span_id="b" * 16, start_time_unix_nano=START - SECOND)])
        store.write_spans([make_span(trace_id=OTHER_TRACE_ID, attributes={SESSION_ID: "s"}), make_span()])
        info = store.info()
        assert (info.spans, info.traces, info.sessions) == (3, 2, 2)
        assert (info.oldest_unix_nano, info.newest_unix_nano) == (START - SECOND, START)

    @pytest.mark.parametrize(
        "call",
        [
            lambda store: store.write_spans([make_span()]),
            lambda store: store.write_serialized([]),
            lambda store: store.get_trace(TRACE_ID),
            lambda store: store.find_spans(SpanQuery()),
            lambda store: store.find_spans(SpanQuery(text="a", attributes=(AttributeFilter("a"),))),
            lambda store: store.find_trace_ids(SpanQuery()),
            lambda store: store.find_session_ids(SpanQuery()),
            lambda store: store.find_session_trace_ids("s"),
            lambda store: store.find_operations(),
            lambda store: store.complete_id("0"),
            lambda store: store.delete_traces([TRACE_ID]),
            lambda store: store.get_setting("a"),
            lambda store: store.set_setting("a", "b"),
            lambda store: store.info(),
            lambda store: store.check(),
        ],
    )
    def test_a_closed_store_is_unavailable(self, store: SpanStore, call: Callable[[SpanStore], object]) -> None:
        """Closing is safe twice; any later call raises."""
        store.close()
        store.close()
        with pytest.raises(StoreUnavailableError, match="closed"):
            call(store)
