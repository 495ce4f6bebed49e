"""OTLP JSON: what is read, what is read leniently, and what is refused with which words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from otel_agenttrace.errors import DecodeError
from otel_agenttrace.model.record import EventRecord, LinkRecord, ResourceRecord, ScopeRecord, SpanRecord
from otel_agenttrace.otlp.decode import LENIENT, decode_document, decode_json

DATA = Path(__file__).parent.parent / "data" / "otlp"
TRACE_ID = "5b8efff798038103d269b633813fc60c"
SPAN_ID = "eee19b7ec3c1b174"


def document(*spans: Any, resource: Any = None, scope: Any = None) -> dict[str, Any]:
    """One TracesData with the given spans."""
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": list(spans)}]}]}


def span(**overrides: Any) -> dict[str, Any]:
    """A span in OTLP JSON with the given fields changed; one that is `...` is left out."""
    fields = {
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        "name": "n",
        "startTimeUnixNano": "1",
        "endTimeUnixNano": "2",
    } | overrides
    return {name: value for name, value in fields.items() if value is not ...}


def read(**overrides: Any) -> SpanRecord:
    """The record of `span(**overrides)`."""
    decoded = decode_document(document(span(**overrides)))
    assert not decoded.refused
    return decoded.spans[0]


def read_value(value: Any) -> Any:
    """The attribute value that OTLP JSON `value` stands for."""
    return read(attributes=[{"key": "x", "value": value}]).attributes["x"]


def refusal(fields: Any) -> str:
    """Why a span is refused."""
    decoded = decode_document(document(fields))
    assert not decoded.spans
    return str(decoded.refused[0])


def test_the_example_of_the_specification_is_read() -> None:
    """OTLP's own example: ids in upper case, times as strings."""
    assert decode_json((DATA / "spec-example.json").read_bytes()) == (
        [
            SpanRecord(
                trace_id="5b8efff798038103d269b633813fc60c",
                span_id="eee19b7ec3c1b174",
                parent_span_id="eee19b7ec3c1b173",
                name="I'm a server span",
                start_time_unix_nano=1_544_712_660_000_000_000,
                end_time_unix_nano=1_544_712_661_000_000_000,
                kind="SERVER",
                attributes={"my.span.attr": "some value"},
                resource=ResourceRecord({"service.name": "my.service"}),
                scope=ScopeRecord("my.library", "1.0.0", {"my.scope.attribute": "some scope attribute"}),
            )
        ],
        [],
        [],
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"stringValue": "a"}, "a"),
        ({"boolValue": False}, False),
        ({"intValue": "-12"}, -12),
        ({"intValue": 12}, 12),
        ({"intValue": 12.0}, 12),
        ({"intValue": "18446744073709551616"}, 2**64),
        ({"doubleValue": 1.5}, 1.5),
        ({"doubleValue": 3}, 3.0),
        ({"doubleValue": "-Infinity"}, float("-inf")),
        ({"bytesValue": "AAH/"}, b"\x00\x01\xff"),
        ({"bytesValue": "AAH_"}, b"\x00\x01\xff"),
        ({"bytesValue": "/w"}, b"\xff"),
        ({"arrayValue": {"values": [{"stringValue": "a"}, {}]}}, ["a", None]),
        ({"arrayValue": {}}, []),
        ({"kvlistValue": {"values": [{"key": "k", "value": {"intValue": 1}}]}}, {"k": 1}),
        ({"kvlistValue": {}}, {}),
        ({}, None),
        (None, None),
        ({"stringValue": None}, None),
        ({"stringValueStrindex": 4}, None),
        ({"somethingNew": 1}, None),
    ],
)
def test_values_of_every_kind_are_read(value: Any, expected: Any) -> None:
    """Each kind of AnyValue, as emitters spell it; kinds that are not known are as if absent."""
    got = read_value(value)

    assert (got, type(got)) == (expected, type(expected))


def test_a_nan_is_read() -> None:
    """NaN is spelled as a string in OTLP JSON."""
    assert str(read_value({"doubleValue": "NaN"})) == "nan"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (3, "CLIENT"),
        ("3", "CLIENT"),
        ("SPAN_KIND_CLIENT", "CLIENT"),
        (..., "UNSPECIFIED"),
        (0, "UNSPECIFIED"),
        (99, "UNSPECIFIED"),
        (-1, "UNSPECIFIED"),
        ("SPAN_KIND_NEW", "UNSPECIFIED"),
    ],
)
def test_kinds_are_read_by_number_and_name(kind: Any, expected: str) -> None:
    """Enums are numbers; names, which protobuf's own JSON has, are read too; unknown ones are kept as unspecified."""
    assert read(kind=kind).kind == expected


def test_status_is_read_by_number_and_name() -> None:
    """As kinds are."""
    codes = [read(status={"code": code}).status_code for code in (0, 1, 2, "STATUS_CODE_ERROR", 7)]

    assert codes == ["UNSET", "OK", "ERROR", "ERROR", "UNSET"]


