"""Living on: a process that has left its log to others says, as long as it lives, that spans of it may still end.

So those who deliver the log do not take them for abandoned. It is a second lock in the log, which goes with the process
however that ends; in its file are the spans that have ended since, in another log, which may be gone by the time that
this one is looked at.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from otel_agenttrace.spool.locks import LogLock, is_alive
from otel_agenttrace.spool.names import PROCESS_LOCK

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from otel_agenttrace.spool.open_spans import SpanId

_MAX_FILE_BYTES = 1 << 24


class _LeftLog:
    """A log that was left, and its spans that may still end."""

    def __init__(self, lock: LogLock, open_ids: set[SpanId], *, may_have_more: bool) -> None:
        self.lock = lock
        self.open_ids = open_ids
        self._may_have_more = may_have_more

    def end(self, ids: SpanId) -> None:
        with suppress(OSError):  # a full disk
            self.lock.write(ids + b"\n")
            self.open_ids.discard(ids)
        if not (self.open_ids or self._may_have_more):
            self.lock.release()

    @property
    def is_held(self) -> bool:
        return self.lock.is_of_use


class _LeftLogs:
    """Those of this process. A forked child has none: it ends spans of its own only."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        # Reentrant: a signal handler may end a span in the middle of another one's end.
        self._changing = threading.RLock()
        self.logs: list[_LeftLog] = []

    def add(self, log: _LeftLog) -> None:
        with self._changing:
            self.logs = [each for each in self.logs if each.is_held] + [log]  # the others were removed, or have ended

    def end(self, ids: SpanId) -> bool:
        with self._changing:
            found = [each for each in self.logs if ids in each.open_ids]
            for each in found:
                each.end(ids)
            if found:
                self.logs = [each for each in self.logs if each.is_held]
        return bool(found)


_left = _LeftLogs()
os.register_at_fork(after_in_child=_left.begin_anew)


def live_on(log_dir: Path, open_ids: Iterable[SpanId], *, may_have_more: bool = False) -> None:
    """Say of a log that this process lives, until that ends, or no span of the log is open any more.

    Where it cannot be said, nothing is.

    Args:
        log_dir: the log.
        open_ids: its open spans.
        may_have_more: whether those are not all.
    """
    with suppress(OSError):
        lock = LogLock.take(log_dir, PROCESS_LOCK)
        if lock is not None:
            _left.add(_LeftLog(lock, set(open_ids), may_have_more=may_have_more))


def has_left_spans() -> bool:
    """Whether this process has left a log in which a span was open."""
    return bool(_left.logs)


def end_left_span(ids: SpanId) -> bool:
    """Take note that a span has ended; whether it was open in a log that was left."""
    return _left.end(ids)


def is_process_living(log_dir: Path) -> bool:
    """Whether the process of a log that was left lives, and spans of the log may still end.

    Raises:
        OSError: it cannot be told.
    """
    return is_alive(log_dir, PROCESS_LOCK)


def ended_since(log_dir: Path) -> set[SpanId]:
    """Return the spans of a log that have ended since it was left."""
    with suppress(OSError), (log_dir / PROCESS_LOCK).open("rb") as file:
        return set(file.read(_MAX_FILE_BYTES).splitlines())
    return set()
