"""Counters that any thread, signal handler or forked child may add to."""

from __future__ import annotations

import os
import threading
import weakref
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Counts:
    """How often each of a few named things happened. Thread-safe."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._renew_lock()
        _living.add(self)

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


_living: weakref.WeakSet[Counts] = weakref.WeakSet()


def _renew_locks() -> None:
    for counts in list(_living):
        counts._renew_lock()  # noqa: SLF001  # of its own module; the lock may have been held at the fork


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
