"""Tally: what became in this process of the records for one target, whichever logs they came from."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from otel_agenttrace.spool.cursor import Cursor

if TYPE_CHECKING:
    from otel_agenttrace.spool.consumer import Consumer


class Tally:
    """Adds up how far consumers moved from where they began. Thread-safe.

    A cursor on disk holds what other processes delivered of a log, too, and goes with its log; this holds neither.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: dict[Consumer, Cursor] = {}
        self._past = Cursor()

    def add(self, consumer: Consumer) -> None:
        """Count what this consumer does from now on."""
        with self._lock:
            self._begun[consumer] = consumer.cursor

    def remove(self, consumer: Consumer) -> None:
        """Let go of a consumer; what it did stays counted."""
        with self._lock:
            begun = self._begun.pop(consumer, None)
            if begun is not None:
                self._past = _sum(self._past, _moved(begun, consumer))

    @property
    def total(self) -> Cursor:
        """The sums of all consumers' counts; `seq` is how many records are done with, start records included."""
        with self._lock:
            return _sum(self._past, *(_moved(begun, consumer) for consumer, begun in self._begun.items()))


def _moved(begun: Cursor, consumer: Consumer) -> Cursor:
    return Cursor(*(max(0, now - then) for now, then in zip(consumer.cursor, begun, strict=True)))


def _sum(*cursors: Cursor) -> Cursor:
    return Cursor(*map(sum, zip(*cursors, strict=True)))
