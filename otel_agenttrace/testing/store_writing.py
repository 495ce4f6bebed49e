"""The store contract, part one: what is written is kept, once, and merged."""

from __future__ import annotations

import os
import random
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.errors import StoreRejectedError, TraceNotFoundError
from otel_agenttrace.model.codec import SerializedSpan, serialize_record
from otel_agenttrace.model.record import ENDED_BY, REVISION, completeness
from otel_agenttrace.model.verdicts import VERDICT_SCOPE
from otel_agenttrace.stores.api import AttributeFilter, SpanQuery, span_cursor
from otel_agenttrace.testing.spans import SECOND, SPAN_ID, START, TRACE_ID, make_span
from otel_agenttrace.testing.store_cases import (
    OTHER_TRACE_ID,
    NewStore,
    StoreCase,
    filled,
    forms,
    reference,
    store_property,
    stored_forms,
)
from otel_agenttrace.testing.store_strategies import batches, spans
from otel_agenttrace.testing.strategies import span_records

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import SpanStore
    from otel_agenttrace.testing.store_cases import Batches


VERDICT = make_span(span_id="5" * 16, name="agenttrace.verdict", scope=VERDICT_SCOPE, attributes={REVISION: 1})

_verdicts = st.builds(
    lambda start, revision, session: replace(
        VERDICT,
        start_time_unix_nano=START + start,
        end_time_unix_nano=START + start,
        attributes={REVISION: revision, "session.id": session},
    ),
    st.integers(0, 3),
    st.integers(1, 4),
    st.sampled_from(["one", "two"]),
)
_verdict_batches = st.lists(st.lists(_verdicts, min_size=1, max_size=4), min_size=1, max_size=4)


