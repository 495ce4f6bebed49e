"""OTLP protobuf: what peers send, and what is refused."""

from __future__ import annotations

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from otel_agenttrace.errors import DecodeError
from otel_agenttrace.model.readable import to_readable_span
from otel_agenttrace.model.record import EventRecord, LinkRecord, SpanRecord
from otel_agenttrace.otlp.protobuf import decode_message, decode_protobuf, encode_protobuf
from otel_agenttrace.testing.spans import SPAN_ID, TRACE_ID, make_span


def message(**fields: object) -> TracesData:
    """One TracesData with one span."""
    ids = {"trace_id": bytes.fromhex(TRACE_ID), "span_id": bytes.fromhex(SPAN_ID), "name": "n"}
    traces_data = TracesData()
    traces_data.resource_spans.add().scope_spans.add().spans.add().MergeFrom(Span(**(ids | fields)))  # type: ignore[arg-type]
    return traces_data


def test_what_the_sdk_exporter_sends_is_read() -> None:
    """The request of the standard OTLP exporter is read as the spans that it was given."""
    record = make_span(
        kind="CLIENT",
        parent_span_id="00f067aa0ba902b7",
        attributes={"a": [1, {"b": None}], "c": b"\xff"},
        events=(EventRecord("e", 5, {"x": 1.5}),),
        links=(LinkRecord(TRACE_ID, SPAN_ID, {"y": True}, flags=256),),
        # All that the exporter says of flags: it is known that the parent is not remote.
        flags=256,
    )
    request = encode_spans([to_readable_span(record)])

    assert decode_message(request) == ([record], [], [])
    assert decode_protobuf(request.SerializeToString()).spans == [record]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"trace_id": b""}, "span 1: trace_id is missing"),
        ({"trace_id": b"\x00" * 16}, "span 1: trace_id is all zeros"),
        ({"trace_id": b"\xab"}, "span 1: trace_id is not 32 hex digits: 'ab'"),
        ({"span_id": b"\x01" * 9}, "span 1: span_id is not 16 hex digits: '010101010101010101'"),
        ({"parent_span_id": b"\x01"}, "span 1: parent_span_id is not 16 hex digits: '01'"),
        ({"end_time_unix_nano": 2**63}, "span 1: end_time_unix_nano is not within int64 nanoseconds: 9223372036"),
    ],
)
def test_a_wrong_span_is_refused_by_name(fields: dict[str, object], reason: str) -> None:
    """Ids of the wrong length or all zero, and times beyond int64, as with JSON."""
    decoded = decode_message(message(**fields))

    assert not decoded.spans
    assert str(decoded.refused[0]).startswith(reason)


@pytest.mark.parametrize("number", [9, -1])
def test_unknown_kinds_and_codes_are_kept_as_unspecified(number: int) -> None:
    """Protobuf enums are open: a newer peer may send more."""
    (span,) = decode_message(message(kind=number, status={"code": number})).spans

    assert (span.kind, span.status_code) == ("UNSPECIFIED", "UNSET")


def test_a_parent_of_zeros_is_none() -> None:
    """Some emitters write zeros on a root."""
    assert decode_message(message(parent_span_id=b"\x00" * 8)).spans[0].parent_span_id is None


@pytest.mark.parametrize("data", [b"\xff\xff", b"hello", b'{"resourceSpans": []}'])
def test_other_bytes_are_refused_whole(data: bytes) -> None:
    """What is no protobuf message raises."""
    with pytest.raises(DecodeError, match="not an OTLP protobuf message"):
        decode_protobuf(data)


def test_an_empty_message_holds_nothing() -> None:
    """An empty request is a good request."""
    assert decode_protobuf(b"") == ([], [], [])


@pytest.mark.parametrize("fields", [{"start_time_unix_nano": -1}, {"flags": 2**32}])
def test_what_does_not_fit_its_field_raises(fields: dict[str, int]) -> None:
    """Numbers outside OTLP's unsigned integers cannot be said in protobuf."""
    span: SpanRecord = make_span(**fields)

    with pytest.raises(ValueError, match="out of range"):
        encode_protobuf([span])
