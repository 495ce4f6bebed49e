"""The store contract, part two: queries."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.contract.attributes import FAILURE_TYPE
from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.model.record import EventRecord, ResourceRecord
from otel_agenttrace.stores.api import AttributeFilter, Order, SpanQuery, span_cursor
from otel_agenttrace.testing.spans import SECOND, SPAN_ID, START, TRACE_ID, make_span
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
from otel_agenttrace.testing.store_strategies import batches, narrow_queries, queries

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import SpanStore

ORDERS = get_args(Order)


class QueryContract(StoreCase):
    """Promises about `find_spans` and `find_trace_ids`."""

    @store_property
    @given(written=batches, query=queries | narrow_queries())
    def test_any_query_is_answered_as_by_the_memory_store(
        self, new_store: NewStore, written: Batches, query: SpanQuery
    ) -> None:
        """Conditions, orders and limits mean the same in every store."""
        expected, store = reference(written), filled(new_store(), written)
        assert forms(store.find_spans(query)) == forms(expected.find_spans(query))
        assert store.find_trace_ids(query) == expected.find_trace_ids(query)
        store.close()

    @store_property
    @given(written=batches, query=narrow_queries(), size=st.integers(1, 3))
    def test_pages_follow_each_other(self, new_store: NewStore, written: Batches, query: SpanQuery, size: int) -> None:
        """Pages are the list cut into pieces: nothing is missing, nothing comes twice."""
        store = filled(new_store(), written)
        whole = replace(query, limit=100)
        spans: list[SpanRecord] = []
        while page := store.find_spans(replace(query, limit=size, after=span_cursor(spans[-1]) if spans else None)):
            spans += page
        assert forms(spans) == forms(store.find_spans(whole))
        traces: list[str] = []
        while found := store.find_trace_ids(replace(query, limit=size, after=traces[-1] if traces else None)):
            traces += found
        assert traces == store.find_trace_ids(whole)
        store.close()

    @pytest.mark.parametrize(
        ("condition", "difference"),
        [
            ({"trace_id": OTHER_TRACE_ID}, {"trace_id": OTHER_TRACE_ID}),
            ({"span_id": "b" * 16}, {"span_id": "b" * 16}),
            ({"service_name": "other"}, {"resource": ResourceRecord({"service.name": "other"})}),
            ({"name": "other"}, {"name": "other"}),
            ({"kind": "CLIENT"}, {"kind": "CLIENT"}),
            ({"status_code": "ERROR"}, {"status_code": "ERROR"}),
            ({"failing": True}, {"attributes": {FAILURE_TYPE: "timeout"}}),
            ({"open": True}, {"end_time_unix_nano": None}),
            ({"started_from": START + 1}, {"start_time_unix_nano": START + 1}),
            ({"started_to": START}, {"start_time_unix_nano": START - 1}),
            ({"min_duration_nano": SECOND + 1}, {"end_time_unix_nano": START + SECOND + 1}),
            ({"max_duration_nano": SECOND - 1}, {"end_time_unix_nano": START + SECOND - 1}),
            ({"attributes": (AttributeFilter("a", "exists"),)}, {"attributes": {"a": None}}),
            ({"text": "other"}, {"status_message": "an other"}),
        ],
    )
    def test_each_condition_finds_what_meets_it(
        self, store: SpanStore, condition: dict[str, Any], difference: dict[str, Any]
    ) -> None:
        """Of two spans, the one that meets the condition is found."""
        plain, other = make_span(), make_span(**({"span_id": "c" * 16} | difference))
        store.write_spans([plain, other])
        assert store.find_spans(SpanQuery(**condition)) == [other]
        assert store.find_trace_ids(SpanQuery(**condition)) == [other.trace_id]

    @pytest.mark.parametrize(
        ("stored", "operator", "value", "is_found"),
        [
            ("3", "=", 3, True),
            (3, "=", "3", True),
            (3.0, "=", "3", False),
            (3.0, "=", "3.0", True),
            (True, "=", "true", True),
            (True, "=", True, True),
            (1, "=", True, False),
            (["a", 1], "=", '["a",1]', True),
            (b"\x00\x01", "=", "AAE=", True),
            (None, "=", "null", True),
            (float("nan"), "=", "NaN", True),
            (2**70, "=", str(2**70), True),
            ("x" * 200, "=", "x" * 199, False),
            ("ABC", "=", "abc", False),
            ("b", "!=", "a", True),
            ("a", "!=", "a", False),
            (10, ">", "9", True),
            (10, "<", 9.5, False),
            ("10", ">", 9, False),
            (True, ">", 0, False),
            (10, ">", "nine", False),
            (2**53 + 1, ">", 2**53, True),
            (None, "exists", "", True),
        ],
    )
    def test_attributes_compare_as_promised(
        self, store: SpanStore, stored: Any, operator: Any, value: Any, is_found: bool
    ) -> None:
        """`=` and `!=` compare text, the others numbers, on the span and on its resource alike."""
        on_span = make_span(attributes={"key": stored})
        on_resource = make_span(trace_id=OTHER_TRACE_ID, resource=ResourceRecord({"key": stored}))
        store.write_spans([on_span, on_resource])
        query = SpanQuery(attributes=(AttributeFilter("key", operator, value),))
        assert store.find_trace_ids(query) == ([OTHER_TRACE_ID, TRACE_ID] if is_found else [])

    def test_the_span_is_asked_before_its_resource(self, store: SpanStore) -> None:
        """An attribute of the span hides the one of its resource; what neither has matches nothing."""
        store.write_spans([make_span(attributes={"key": "span"}, resource=ResourceRecord({"key": "resource"}))])

        def finds(condition: AttributeFilter) -> bool:
            return bool(store.find_spans(SpanQuery(attributes=(condition,))))

        assert finds(AttributeFilter("key", "=", "span"))
        assert not finds(AttributeFilter("key", "=", "resource"))
        assert not finds(AttributeFilter("other", "!=", "x"))
        assert not finds(AttributeFilter("other", "exists"))

    @pytest.mark.parametrize(
        ("stored", "text", "is_found"),
        [
            ("Hello, world", "WORLD hello", True),
            ("Hello, world", "wor", False),
            ("Hello, world", "hello there", False),
            ("100% sure", "100%", True),
            ("1000 sure", "100%", False),
            ("snake_case", "case", True),
            ("anything", "%", False),
            ("anything", "_", False),
            ("anything", "  ", False),
            ("GRÜSSE aus Zürich", "grüsse zÜRICH", True),
            ("\u2705done", "done", True),
            ("\U0001f916robot", "robot", True),
            ('[{"content": "one\\ntwo", "args": "{\\"three\\": \\"f\\u00fcnf\\"}"}]', "one two fünf", True),
            ('[{"content": "one"}]', "content", True),
            ({"nested": [{"deep": "down"}]}, "down", True),
            ({"nested": 1}, "nested", False),
            (404, "404", True),
            (True, "true", False),
            ("'; DROP TABLE spans; --", "drop TABLE", True),
            ('"quoted" AND (x OR y)', '"quoted" AND', True),
        ],
    )
    def test_text_is_found_by_whole_words(self, store: SpanStore, stored: Any, text: str, is_found: bool) -> None:
        """Every word has to stand in the span, in any case, whatever characters stand between words."""
        spans = [
            make_span(attributes={"key": stored}),
            make_span(span_id="e" * 16, events=(EventRecord("event", START, {"key": stored}),)),
            make_span(span_id="d" * 16),
        ]
        store.write_spans(spans)
        found = store.find_spans(SpanQuery(text=text, order="stored_asc"))
        assert found == (spans[:2] if is_found else [])

    def test_words_may_stand_in_different_places(self, store: SpanStore) -> None:
        """Name, status message, attributes and events are one text; keys of attributes are not in it."""
        span = make_span(
            name="chat", status_message="too slow", attributes={"k": "a"}, events=(EventRecord("retry", 0),)
        )
        store.write_spans([span])
        assert store.find_spans(SpanQuery(text="retry chat slow a")) == [span]
        assert store.find_spans(SpanQuery(text="k")) == []

    def test_orders_are_what_they_say(self, store: SpanStore) -> None:
        """By storing, by start, by duration; open spans come last by duration."""
        spans = [
            make_span(span_id="1" * 16, start_time_unix_nano=START + 2, end_time_unix_nano=START + 3),
            make_span(span_id="2" * 16, start_time_unix_nano=START, end_time_unix_nano=None),
            make_span(span_id="3" * 16, start_time_unix_nano=START + 1, end_time_unix_nano=START + 9),
            make_span(span_id="4" * 16, start_time_unix_nano=START + 1, end_time_unix_nano=START + 2),
        ]
        for span in spans:
            store.write_spans([span])
        store.write_spans([replace(spans[0], attributes={"later": True, "agenttrace.revision": 1})])
        orders = {
            order: "".join(span.span_id[0] for span in store.find_spans(SpanQuery(order=order))) for order in ORDERS
        }
        assert orders == {
            "stored_desc": "4321",
            "stored_asc": "1234",
            "start_desc": "1432",
            "start_asc": "2341",
            "duration_desc": "3412",
        }

    def test_what_comes_in_meanwhile_does_not_shift_the_page(self, store: SpanStore) -> None:
        """In the order of storing, a list of spans or of traces is continued where it was."""
        ids = [f"{number:032x}" for number in range(1, 5)]
        for trace_id in ids:
            store.write_spans([make_span(trace_id=trace_id)])
        spans = store.find_spans(SpanQuery(limit=2))
        traces = store.find_trace_ids(SpanQuery(limit=2, text="booking"))
        assert [span.trace_id for span in spans] == traces == [ids[3], ids[2]]
        store.write_spans([make_span(trace_id=trace_id, span_id="f" * 16) for trace_id in (*ids, "9" * 32)])
        behind = store.find_spans(SpanQuery(limit=2, after=span_cursor(spans[-1])))
        assert [span.trace_id for span in behind] == [ids[1], ids[0]]
        for text in ("", "booking"):
            assert store.find_trace_ids(SpanQuery(text=text, after=traces[-1])) == [ids[1], ids[0]]

    @pytest.mark.parametrize("after", [f"{TRACE_ID}-{'0' * 16}", f"{'0' * 32}-{SPAN_ID}", "nonsense", "a-b-c"])
    def test_a_page_behind_an_unknown_span_is_an_error(self, store: SpanStore, after: str) -> None:
        """`after` has to be stored."""
        store.write_spans([make_span()])
        with pytest.raises(TraceNotFoundError):
            store.find_spans(SpanQuery(after=after))

    @pytest.mark.parametrize("text", ["", "booking"])
    def test_a_page_behind_an_unknown_trace_is_an_error(self, store: SpanStore, text: str) -> None:
        """`after` has to be stored."""
        store.write_spans([make_span()])
        with pytest.raises(TraceNotFoundError, match="f" * 32):
            store.find_trace_ids(SpanQuery(text=text, after="f" * 32))
