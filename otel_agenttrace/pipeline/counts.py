"""Counters that any thread, signal handler or forked child may add to."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from otel_agenttrace.forks import call_in_children

if TYPE_CHECKING:
    from collections.abc import Iterable


class Counts:
    """How often each of a few named things happened. Thread-safe."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._renew_lock()
        call_in_children(self._renew_lock)

    def add(self, names: Iterable[str]) -> None:
        """Count each name once for each time it is in `names`."""
        with self._lock:
            self._counts.update(names)

    def snapshot(self) -> dict[str, int]:
        """A copy of the counts by name."""
        with self._lock:
            return dict(self._counts)

    def _renew_lock(self) -> None:
        # Reentrant, for a signal handler that ends a span may interrupt `add`.
        self._lock = threading.RLock()
