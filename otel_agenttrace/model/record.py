"""SpanRecord: one span as every part of this package passes it on.

The fields are those of an OTLP span (https://opentelemetry.io/docs/specs/otel/protocol/), flattened: enums are
their names, ids lower-case hex, times integer nanoseconds since the Unix epoch. A record is a value: stages return
a new one (`dataclasses.replace`) and never write into the mappings of the one they were given.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

from otel_agenttrace.model.drafts import draft_of

if TYPE_CHECKING:
    from collections.abc import Mapping

AnyValue: TypeAlias = "str | bool | int | float | bytes | list[AnyValue] | dict[str, AnyValue] | None"
"""An attribute value, see https://opentelemetry.io/docs/specs/otel/common/#anyvalue. Sequences are lists."""

Attributes: TypeAlias = "dict[str, AnyValue]"

SPAN_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
"""Span kind names; the position is the OTLP enum number."""

STATUS_CODES = ("UNSET", "OK", "ERROR")
"""Status code names; the position is the OTLP enum number."""

REVISION = "agenttrace.revision"
"""Counts the versions of one span that is written more than once (a task updated from several processes)."""

ENDED_BY = "agenttrace.ended_by"
"""Who ended a span that its own process could not end; absent on a span that ended by itself."""

OUTLIVES_PROCESS = "agenttrace.outlives_process"
"""True on a span that is driven from outside, by commands: it stays open when the process that wrote it is gone."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """A span event. `time_unix_nano` is nanoseconds since the Unix epoch."""

    name: str
    time_unix_nano: int
    attributes: Attributes = field(default_factory=dict)
    dropped_attributes_count: int = 0


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """A span link. Ids are lower-case hex."""

    trace_id: str
    span_id: str
    attributes: Attributes = field(default_factory=dict)
    trace_state: str = ""
    flags: int = 0
    dropped_attributes_count: int = 0


@dataclass(frozen=True, slots=True)
class ResourceRecord:
    """The resource that emitted a span."""

    attributes: Attributes = field(default_factory=dict)
    schema_url: str = ""
    dropped_attributes_count: int = 0

    @property
    def service_name(self) -> str:
        """`service.name`, or an empty string."""
        return str(self.attributes.get("service.name") or "")


@dataclass(frozen=True, slots=True)
class ScopeRecord:
    """The instrumentation scope that emitted a span."""

    name: str = ""
    version: str = ""
    attributes: Attributes = field(default_factory=dict)
    schema_url: str = ""
    dropped_attributes_count: int = 0


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """One span. `end_time_unix_nano` is None while it is open; `parent_span_id` is None on a root."""

    trace_id: str
    span_id: str
    name: str
    start_time_unix_nano: int
    end_time_unix_nano: int | None = None
    parent_span_id: str | None = None
    kind: str = "INTERNAL"
    status_code: str = "UNSET"
    status_message: str = ""
    attributes: Attributes = field(default_factory=dict)
    events: tuple[EventRecord, ...] = ()
    links: tuple[LinkRecord, ...] = ()
    resource: ResourceRecord = ResourceRecord()
    scope: ScopeRecord = ScopeRecord()
    trace_state: str = ""
    flags: int = 0
    dropped_attributes_count: int = 0
    dropped_events_count: int = 0
    dropped_links_count: int = 0

    @property
    def identity(self) -> tuple[str, str, int]:
        """What makes two records the same span: some emitters reuse a span id with another start time."""
        return self.trace_id, self.span_id, self.start_time_unix_nano

    @property
    def duration_nano(self) -> int | None:
        """Nanoseconds from start to end, None while open; negative where the emitter's clock jumped back."""
        return None if self.end_time_unix_nano is None else self.end_time_unix_nano - self.start_time_unix_nano


_FIELDS_OF = attrgetter(*(each.name for each in fields(SpanRecord)))
_Draft = draft_of(SpanRecord)


def with_attributes(record: SpanRecord, attributes: Attributes) -> SpanRecord:
    """The record with other attributes; for stages, which every span passes: `dataclasses.replace` takes longer."""
    made = _Draft(*_FIELDS_OF(record))
    made.attributes = attributes
    made.__class__ = SpanRecord
    return made  # type: ignore[no-any-return]


def session_id_of(attributes: Mapping[str, AnyValue]) -> str | None:
    """The session that a span names itself: `session.id`, else `gen_ai.conversation.id`, else None."""
    value = attributes.get("session.id") or attributes.get("gen_ai.conversation.id")
    return str(value) if value else None


def completeness(record: SpanRecord) -> tuple[int, int]:
    """Order among records of one identity: ended by itself > ended on its behalf > open, then the revision.

    Of two records that are equal here, the one with the greater serialised bytes wins (see `stores.api`), so that
    the result depends neither on order nor on repetition.
    """
    revision = record.attributes.get(REVISION)
    number = revision if isinstance(revision, int) else 0
    if record.end_time_unix_nano is None:
        return 0, number
    return (1 if ENDED_BY in record.attributes else 2), number