@pytest.mark.parametrize(
    ("overrides", "field", "expected"),
    [
        ({"endTimeUnixNano": ...}, "end_time_unix_nano", None),
        ({"endTimeUnixNano": "0"}, "end_time_unix_nano", None),
        ({"startTimeUnixNano": ...}, "start_time_unix_nano", 0),
        ({"startTimeUnixNano": 5, "endTimeUnixNano": 1}, "end_time_unix_nano", 1),
        ({"startTimeUnixNano": 1.75e18}, "start_time_unix_nano", 1_750_000_000_000_000_000),
        ({"parentSpanId": ""}, "parent_span_id", None),
        ({"parentSpanId": "0000000000000000"}, "parent_span_id", None),
        ({"parentSpanId": SPAN_ID.upper()}, "parent_span_id", SPAN_ID),
        ({"name": None}, "name", ""),
        ({"events": None}, "events", ()),
        ({"flags": "257"}, "flags", 257),
        ({"unknownField": {"a": [1]}}, "name", "n"),
    ],
)
def test_what_is_odd_but_harmless_is_kept(overrides: dict[str, Any], field: str, expected: Any) -> None:
    """Missing ends, times at 0, ends before starts, roots with a parent of zeros, nulls, unknown fields."""
    assert getattr(read(**overrides), field) == expected


def test_events_and_links_are_read() -> None:
    """Events and links keep attributes, counts, flags and trace state; a link may name nothing."""
    record = read(
        events=[{"name": "e", "timeUnixNano": "7", "attributes": [], "droppedAttributesCount": 2}],
        links=[{"traceId": TRACE_ID, "spanId": SPAN_ID, "traceState": "a=1", "flags": 1}, {}],
    )

    assert record.events == (EventRecord("e", 7, {}, 2),)
    assert record.links == (LinkRecord(TRACE_ID, SPAN_ID, {}, "a=1", 1), LinkRecord("", ""))


def test_repeated_ids_and_cycles_of_parents_are_kept() -> None:
    """They are somebody's bug, but they are what happened."""
    spans = [span(parentSpanId=SPAN_ID), span(name="again")]

    assert len(decode_document(document(*spans)).spans) == 2


def test_the_last_of_a_repeated_key_is_kept() -> None:
    """OTLP leaves open what a repeated key means."""
    pairs = [{"key": "x", "value": {"intValue": number}} for number in (1, 2)]

    assert read(attributes=pairs).attributes == {"x": 2}


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"traceId": "xyz"}, "span 1: traceId is not 32 hex digits: 'xyz'"),
        ({"traceId": ...}, "span 1: traceId is missing"),
        ({"traceId": "0" * 32}, "span 1: traceId is all zeros"),
        ({"traceId": 7}, "span 1: traceId is not 32 hex digits: 7"),
        ({"traceId": "5b8efff798038103 269b633813fc60c"}, "span 1: traceId is not 32 hex digits: '5b8efff79803"),
        ({"spanId": SPAN_ID + "0"}, "span 1: spanId is not 16 hex digits: 'eee19b7ec3c1b1740'"),
        ({"parentSpanId": "12"}, "span 1: parentSpanId is not 16 hex digits: '12'"),
        ({"name": ["n"]}, "span 1: name is not a string: ['n']"),
        ({"startTimeUnixNano": "soon"}, "span 1: startTimeUnixNano is not an integer: 'soon'"),
        ({"startTimeUnixNano": True}, "span 1: startTimeUnixNano is not an integer: True"),
        ({"startTimeUnixNano": 1.5}, "span 1: startTimeUnixNano is not an integer: 1.5"),
        ({"startTimeUnixNano": str(2**63)}, "span 1: startTimeUnixNano is not within int64 nanoseconds: 92233"),
        ({"endTimeUnixNano": -1}, "span 1: endTimeUnixNano is not within int64 nanoseconds: -1"),
        ({"kind": []}, "span 1: kind is not an integer: []"),
        ({"flags": 2**32}, "span 1: flags is not a 32-bit unsigned integer: 4294967296"),
        ({"status": "ERROR"}, "span 1: status is not an object: 'ERROR'"),
        ({"attributes": {"a": "b"}}, "span 1: attributes is not an array: {'a': 'b'}"),
        ({"attributes": ["a"]}, "span 1: attributes holds what is not a key with a value: 'a'"),
        ({"attributes": [{"key": 1}]}, "span 1: attributes holds what is not a key with a value: {'key': 1}"),
        ({"attributes": [{"key": "k", "value": "b"}]}, "span 1: attribute 'k': not a value: 'b'"),
        (
            {"attributes": [{"key": "k", "value": {"intValue": "1.5"}}]},
            "span 1: attribute 'k': intValue is not an integer: '1.5'",
        ),
        (
            {"attributes": [{"key": "k", "value": {"stringValue": 5}}]},
            "span 1: attribute 'k': stringValue is not a string: 5",
        ),
        (
            {"attributes": [{"key": "k", "value": {"boolValue": "yes"}}]},
            "span 1: attribute 'k': boolValue is not true or false: 'yes'",
        ),
        (
            {"attributes": [{"key": "k", "value": {"doubleValue": "much"}}]},
            "span 1: attribute 'k': doubleValue is not a number: 'much'",
        ),
        (
            {"attributes": [{"key": "k", "value": {"bytesValue": "*"}}]},
            "span 1: attribute 'k': bytesValue is not base64: '*'",
        ),
        (
            {"attributes": [{"key": "k", "value": {"arrayValue": [1]}}]},
            "span 1: attribute 'k': not an object: [1]",
        ),
        ({"events": [3]}, "span 1: events holds what is not an object: 3"),
        ({"links": [{"traceId": "12"}]}, "span 1: link traceId is not 32 hex digits: '12'"),
    ],
)
def test_a_wrong_span_is_refused_by_name(overrides: dict[str, Any], reason: str) -> None:
    """The error says which span, which field, and what stood there."""
    assert refusal(span(**overrides)).startswith(reason)


