"""Segments without a name, for logs of which nothing is to be left on disk: the file ends with the process.

In the directory there is a segment without a record in its place. By the path of that one, this process goes on
reading the other, which the system keeps as long as somebody has it open.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from otel_agenttrace.forks import call_in_children

if TYPE_CHECKING:
    from pathlib import Path


class _Nameless:
    """The files of this process that have no name, by the path of what is in their place."""

    def __init__(self) -> None:
        self._fds: dict[str, int] = {}
        self._renew_lock()
        call_in_children(self._after_fork_in_child)

    def _renew_lock(self) -> None:
        # Reentrant: a signal handler may begin a log in the middle of an append.
        self.lock = threading.RLock()

    def keep(self, path: str, fd: int) -> None:
        with self.lock:
            self._fds[path] = os.dup(fd)

    def opened(self, path: str) -> int | None:
        with self.lock:  # else the number may be another file's by now
            fd = self._fds.get(path)
            return None if fd is None else os.dup(fd)

    def size(self, path: str) -> int | None:
        with self.lock:
            fd = self._fds.get(path)
            return None if fd is None else os.fstat(fd).st_size

    def forget(self, paths: list[str]) -> None:
        with self.lock:
            for path in paths:
                if (fd := self._fds.pop(path, None)) is not None:
                    os.close(fd)

    def forget_log(self, log_dir: str) -> None:
        self.forget([path for path in tuple(self._fds) if path.startswith(log_dir + os.sep)])

    def _after_fork_in_child(self) -> None:
        """What the parent keeps is not to be kept by the child."""
        self._renew_lock()
        self.forget(list(self._fds))


_nameless = _Nameless()


def keep_nameless(path: Path, fd: int) -> None:
    """Let an open file that has no name be read by the path of the segment in its place."""
    _nameless.keep(str(path), fd)


def open_segment(path: Path) -> int:
    """Open a segment for reading, with a name or without.

    Raises:
        OSError: it cannot be opened.
    """
    fd = _nameless.opened(str(path))
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW) if fd is None else fd


def segment_bytes(path: str | os.PathLike[str]) -> int:
    """What a segment takes of the disk, with a name or without.

    Raises:
        OSError: it is not there.
    """
    size = _nameless.size(os.fspath(path))
    return os.lstat(path).st_size if size is None else size


def forget_segment(path: Path) -> None:
    """Let go of the file behind a segment that is removed."""
    _nameless.forget([str(path)])


def forget_log(log_dir: Path) -> None:
    """Let go of the files behind a log that is removed."""
    _nameless.forget_log(str(log_dir))
