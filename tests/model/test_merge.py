"""Which of several records of one span is kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.model.merge import canonical_form, conflicting, greater, merge
from otel_agenttrace.model.record import ENDED_BY, REVISION, SpanRecord
from otel_agenttrace.testing.spans import make_span

RECORDS = [
    make_span(end_time_unix_nano=None),
    make_span(end_time_unix_nano=None, attributes={REVISION: 3}),
    make_span(attributes={ENDED_BY: "watchdog"}),
    make_span(attributes={ENDED_BY: "watchdog", REVISION: 1}),
    make_span(name="a"),
    make_span(name="b"),
    make_span(attributes={REVISION: 2, "a": 1}),
    make_span(attributes={"a": 1, REVISION: 2}),
    make_span(attributes={REVISION: 2, "a": True}),
    make_span(attributes={REVISION: 2, "a": float("nan")}),
]


def merged(records: list[SpanRecord]) -> tuple[bytes, bool]:
    """What is kept of records that come one after the other."""
    kept, conflict = records[0], False
    for record in records[1:]:
        kept, conflict = merge(kept, record, conflict=conflict)
    return canonical_form(kept), conflict


@given(records=st.lists(st.sampled_from(RECORDS), min_size=1, max_size=8), data=st.data())
def test_neither_order_nor_repetition_matters(records: list[SpanRecord], data: st.DataObject) -> None:
    """Whatever order records come in, some of them again, the same one is kept, with the same flag."""
    again = data.draw(st.permutations([*records, *data.draw(st.lists(st.sampled_from(records), max_size=3))]))
    assert merged(list(again)) == merged(records)


@pytest.mark.parametrize(
    ("one", "other", "is_conflict"),
    [
        ({"a": 1}, {"a": 1}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ({"a": 1}, {"a": True}, True),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": float("nan")}, {"a": float("nan")}, False),
        ({"a": 1}, {"a": 1, REVISION: 1}, False),
    ],
)
def test_ended_records_conflict_when_they_say_different_things(
    one: dict[str, Any], other: dict[str, Any], is_conflict: bool
) -> None:
    """The order of keys says nothing; the type of a value does."""
    assert conflicting(make_span(attributes=one), make_span(attributes=other)) is is_conflict


def test_what_says_the_same_stays() -> None:
    """Of two records that say the same, the one that is there stays: nothing need be written."""
    one, other = make_span(attributes={"a": 1, "b": 2}), make_span(attributes={"b": 2, "a": 1})
    assert greater(one, other) is one
    assert greater(other, one) is other
