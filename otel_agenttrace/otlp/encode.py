"""SpanRecords -> OTLP JSON. Pure functions: no I/O, no state.

What reading it again gives is equal to what was written, but for what OTLP cannot say: integers beyond 64 bits become
text, as do unpaired surrogates; and an end at 0 means that the span is open.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson

from otel_agenttrace.model.codec import deserialize, serialize_record
from otel_agenttrace.model.record import SPAN_KINDS, STATUS_CODES
from otel_agenttrace.otlp.values import encode_attributes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_agenttrace.model.record import EventRecord, LinkRecord, ResourceRecord, ScopeRecord, SpanRecord


def encode_json(spans: Sequence[SpanRecord]) -> bytes:
    """Write spans as one TracesData in JSON: UTF-8, on one line, without line end."""
    try:
        return orjson.dumps(encode_document(spans))
    except (TypeError, RecursionError):
        # Unpaired surrogates, or nesting: orjson stops at 254 JSON levels, of which a value's level takes up to four.
        return json.dumps(encode_document(cleaned(spans)), ensure_ascii=False, separators=(",", ":")).encode()


def encode_document(spans: Iterable[SpanRecord]) -> dict[str, Any]:
    """Write spans as one TracesData, as a value that JSON can hold."""
    return {
        "resourceSpans": [
            _resource_spans(resource, [_scope_spans(scope, records) for scope, records in scopes])
            for resource, scopes in group_spans(spans)
        ]
    }


def group_spans(
    spans: Iterable[SpanRecord],
) -> list[tuple[ResourceRecord, list[tuple[ScopeRecord, list[SpanRecord]]]]]:
    """Group spans by resource, then by scope, each in order of first appearance."""
    names: dict[int, str] = {}

    def name_of(part: ResourceRecord | ScopeRecord) -> str:
        # By repr(), since equality takes 1, 1.0 and True for the same; by identity first, since most are shared.
        return names.get(id(part)) or names.setdefault(id(part), repr(part))

    groups: dict[str, tuple[ResourceRecord, dict[str, tuple[ScopeRecord, list[SpanRecord]]]]] = {}
    for span in spans:
        _, scopes = groups.setdefault(name_of(span.resource), (span.resource, {}))
        _, records = scopes.setdefault(name_of(span.scope), (span.scope, []))
        records.append(span)
    return [(resource, list(scopes.values())) for resource, scopes in groups.values()]


def cleaned(spans: Iterable[SpanRecord]) -> list[SpanRecord]:
    """Return the spans as they are after a turn through the codec: what has no UTF-8 or nests too deep is text."""
    return [deserialize(serialize_record(span)) for span in spans]


def _resource_spans(resource: ResourceRecord, scope_spans: list[dict[str, Any]]) -> dict[str, Any]:
    fields = {"attributes": encode_attributes(resource.attributes)}
    fields |= _non_zero(droppedAttributesCount=resource.dropped_attributes_count)
    return {"resource": fields, "scopeSpans": scope_spans} | _non_zero(schemaUrl=resource.schema_url)


def _scope_spans(scope: ScopeRecord, spans: list[SpanRecord]) -> dict[str, Any]:
    fields = _non_zero(
        name=scope.name,
        version=scope.version,
        attributes=encode_attributes(scope.attributes),
        droppedAttributesCount=scope.dropped_attributes_count,
    )
    return {"scope": fields, "spans": [_span(span) for span in spans]} | _non_zero(schemaUrl=scope.schema_url)


def _span(span: SpanRecord) -> dict[str, Any]:
    fields = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": span.name,
        "kind": enum_number(span.kind, SPAN_KINDS),
        "startTimeUnixNano": str(span.start_time_unix_nano),
        "status": _non_zero(message=span.status_message, code=enum_number(span.status_code, STATUS_CODES)),
    }
    if span.end_time_unix_nano is not None:
        fields["endTimeUnixNano"] = str(span.end_time_unix_nano)
    return fields | _non_zero(
        parentSpanId=span.parent_span_id,
        attributes=encode_attributes(span.attributes),
        events=[_event(event) for event in span.events],
        links=[_link(link) for link in span.links],
        traceState=span.trace_state,
        flags=span.flags,
        droppedAttributesCount=span.dropped_attributes_count,
        droppedEventsCount=span.dropped_events_count,
        droppedLinksCount=span.dropped_links_count,
    )


def _event(event: EventRecord) -> dict[str, Any]:
    return {"timeUnixNano": str(event.time_unix_nano), "name": event.name} | _non_zero(
        attributes=encode_attributes(event.attributes),
        droppedAttributesCount=event.dropped_attributes_count,
    )


def _link(link: LinkRecord) -> dict[str, Any]:
    return {"traceId": link.trace_id, "spanId": link.span_id} | _non_zero(
        traceState=link.trace_state,
        attributes=encode_attributes(link.attributes),
        flags=link.flags,
        droppedAttributesCount=link.dropped_attributes_count,
    )


def enum_number(name: str, names: Sequence[str]) -> int:
    """Return the OTLP number of an enum's name; 0, the unspecified one, for a name that OTLP has not."""
    return names.index(name) if name in names else 0


def _non_zero(**fields: Any) -> dict[str, Any]:
    """The fields that say something: protobuf's default values may be left out."""
    return {name: value for name, value in fields.items() if value}
