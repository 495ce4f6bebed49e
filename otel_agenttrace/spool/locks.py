"""LogLock: whose log is alive.

A log is alive exactly while the lock on its `lock` file is held. It is an `flock`, which belongs to the open file: it
goes with the process however that ends, and a pid that was given to another means nothing. A forked child shares the
open file, and would keep a dead parent's log alive; so it closes it first of all.
"""

from __future__ import annotations

import fcntl
import os
import threading
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING

from otel_agenttrace.spool.names import LOCK
from otel_agenttrace.spool.segment import write_whole

if TYPE_CHECKING:
    from pathlib import Path


class LogLock:
    """The lock of one log, held until `release`, the end of the process, or of the object."""

    def __init__(self, fd: int) -> None:
        self._fd: int | None = fd
        _held.add(self)

    def __del__(self) -> None:
        self.release()

    @classmethod
    def take(cls, log_dir: Path, name: str = LOCK) -> LogLock | None:
        """Take the lock; None if somebody holds it, or the log was removed meanwhile.

        Args:
            log_dir: the log.
            name: of the file, if it is not the lock of the log itself that is wanted.

        Raises:
            OSError: the file cannot be made or opened.
        """
        with _changing:
            return cls._taken(log_dir / name)

    @classmethod
    def _taken(cls, path: Path) -> LogLock | None:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(path.stat(), os.fstat(fd)):
                return cls(fd)
        except (BlockingIOError, FileNotFoundError):
            pass
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
        return None

    @property
    def is_of_use(self) -> bool:
        """Whether it is held, and its file is still there."""
        return self._fd is not None and os.fstat(self._fd).st_nlink > 0

    def write(self, text: bytes) -> None:
        """Add to the file.

        Raises:
            OSError: it is not there as a whole, or the lock was released.
        """
        write_whole(-1 if self._fd is None else self._fd, text)

    def release(self, _close=os.close) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
        """Let go of it; safe twice.

        By closing only: unlocking would take it from a parent or child that shares the open file, too.
        """
        fd, self._fd = self._fd, None
        if fd is not None:
            _close(fd)


_held: weakref.WeakSet[LogLock] = weakref.WeakSet()
_changing = threading.RLock()
"""Held while a file is open that is not in `_held` yet, of which a forked child would not know."""

_SECONDS_TO_WAIT_FOR_OTHERS = 1.0


def is_alive(log_dir: Path, name: str = LOCK) -> bool:
    """Whether the log's process lives, or somebody has adopted the log; or, of another name, whether that is held.

    Raises:
        OSError: it cannot be told, e.g. since the log is another user's.
    """
    try:
        fd = os.open(log_dir / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two who ask do not take each other for the process.
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


class _Fork:
    """What a fork does to the locks."""

    def __init__(self) -> None:
        self._waited = False

    def before(self) -> None:
        self._waited = _changing.acquire(timeout=_SECONDS_TO_WAIT_FOR_OTHERS)

    def in_parent(self) -> None:
        if self._waited:
            _changing.release()

    def in_child(self) -> None:
        self.in_parent()
        for lock in tuple(_held):
            with suppress(OSError):
                lock.release()


_fork = _Fork()
os.register_at_fork(before=_fork.before, after_in_parent=_fork.in_parent, after_in_child=_fork.in_child)
