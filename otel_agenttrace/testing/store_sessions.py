"""The store contract, part three: sessions, and what lists of names and ids say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.contract.attributes import GEN_AI_CONVERSATION_ID, SESSION_ID
from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.model.record import ResourceRecord
from otel_agenttrace.stores.api import Operation, SpanQuery
from otel_agenttrace.testing.spans import SECOND, START, TRACE_ID, make_span
from otel_agenttrace.testing.store_cases import (
    OTHER_TRACE_ID,
    Batches,
    NewStore,
    StoreCase,
    filled,
    reference,
    store_property,
)
from otel_agenttrace.testing.store_strategies import SESSIONS, TRACE_IDS, batches

if TYPE_CHECKING:
    from otel_agenttrace.stores.api import SpanStore


class SessionContract(StoreCase):
    """Promises about sessions, operations and short ids."""

    def test_a_trace_is_in_the_session_that_its_spans_name(self, store: SpanStore) -> None:
        """`session.id` names it, else `gen_ai.conversation.id`; a trace without one is its own."""
        store.write_spans(
            [
                make_span(attributes={SESSION_ID: "s", GEN_AI_CONVERSATION_ID: "c"}),
                make_span(trace_id=OTHER_TRACE_ID, attributes={GEN_AI_CONVERSATION_ID: "c"}),
                make_span(trace_id="f" * 32),
            ]
        )
        assert store.find_session_ids(SpanQuery()) == ["f" * 32, "c", "s"]
        assert store.find_session_trace_ids("s") == [TRACE_ID]
        assert store.find_session_trace_ids("c") == [OTHER_TRACE_ID]
        assert store.find_session_trace_ids("f" * 32) == ["f" * 32]
        assert store.find_session_trace_ids("none") == []

    def test_a_trace_leaves_its_own_session_when_one_is_named(self, store: SpanStore) -> None:
        """Children end first, and may not know the session that the root names."""
        store.write_spans([make_span(span_id="c" * 16)])
        assert store.find_session_ids(SpanQuery()) == [TRACE_ID]
        store.write_spans([make_span(attributes={SESSION_ID: "s"})])
        assert store.find_session_ids(SpanQuery()) == ["s"]
        assert len(store.find_spans(SpanQuery(session_id="s"))) == 2

    def test_a_session_may_be_called_after_a_trace(self, store: SpanStore) -> None:
        """A trace that names no session, and traces that name it, are one session."""
        store.write_spans([make_span()])
        store.write_spans([make_span(trace_id=OTHER_TRACE_ID, attributes={SESSION_ID: TRACE_ID})])
        assert store.find_session_ids(SpanQuery()) == [TRACE_ID]
        assert store.find_session_trace_ids(TRACE_ID) == [TRACE_ID, OTHER_TRACE_ID]
        assert store.info().sessions == 1

    def test_a_session_meets_the_times_that_it_spans(self, store: SpanStore) -> None:
        """The time from the first start to the last is looked at, its end included, `started_to` not."""
        starts = [START, START + 10 * SECOND]
        store.write_spans([make_span(start_time_unix_nano=start, attributes={SESSION_ID: "s"}) for start in starts])
        within = [
            store.find_session_ids(SpanQuery(started_from=first, started_to=last))
            for first, last in [
                (START + SECOND, START + 2 * SECOND),
                (starts[1], None),
                (starts[1] + 1, None),
                (None, START + 1),
                (None, START),
            ]
        ]
        assert within == [["s"], ["s"], [], ["s"], []]

    @store_property
    @given(written=batches, query=st.builds(SpanQuery, limit=st.sampled_from((1, 2, 100))))
    def test_sessions_are_those_of_the_traces(self, new_store: NewStore, written: Batches, query: SpanQuery) -> None:
        """However the spans came in and were merged, the sessions and their pages are right."""
        expected, store = reference(written), filled(new_store(), written)
        found = store.find_session_ids(SpanQuery())
        assert found == expected.find_session_ids(SpanQuery())
        for session_id in (*SESSIONS, *TRACE_IDS):
            assert store.find_session_trace_ids(session_id) == expected.find_session_trace_ids(session_id)
        pages: list[str] = []
        while page := store.find_session_ids(SpanQuery(limit=query.limit, after=pages[-1] if pages else None)):
            pages += page
        assert pages == found
        store.close()

    def test_a_page_behind_an_unknown_session_is_an_error(self, store: SpanStore) -> None:
        """`after` has to be stored."""
        with pytest.raises(TraceNotFoundError, match="unknown"):
            store.find_session_ids(SpanQuery(after="unknown"))

    def test_operations_are_listed_once(self, store: SpanStore) -> None:
        """Each service, span name and kind is there once, sorted, and gone with its last span."""
        search = ResourceRecord({"service.name": "search"})
        store.write_spans(
            [
                make_span(),
                make_span(span_id="b" * 16),
                make_span(trace_id=OTHER_TRACE_ID, resource=search, kind="CLIENT"),
                make_span(trace_id=OTHER_TRACE_ID, span_id="b" * 16, resource=ResourceRecord()),
            ]
        )
        booking = Operation("booking-agent", "invoke_agent booking", "INTERNAL")
        assert store.find_operations() == [
            Operation("", "invoke_agent booking", "INTERNAL"),
            booking,
            Operation("search", "invoke_agent booking", "CLIENT"),
        ]
        store.delete_traces([OTHER_TRACE_ID])
        assert store.find_operations() == [booking]

    def test_ids_may_be_shortened(self, store: SpanStore) -> None:
        """Trace and session ids are completed, sorted, each once, up to a limit; `%` and `_` mean themselves."""
        store.write_spans(
            [make_span(attributes={SESSION_ID: "0199_s%"}), make_span(trace_id="f" * 32), make_span(trace_id="0a" * 16)]
        )
        assert store.complete_id("0") == ["0199_s%", TRACE_ID, "0a" * 16]
        assert store.complete_id("0199_") == ["0199_s%"]
        assert store.complete_id("0199%") == store.complete_id("x") == []
        assert store.complete_id("", limit=2) == ["0199_s%", TRACE_ID]
        assert store.complete_id("f") == ["f" * 32]
