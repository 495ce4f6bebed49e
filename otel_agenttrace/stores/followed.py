"""What a Follower remembers of the runs that it follows, all of it bounded: it may follow for weeks."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.pipeline.summary import TraceSummary

    Identity: TypeAlias = tuple[str, str, int]

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_MAX_LEVELS = 64
"""Levels of spans that are counted; parents may lead in a circle."""

_MAX_ERROR = 500

_SHARE = 0.02
_MAX_INTERVAL_S = 5.0


class Recent(Generic[_Key, _Value]):
    """The values that were set last, so many at most.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.values: OrderedDict[_Key, _Value] = OrderedDict()

    def set(self, key: _Key, value: _Value) -> None:
        """Keep a value; it is the last one now."""
        self.values[key] = value
        self.values.move_to_end(key)
        if len(self.values) > self._most:
            self.values.popitem(last=False)

    def get(self, key: _Key) -> _Value | None:
        """The value of a key, None if it is not kept."""
        return self.values.get(key)


@dataclass(slots=True)
class Run:
    """A trace that is followed. Times are seconds of the follower's clock.

    Attributes:
        seen_at: when something of it was seen last.
        check_at: when to look whether it has ended; None for not at all, as its end was told.
        told: what was told of its end.
    """

    trace_id: str
    short_id: str
    seen_at: float
    check_at: float | None = None
    told: TraceSummary | None = None


@dataclass(slots=True)
class OpenSpan:
    """A span that has not ended. Times are seconds of the follower's clock.

    Attributes:
        found_at: when it was seen first.
        looked_at: when it was looked up last.
    """

    found_at: float
    looked_at: float

    def is_due(self, now: float, run: Run | None) -> bool:
        """Whether to look it up: as soon as its run has news, else the less often the longer it has been open."""
        if run is not None and run.seen_at >= self.looked_at:
            return True
        return now - self.looked_at >= min(_SHARE * (now - self.found_at), _MAX_INTERVAL_S)


class Family:
    """Whose child each span is, and which failures were told below whom.

    Args:
        most: how many spans are remembered.
    """

    def __init__(self, most: int) -> None:
        self._parents: Recent[tuple[str, str], str | None] = Recent(most)
        self._errors: Recent[tuple[str, str], str] = Recent(most // 10)

    def add(self, spans: Iterable[SpanRecord]) -> None:
        """Learn whose children they are."""
        for span in spans:
            self._parents.set((span.trace_id, span.span_id), span.parent_span_id)

    def depth_of(self, span: SpanRecord) -> int:
        """How many spans are above this one; what is above one that is not known is not counted."""
        depth, above = 0, span.parent_span_id
        while above is not None and depth < _MAX_LEVELS:
            depth += 1
            above = self._parents.get((span.trace_id, above))
        return depth

    def has_told(self, span: SpanRecord, error: str) -> bool:
        """Whether a child of the span has failed in the same words; from now on, this one has told them as well."""
        error = error[:_MAX_ERROR]
        if span.parent_span_id is not None:
            self._errors.set((span.trace_id, span.parent_span_id), error)
        return self._errors.get((span.trace_id, span.span_id)) == error
