"""SpanRecord and the SDK's ReadableSpan <-> the serialised record: what is redacted, queued and kept on disk.

A serialised record is three JSON texts, since many spans share one resource and one scope. Field names are
SpanRecord's; what is empty is left out. Plain JSON says everything but bytes, NaN, infinities and integers beyond
64 bits: those are objects with one key named as in OTLP JSON (`{"bytesValue": "AAE="}`, `{"doubleValue": "NaN"}`,
`{"intValue": "18446744073709551616"}`), and a mapping that looks like one of those is itself written as
`{"kvlistValue": {...}}`.

Encoding runs on the agent's thread, so the common case is one call into orjson and two substring searches; only a
record that needs a tag, or cannot be encoded at all, is walked in Python.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from otel_agenttrace.errors import DecodeError
from otel_agenttrace.model.record import (
    EventRecord,
    LinkRecord,
    ResourceRecord,
    ScopeRecord,
    SpanRecord,
)

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    from otel_agenttrace.model.record import AnyValue, Attributes

_TAGS = frozenset({"bytesValue", "doubleValue", "intValue", "kvlistValue"})
_MAX_DEPTH = 100
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1


class SerializedSpan(NamedTuple):
    """One span as three UTF-8 JSON texts."""

    span: bytes
    resource: bytes
    scope: bytes


def serialize_record(record: SpanRecord) -> SerializedSpan:
    """Serialise a record; `deserialize` gives an equal one back."""
    return SerializedSpan(
        _dump(_record_fields(record)),
        _dump(_non_empty(record.resource)),
        _dump(_non_empty(record.scope)),
    )


def serialize_readable(span: ReadableSpan, extra_events: Sequence[EventRecord] = ()) -> SerializedSpan:
    """Serialise an SDK span, with `extra_events` behind its own.

    What OTLP cannot say (an unpaired surrogate, nesting beyond 100 levels) is written as text.
    """
    return SerializedSpan(
        _dump(_readable_fields(span, extra_events)),
        serialize_resource(span.resource),
        serialize_scope(span.instrumentation_scope),
    )


def deserialize(serialized: SerializedSpan) -> SpanRecord:
    """Raise DecodeError if the texts are not a serialised record."""
    try:
        fields = _load(serialized.span)
        fields["events"] = tuple(EventRecord(**event) for event in fields.get("events", ()))
        fields["links"] = tuple(LinkRecord(**link) for link in fields.get("links", ()))
        return SpanRecord(
            resource=_load_resource(serialized.resource), scope=_load_scope(serialized.scope), **fields
        )
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise DecodeError(f"not a serialised span: {error}") from error


def serialize_resource(resource: Resource) -> bytes:
    """Serialise an SDK resource; a process has few, so the texts are kept."""
    kept = _texts.get(id(resource))
    if kept is None:
        text = _dump({"attributes": dict(resource.attributes), "schema_url": resource.schema_url})
        kept = _keep(resource, text)
    return kept[1]


def serialize_scope(scope: InstrumentationScope | None) -> bytes:
    """Serialise an SDK instrumentation scope; a process has few, so the texts are kept."""
    kept = _texts.get(id(scope))
    if kept is None:
        kept = _keep(scope, b"{}" if scope is None else _dump(_scope_fields(scope)))
    return kept[1]


_texts: dict[int, tuple[object, bytes]] = {}
"""Serialised resources and scopes by id() of the object, which is kept alive so that the id stays its own.

