"""Size limits of recorded spans."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.errors import ConfigError, DecodeError
from otel_agenttrace.model.codec import SerializedSpan, deserialize, serialize_record
from otel_agenttrace.model.record import EventRecord, LinkRecord, ResourceRecord, SpanRecord
from otel_agenttrace.pipeline.limit import DEFAULT_MAX_VALUE_BYTES, ValueLimiter
from otel_agenttrace.testing.spans import SPAN_ID, START, TRACE_ID, make_span

LIMIT = 1000


def limit(record: SpanRecord, limiter: ValueLimiter | None = None) -> SpanRecord:
    """The record as it would be kept."""
    return deserialize((limiter or ValueLimiter(LIMIT)).limit(serialize_record(record)))


def limit_value(value: Any) -> Any:
    """An attribute value as it would be kept."""
    return limit(make_span(attributes={"a": value})).attributes["a"]


def json_bytes(value: Any) -> int:
    """The size of a structured value."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=repr).encode())


def test_a_small_record_is_passed_on_as_the_same_object() -> None:
    """The common case is a comparison of lengths; a large record of small values is kept as it is too."""
    small = serialize_record(make_span(attributes={"a": "x" * 100}))
    many = serialize_record(make_span(attributes={str(number): "x" * 90 for number in range(20)}))
    limiter = ValueLimiter(LIMIT)
    assert limiter.limit(small) is small
    assert limiter.limit(many) is many
    assert limiter.counts == {}


def test_a_megabyte_of_text_is_kept_whole_by_default() -> None:
    """Nearly every model's whole context is smaller."""
    text = "x" * DEFAULT_MAX_VALUE_BYTES
    assert limit(make_span(attributes={"a": text}), ValueLimiter()).attributes == {"a": text}
    cut = limit(make_span(attributes={"a": text + "y"}), ValueLimiter()).attributes["a"]
    assert isinstance(cut, str)
    assert cut.endswith("x[TRUNCATED:33 bytes]")


@pytest.mark.parametrize("text", ["x" * 5000, "é" * 2000, "😀" * 1001, "a" + "\u2028" * 999])
def test_a_long_text_is_cut_between_characters_and_says_by_how_much(text: str) -> None:
    """What is kept and what is said to be cut add up to what there was."""
    kept, _, rest = limit_value(text).rpartition("[TRUNCATED:")
    assert text.startswith(kept)
    assert len(kept) > 200
    assert len(kept.encode()) + int(rest.removesuffix(" bytes]")) == len(text.encode())
    assert len(limit_value(text).encode()) <= LIMIT


def test_long_bytes_are_cut_and_stay_bytes() -> None:
    """The type of a value does not change."""
    cut = limit_value(b"\xff" * 5000)
    assert cut == b"\xff" * 968 + b"[TRUNCATED:4032 bytes]"


def test_json_in_a_string_stays_json_with_its_longest_text_cut() -> None:
    """A conversation with an image can still be read without the image."""
    messages = [
        {
            "role": "user",
            "parts": [{"type": "text", "content": "What is this?"}, {"type": "blob", "content": "A" * 9999}],
        },
        {"role": "assistant", "parts": [{"type": "text", "content": "Un café ☕"}]},
    ]
    text = limit_value(json.dumps(messages))
    clean = json.loads(text)
    assert len(text.encode()) <= LIMIT
    assert clean[0]["parts"][0] == messages[0]["parts"][0]
    assert clean[1] == messages[1]
    assert clean[0]["parts"][1]["content"].endswith("bytes]")


def test_structured_values_keep_their_shape_and_lose_text_then_items() -> None:
    """Whatever it is made of, it fits in the end and says what is gone."""
    assert limit_value({"a": {"b": ["x" * 3000, 1, None]}, "c": True})["a"]["b"][1:] == [1, None]
    numbers = limit_value(list(range(10_000)))
    assert numbers[:3] == [0, 1, 2]
    assert numbers[-1] == f"[TRUNCATED:{10_000 - (len(numbers) - 1)} items]"
    mapping = limit_value({"first": 1, "many": {str(number): number for number in range(10_000)}, "last": 2})
    assert mapping["first"] == 1
    assert mapping["[TRUNCATED]"] == "[TRUNCATED:1 items]"
    for value in (numbers, mapping, mapping["many"]):
        assert json_bytes(value) <= LIMIT


