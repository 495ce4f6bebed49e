"""SpanRecord and SDK spans <-> the serialised record."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from otel_agenttrace.contract.attributes import TASK_ID
from otel_agenttrace.errors import DecodeError
from otel_agenttrace.model.codec import (
    SerializedSpan,
    deserialize,
    load_fields,
    serialize_readable,
    serialize_record,
    serialize_value,
)
from otel_agenttrace.model.record import EventRecord, SpanRecord
from otel_agenttrace.testing.spans import make_span
from otel_agenttrace.testing.strategies import any_values, span_records

if TYPE_CHECKING:
    from opentelemetry.context import Context

_TAGS = ["bytesValue", "doubleValue", "intValue", "kvlistValue"]
_texts = st.text(max_size=10)
_hard_values = st.recursive(
    st.one_of(any_values, st.integers(), st.floats()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_TAGS) | _texts, inner, max_size=2),
    max_leaves=6,
)


def _again(record: SpanRecord) -> SpanRecord:
    return deserialize(serialize_record(record))


@given(span_records)
def test_a_record_comes_back_as_it_was(record: SpanRecord) -> None:
    """Whatever OTLP can say survives; `repr` tells 1 from True and NaN is NaN."""
    assert repr(_again(record)) == repr(record)


@given(st.dictionaries(st.sampled_from(_TAGS) | _texts, _hard_values, max_size=2))
def test_values_that_look_like_tags_come_back(attributes: dict[str, Any]) -> None:
    """A mapping whose only key is a tag's, an integer of any size, NaN and bytes at any depth are told apart."""
    record = make_span(attributes=attributes, events=(EventRecord("event", 1, attributes),))

    assert repr(_again(record)) == repr(record)


@given(span_records)
def test_serialising_again_gives_the_same_bytes(record: SpanRecord) -> None:
    """A record that was read and written again is the same text, as is what an SDK span became."""
    serialized = serialize_record(record)

    assert serialize_record(deserialize(serialized)) == serialized


def test_a_decoded_record_is_a_span_record_like_any_other() -> None:
    """It is equal to one made by hand, can be replaced, and cannot be written to."""
    decoded = _again(make_span())

    assert decoded == make_span()
    assert type(decoded) is SpanRecord
    assert replace(decoded, name="other").name == "other"
    with pytest.raises(AttributeError):
        decoded.name = "other"  # type: ignore[misc]


def test_an_unpaired_surrogate_is_spelled_out() -> None:
    r"""Text that has no UTF-8 is kept as `\udc80`, in names, keys and values."""
    decoded = _again(make_span(name="a\udc80", attributes={"b\udc80": ["c\udc80"]}))

    assert decoded.name == "a\\udc80"
    assert decoded.attributes == {"b\\udc80": ["c\\udc80"]}


@pytest.mark.parametrize("depth", [101, 300, 5000])
def test_nesting_without_end_is_cut_to_text(depth: int) -> None:
    """Nesting beyond 100 levels becomes text; no depth is an error."""
    value: Any = "bottom"
    for _ in range(depth):
        value = [value]

    decoded: Any = _again(make_span(attributes={"deep": value})).attributes["deep"]
    levels = 0
    while isinstance(decoded, list):
        decoded, levels = decoded[0], levels + 1

    assert 90 <= levels <= 100
    assert isinstance(decoded, str)


def test_subclasses_of_plain_types_are_written_as_these() -> None:
    """Contract constants as keys and values, and numbers of other libraries, are plain text and numbers in JSON."""

    class Float64(float):
        pass

    class Int64(int):
        pass

    attributes: Any = {TASK_ID: TASK_ID, "float": Float64(1.5), "int": Int64(3), "list": [Float64("nan")]}
    decoded = _again(make_span(attributes=attributes)).attributes

    assert repr(decoded) == repr({"task.id": "task.id", "float": 1.5, "int": 3, "list": [float("nan")]})
    assert {type(key) for key in decoded} == {str}


def test_an_sdk_span_becomes_the_record_that_it_is() -> None:
    """Everything that an SDK span holds is in its record, under OTel's names."""
    parent = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1), trace_state=TraceState([("k", "v")]))
    tracer = TracerProvider(resource=Resource({"service.name": "booking"})).get_tracer("scope", "1.0")
    span = tracer.start_span(
        "chat",
        _below(parent),
        SpanKind.CLIENT,
        {"text": "t", "list": [1, 2], "nested": {"bytes": b"\x00", "none": None}},
        links=[Link(parent, {"why": "retry"})],
        start_time=10,
    )
    span.add_event("event", {"n": 1}, 11)
    span.set_status(Status(StatusCode.ERROR, "broken"))
    span.end(12)
    record = deserialize(serialize_readable(span))  # type: ignore[arg-type]

    assert (record.trace_id, record.parent_span_id) == (f"{1:032x}", f"{2:016x}")
    assert (record.name, record.kind, record.status_code, record.status_message) == (
        "chat", "CLIENT", "ERROR", "broken",
    )  # fmt: skip
    assert (record.start_time_unix_nano, record.end_time_unix_nano, record.trace_state) == (10, 12, "k=v")
    assert record.attributes == {"text": "t", "list": [1, 2], "nested": {"bytes": b"\x00", "none": None}}
    assert record.events == (EventRecord("event", 11, {"n": 1}),)
    assert (record.links[0].span_id, record.links[0].attributes) == (f"{2:016x}", {"why": "retry"})
    assert record.resource.service_name == "booking"
    assert (record.scope.name, record.scope.version) == ("scope", "1.0")


