"""Records as the SDK's spans."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import given
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_agenttrace.model.codec import deserialize, serialize_readable
from otel_agenttrace.model.readable import source_record, to_readable_span
from otel_agenttrace.model.record import EventRecord, LinkRecord, ResourceRecord, ScopeRecord, SpanRecord
from otel_agenttrace.testing.spans import START, make_span
from otel_agenttrace.testing.strategies import span_records

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue

_Part = TypeVar("_Part", ResourceRecord, ScopeRecord)

KNOWN, REMOTE = 0x100, 0x200
"""OTLP's flags: it is known whether the parent (or the linked span) is remote; it is."""


def full_record() -> SpanRecord:
    """A record in which every field says something."""
    return make_span(
        parent_span_id="00f067aa0ba902b7",
        kind="CLIENT",
        status_code="ERROR",
        status_message="no such flight",
        attributes={
            "structured": {"list": [1, 2.5, [True, None]], "bytes": b"\x00\x01"},
            "": "an empty key",
            "none": None,
        },
        events=(EventRecord("exception", START + 1, {"exception.type": "ValueError"}, 3),),
        links=(
            LinkRecord(
                "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", {"k": ["v"]}, "a=1", KNOWN | REMOTE | 1, 2
            ),
        ),
        resource=ResourceRecord({"service.name": "booking", "pid": 7}, "https://opentelemetry.io/schemas/1.37.0"),
        scope=ScopeRecord("lib", "2.0", {"x": 1}, "https://opentelemetry.io/schemas/1.36.0"),
        trace_state="vendor=abc,other=1",
        flags=KNOWN | REMOTE | 3,
        dropped_attributes_count=4,
        dropped_events_count=5,
        dropped_links_count=6,
    )


def test_nothing_is_lost_on_the_way_to_an_sdk_span() -> None:
    """Ids, times, kind, status, attributes, events, links, resource, scope, flags and dropped counts are kept."""
    record = full_record()

    assert deserialize(serialize_readable(to_readable_span(record))) == record


def test_what_was_dropped_is_counted_where_nothing_of_it_was_kept() -> None:
    """A limit of 0 keeps no event and no link."""
    record = make_span(dropped_events_count=2, dropped_links_count=3, flags=KNOWN)

    assert deserialize(serialize_readable(to_readable_span(record))) == record


@given(span_records)
def test_any_record_becomes_an_sdk_span(record: SpanRecord) -> None:
    """Whatever OTLP can say survives, but for what the SDK's classes have no place for."""
    record = dataclasses.replace(
        record,
        trace_state="",
        links=tuple(dataclasses.replace(link, trace_state="") for link in record.links),
        resource=_without_nameless(record.resource),
        scope=_without_nameless(record.scope),
    )
    expected = dataclasses.replace(
        record,
        flags=_said_by_sdk(record.flags, remote=record.parent_span_id is not None),
        links=tuple(dataclasses.replace(link, flags=_said_by_sdk(link.flags)) for link in record.links),
        kind="INTERNAL" if record.kind == "UNSPECIFIED" else record.kind,
        status_message=record.status_message if record.status_code == "ERROR" else "",
    )

    assert repr(deserialize(serialize_readable(to_readable_span(record)))) == repr(expected)


def _said_by_sdk(flags: int, *, remote: bool = True) -> int:
    return flags & 0xFF | KNOWN | (flags & REMOTE if remote else 0)


def _without_nameless(part: _Part) -> _Part:
    """The SDK drops attributes without a name from resources and scopes, and has no dropped counts there."""
    attributes = {key: _named(value) for key, value in part.attributes.items() if key}
    return dataclasses.replace(part, attributes=attributes, dropped_attributes_count=0)


def _named(value: AnyValue) -> AnyValue:
    if isinstance(value, dict):
        return {key: _named(item) for key, item in value.items() if key}
    return [_named(item) for item in value] if isinstance(value, list) else value


def test_an_exporter_sees_what_the_sdk_would_have_given_it() -> None:
    """A span that went through a record is exported over OTLP as the same bytes as the span itself."""
    span = _sdk_span()
    through_record = to_readable_span(deserialize(serialize_readable(span)))

    assert encode_spans([through_record]) == encode_spans([span])
    assert isinstance(dict(through_record.attributes or {})["list"], tuple)


def _sdk_span() -> ReadableSpan:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "s"}, "https://example.com/schema"))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("scope", "1.0", attributes={"a": 1})
    with tracer.start_as_current_span("parent") as parent:
        link = trace.Link(parent.get_span_context(), {"why": "because"})
        with tracer.start_as_current_span("child", kind=trace.SpanKind.CLIENT, links=[link]) as child:
            child.set_attributes({"list": ["a", "b"], "nested": {"deep": [1, None]}, "bytes": b"\xff"})
            child.add_event("seen", {"n": 1})
            child.set_status(trace.StatusCode.ERROR, "broken")
    provider.shutdown()
    return exporter.get_finished_spans()[0]


def test_a_remote_parent_stays_remote() -> None:
    """OTLP's remote bit becomes the parent's `is_remote`; trace flags stay W3C's one byte."""
    span = to_readable_span(dataclasses.replace(full_record(), flags=KNOWN | REMOTE | 1))

    assert span.parent is not None
    assert span.parent.is_remote
    assert span.context.trace_flags == 1


def test_spans_of_one_resource_share_the_sdk_objects() -> None:
    """Exporters group by resource and scope; the same object makes that cheap."""
    record = full_record()
    one, other = (to_readable_span(dataclasses.replace(record, span_id=f"{n:016x}")) for n in (1, 2))

    assert one.resource is other.resource
    assert one.instrumentation_scope is other.instrumentation_scope


def test_an_open_span_has_no_end() -> None:
    """A record of a running span becomes a span without end time."""
    assert to_readable_span(make_span(end_time_unix_nano=None)).end_time is None


@pytest.mark.parametrize("trace_id", ["", "0" * 32])
def test_a_link_to_nothing_is_kept(trace_id: str) -> None:
    """The SDK allows links with an invalid context when they carry attributes."""
    span = to_readable_span(make_span(links=(LinkRecord(trace_id, "", {"k": "v"}),)))

    assert span.links[0].context.trace_id == 0
    assert span.links[0].attributes == {"k": "v"}


def test_a_span_knows_the_record_that_it_was_made_from() -> None:
    """Our own exporters need no way back; of the SDK's own spans there is no record."""
    record = full_record()

    assert source_record(to_readable_span(record)) is record
    assert source_record(_sdk_span()) is None