def test_every_part_of_a_record_is_cut_and_counted() -> None:
    """Names, status, keys, events, links and the resource have no other limit."""
    long = "x" * 2000
    record = make_span(
        name=long,
        status_message=long,
        attributes={long: long, "n": 1},
        events=(EventRecord(long, START, {"a": long}),),
        links=(LinkRecord(TRACE_ID, SPAN_ID, {"a": long}),),
        resource=ResourceRecord({"service.name": "x", "a": long}),
    )
    limiter = ValueLimiter(LIMIT, max_span_bytes=100_000)
    clean = limit(record, limiter)
    assert long.encode() not in b"".join(serialize_record(clean))
    assert clean.attributes["agenttrace.truncated"] == 8
    assert clean.attributes["n"] == 1
    assert clean.resource.service_name == "x"
    assert limiter.counts == {"values": 8, "spans": 1}


def test_a_span_of_many_values_is_bounded_as_a_whole() -> None:
    """Values that are small enough alone are cut further until the span fits."""
    attributes = {f"a{number}": "x" * 900 for number in range(100)}
    limiter = ValueLimiter(LIMIT, max_span_bytes=50_000)
    clean = limit(make_span(attributes=attributes | {"task.id": "T-1"}), limiter)
    assert len(serialize_record(clean).span) <= 50_000
    assert clean.attributes["task.id"] == "T-1"
    assert clean.attributes.keys() > attributes.keys()


def test_a_monster_of_small_parts_loses_the_oldest_first_and_counts_them() -> None:
    """As in the SDK; the newest event, where the exception is, and small attributes stay."""
    record = make_span(
        attributes={f"a{number}": number for number in range(3000)} | {"task.id": "T-1"},
        events=tuple(EventRecord(f"e{number}", START) for number in range(20)),
        links=tuple(LinkRecord(TRACE_ID, SPAN_ID) for _ in range(20)),
        dropped_events_count=1,
    )
    limiter = ValueLimiter(LIMIT, max_span_bytes=39_000)
    clean = limit(record, limiter)
    assert len(serialize_record(clean).span) <= 39_000
    assert clean.dropped_links_count == 20 - len(clean.links) > 0
    assert clean.dropped_events_count == 21 - len(clean.events)
    assert clean.events[-1] == record.events[-1]
    few = limit(record, ValueLimiter(LIMIT, max_span_bytes=3 * LIMIT))
    assert len(serialize_record(few).span) <= 3 * LIMIT
    assert few.events == ()
    assert few.dropped_attributes_count > 2500
    assert few.dropped_attributes_count + len(few.attributes) - 1 == len(record.attributes)


@pytest.mark.parametrize("value", [0, -1, 255, 1.5, "1000", True])
def test_a_useless_limit_is_refused(value: Any) -> None:
    """The error names the setting and what it accepts."""
    with pytest.raises(ConfigError, match=r"max_value_bytes: accepts a number of bytes of at least 256"):
        ValueLimiter(value)
    with pytest.raises(ConfigError, match=r"max_span_bytes: accepts a number of bytes of at least 3000"):
        ValueLimiter(LIMIT, max_span_bytes=value)


def test_what_is_no_record_is_refused_when_it_is_too_large() -> None:
    """Nothing can be cut in what cannot be read."""
    with pytest.raises(DecodeError):
        ValueLimiter(LIMIT).limit(SerializedSpan(b"x" * 2000, b"{}", b"{}"))


_TEXTS = st.text(max_size=5) | st.integers(0, 700).map(lambda count: "aé😀\\"[count % 4] * count)
_LEAVES = _TEXTS | st.integers() | st.none() | st.booleans() | st.binary(max_size=600) | st.floats()
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(_TEXTS, inner, max_size=5) | st.lists(inner).map(repr),
    max_leaves=20,
)
_JSON = st.recursive(
    _TEXTS | st.integers(),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(_TEXTS, inner, max_size=5),
    max_leaves=20,
)
_RECORDS = st.builds(
    lambda attributes, other, text, count: make_span(
        name=text,
        attributes=attributes,
        events=(EventRecord(text, START, other),) * count,
        links=(LinkRecord(TRACE_ID, SPAN_ID, other),) * count,
    ),
    st.dictionaries(_TEXTS, _VALUES | _JSON.map(json.dumps), max_size=6),
    st.dictionaries(_TEXTS, _VALUES, max_size=3),
    _TEXTS,
    st.integers(0, 4),
)


@given(_RECORDS)
def test_any_record_fits_afterwards_and_limiting_twice_changes_nothing(record: SpanRecord) -> None:
    """The result is a record, within both limits, of the same span."""
    limiter = ValueLimiter(256, max_span_bytes=2000)
    once = limiter.limit(serialize_record(record))
    assert len(once.span) <= 2000
    assert limiter.limit(once) == once
    clean = deserialize(once)
    assert clean.identity == record.identity
    for value in clean.attributes.values():
        assert len(value if isinstance(value, bytes) else str(value).encode() if isinstance(value, str) else b"") <= 256