def test_a_span_that_is_no_object_is_refused() -> None:
    """The same for what is no span at all."""
    assert refusal("span") == "span 1: not a JSON object: 'span'"


def test_the_good_spans_beside_a_refused_one_are_read() -> None:
    """One bad span takes no other with it; spans are counted across the document."""
    decoded = decode_document(document(span(), span(traceId="xyz"), span(name="third")))

    assert [record.name for record in decoded.spans] == ["n", "third"]
    assert [str(error) for error in decoded.refused] == ["span 2: traceId is not 32 hex digits: 'xyz'"]


def test_nesting_beyond_the_bound_is_refused() -> None:
    """A value nested deeper than 100 levels is an attack or an accident."""
    value: dict[str, Any] = {"intValue": 1}
    for _ in range(101):
        value = {"arrayValue": {"values": [value]}}

    assert refusal(span(attributes=[{"key": "k", "value": value}])) == (
        "span 1: attribute 'k': nested deeper than 100 levels"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "not JSON: "),
        (b"{", "not JSON: "),
        (b'{"resourceSpans": [}', "not JSON: "),
        (b"[" * 100_000, "not JSON: "),
        (b"\x00\xff\xfe", "not JSON: "),
        (b"17", "not a JSON object: 17"),
        (b'["a"]', "not a JSON object: 'a'"),
        (b'{"resourceLogs": []}', "not trace data: no resourceSpans, but ['resourceLogs']"),
        (b'{"resourceSpans": {}}', "resourceSpans is not an array: {}"),
        (b'{"resourceSpans": [4]}', "resourceSpans holds what is not an object: 4"),
        (b'{"resourceSpans": [{"scopeSpans": 4}]}', "scopeSpans is not an array: 4"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": 4}]}]}', "spans is not an array: 4"),
        (b'{"resourceSpans": [{"resource": 4}]}', "resource is not an object: 4"),
    ],
)
def test_what_is_no_trace_data_is_refused_whole(text: bytes, reason: str) -> None:
    """Broken JSON, other JSON and other signals raise, saying what it is instead."""
    with pytest.raises(DecodeError) as raised:
        decode_json(text)

    assert str(raised.value).startswith(reason)


def test_an_error_in_a_document_of_several_lines_names_the_line() -> None:
    """The place of broken JSON is given as line and column."""
    with pytest.raises(DecodeError, match=r"at line 2, column \d+"):
        decode_json(b'{"resourceSpans":\n[}\n')


@pytest.mark.parametrize("text", [b"{}", b'{"resourceSpans": []}', b'{"resourceSpans": null}', b"[]"])
def test_nothing_is_read_from_an_empty_document(text: bytes) -> None:
    """An empty request is a good request."""
    assert decode_json(text) == ([], [], [])


def test_an_array_of_documents_is_read() -> None:
    """Some tools gather lines into one array."""
    text = json.dumps([document(span()), document(span(name="other"))]).encode()

    assert [record.name for record in decode_json(text).spans] == ["n", "other"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b'"a\xffb"', "a\ufffdb"),
        (rb'"a\ud83db"', "a\ufffdb"),
        (rb'"\udc00\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\\ud83d \ud83d"', "\\ud83d \ufffd"),
    ],
)
def test_text_that_is_no_unicode_is_kept_and_flagged(name: bytes, expected: str) -> None:
    """Bytes that are no UTF-8 and unpaired surrogates become U+FFFD; the rest of the line is whole, and it is said."""
    text = json.dumps(document(span(name="@"))).encode().replace(b'"@"', name)
    decoded = decode_json(text)

    assert decoded.spans[0].name == expected
    assert decoded.warnings == [LENIENT]


def test_bare_nan_is_read_and_flagged() -> None:
    """Python's `json.dumps` writes it, though it is no JSON."""
    text = json.dumps(document(span(attributes=[{"key": "x", "value": {"doubleValue": float("nan")}}]))).encode()
    decoded = decode_json(text)

    assert str(decoded.spans[0].attributes["x"]) == "nan"
    assert decoded.warnings == [LENIENT]


def test_errors_drive_no_terminal() -> None:
    """What stands in the input is shown escaped and short."""
    reason = refusal(span(traceId="\x1b]0;owned\x07\u202e" + "x" * 10_000))

    assert reason.isprintable()
    assert len(reason) < 150
