"""What is written as OTLP is read back equal, in both wire forms."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.model.record import ResourceRecord, ScopeRecord, SpanRecord
from otel_agenttrace.otlp.decode import decode_json
from otel_agenttrace.otlp.encode import encode_json
from otel_agenttrace.otlp.protobuf import decode_protobuf, encode_protobuf
from otel_agenttrace.testing.spans import make_span
from otel_agenttrace.testing.strategies import span_records

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.model.record import AnyValue


def through_json(spans: list[SpanRecord]) -> list[SpanRecord]:
    """Write as OTLP JSON and read."""
    return decode_json(encode_json(spans)).spans


def through_protobuf(spans: list[SpanRecord]) -> list[SpanRecord]:
    """Write as OTLP protobuf and read."""
    return decode_protobuf(encode_protobuf(spans)).spans


@pytest.fixture(params=[through_json, through_protobuf], ids=["json", "protobuf"])
def through(request: pytest.FixtureRequest) -> Callable[[list[SpanRecord]], list[SpanRecord]]:
    """A turn through one of the wire forms."""
    turn: Callable[[list[SpanRecord]], list[SpanRecord]] = request.param
    return turn


def described(spans: list[SpanRecord]) -> list[str]:
    """What spans are, in any order: by repr(), for which 1, 1.0 and True differ and a NaN is a NaN."""
    return sorted(map(repr, spans))


@given(st.lists(span_records, max_size=3))
def test_json_loses_nothing(spans: list[SpanRecord]) -> None:
    """Any spans survive OTLP JSON, whatever their attributes hold."""
    assert described(through_json(spans)) == described(spans)


@given(st.lists(span_records, max_size=3))
def test_protobuf_loses_nothing(spans: list[SpanRecord]) -> None:
    """Any spans survive OTLP protobuf, whatever their attributes hold."""
    assert described(through_protobuf(spans)) == described(spans)


@given(st.lists(span_records, min_size=1, max_size=3))
def test_both_forms_say_the_same(spans: list[SpanRecord]) -> None:
    """JSON and protobuf give equal spans in equal order."""
    assert list(map(repr, through_json(spans))) == list(map(repr, through_protobuf(spans)))


def test_resources_that_only_look_equal_stay_apart(
    through: Callable[[list[SpanRecord]], list[SpanRecord]],
) -> None:
    """1, 1.0 and True are equal to Python and different to OTLP."""
    resources = [ResourceRecord({"x": 1}), ResourceRecord({"x": True}), ResourceRecord({"x": 1.0})]
    spans = [make_span(resource=resource, scope=ScopeRecord("s")) for resource in resources]

    assert described(through(spans)) == described(spans)


def test_spans_keep_their_order_within_a_scope(
    through: Callable[[list[SpanRecord]], list[SpanRecord]],
) -> None:
    """Grouping by resource and scope keeps the order within each group."""
    spans = [make_span(span_id=f"{number:016x}", scope=ScopeRecord("ab"[number % 2])) for number in range(1, 6)]

    assert [span.span_id[-1] for span in through(spans)] == ["1", "3", "5", "2", "4"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2**63, "9223372036854775808"),
        (-(2**63) - 1, "-9223372036854775809"),
        ([10**30], ["1" + "0" * 30]),
        ("a\ud800b", "a\\ud800b"),
    ],
)
def test_what_otlp_cannot_say_becomes_text(
    through: Callable[[list[SpanRecord]], list[SpanRecord]], value: AnyValue, said: AnyValue
) -> None:
    """Integers beyond 64 bits and unpaired surrogates are written as text."""
    (span,) = through([make_span(attributes={"x": value})])

    assert span.attributes == {"x": said}


def test_an_end_at_zero_is_no_end(through: Callable[[list[SpanRecord]], list[SpanRecord]]) -> None:
    """OTLP has no other word for an open span than an end that is absent or 0."""
    assert through([make_span(end_time_unix_nano=0)]) == [make_span(end_time_unix_nano=None)]


def _nested(levels: int) -> AnyValue:
    value: AnyValue = "core"
    for level in range(levels):
        value = {"k": value} if level % 2 else [value]
    return value


def test_json_holds_deep_values() -> None:
    """A hundred levels survive, although orjson itself writes fewer."""
    spans = [make_span(attributes={"x": _nested(100)})]

    assert through_json(spans) == spans


def test_protobuf_writes_text_where_parsers_would_stop() -> None:
    """A value nested deeper than protobuf parsers read is cut into text, and the span stays readable."""
    (span,) = through_protobuf([make_span(attributes={"x": _nested(100), "y": 1})])

    assert "core" in str(span.attributes["x"])
    assert span.attributes["y"] == 1


def test_nesting_beyond_reason_loses_no_span(through: Callable[[list[SpanRecord]], list[SpanRecord]]) -> None:
    """A value nested deeper than anything here reads is cut into text."""
    (span,) = through([make_span(attributes={"x": _nested(300)})])

    assert dataclasses.replace(span, attributes={}) == make_span()
    assert "x" in span.attributes
