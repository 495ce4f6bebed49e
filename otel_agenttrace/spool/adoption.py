"""Adoption: the logs of dead processes, each taken by one who reads it to its end."""

from __future__ import annotations

import os
import shutil
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from otel_agenttrace.spool.damage import Damage, log_damage
from otel_agenttrace.spool.directory import list_logs
from otel_agenttrace.spool.locks import LogLock
from otel_agenttrace.spool.names import LOCK, REMOVED_PREFIX, UNFINISHED_PREFIX
from otel_agenttrace.spool.removal import remove_log, tell_once
from otel_agenttrace.spool.repair import Repaired, repair
from otel_agenttrace.spool.siblings import this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

_UNFINISHED_FOR_S = 3600.0
_MAX_ADOPTER = 64


def adopt(spool_dir: Path) -> Iterator[AdoptedLog]:
    """Yield the logs of dead processes, each locked for the caller, who releases or removes it.

    A log of a living process, of another adopter, or of another user is passed over.

    Raises:
        OSError: the directory cannot be read.
    """
    _sweep(spool_dir)
    for path in list_logs(spool_dir):
        adopted = adopt_log(path)
        if adopted is not None:
            yield adopted


def adopt_log(path: Path) -> AdoptedLog | None:
    """Return one log, locked for the caller; None if it is not to be had: see `adopt`, or tried again later."""
    try:
        if path.stat().st_uid != os.geteuid():
            tell_once(f"{path} belongs to another user and is left alone")
            return None
        lock = LogLock.take(path)
    except FileNotFoundError:
        return None  # another adopter is done with it
    except OSError as error:
        tell_once(f"{path} cannot be adopted: {error}")
        return None
    if lock is None:
        return None
    with suppress(OSError):  # a full disk
        lock.write(this_process().encode())
    return AdoptedLog(path, lock)


def read_adopter(path: Path) -> str:
    """Return which process has adopted a log, in words of `siblings.this_process`; empty if none has.

    Only of use where the log's lock is held: what is said is not taken back.
    """
    try:
        return (path / LOCK).read_text("ascii", "replace")[:_MAX_ADOPTER]
    except OSError:
        return ""


class AdoptedLog:
    """The log of a dead process, and its lock; a context manager that releases it.

    Attributes:
        path: the log's directory.
    """

    def __init__(self, path: Path, lock: LogLock) -> None:
        self.path = path
        self._lock = lock
        self._counting = threading.Lock()
        self._borrowers = 0
        self._is_left = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def repair(self, tell: Callable[[Damage], None] = log_damage) -> Repaired:
        """Cut off a torn end, of which `tell` is told; return what is known of the log's end.

        Raises:
            OSError: the log cannot be read or cut.
        """
        return repair(self.path, tell)

    def borrow(self) -> None:
        """Keep the lock, even if the log is released meanwhile, until it is given back."""
        with self._counting:
            self._borrowers += 1

    def give_back(self) -> None:
        """See `borrow`; for any thread."""
        with self._counting:
            self._borrowers -= 1
            self._unlock()

    def release(self) -> None:
        """Leave the log to others, as soon as nobody borrows it any more; safe twice."""
        with self._counting:
            self._is_left = True
            self._unlock()

    def _unlock(self) -> None:
        if self._is_left and not self._borrowers:
            self._lock.release()

    def remove(self) -> bool:
        """Remove the log and release it; False if something in it is not ours and had to be left.

        Raises:
            OSError: it cannot be removed; it can be adopted again.
        """
        try:
            return remove_log(self.path)
        finally:
            self.release()


def _sweep(spool_dir: Path) -> None:
    """Remove logs that were not made to the end, or not removed to the end: their process was killed meanwhile."""
    with suppress(OSError):
        for path in spool_dir.iterdir():
            is_abandoned = path.name.startswith(UNFINISHED_PREFIX) and (
                time.time() - path.lstat().st_mtime > _UNFINISHED_FOR_S
            )
            if is_abandoned or path.name.startswith(REMOVED_PREFIX):
                shutil.rmtree(path, ignore_errors=True)
