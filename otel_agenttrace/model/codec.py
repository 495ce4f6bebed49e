"""SpanRecord and the SDK's ReadableSpan <-> the serialised record: what is redacted, queued and kept on disk.

A serialised record is three JSON texts, since many spans share one resource and one scope. Field names are
SpanRecord's; what is empty is left out, and values are written as in `model.json_values`. A text that holds one of the
tags of that module, or may, starts with a space, so that all others are read without being walked.

Encoding runs on the agent's thread, decoding for every span that is stored: both are a call into orjson, and as
little Python around it as there can be.
"""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from opentelemetry.trace import DEFAULT_TRACE_STATE, SpanKind

from otel_agenttrace.errors import DecodeError
from otel_agenttrace.model.drafts import draft_of
from otel_agenttrace.model.json_values import is_plain, tagged, untagged
from otel_agenttrace.model.record import EventRecord, LinkRecord, ResourceRecord, ScopeRecord, SpanRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    from otel_agenttrace.model.record import AnyValue, Attributes

HAS_IS_REMOTE = 0x100
"""In `flags`, as in OTLP's SpanFlags: `IS_REMOTE` is told."""

IS_REMOTE = 0x200
"""In `flags`, as in OTLP's SpanFlags: whether the parent (or the linked span) is of another process."""

_MAY_BE_TAGGED = b" "

_KEPT_EVEN_IF_EMPTY = frozenset(
    {"trace_id", "span_id", "name", "start_time_unix_nano", "end_time_unix_nano", "time_unix_nano"}
)
_NAMES = {
    kind: tuple(field.name for field in fields(kind) if field.name not in ("resource", "scope"))
    for kind in (SpanRecord, EventRecord, LinkRecord, ResourceRecord, ScopeRecord)
}


class SerializedSpan(NamedTuple):
    """One span as three UTF-8 JSON texts."""

    span: bytes
    resource: bytes
    scope: bytes


def serialize_record(record: SpanRecord) -> SerializedSpan:
    """Serialise a record; `deserialize` gives an equal one back, and serialising that gives the same bytes."""
    return SerializedSpan(
        _dump(_record_fields(record)), _dump(_non_empty(record.resource)), _dump(_non_empty(record.scope))
    )


def serialize_readable(
    span: ReadableSpan, extra_events: Sequence[EventRecord] = (), attributes: Attributes | None = None
) -> SerializedSpan:
    """Serialise an SDK span, with `extra_events` behind its own, and `attributes` in place of its own if given.

    What OTLP cannot say (an unpaired surrogate, nesting beyond 100 levels) is written as text.
    """
    if attributes is None:
        # A copy through the proxy is one call into C; iterating the SDK's mapping is Python code per key.
        attributes = span.attributes.copy()  # type: ignore[union-attr]
    try:
        text = None if extra_events else _simple_text(span, attributes)
    except TypeError:
        text = None  # what orjson refuses, see _dump
    return SerializedSpan(
        text or _dump(_readable_fields(span, extra_events, attributes)),
        serialize_resource(span.resource),
        serialize_scope(span.instrumentation_scope),
    )


def deserialize(serialized: SerializedSpan) -> SpanRecord:
    """Raise DecodeError if the texts are not a serialised record."""
    try:
        found = _load(serialized.span)
        if "events" in found:
            found["events"] = tuple([EventRecord(**event) for event in found["events"]])
        if "links" in found:
            found["links"] = tuple([LinkRecord(**link) for link in found["links"]])
        found["resource"] = _load_resource(serialized.resource)
        found["scope"] = _load_scope(serialized.scope)
        record = _Draft(**found)
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        raise DecodeError(f"not a serialised span: {error}") from error
    record.__class__ = SpanRecord
    return record  # type: ignore[no-any-return]


_Draft = draft_of(SpanRecord)


def serialize_value(value: AnyValue) -> str:
    """Return the JSON text that stands for an attribute value in a serialised record."""
    return orjson.dumps(tagged(value)).decode()


def load_fields(text: bytes) -> dict[str, Any]:
    """Return the fields in one text of a serialised record, by name; events and links stay mappings.

    Raises:
        ValueError: the text is not JSON.
        TypeError: it is not an object.
    """
    return _load(text)


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


def _simple_text(span: ReadableSpan, attributes: Attributes) -> bytes | None:
    """The text of a span that has nothing but attributes, as most have, ended or not; None for any other.

    It is what `_dump` makes of the span's fields, in half the time.
    """
    context, end_time, parent = span.context, span.end_time, span.parent
    # Read as `events` and `links`, two empty lists cost a twentieth of the whole span: each is copied under a lock.
    if not span.status.is_unset or span._events or span._links:  # noqa: SLF001
        return None
    if span.dropped_attributes or span.dropped_events or span.dropped_links:
        return None
    if context.trace_state is not DEFAULT_TRACE_STATE or (values := _plain_text(attributes)) is None:
        return None
    flags = context.trace_flags | HAS_IS_REMOTE
    above = b""
    if parent is not None:
        above = b'"parent_span_id":"%016x",' % parent.span_id
        if parent.is_remote:
            flags |= IS_REMOTE
    return _SIMPLE_TEXT % (
        context.trace_id,
        context.span_id,
        orjson.dumps(span.name),
        span.start_time,
        b"" if end_time is None else b'"end_time_unix_nano":%d,' % end_time,
        above,
        _KIND_TEXTS[span.kind._name_],
        values,
        flags,
    )


