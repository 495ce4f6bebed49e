"""SpanRecords <-> OTLP protobuf. Pure functions: no I/O, no state.

What is refused and what is kept is as for OTLP JSON, see `otlp.decode`. Beyond what OTLP cannot say at all (see
`otlp.encode`), protobuf parsers refuse messages nested deeper than 100 levels, of which a list takes two and a mapping
three; a value deeper than that is written as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.message import DecodeError as ProtobufDecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from otel_agenttrace.errors import DecodeError
from otel_agenttrace.model.record import (
    SPAN_KINDS,
    STATUS_CODES,
    EventRecord,
    LinkRecord,
    ResourceRecord,
    ScopeRecord,
    SpanRecord,
)
from otel_agenttrace.otlp.checks import (
    SPAN_ID_DIGITS,
    TRACE_ID_DIGITS,
    Decoded,
    checked_id,
    checked_optional_id,
    checked_parent_id,
    checked_time,
)
from otel_agenttrace.otlp.encode import cleaned, enum_number, group_spans
from otel_agenttrace.otlp.values import INT64_MAX, INT64_MIN

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue as AnyValueMessage
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from otel_agenttrace.model.record import AnyValue, Attributes

_LEVELS = 94
"""Levels that a value may use of the parsers' 100; the rest is the way down to an attribute of an event."""

_Message = TypeVar("_Message", TracesData, ExportTraceServiceRequest)


def decode_protobuf(data: bytes) -> Decoded:
    """Read one TracesData, or ExportTraceServiceRequest, which looks the same.

    Raises:
        DecodeError: the bytes are no such message, or a string in them is no UTF-8.
    """
    try:
        return decode_message(TracesData.FromString(data))
    except ProtobufDecodeError as error:
        raise DecodeError(f"not an OTLP protobuf message: {error}") from None


def decode_message(message: TracesData | ExportTraceServiceRequest) -> Decoded:
    """Read a message that has been parsed already."""
    decoded = Decoded([], [], [])
    for resource_spans in message.resource_spans:
        resource = _read_resource(resource_spans)
        for scope_spans in resource_spans.scope_spans:
            scope = _read_scope(scope_spans)
            for span in scope_spans.spans:
                _read_into(decoded, span, resource, scope)
    return decoded


def encode_protobuf(spans: Sequence[SpanRecord]) -> bytes:
    """Write spans as one TracesData; an ExportTraceServiceRequest looks the same.

    Raises:
        ValueError: a time, count or flag does not fit into its unsigned integer.
    """
    return encode_message(spans).SerializeToString()


def encode_message(spans: Sequence[SpanRecord]) -> TracesData:
    """Write spans as one TracesData message.

    Raises:
        ValueError: a time, count or flag does not fit into its unsigned integer.
    """
    return _filled(TracesData, spans)


def encode_request(spans: Sequence[SpanRecord]) -> ExportTraceServiceRequest:
    """Write spans as a request to an OTLP server.

    Raises:
        ValueError: a time, count or flag does not fit into its unsigned integer.
    """
    return _filled(ExportTraceServiceRequest, spans)


def _read_into(decoded: Decoded, span: Span, resource: ResourceRecord, scope: ScopeRecord) -> None:
    try:
        decoded.spans.append(_read_span(span, resource, scope))
    except DecodeError as error:
        number = len(decoded.spans) + len(decoded.refused) + 1
        decoded.refused.append(DecodeError(f"span {number}: {error}"))


def _read_resource(message: Any) -> ResourceRecord:
    resource = message.resource
    return ResourceRecord(_read_attributes(resource.attributes), message.schema_url, resource.dropped_attributes_count)


def _read_scope(message: Any) -> ScopeRecord:
    scope = message.scope
    return ScopeRecord(
        name=scope.name,
        version=scope.version,
        attributes=_read_attributes(scope.attributes),
        schema_url=message.schema_url,
        dropped_attributes_count=scope.dropped_attributes_count,
    )


def _read_span(span: Span, resource: ResourceRecord, scope: ScopeRecord) -> SpanRecord:
    return SpanRecord(
        trace_id=checked_id(span.trace_id.hex(), TRACE_ID_DIGITS, "trace_id"),
        span_id=checked_id(span.span_id.hex(), SPAN_ID_DIGITS, "span_id"),
        parent_span_id=checked_parent_id(span.parent_span_id.hex(), "parent_span_id"),
        name=span.name,
        start_time_unix_nano=checked_time(span.start_time_unix_nano, "start_time_unix_nano"),
        end_time_unix_nano=checked_time(span.end_time_unix_nano, "end_time_unix_nano") or None,
        kind=SPAN_KINDS[span.kind] if 0 <= span.kind < len(SPAN_KINDS) else SPAN_KINDS[0],
        status_code=STATUS_CODES[span.status.code] if 0 <= span.status.code < len(STATUS_CODES) else STATUS_CODES[0],
        status_message=span.status.message,
        attributes=_read_attributes(span.attributes),
        events=tuple([_read_event(event) for event in span.events]),
        links=tuple([_read_link(link) for link in span.links]),
        resource=resource,
        scope=scope,
        trace_state=span.trace_state,
        flags=span.flags,
        dropped_attributes_count=span.dropped_attributes_count,
        dropped_events_count=span.dropped_events_count,
        dropped_links_count=span.dropped_links_count,
    )