class WritingContract(StoreCase):
    """Promises about `write_spans`, `write_serialized` and `get_trace`."""

    @store_property
    @given(span=span_records)
    def test_a_span_is_read_as_it_was_written(self, new_store: NewStore, span: SpanRecord) -> None:
        """Whatever a span can hold is kept."""
        store = filled(new_store(), [[span]])
        assert stored_forms(store, span.trace_id) == (forms([span]), frozenset())
        store.close()

    @store_property
    @given(written=st.lists(spans(), max_size=5))
    def test_serialised_spans_are_the_same_spans(self, new_store: NewStore, written: list[SpanRecord]) -> None:
        """Writing serialised spans does what writing records does."""
        expected, store = reference([written]), new_store()
        store.write_serialized([serialize_record(span) for span in written])
        for trace_id in {span.trace_id for span in written}:
            assert stored_forms(store, trace_id) == stored_forms(expected, trace_id)
        store.close()

    @store_property
    @given(written=batches, seed=st.integers(0, 2**32))
    def test_neither_order_nor_repetition_matters(self, new_store: NewStore, written: Batches, seed: int) -> None:
        """Batches cut otherwise, shuffled and written again in part end in the same traces."""
        expected = reference(written)
        rng = random.Random(seed)  # noqa: S311 - which order is all that it decides
        mixed = [span for batch in written for span in batch]
        mixed += rng.sample(mixed, len(mixed) // 2)
        rng.shuffle(mixed)
        cut = rng.randint(0, len(mixed))
        store = filled(new_store(), [mixed[:cut], mixed[cut:]])
        for trace_id in {span.trace_id for span in mixed}:
            assert stored_forms(store, trace_id) == stored_forms(expected, trace_id)
        store.close()

    def test_a_span_is_merged_to_the_most_complete_one(self, store: SpanStore) -> None:
        """Ended by itself beats ended on its behalf, which beats open; then the revision counts."""
        ended = make_span(attributes={REVISION: 1})
        for span in (
            make_span(end_time_unix_nano=None, attributes={REVISION: 9}),
            make_span(attributes={ENDED_BY: "watchdog", REVISION: 9}),
            make_span(attributes={}),
            ended,
            make_span(end_time_unix_nano=None),
        ):
            store.write_spans([span])
        trace = store.get_trace(TRACE_ID)
        assert trace.spans == (ended,)
        assert trace.conflicts == frozenset()

    def test_two_ended_spans_that_differ_are_flagged(self, store: SpanStore) -> None:
        """Of two records that both claim to be the ended span one is kept, and the trace says so."""
        one, other = make_span(name="one"), make_span(name="other")
        store.write_spans([one, other, one])
        trace = store.get_trace(TRACE_ID)
        assert len(trace.spans) == 1
        assert trace.conflicts == {SPAN_ID}

    def test_the_same_attributes_in_another_order_are_no_conflict(self, store: SpanStore) -> None:
        """What comes by another way may have its attributes sorted, and a NaN stays the NaN that it was."""
        attributes = {"a": float("nan"), "b": [1, {"c": None, "d": b"x"}]}
        store.write_spans([make_span(attributes=attributes)])
        store.write_spans([make_span(attributes=dict(reversed(attributes.items())))])
        assert store.get_trace(TRACE_ID).conflicts == frozenset()

    def test_spans_that_share_an_id_but_no_start_are_all_kept(self, store: SpanStore) -> None:
        """Some emitters reuse span ids."""
        twins = [make_span(start_time_unix_nano=START + offset) for offset in (0, 1)]
        store.write_spans(twins)
        assert store.get_trace(TRACE_ID).spans == tuple(twins)

    @store_property
    @given(written=_verdict_batches, seed=st.integers(0, 2**32))
    def test_a_trace_keeps_one_verdict(self, new_store: NewStore, written: Batches, seed: int) -> None:
        """The one made from most, whenever it starts and in whatever order they come, and lists agree with it."""
        mixed = [span for batch in written for span in batch]
        random.Random(seed).shuffle(mixed)  # noqa: S311 - which order is all that it decides
        for store in (filled(new_store(), written), filled(new_store(), [mixed])):
            assert stored_forms(store, TRACE_ID) == stored_forms(reference(written), TRACE_ID)
            (kept,) = store.find_spans(SpanQuery(name=VERDICT.name))
            newest_revision = max(mixed, key=completeness).attributes[REVISION]
            assert kept.attributes[REVISION] == newest_revision
            stale = AttributeFilter(REVISION, "<", float(str(newest_revision)))
            assert store.find_trace_ids(SpanQuery(attributes=(stale,))) == []
            newest = kept.start_time_unix_nano
            assert store.info().newest_unix_nano == newest
            assert store.find_session_ids(SpanQuery(started_from=newest + 1)) == []
            assert store.check() == []
            store.close()

    def test_a_list_goes_on_behind_a_verdict_that_was_replaced(self, store: SpanStore) -> None:
        """The page before ended with the one that stood there until then."""
        store.write_spans([make_span(), VERDICT])
        store.write_spans([replace(VERDICT, start_time_unix_nano=START - 5, attributes={REVISION: 2})])

        query = SpanQuery(order="stored_desc", after=span_cursor(VERDICT))
        assert store.find_spans(query) == [make_span()]

    def test_a_trace_is_in_the_order_of_its_spans(self, store: SpanStore) -> None:
        """The spans of a trace stand by start time, then by span id."""
        ids = [("b" * 16, START), ("a" * 16, START), ("c" * 16, START - SECOND)]
        store.write_spans([make_span(span_id=span_id, start_time_unix_nano=start) for span_id, start in ids])
        assert [span.span_id[0] for span in store.get_trace(TRACE_ID).spans] == ["c", "a", "b"]

    def test_an_unknown_trace_is_an_error(self, store: SpanStore) -> None:
        """A trace of which no span is stored raises the named error."""
        with pytest.raises(TraceNotFoundError, match=TRACE_ID):
            store.get_trace(TRACE_ID)

    @pytest.mark.parametrize("field", ["start_time_unix_nano", "end_time_unix_nano"])
    @pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**30])
    def test_a_time_that_does_not_fit_is_refused(self, store: SpanStore, field: str, value: int) -> None:
        """A batch with a time beyond 64 bits is refused whole, naming span and field."""
        bad = make_span(span_id="b" * 16, **{field: value})
        with pytest.raises(StoreRejectedError, match=f"{TRACE_ID}-{'b' * 16}: {field}"):
            store.write_spans([make_span(), bad])
        with pytest.raises(StoreRejectedError, match=f"{TRACE_ID}-{'b' * 16}: {field}"):
            store.write_serialized([serialize_record(make_span()), serialize_record(bad)])
        assert store.find_spans(SpanQuery()) == []

    @pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"trace_id": 1}', b"\xff", b'{"start_time_unix_nano": {}}'])
    def test_what_is_no_serialised_span_is_refused(self, store: SpanStore, text: bytes) -> None:
        """A batch with anything else in it is refused whole."""
        good = serialize_record(make_span())
        with pytest.raises(StoreRejectedError):
            store.write_serialized([good, SerializedSpan(text, good.resource, good.scope)])
        assert store.find_spans(SpanQuery()) == []

    def test_an_empty_batch_is_nothing(self, store: SpanStore) -> None:
        """Writing no spans is no error."""
        store.write_spans([])
        store.write_serialized([])
        assert store.info().spans == 0

    def test_keys_that_are_sql_are_only_keys(self, store: SpanStore) -> None:
        """Names and values are data, whatever they look like."""
        nasty = "'; DROP TABLE spans; --"
        span = make_span(name=nasty, attributes={nasty: nasty, '")': "%"})
        store.write_spans([span])
        assert store.find_spans(SpanQuery(name=nasty)) == [span]

    def test_threads_may_write_at_once(self, store: SpanStore) -> None:
        """One object serves every thread of a process."""

        def write(number: int) -> None:
            for first in range(0, 40, 4):
                ids = [f"{number:08x}{first + offset:08x}" for offset in range(4)]
                store.write_spans(
                    [make_span(span_id=span_id) for span_id in ids] + [make_span(trace_id=OTHER_TRACE_ID)]
                )
                assert store.get_trace(OTHER_TRACE_ID).conflicts == frozenset()

        threads = [threading.Thread(target=write, args=[number]) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store.get_trace(TRACE_ID).spans) == 160
        assert len(store.get_trace(OTHER_TRACE_ID).spans) == 1

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork()")
    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
    def test_a_forked_child_may_go_on_with_it(self, store: SpanStore) -> None:
        """The object works in a forked child, and in the parent after that."""
        store.write_spans([make_span()])
        child = os.fork()
        if child == 0:
            try:
                store.write_spans([make_span(trace_id=OTHER_TRACE_ID)])
                is_right = len(store.find_spans(SpanQuery())) == 2
                os._exit(0 if is_right else 1)
            finally:
                os._exit(2)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        store.write_spans([replace(make_span(), span_id="c" * 16)])
        assert len(store.get_trace(TRACE_ID).spans) == 2
