"""OTLP JSON -> SpanRecords. Pure functions: no I/O, no state.

Rules: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. Ids are hex in any case, 64-bit integers
strings or numbers, unknown fields are ignored, null means absent.

Read more liberally than the specification, because real emitters write it: enum names beside enum numbers (what
protobuf's generic JSON mapping gives), numbers as strings and integral floats anywhere, an all-zero parent id on a
root, an array of TracesData, bare `NaN`, unpaired surrogates and bytes that are no UTF-8 (both become U+FFFD).

Refused: what is no JSON, wrong types, ids of the wrong form or all zero, times beyond int64 nanoseconds, values nested
deeper than 100 levels. Kept, since it is odd but harms nobody: an end before the start, an end that is missing or 0
(the span is open), a start of 0, unknown kinds and status codes (as UNSPECIFIED and UNSET), repeated ids, cycles of
parents, links without ids. Of an attribute key that stands twice, the last is kept.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import orjson

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
    shown,
)
from otel_agenttrace.otlp.values import decode_attributes, decode_integer, get_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_UINT32_MAX = 2**32 - 1

LENIENT = "read leniently: not strict JSON in UTF-8 (what has no meaning is U+FFFD now)"
"""The warning of a document that only a lenient reader takes."""


def decode_json(data: bytes) -> Decoded:
    """Read OTLP JSON text: one TracesData (or ExportTraceServiceRequest, which looks the same), or an array of them.

    Raises:
        DecodeError: it is no JSON, or no trace data.
    """
    try:
        return decode_document(orjson.loads(data))
    except orjson.JSONDecodeError as error:
        decoded = decode_document(_load_leniently(data, error))
        decoded.warnings.append(LENIENT)
        return decoded


def decode_document(document: object) -> Decoded:
    """Read OTLP JSON that has been parsed already.

    Raises:
        DecodeError: it is no trace data.
    """
    decoded = Decoded([], [], [])
    for number, (fields, resource, scope) in enumerate(_spans_of(document), start=1):
        try:
            decoded.spans.append(_span(fields, resource, scope))
        except DecodeError as error:
            decoded.refused.append(DecodeError(f"span {number}: {error}"))
    return decoded


# A pair of surrogates, an unpaired one (group 1), any other escape.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)


def _load_leniently(data: bytes, error: orjson.JSONDecodeError) -> object:
    text = _ESCAPE.sub(lambda escape: r"\ufffd" if escape[1] else escape[0], data.decode("utf-8", "replace"))
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        place = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else f"column {error.colno}"
        raise DecodeError(f"not JSON: {error.msg} at {place}") from None


def _spans_of(document: object) -> Iterator[tuple[object, ResourceRecord, ScopeRecord]]:
    for traces_data in document if isinstance(document, list) else [document]:
        if not isinstance(traces_data, dict):
            raise DecodeError(f"not a JSON object: {shown(traces_data)}")
        if traces_data and "resourceSpans" not in traces_data:
            raise DecodeError(f"not trace data: no resourceSpans, but {shown(list(traces_data))}")
        for resource_spans in _objects(traces_data, "resourceSpans"):
            resource = _resource(resource_spans)
            for scope_spans in _objects(resource_spans, "scopeSpans"):
                scope = _scope(scope_spans)
                for span in get_list(scope_spans, "spans"):
                    yield span, resource, scope


def _resource(resource_spans: dict[str, Any]) -> ResourceRecord:
    fields = _object(resource_spans, "resource")
    return ResourceRecord(
        attributes=decode_attributes(fields),
        schema_url=_text(resource_spans, "schemaUrl"),
        dropped_attributes_count=_count(fields, "droppedAttributesCount"),
    )


def _scope(scope_spans: dict[str, Any]) -> ScopeRecord:
    fields = _object(scope_spans, "scope")
    return ScopeRecord(
        name=_text(fields, "name"),
        version=_text(fields, "version"),
        attributes=decode_attributes(fields),
        schema_url=_text(scope_spans, "schemaUrl"),
        dropped_attributes_count=_count(fields, "droppedAttributesCount"),
    )


def _span(fields: object, resource: ResourceRecord, scope: ScopeRecord) -> SpanRecord:
    if not isinstance(fields, dict):
        raise DecodeError(f"not a JSON object: {shown(fields)}")
    status = _object(fields, "status")
    return SpanRecord(
        trace_id=checked_id(fields.get("traceId"), TRACE_ID_DIGITS, "traceId"),
        span_id=checked_id(fields.get("spanId"), SPAN_ID_DIGITS, "spanId"),
        parent_span_id=checked_parent_id(fields.get("parentSpanId"), "parentSpanId"),
        name=_text(fields, "name"),
        start_time_unix_nano=_time(fields, "startTimeUnixNano"),
        end_time_unix_nano=_time(fields, "endTimeUnixNano") or None,
        kind=_enum(fields, "kind", SPAN_KINDS, "SPAN_KIND_"),
        status_code=_enum(status, "code", STATUS_CODES, "STATUS_CODE_"),
        status_message=_text(status, "message"),
        attributes=decode_attributes(fields),
        events=tuple([_event(event) for event in _objects(fields, "events")]),
        links=tuple([_link(link) for link in _objects(fields, "links")]),
        resource=resource,
        scope=scope,
        trace_state=_text(fields, "traceState"),
        flags=_count(fields, "flags"),
        dropped_attributes_count=_count(fields, "droppedAttributesCount"),
        dropped_events_count=_count(fields, "droppedEventsCount"),
        dropped_links_count=_count(fields, "droppedLinksCount"),
    )


def _event(fields: dict[str, Any]) -> EventRecord:
    return EventRecord(
        name=_text(fields, "name"),
        time_unix_nano=_time(fields, "timeUnixNano"),
        attributes=decode_attributes(fields),
        dropped_attributes_count=_count(fields, "droppedAttributesCount"),
    )


def _link(fields: dict[str, Any]) -> LinkRecord:
    return LinkRecord(
        trace_id=checked_optional_id(fields.get("traceId"), TRACE_ID_DIGITS, "link traceId"),
        span_id=checked_optional_id(fields.get("spanId"), SPAN_ID_DIGITS, "link spanId"),
        attributes=decode_attributes(fields),
        trace_state=_text(fields, "traceState"),
        flags=_count(fields, "flags"),
        dropped_attributes_count=_count(fields, "droppedAttributesCount"),
    )


def _object(fields: dict[str, Any], name: str) -> dict[str, Any]:
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise DecodeError(f"{name} is not an object: {shown(value)}")
    return value


def _objects(fields: dict[str, Any], name: str) -> list[dict[str, Any]]:
    values = get_list(fields, name)
    for value in values:
        if not isinstance(value, dict):
            raise DecodeError(f"{name} holds what is not an object: {shown(value)}")
    return values


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DecodeError(f"{name} is not a string: {shown(value)}")
    return value


def _time(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    return 0 if value is None else checked_time(decode_integer(value, name), name)


def _count(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    if value is None:
        return 0
    number = decode_integer(value, name)
    if not 0 <= number <= _UINT32_MAX:
        raise DecodeError(f"{name} is not a 32-bit unsigned integer: {shown(value)}")
    return number


def _enum(fields: dict[str, Any], name: str, names: Sequence[str], prefix: str) -> str:
    value = fields.get(name)
    if isinstance(value, str) and not value.isdecimal():
        return value.removeprefix(prefix) if value.removeprefix(prefix) in names else names[0]
    number = 0 if value is None else decode_integer(value, name)
    return names[number] if 0 <= number < len(names) else names[0]
