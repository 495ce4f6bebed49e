"""What every store promises. `otel_agenttrace.testing` holds the suite that each of them passes.

A store keeps spans and nothing else (settings apart): failures, sessions and summaries are projections of spans,
plus index columns that can be rebuilt from them. Stores raise; those who call them on an agent's behalf catch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, get_args

from otel_agenttrace.errors import ConfigError, TraceNotFoundError
from otel_agenttrace.model.merge import conflicting as conflicting  # noqa: PLC0414  part of what stores promise
from otel_agenttrace.model.merge import greater as greater  # noqa: PLC0414  as above
from otel_agenttrace.model.merge import merge as merge  # noqa: PLC0414  as above

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.model.record import SpanRecord

Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", "exists"]
Order: TypeAlias = Literal["stored_desc", "stored_asc", "start_desc", "start_asc", "duration_desc"]


@dataclass(frozen=True, slots=True)
class AttributeFilter:
    """A condition on one attribute, looked up on the span, then on its resource.

    `=` and `!=` compare as text (so `"3"` finds the integer 3 and `"true"` the boolean; lists and mappings are their
    compact JSON, bytes base64), the four order operators as numbers; what is stored but not as a number never matches
    those. `!=` and the rest match only spans that have the attribute. `exists` ignores `value`. The resource is asked
    only for attributes that the span does not have.

    Raises:
        ConfigError: another operator.
    """

    key: str
    operator: Operator = "="
    value: str | float | bool = ""

    def __post_init__(self) -> None:
        if self.operator not in get_args(Operator):
            raise ConfigError(f"operator={self.operator!r} is not accepted; expected {', '.join(get_args(Operator))}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanQuery:
    """Conditions that a span must all meet; a condition that is None or empty is not checked.

    Times are nanoseconds since the Unix epoch, durations nanoseconds. `started_from` is included, `started_to` is
    not; open spans have no duration and meet no bound on it. `text` finds spans in whose name, status message,
    attribute values, event names or event attribute values every word of it stands, in any case, by whole words, as
    `stores.text` says; in `text`, `%` and `_` mean themselves, and a text without a word finds nothing. `failing` is
    True for spans with the attribute `failure.type`. `name` is exact; `service_name` is the resource's. `session_id`
    finds all spans of the traces of that session, see `SpanStore.find_session_ids`.

    `order` is by when a span was first stored (`stored_*`), by its start, or by duration (open spans last); spans
    that are equal there are ordered by when they were first stored, latest first in the `*_desc` orders. `after`
    continues a list: it is what `span_cursor` gives for the last span seen (`<trace_id>-<span_id>` will do where a
    trace does not repeat a span id), for lists of traces the trace id, of sessions the session id. In the orders by
    storing, what came in meanwhile does not shift the page.

    Raises:
        ConfigError: another order, or a limit that is no whole number from 0.
    """

    trace_id: str | None = None
    span_id: str | None = None
    session_id: str | None = None
    service_name: str | None = None
    name: str | None = None
    kind: str | None = None
    status_code: str | None = None
    failing: bool | None = None
    open: bool | None = None
    started_from: int | None = None
    started_to: int | None = None
    min_duration_nano: int | None = None
    max_duration_nano: int | None = None
    attributes: tuple[AttributeFilter, ...] = ()
    text: str = ""
    order: Order = "stored_desc"
    limit: int = 100
    after: str | None = None

    def __post_init__(self) -> None:
        require_count("limit", self.limit)
        if self.order not in get_args(Order):
            raise ConfigError(f"order={self.order!r} is not accepted; expected {', '.join(get_args(Order))}")


@dataclass(frozen=True, slots=True)
class StoredTrace:
    """All spans of one trace, by start time, then span id.

    `conflicts` are the span ids of which two differing ended records, equally complete, were written; the greater one
    is kept.
    """

    trace_id: str
    spans: tuple[SpanRecord, ...]
    conflicts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Deleted:
    """How much a deletion removed."""

    traces: int = 0
    spans: int = 0


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What `agenttrace store info` shows. Times are nanoseconds since the Unix epoch, None in an empty store."""

    url: str
    schema_version: int
    spans: int
    traces: int
    sessions: int
    size_bytes: int
    oldest_unix_nano: int | None
    newest_unix_nano: int | None
    details: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of span that a service emits."""

    service_name: str
    name: str
    kind: str


class SpanStore(Protocol):
    """Where spans are kept. Thread-safe; one object may serve every thread of a process, and survives fork.

    Any method raises StoreUnavailableError when the store cannot be reached or stays locked, and QueryUnsupportedError
    for a query that it cannot answer exactly.
    """

    url: str

    def write_spans(self, spans: Sequence[SpanRecord]) -> None:
        """Persist spans; return only once they are durable, all or none of them.

        Records of one identity (trace id, span id, start time) merge to the greatest, see `merge`; so order and
        repetition do not matter and a batch may be retried whole. Verdicts (see `model.verdicts`) of one trace id and
        span id merge whatever their start: one made later, of more spans, replaces the one before where that stands.

        Raises:
            StoreUnavailableError: the store is away, locked, full, read-only or damaged; the same batch may succeed
                later, or elsewhere.
            StoreRejectedError: permanent; the same batch always fails, e.g. a time beyond int64 nanoseconds.
        """

    def write_serialized(self, spans: Sequence[SerializedSpan]) -> None:
        """Do what `write_spans` does, with spans that are serialised already: stores that keep that form are quicker.

        Raises:
            StoreUnavailableError: as for `write_spans`.
            StoreRejectedError: as for `write_spans`; also if a text is not a serialised span.
        """

    def get_trace(self, trace_id: str) -> StoredTrace:
        """Return the whole trace.

        Raises:
            TraceNotFoundError: no span of it is stored.
        """

    def find_spans(self, query: SpanQuery) -> list[SpanRecord]:
        """Return at most `query.limit` spans.

        Raises:
            TraceNotFoundError: `query.after` is not stored.
        """

    def find_trace_ids(self, query: SpanQuery) -> list[str]:
        """Return the ids of traces of which at least one span meets the query, each once.

        A trace stands where the first stored of those spans stands; in the orders by start, where the first started
        of them does, and by duration, where the longest does. So traces do not move when more of their spans come in,
        but for late ones that started earlier or last longer.
        """

    def find_session_ids(self, query: SpanQuery) -> list[str]:
        """Return the ids of sessions, latest first stored first; only times, limit and after of the query count.

        The session of a trace is the `session.id` (else `gen_ai.conversation.id`) that its spans name; a trace
        without one is its own session, under its trace id. When spans of one trace name several, it is in each.
        A session meets the times if the time from its first to its last start of a span overlaps theirs.
        """

    def find_session_trace_ids(self, session_id: str) -> list[str]:
        """Return the traces of a session by when they were first stored, oldest first; empty if there are none."""

    def find_operations(self) -> list[Operation]:
        """Return each service, span name and kind once, sorted."""

    def complete_id(self, prefix: str, *, limit: int = 10) -> list[str]:
        """Return the first `limit` trace and session ids, sorted, that start with `prefix` (what users may shorten)."""

    def delete_traces(self, trace_ids: Sequence[str]) -> Deleted:
        """Delete traces whole; unknown ids are passed over."""

    def get_setting(self, name: str) -> str | None:
        """Return a setting kept in the store, e.g. `retention_days`."""

    def set_setting(self, name: str, value: str) -> None:
        """Keep a setting in the store."""

    def info(self) -> StoreInfo:
        """Count what is stored."""

    def check(self) -> list[str]:
        """Return what is wrong with the store, one sentence each; an empty list when all is well."""

    def survive_power_cuts(self) -> None:
        """From now on, return from writing only once what was written survives one, if that is not so anyway."""

    def close(self) -> None:
        """Release files and connections. Safe twice; any later call raises StoreUnavailableError."""


def span_cursor(span: SpanRecord) -> str:
    """The `after` of a query that continues behind this span."""
    return f"{span.trace_id}-{span.span_id}-{span.start_time_unix_nano}"


def split_cursor(cursor: str) -> tuple[str, str, int | None]:
    """Split what `span_cursor` gave, or `<trace_id>-<span_id>`, into trace id, span id and start.

    Raises:
        TraceNotFoundError: it is neither.
    """
    trace_id, *rest = cursor.split("-", 2)
    try:
        return trace_id, rest[0], int(rest[1]) if len(rest) > 1 else None
    except (IndexError, ValueError) as error:
        raise TraceNotFoundError(f"not the id of a span: {cursor!r}") from error


def require_count(name: str, value: int) -> None:
    """Check how many results are asked for, or left out.

    Raises:
        ConfigError: not a whole number from 0.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigError(f"{name}={value!r} is not accepted; expected a whole number from 0")
