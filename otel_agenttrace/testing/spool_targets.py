"""Targets for tests of the spool, and records to send to them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from otel_agenttrace.model.codec import deserialize, serialize_record
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.target import TAKEN, Delivery
from otel_agenttrace.testing.spans import make_span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.about import About
    from otel_agenttrace.spool.log import SpoolLog
    from otel_agenttrace.spool.segment_reader import Entry
    from otel_agenttrace.spool.target import Item


def decode(entry: Entry, about: About | None = None) -> SpanRecord:
    """Nothing but the record, without any stage."""
    del about
    return deserialize(entry.span)


class ListTarget:
    """Keeps the names of what it is given.

    Args:
        name: of the target.
        answer: what to do with records; by default they are taken.
        takes_open: whether it wants start records.
        is_lasting: whether it outlives the process.

    Attributes:
        seems_away: False unless a test says so.
        names: of the records that it took, in order.
        calls: how many deliveries were tried.
    """

    def __init__(
        self,
        name: str = "list",
        answer: Callable[[list[str]], Any] = lambda _: TAKEN,
        *,
        takes_open: bool = False,
        is_lasting: bool = True,
    ) -> None:
        self.name = name
        self.is_lasting = is_lasting
        self.takes_open = takes_open
        self.seems_away = False
        self.answer = answer
        self.names: list[str] = []
        self.calls = 0
        self.renewals = 0
        self.survives_power_cuts = False
        self.is_closed = False

    def deliver(self, items: Sequence[Item]) -> Delivery:
        """Do as `answer` says."""
        self.calls += 1
        names = [item.record.name for item in items]
        delivery: Delivery = self.answer(names)
        if delivery == TAKEN:
            self.names += names
        return delivery

    def survive_power_cuts(self) -> None:
        """Take note."""
        self.survives_power_cuts = True

    def renew(self) -> None:
        """Count."""
        self.renewals += 1

    def close(self) -> None:
        """Take note."""
        self.is_closed = True


class HangingTarget(ListTarget):
    """Does not answer before `released` is set.

    Attributes:
        is_called: set once it was given something.
    """

    def __init__(self, name: str = "hangs") -> None:
        super().__init__(name)
        self.is_called = threading.Event()
        self.released = threading.Event()

    def deliver(self, items: Sequence[Item]) -> Delivery:
        """Hang."""
        self.is_called.set()
        self.released.wait()
        return super().deliver(items)


def serialized(number: int, **fields: Any) -> SerializedSpan:
    """A serialised span named by a number."""
    defaults = {"name": f"span {number}", "span_id": f"{number:016x}"}
    return serialize_record(make_span(**(defaults | fields)))


def append_spans(log: SpoolLog, numbers: Iterable[int], **fields: Any) -> None:
    """Append ended spans."""
    for number in numbers:
        assert log.append(Kind.SPAN, serialized(number, **fields)) is not None


def names_of(numbers: Iterable[int]) -> list[str]:
    """What spans of these numbers are called."""
    return [f"span {number}" for number in numbers]
