"""Writes during which a thread keeps the interpreter's lock.

`os.write` lets go of it, and another thread takes it. What is written here takes a microsecond or two; the lock comes
back when that thread has ended a span itself, in the same way. With eight threads that end spans all the time, each
span then costs two thread switches: more CPU than all else that is done for it.
"""

from __future__ import annotations

import os
import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_SLOW_S = 0.0005
_LET_GO = 64


def _load(name: str) -> tuple[Callable[..., int] | None, Callable[[int], Any]]:
    """A function of the C library that is called without letting go, or None, and the type of its sizes."""
    try:
        import ctypes  # noqa: PLC0415 - some builds of Python come without

        function = ctypes.PyDLL(None)[name]
    except (ImportError, AttributeError, OSError):
        return None, int
    function.restype = ctypes.c_ssize_t  # no argtypes: to apply them takes longer than all else of a call
    # How long an offset is differs where addresses have 32 bits.
    return (function if sys.maxsize > 1 << 32 else None), ctypes.c_size_t


_write, _size = _load("write")
_pwrite, _ = _load("pwrite")


class HeldWrites:
    """Writes small things to one disk, as `os.write` and `os.pwrite` do, and keeps the lock meanwhile.

    A disk that takes its time is not waited for like that: after a write of more than half a millisecond, the next 64
    let go. So do all where the C library cannot be called.
    """

    def __init__(self) -> None:
        self._to_let_go = 0

    def write(self, fd: int, data: bytes) -> int:
        """As `os.write`."""
        if _write is None or self._to_let_go:
            self._to_let_go -= 1
            return os.write(fd, data)
        began = perf_counter()
        written = _write(fd, data, _size(len(data)))
        if perf_counter() - began > _SLOW_S:
            self._to_let_go = _LET_GO
        # Nothing was written in case of an error; which one it was, only this one tells.
        return os.write(fd, data) if written < 0 else written

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        """As `os.pwrite`; of what is written here, none is timed."""
        if _pwrite is None or self._to_let_go:
            return os.pwrite(fd, data, offset)
        written = _pwrite(fd, data, _size(len(data)), _size(offset))
        return os.pwrite(fd, data, offset) if written < 0 else written
