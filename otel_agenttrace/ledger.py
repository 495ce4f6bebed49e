"""Keeps the ledger of a process's spool up to date with what is only counted in memory on the agent's thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from otel_agenttrace.forks import call_in_children

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_agenttrace.spool.log import SpoolLog


class LedgerCounts:
    """Writes counts into the ledger as they grow: with each delivery, at a flush and at the end. Thread-safe.

    For what happens often and is in no record, which is not worth a write each: spans that are not sampled. What is
    counted between the last delivery and the end of a process that is killed, by SIGTERM too, or ends by `os._exit`,
    is missing; nothing is missing of what is in a record, or of records.

    Args:
        log: whose ledger.
        read: gives the counts so far, under names of `spool.ledger.COUNTERS`.
    """

    def __init__(self, log: SpoolLog, read: Callable[[], Mapping[str, int]]) -> None:
        self._log = log
        self._read = read
        self._lock = threading.RLock()
        self._written: dict[str, int] = dict.fromkeys(read(), 0)
        call_in_children(self._begin_anew)

    def write(self) -> None:
        """Write what has been counted since the last time."""
        with self._lock:  # else two threads write the same growth
            for name, count in self._read().items():
                before, self._written[name] = self._written[name], max(count, self._written[name])
                if count > before:
                    self._log.count(name, count - before)

    def _begin_anew(self) -> None:
        self._lock = threading.RLock()
        # What was counted before the fork is in the parent's ledger, or will be.
        self._written = dict(self._read())
