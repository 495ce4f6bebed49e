"""GroupSync: makes the disk promise what was written, for all threads that wait with as few calls as it takes."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_agenttrace.spool.writer import LogWriter

_sync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class GroupSync:
    """The syncs of one log.

    Whoever comes first syncs; those who come meanwhile wait, and one of them then syncs for all of them. So it needs no
    thread of its own, and works at exit, after a fork, and in a signal handler that interrupts a sync.
    """

    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer
        self._lock = threading.RLock()
        self._synced_seq = 0

    def wait_for(self, seq: int) -> None:
        """Return once the disk promises the record.

        Raises:
            OSError: it does not.
        """
        if self._synced_seq >= seq:
            return
        with self._lock:
            if self._synced_seq >= seq:
                return
            covered = self._writer.last_seq
            segments = tuple(self._writer.unsynced)
            for segment in segments:
                _sync(segment.fd)
            for segment in segments[:-1]:  # complete, and so done with
                with suppress(ValueError):  # a signal handler that appended meanwhile was faster
                    self._writer.unsynced.remove(segment)
            self._synced_seq = max(self._synced_seq, covered)