Not by equality: hashing an SDK Resource dumps it to JSON, 4 microseconds each time.
"""
_MAX_TEXTS = 4096


def _keep(owner: object, text: bytes) -> tuple[object, bytes]:
    if len(_texts) >= _MAX_TEXTS:
        _texts.clear()
    return _texts.setdefault(id(owner), (owner, text))


def _scope_fields(scope: InstrumentationScope) -> dict[str, Any]:
    return {
        "name": scope.name,
        "version": scope.version or "",
        "attributes": dict(scope.attributes or {}),
        "schema_url": scope.schema_url or "",
    }


@lru_cache(maxsize=256)
def _load_resource(text: bytes) -> ResourceRecord:
    return ResourceRecord(**_load(text))


@lru_cache(maxsize=1024)
def _load_scope(text: bytes) -> ScopeRecord:
    return ScopeRecord(**_load(text))


def _readable_fields(span: ReadableSpan, extra_events: Sequence[EventRecord]) -> dict[str, Any]:
    context = span.context
    fields: dict[str, Any] = {
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "name": span.name,
        "start_time_unix_nano": span.start_time,
        "kind": span.kind.name,
        # A copy through the proxy is one call into C; iterating the SDK's mapping is Python code per key.
        "attributes": span.attributes.copy(),  # type: ignore[union-attr]
        "flags": int(context.trace_flags),
    }
    if span.end_time is not None:
        fields["end_time_unix_nano"] = span.end_time
    if span.parent is not None:
        fields["parent_span_id"] = f"{span.parent.span_id:016x}"
    if context.trace_state:
        fields["trace_state"] = context.trace_state.to_header()
    status = span.status
    if not status.is_unset:
        fields["status_code"] = status.status_code.name
        if status.description:
            fields["status_message"] = status.description
    if (events := span.events) or extra_events:
        fields["events"] = [_event_fields(event) for event in events]
        fields["events"] += [_non_empty(event) for event in extra_events]
    if links := span.links:
        fields["links"] = [_link_fields(link) for link in links]
    for name in ("dropped_attributes", "dropped_events", "dropped_links"):
        if count := getattr(span, name):
            fields[name + "_count"] = count
    return fields


def _event_fields(event: Any) -> dict[str, Any]:
    fields = {"name": event.name, "time_unix_nano": event.timestamp, "attributes": dict(event.attributes or {})}
    if event.dropped_attributes:
        fields["dropped_attributes_count"] = event.dropped_attributes
    return fields


def _link_fields(link: Any) -> dict[str, Any]:
    context = link.context
    fields = {
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "attributes": dict(link.attributes or {}),
        "trace_state": context.trace_state.to_header(),
        "flags": int(context.trace_flags),
    }
    if link.dropped_attributes:
        fields["dropped_attributes_count"] = link.dropped_attributes
    return fields


def _record_fields(record: SpanRecord) -> dict[str, Any]:
    fields = _non_empty(record, skip=("resource", "scope"))
    for name in ("events", "links"):
        if name in fields:
            fields[name] = [_non_empty(item) for item in fields[name]]
    return fields


def _non_empty(record: Any, skip: Sequence[str] = ()) -> dict[str, Any]:
    """The fields of one of our records that say something; zero times and empty names are kept."""
    fields = {}
    for name in record.__slots__:
        value = getattr(record, name)
        if name not in skip and (value or name in ("name", "start_time_unix_nano", "end_time_unix_nano", "time_unix_nano")):
            if value is not None:
                fields[name] = value
    return fields


def _dump(fields: dict[str, Any]) -> bytes:
    try:
        # Contract constants are str subclasses, which orjson takes as keys only with this option.
        text = orjson.dumps(fields, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return orjson.dumps(_tagged(fields))
    if b"null" in text or b'Value"' in text:
        return orjson.dumps(_tagged(fields))
    return text


def _tagged(value: Any, depth: int = 0) -> Any:
    """A copy of `value` that JSON can hold without loss, see the module's docstring."""
    if depth > _MAX_DEPTH:
        return _text(str(value))
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return value if _INT64_MIN <= value <= _INT64_MAX else {"intValue": str(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"doubleValue": _NON_FINITE_NAMES.get(value, "NaN")}
    if isinstance(value, bytes):
        return {"bytesValue": base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        tagged = {_text(str(key)): _tagged(item, depth + 1) for key, item in value.items()}
        return {"kvlistValue": tagged} if len(tagged) == 1 and _TAGS & tagged.keys() else tagged
    if isinstance(value, Sequence):
        return [_tagged(item, depth + 1) for item in value]
    return _text(str(value))


_NON_FINITE_NAMES = {math.inf: "Infinity", -math.inf: "-Infinity"}


def _text(value: str) -> str:
    """`value`, with unpaired surrogates spelled out: they have no UTF-8."""
    return value.encode("utf-8", "backslashreplace").decode()


def _load(text: bytes) -> dict[str, Any]:
    fields = orjson.loads(text)
    if not isinstance(fields, dict):
        raise TypeError("not a JSON object")
    return {key: _untagged(item) for key, item in fields.items()} if b'Value"' in text else fields


def _untagged(value: Any) -> AnyValue:
    if isinstance(value, list):
        return [_untagged(item) for item in value]
    if not isinstance(value, dict):
        return value  # type: ignore[no-any-return]
    if len(value) == 1:
        ((key, item),) = value.items()
        if key in _TAGS:
            return _untag(key, item)
    return {key: _untagged(item) for key, item in value.items()}


def _untag(tag: str, item: Any) -> AnyValue:
    if tag == "bytesValue":
        return base64.b64decode(item)
    if tag == "doubleValue":
        return float(item)
    if tag == "intValue":
        return int(item)
    attributes: Attributes = {key: _untagged(inner) for key, inner in item.items()}
    return attributes
