"""Size limits: what a span may weigh at most before it is queued, sent and stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from otel_agenttrace.contract.attributes import AGENTTRACE_TRUNCATED
from otel_agenttrace.errors import ConfigError
from otel_agenttrace.model.codec import deserialize, serialize_record
from otel_agenttrace.model.record import SpanRecord
from otel_agenttrace.pipeline.counts import Counts
from otel_agenttrace.pipeline.cut import cut_text, cut_value
from otel_agenttrace.pipeline.keys import unused_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.model.record import Attributes, EventRecord, LinkRecord

DEFAULT_MAX_VALUE_BYTES = 1024 * 1024
"""1 MiB: the whole context of nearly every model is less as text. What is more is media within a message.

Three of them, the default for a whole span, stay below the 4 MiB that a gRPC receiver takes unless told otherwise.
"""
_LEAST_VALUE_BYTES = 256
_VALUES_PER_SPAN = 3
_LEAST_DEFAULT_SPAN_BYTES = 1024 * 1024
"""A small limit for values cuts what was said and done; it is not meant to cost a span its attributes."""
_COUNTS_BYTES = 256
"""Room for the counts of what was cut and dropped."""
_PUNCTUATION_BYTES = 16


class ValueLimiter:
    """Cuts the values of serialised records that are too large. Thread-safe; one serves a whole process.

    A cut text ends in `[TRUNCATED:<number> bytes]`; JSON, in a string or structured, stays what it is and has its
    longest texts cut. A record that was cut says how often in `agenttrace.truncated`. What still is too large loses
    its oldest links and events, as in the SDK, then its largest attributes, and counts them as dropped. Limiting
    twice changes nothing. It goes behind redaction, which could not know half a secret.

    Args:
        max_value_bytes: of one value, in UTF-8 (structured ones as JSON): setting `AGENTTRACE_MAX_VALUE_BYTES`.
        max_span_bytes: of one serialised span, without resource and scope; at least three values. By default that,
            or 1 MiB if that is more.

    Raises:
        ConfigError: a limit is no integer, or too small to hold what has to be kept.
    """

    def __init__(self, max_value_bytes: int = DEFAULT_MAX_VALUE_BYTES, max_span_bytes: int | None = None) -> None:
        _check_limit("max_value_bytes", max_value_bytes, _LEAST_VALUE_BYTES)
        least_span_bytes = _VALUES_PER_SPAN * max_value_bytes
        if max_span_bytes is None:
            max_span_bytes = max(least_span_bytes, _LEAST_DEFAULT_SPAN_BYTES)
        _check_limit("max_span_bytes", max_span_bytes, least_span_bytes)
        self._max_value_bytes = max_value_bytes
        self._max_span_bytes = max_span_bytes
        self._counts = Counts()

    @property
    def counts(self) -> dict[str, int]:
        """How much was cut so far: `values` and `spans`, and what was dropped, `events`, `links` and `attributes`."""
        return self._counts.snapshot()

    def limit(self, serialized: SerializedSpan) -> SerializedSpan:
        """The record within the limits; the same object if it is.

        Raises:
            DecodeError: it is too large and not a serialised record; what `model.codec` made always is one.
        """
        # Nothing in a record is larger than its JSON, so one that is short as a whole has no long value.
        if max(map(len, serialized)) <= self._max_value_bytes:
            return serialized
        record = deserialize(serialized)
        cuts: list[str] = []
        limited = serialize_record(_counted(_cut_record(record, self._max_value_bytes, cuts), cuts))
        if len(limited.span) > self._max_span_bytes:
            limited = serialize_record(_counted(self._shrunk(record, cuts), cuts))
        if not cuts:
            return serialized
        self._counts.add([*cuts, "spans"])
        return limited

    def _shrunk(self, record: SpanRecord, cuts: list[str]) -> SpanRecord:
        """A record of which no value alone is too large, in the size that it may have as a whole."""
        room = self._max_span_bytes - _COUNTS_BYTES
        limit = self._max_value_bytes
        while True:
            cuts.clear()
            smaller = _cut_record(record, limit, cuts)
            excess = _span_bytes(smaller) - room
            if excess <= 0:
                return smaller
            if limit == _LEAST_VALUE_BYTES:
                return _without_excess(smaller, excess, cuts)
            limit = max(limit // 4, _LEAST_VALUE_BYTES)


def _cut_record(record: SpanRecord, limit: int, cuts: list[str]) -> SpanRecord:
    return replace(
        record,
        name=_cut_text(record.name, limit, cuts),
        status_message=_cut_text(record.status_message, limit, cuts),
        trace_state=_cut_text(record.trace_state, limit, cuts),
        attributes=_cut_attributes(record.attributes, limit, cuts),
        events=tuple(_cut_event(event, limit, cuts) for event in record.events),
        links=tuple(_cut_link(link, limit, cuts) for link in record.links),
        resource=replace(record.resource, attributes=_cut_attributes(record.resource.attributes, limit, cuts)),
        scope=replace(record.scope, attributes=_cut_attributes(record.scope.attributes, limit, cuts)),
    )


def _cut_event(event: EventRecord, limit: int, cuts: list[str]) -> EventRecord:
    name = _cut_text(event.name, limit, cuts)
    return replace(event, name=name, attributes=_cut_attributes(event.attributes, limit, cuts))


def _cut_link(link: LinkRecord, limit: int, cuts: list[str]) -> LinkRecord:
    trace_state = _cut_text(link.trace_state, limit, cuts)
    return replace(link, trace_state=trace_state, attributes=_cut_attributes(link.attributes, limit, cuts))


def _cut_attributes(attributes: Attributes, limit: int, cuts: list[str]) -> Attributes:
    smaller: Attributes = {}
    for key, value in attributes.items():
        smaller[unused_key(_cut_text(key, limit, cuts), smaller)] = cut_value(value, limit, cuts)
    return smaller


def _cut_text(text: str, limit: int, cuts: list[str]) -> str:
    cut = cut_text(text, limit)
    cuts += ["values"] * (cut != text)
    return cut


def _without_excess(record: SpanRecord, excess: int, cuts: list[str]) -> SpanRecord:
    """The record without its oldest links and events, then without its largest attributes."""
    links, excess = _surplus([_bytes_of(links=(link,)) for link in record.links], excess)
    events, excess = _surplus([_bytes_of(events=(event,)) for event in record.events], excess)
    weights = {key: _bytes_of(attributes={key: value}) for key, value in record.attributes.items()}
    largest = sorted(weights, key=weights.__getitem__, reverse=True)
    surplus, _ = _surplus([weights[key] for key in largest], excess)
    left_out = frozenset(largest[:surplus])
    cuts += ["links"] * links + ["events"] * events + ["attributes"] * surplus
    return replace(
        record,
        links=record.links[links:],
        events=record.events[events:],
        attributes={key: value for key, value in record.attributes.items() if key not in left_out},
        dropped_links_count=record.dropped_links_count + links,
        dropped_events_count=record.dropped_events_count + events,
        dropped_attributes_count=record.dropped_attributes_count + surplus,
    )


def _surplus(weights: Sequence[int], excess: int) -> tuple[int, int]:
    """How many from the first on have to go to save `excess` bytes, and how many bytes are then still too many."""
    gone = 0
    while excess > 0 and gone < len(weights):
        excess -= weights[gone]
        gone += 1
    return gone, excess


_BARE = SpanRecord("", "", "", 0)


def _bytes_of(**part: Any) -> int:
    """What a part adds to a serialised span, less a few bytes of punctuation."""
    return _span_bytes(replace(_BARE, **part)) - _span_bytes(_BARE) - _PUNCTUATION_BYTES


def _span_bytes(record: SpanRecord) -> int:
    return len(serialize_record(record).span)


def _counted(record: SpanRecord, cuts: Sequence[str]) -> SpanRecord:
    if not cuts:
        return record
    before = record.attributes.get(AGENTTRACE_TRUNCATED)
    count = len(cuts) + (before if isinstance(before, int) else 0)
    return replace(record, attributes=record.attributes | {AGENTTRACE_TRUNCATED: count})


def _check_limit(setting: str, value: int, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigError(f"{setting}: accepts a number of bytes of at least {least}, not {value!r}")