_SIMPLE_TEXT = (
    b'{"trace_id":"%032x","span_id":"%016x","name":%b,"start_time_unix_nano":%d,%b%b"kind":"%b","attributes":%b,'
    b'"flags":%d}'
)
_KIND_TEXTS = {kind.name: kind.name.encode() for kind in SpanKind}
_SELF_EVIDENT = frozenset({bool, float, int, str})


def _plain_text(attributes: Attributes) -> bytes | None:
    """Attributes as JSON; None where there are none, or where plain JSON does not say them."""
    try:
        text = orjson.dumps(attributes)
    except TypeError:
        # Contract constants are str subclasses, which it takes as keys only with this option, and then for longer.
        text = orjson.dumps(attributes, option=orjson.OPT_NON_STR_KEYS)
    if len(attributes) > 1 and _SELF_EVIDENT.issuperset(map(type, attributes.values())) and b":null" not in text:
        return text  # a float that JSON has no number for would be null
    return text if attributes and is_plain(attributes) else None


def _readable_fields(span: ReadableSpan, extra_events: Sequence[EventRecord], attributes: Attributes) -> dict[str, Any]:
    """The fields in the order of SpanRecord's."""
    context, parent, status, trace_state = span.context, span.parent, span.status, span.context.trace_state
    found: dict[str, Any] = {
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "name": span.name,
        "start_time_unix_nano": span.start_time,
    }
    if span.end_time is not None:
        found["end_time_unix_nano"] = span.end_time
    if parent is not None:
        found["parent_span_id"] = f"{parent.span_id:016x}"
    found["kind"] = span.kind.name
    if not status.is_unset:
        found |= _status_fields(status)
    if attributes:
        found["attributes"] = attributes
    if (events := span.events) or extra_events:
        found["events"] = [*map(_event_fields, events), *map(_non_empty, extra_events)]
    if links := span.links:
        found["links"] = [_link_fields(link) for link in links]
    if trace_state:
        found["trace_state"] = trace_state.to_header()
    is_remote = parent is not None and parent.is_remote
    found["flags"] = context.trace_flags | HAS_IS_REMOTE | (IS_REMOTE if is_remote else 0)
    _add_dropped_counts(found, span)
    return found


def _status_fields(status: Any) -> dict[str, str]:
    found = {"status_code": status.status_code.name}
    if status.description:
        found["status_message"] = status.description
    return found


def _add_dropped_counts(found: dict[str, Any], span: ReadableSpan) -> None:
    for name in ("dropped_attributes", "dropped_events", "dropped_links"):
        if count := getattr(span, name):
            found[name + "_count"] = count


def _event_fields(event: Any) -> dict[str, Any]:
    found = {"name": event.name, "time_unix_nano": event.timestamp}
    if event.attributes:
        found["attributes"] = event.attributes.copy()
    if event.dropped_attributes:
        found["dropped_attributes_count"] = event.dropped_attributes
    return found


def _link_fields(link: Any) -> dict[str, Any]:
    context = link.context
    found: dict[str, Any] = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
    if link.attributes:
        found["attributes"] = dict(link.attributes)
    if context.trace_state:
        found["trace_state"] = context.trace_state.to_header()
    found["flags"] = context.trace_flags | HAS_IS_REMOTE | (IS_REMOTE if context.is_remote else 0)
    if link.dropped_attributes:
        found["dropped_attributes_count"] = link.dropped_attributes
    return found


def _record_fields(record: SpanRecord) -> dict[str, Any]:
    found = _non_empty(record)
    if found["status_code"] == "UNSET":
        del found["status_code"]
    for name in ("events", "links"):
        if name in found:
            found[name] = [_non_empty(item) for item in found[name]]
    return found


def _non_empty(record: Any) -> dict[str, Any]:
    """The fields of one of our records that say something; zero times and empty names are kept."""
    found = {}
    for name in _NAMES[type(record)]:
        value = getattr(record, name)
        if value or (value is not None and name in _KEPT_EVEN_IF_EMPTY):
            found[name] = value
    return found


def _dump(found: dict[str, Any]) -> bytes:
    if _says_itself(found):
        try:
            # Contract constants are str subclasses, which orjson takes as keys only with this option.
            return orjson.dumps(found, option=orjson.OPT_NON_STR_KEYS)
        except TypeError:
            pass  # an integer beyond 64 bits or an unpaired surrogate: written as below
    return _MAY_BE_TAGGED + orjson.dumps(tagged(found))


def _says_itself(found: dict[str, Any]) -> bool:
    if "attributes" in found and not is_plain(found["attributes"]):
        return False
    for name in ("events", "links"):
        for item in found.get(name, ()):
            if "attributes" in item and not is_plain(item["attributes"]):
                return False
    return True


def _load(text: bytes) -> dict[str, Any]:
    found = orjson.loads(text)
    if not isinstance(found, dict):
        raise TypeError("not a JSON object")
    return {key: untagged(item) for key, item in found.items()} if text.startswith(_MAY_BE_TAGGED) else found
