"""Keeps the ledger of a process's spool up to date with what is counted on the agent's thread in memory."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_agenttrace.spool.log import SpoolLog


class LedgerCounts:
    """Writes counts into the ledger as they grow: with each delivery, at a flush and at the end.

    What is counted between the last of these and a `kill -9` is missing from these counts; of spans nothing is.

    Args:
        log: whose ledger.
        read: gives the counts so far, under names of `spool.ledger.COUNTERS`.
    """

    def __init__(self, log: SpoolLog, read: Callable[[], Mapping[str, int]]) -> None:
        self._log = log
        self._read = read
        self._written: dict[str, int] = dict.fromkeys(read(), 0)
        if hasattr(os, "register_at_fork"):
            begin = weakref.WeakMethod(self._begin_anew)
            os.register_at_fork(after_in_child=lambda: (method := begin()) and method())

    def write(self) -> None:
        """Write what has been counted since the last time."""
        for name, count in self._read().items():
            if count > self._written[name]:
                self._log.count(name, count - self._written[name])
                self._written[name] = count

    def _begin_anew(self) -> None:
        # What was counted before the fork is in the parent's ledger, or will be.
        self._written = dict(self._read())