def _read_event(event: Span.Event) -> EventRecord:
    return EventRecord(
        name=event.name,
        time_unix_nano=checked_time(event.time_unix_nano, "event time_unix_nano"),
        attributes=_read_attributes(event.attributes),
        dropped_attributes_count=event.dropped_attributes_count,
    )


def _read_link(link: Span.Link) -> LinkRecord:
    return LinkRecord(
        trace_id=checked_optional_id(link.trace_id.hex(), TRACE_ID_DIGITS, "link trace_id"),
        span_id=checked_optional_id(link.span_id.hex(), SPAN_ID_DIGITS, "link span_id"),
        attributes=_read_attributes(link.attributes),
        trace_state=link.trace_state,
        flags=link.flags,
        dropped_attributes_count=link.dropped_attributes_count,
    )


def _read_attributes(pairs: Iterable[KeyValue]) -> Attributes:
    return {pair.key: _read_value(pair.value) for pair in pairs}


def _read_value(message: AnyValueMessage) -> AnyValue:
    kind = message.WhichOneof("value")
    # `string_value_strindex` points into a table that only the profiling signal has.
    if kind is None or kind == "string_value_strindex":
        return None
    if kind == "array_value":
        return [_read_value(item) for item in message.array_value.values]
    if kind == "kvlist_value":
        return _read_attributes(message.kvlist_value.values)
    value: AnyValue = getattr(message, kind)
    return value


def _filled(kind: type[_Message], spans: Sequence[SpanRecord]) -> _Message:
    try:
        return _fill(kind(), spans)
    except (UnicodeEncodeError, RecursionError):
        return _fill(kind(), cleaned(spans))


def _fill(message: _Message, spans: Sequence[SpanRecord]) -> _Message:
    for resource, scopes in group_spans(spans):
        resource_spans = message.resource_spans.add(schema_url=resource.schema_url)
        resource_spans.resource.dropped_attributes_count = resource.dropped_attributes_count
        _write_attributes(resource_spans.resource.attributes, resource.attributes)
        for scope, records in scopes:
            scope_spans = resource_spans.scope_spans.add(schema_url=scope.schema_url)
            scope_spans.scope.name, scope_spans.scope.version = scope.name, scope.version
            scope_spans.scope.dropped_attributes_count = scope.dropped_attributes_count
            _write_attributes(scope_spans.scope.attributes, scope.attributes)
            for record in records:
                _write_span(scope_spans.spans.add(), record)
    return message


def _write_span(message: Span, record: SpanRecord) -> None:
    message.trace_id = bytes.fromhex(record.trace_id)
    message.span_id = bytes.fromhex(record.span_id)
    message.parent_span_id = bytes.fromhex(record.parent_span_id or "")
    message.name = record.name
    message.kind = enum_number(record.kind, SPAN_KINDS)  # type: ignore[assignment]
    message.start_time_unix_nano = record.start_time_unix_nano
    message.end_time_unix_nano = record.end_time_unix_nano or 0
    message.status.code = enum_number(record.status_code, STATUS_CODES)  # type: ignore[assignment]
    message.status.message = record.status_message
    message.trace_state = record.trace_state
    message.flags = record.flags
    message.dropped_attributes_count = record.dropped_attributes_count
    message.dropped_events_count = record.dropped_events_count
    message.dropped_links_count = record.dropped_links_count
    _write_attributes(message.attributes, record.attributes)
    for event in record.events:
        _write_event(message.events.add(), event)
    for link in record.links:
        _write_link(message.links.add(), link)


def _write_event(message: Span.Event, event: EventRecord) -> None:
    message.name = event.name
    message.time_unix_nano = event.time_unix_nano
    message.dropped_attributes_count = event.dropped_attributes_count
    _write_attributes(message.attributes, event.attributes)


def _write_link(message: Span.Link, link: LinkRecord) -> None:
    message.trace_id = bytes.fromhex(link.trace_id)
    message.span_id = bytes.fromhex(link.span_id)
    message.trace_state = link.trace_state
    message.flags = link.flags
    message.dropped_attributes_count = link.dropped_attributes_count
    _write_attributes(message.attributes, link.attributes)


def _write_attributes(pairs: Any, attributes: Mapping[str, Any], levels: int = _LEVELS) -> None:
    add = pairs.add
    for key, value in attributes.items():
        pair = add()
        pair.key = key
        kind = value.__class__
        if kind is str:  # as most are
            pair.value.string_value = value
        elif kind is float:
            pair.value.double_value = value
        elif kind is int and INT64_MIN <= value <= INT64_MAX:
            pair.value.int_value = value
        else:
            _write_value(pair.value, value, levels)


def _write_value(message: AnyValueMessage, value: Any, levels: int) -> None:
    if isinstance(value, str):
        message.string_value = value
    elif isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, int) and INT64_MIN <= value <= INT64_MAX:
        message.int_value = value
    elif isinstance(value, float):
        message.double_value = value
    elif isinstance(value, bytes):
        message.bytes_value = value
    elif isinstance(value, Mapping) and levels >= 3:
        message.kvlist_value.SetInParent()
        _write_attributes(message.kvlist_value.values, value, levels - 3)
    elif isinstance(value, Sequence) and levels >= 2:
        message.array_value.SetInParent()
        for item in value:
            _write_value(message.array_value.values.add(), item, levels - 2)
    elif value is None:
        message.SetInParent()
    else:
        message.string_value = str(value)
