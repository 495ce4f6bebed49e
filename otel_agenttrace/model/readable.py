"""SpanRecord -> the SDK's ReadableSpan, so that any SpanExporter can be given what this package keeps.

An exporter sees what it would have seen from the SDK: sequences are tuples, dropped counts and the remote parent are
there. Three things have no place in the SDK's classes and are left out: the dropped counts of resource and scope, a
status message beside anything but ERROR (https://opentelemetry.io/docs/specs/otel/trace/api/#set-status), and a trace
state that breaks the W3C grammar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from otel_agenttrace.model.codec import IS_REMOTE

if TYPE_CHECKING:
    from otel_agenttrace.model.record import (
        Attributes,
        EventRecord,
        LinkRecord,
        ResourceRecord,
        ScopeRecord,
        SpanRecord,
    )

_W3C_FLAGS = 0xFF


def to_readable_span(record: SpanRecord) -> ReadableSpan:
    """The record as a span that any SpanExporter takes. Spans that share a ResourceRecord share a Resource."""
    return _RecordSpan(record)


def source_record(span: ReadableSpan) -> SpanRecord | None:
    """The record that `to_readable_span` made this span from; None if it came about otherwise."""
    return span.source if isinstance(span, _RecordSpan) else None


class _RecordSpan(ReadableSpan):
    # The SDK reads the dropped counts off containers that also clean and bound what is put in; a record is clean.

    def __init__(self, record: SpanRecord) -> None:
        super().__init__(
            name=record.name,
            context=_context(record.trace_id, record.span_id, record.flags & _W3C_FLAGS, record.trace_state),
            parent=_parent(record),
            resource=_resource(record.resource),
            attributes=_frozen_attributes(record.attributes),
            events=[_RecordEvent(event) for event in record.events],
            links=[_RecordLink(link) for link in record.links],
            kind=_KINDS.get(record.kind, SpanKind.INTERNAL),
            status=_status(record),
            start_time=record.start_time_unix_nano,
            end_time=record.end_time_unix_nano,
            instrumentation_scope=_scope(record.scope),
        )
        self.source = record

    @property
    def dropped_attributes(self) -> int:
        return self.source.dropped_attributes_count

    @property
    def dropped_events(self) -> int:
        return self.source.dropped_events_count

    @property
    def dropped_links(self) -> int:
        return self.source.dropped_links_count


class _RecordEvent(Event):
    def __init__(self, record: EventRecord) -> None:
        super().__init__(record.name, _frozen_attributes(record.attributes), record.time_unix_nano)
        self._dropped = record.dropped_attributes_count

    @property
    def dropped_attributes(self) -> int:
        return self._dropped


class _RecordLink(Link):
    def __init__(self, record: LinkRecord) -> None:
        super().__init__(
            _context(record.trace_id, record.span_id, record.flags, record.trace_state),
            _frozen_attributes(record.attributes),
        )
        self._dropped = record.dropped_attributes_count

    @property
    def dropped_attributes(self) -> int:
        return self._dropped


_KINDS = dict(SpanKind.__members__)


def _context(trace_id: str, span_id: str, flags: int, trace_state: str) -> SpanContext:
    return SpanContext(
        trace_id=int(trace_id or "0", 16),
        span_id=int(span_id or "0", 16),
        is_remote=bool(flags & IS_REMOTE),
        trace_flags=TraceFlags(flags & _W3C_FLAGS),
        trace_state=TraceState.from_header([trace_state]) if trace_state else None,
    )


def _parent(record: SpanRecord) -> SpanContext | None:
    if record.parent_span_id is None:
        return None
    return _context(record.trace_id, record.parent_span_id, record.flags, record.trace_state)


def _status(record: SpanRecord) -> Status:
    code = StatusCode[record.status_code]
    return Status(code, record.status_message or None) if code is StatusCode.ERROR else Status(code)


def _frozen_attributes(attributes: Attributes) -> dict[str, Any]:
    return {key: _frozen(value) for key, value in attributes.items()}


def _frozen(value: Any) -> Any:
    if isinstance(value, (str, bytes)):
        return value
    if isinstance(value, Sequence):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, Mapping):
        return {key: _frozen(item) for key, item in value.items()}
    return value


_converted: dict[int, tuple[object, Any]] = {}
"""Resources and scopes by id() of the record, which is kept alive so that the id stays its own.

Many spans share one of each, and exporters group spans by them: the same object makes that comparison cheap.
"""
_MAX_CONVERTED = 4096


def _resource(record: ResourceRecord) -> Resource:
    kept = _converted.get(id(record))
    if kept is None:
        kept = _keep(record, Resource(_frozen_attributes(record.attributes), record.schema_url))
    resource: Resource = kept[1]
    return resource


def _scope(record: ScopeRecord) -> InstrumentationScope:
    kept = _converted.get(id(record))
    if kept is None:
        attributes = _frozen_attributes(record.attributes)
        kept = _keep(record, InstrumentationScope(record.name, record.version, record.schema_url, attributes))
    scope: InstrumentationScope = kept[1]
    return scope


def _keep(record: object, made: object) -> tuple[object, Any]:
    if len(_converted) >= _MAX_CONVERTED:
        _converted.clear()
    return _converted.setdefault(id(record), (record, made))