@given(
    st.dictionaries(st.sampled_from(_TAGS) | _texts.filter(bool), _hard_values, max_size=3),
    st.text(max_size=5),
    st.booleans(),
    st.booleans(),
)
def test_an_sdk_span_and_its_record_are_the_same_text(
    attributes: dict[str, Any], name: str, has_parent: bool, has_event: bool
) -> None:
    """However short the way was on which it was written."""
    parent = SpanContext(1, 2, is_remote=has_event, trace_flags=TraceFlags(1))
    span = TracerProvider().get_tracer("t").start_span(name, _below(parent) if has_parent else None)
    if has_event:
        span.add_event("event", attributes)
    span.end()
    # As processors give them: the SDK would drop some of these values.
    serialized = serialize_readable(span, attributes=attributes)  # type: ignore[arg-type]
    record = deserialize(serialized)

    assert repr(record.attributes) == repr(attributes)
    assert (record.name, record.parent_span_id is not None, len(record.events)) == (name, has_parent, int(has_event))
    assert serialize_record(record)[0].lstrip() == serialized.span.lstrip()


def test_extra_events_and_attributes_stand_in_the_record_only() -> None:
    """What a processor adds comes behind the span's own events, or in place of its attributes."""
    span = TracerProvider().get_tracer("t").start_span("s", attributes={"a": 1}, start_time=1)
    span.add_event("own", timestamp=2)
    span.end(3)
    record = deserialize(serialize_readable(span, [EventRecord("extra", 3)], {"b": 2}))  # type: ignore[arg-type]

    assert [event.name for event in record.events] == ["own", "extra"]
    assert record.attributes == {"b": 2}


def test_an_open_span_has_no_end() -> None:
    """The record of a span that still runs says so."""
    span = TracerProvider().get_tracer("t").start_span("s")
    record = deserialize(serialize_readable(span))  # type: ignore[arg-type]
    span.end()

    assert record.end_time_unix_nano is None


@given(st.binary(max_size=40), st.sampled_from([0, 1, 2]))
def test_broken_texts_are_refused(garbage: bytes, place: int) -> None:
    """What is no serialised record raises DecodeError, whatever it is, or reads as a record of other content."""
    texts = list(serialize_record(make_span()))
    texts[place] = garbage
    try:
        deserialize(SerializedSpan(*texts))
    except DecodeError:
        return
    assert isinstance(json.loads(garbage), dict)


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b"{}",
        b'{"trace_id":"a"}',
        b'{"trace_id":"a","span_id":"b","name":"c","start_time_unix_nano":1,"unknown":1}',
        b' {"trace_id":"a","span_id":"b","name":"c","start_time_unix_nano":1,"attributes":{"x":{"intValue":"y"}}}',
        b'{"trace_id":"a","span_id":"b","name":"c","start_time_unix_nano":1,"events":[1]}',
        b'{"trace_id":"a","span_id":"b","name":"c","start_time_unix_nano":1,"events":1}',
    ],
)
def test_json_that_is_no_record_is_refused(text: bytes) -> None:
    """Missing, unknown and misshapen fields raise DecodeError."""
    with pytest.raises(DecodeError, match="not a serialised span"):
        deserialize(SerializedSpan(text, b"{}", b"{}"))


@pytest.mark.parametrize("value", ["PI-101", b"\x00\xff"])
def test_a_serialised_record_is_json_that_sqlite_reads(value: str | bytes) -> None:
    """`json_extract` finds an attribute by OTel's name, also in a text that carries tags."""
    text = serialize_record(make_span(attributes={"task.id": "PI-101", "other": value})).span
    with closing(sqlite3.connect(":memory:")) as database:
        row = database.execute("""select json_extract(?, '$.attributes."task.id"')""", [text.decode()]).fetchone()

    assert row == ("PI-101",)


def test_fields_and_values_can_be_had_alone() -> None:
    """A store reads one text without the others, and writes one value as it stands in a record."""
    serialized = serialize_record(make_span(attributes={"b": b"\x00"}))

    assert load_fields(serialized.span)["attributes"] == {"b": b"\x00"}
    assert load_fields(serialized.resource) == {"attributes": {"service.name": "booking-agent"}}
    assert serialize_value([1, b"\x00"]) == '[1,{"bytesValue":"AA=="}]'


def _below(parent: SpanContext) -> Context:
    return set_span_in_context(NonRecordingSpan(parent))
