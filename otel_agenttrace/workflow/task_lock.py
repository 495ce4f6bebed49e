"""The lock under which the tasks of one store are changed: whoever holds it reads, changes and writes, then lets go.

How long that takes is the machine's affair, and how many come before is nobody's fault. So those who wait count the
time of one holder, and begin anew with the next: the lock's file has a number in it that each holder raises.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from otel_agenttrace.errors import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_agenttrace.spool.places import SpoolPlace

_PAUSE_S = 0.01
"""The same for all who wait, lest those who came last are the first to look again."""

_MOST_TURNS = 30
"""How many times `timeout_s` somebody waits at most, whatever the others do."""

_NUMBER_BYTES = 8


@contextmanager
def task_lock(
    place: SpoolPlace,
    timeout_s: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], object] = time.sleep,
) -> Iterator[None]:
    """Hold the lock of a store's tasks; it goes with the process, however that ends.

    Args:
        place: where the spool of the store is; it must be there.
        timeout_s: how long to wait for one who holds it; for all of them, 30 times as long.
        clock: seconds.
        pause: lets so many seconds pass.

    Raises:
        StoreUnavailableError: somebody held it for too long, or it cannot be had.
    """
    name = f"tasks-{sha256(place.store_name.encode()).hexdigest()[:8]}.lock"
    path = place.directory / name
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreUnavailableError(f"tasks cannot be changed: {path}: {error.strerror or error}") from error
    try:
        began, holder = clock(), _number(fd)
        deadline, last = began + timeout_s, began + timeout_s * _MOST_TURNS
        while not _is_taken(fd):
            now, number = clock(), _number(fd)
            if number != holder:
                holder, deadline = number, now + timeout_s
            if now >= min(deadline, last):
                raise StoreUnavailableError(
                    f"the tasks of this store are being changed by somebody else for {timeout_s:g} s; try again"
                )
            pause(_PAUSE_S)
        _raise_number(fd)
        yield
    finally:
        os.close(fd)


def _is_taken(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _number(fd: int) -> int:
    return int.from_bytes(os.pread(fd, _NUMBER_BYTES, 0), "big")


def _raise_number(fd: int) -> None:
    with suppress(OSError):  # a full disk: others wait no longer than for one holder then
        os.pwrite(fd, ((_number(fd) + 1) % 256**_NUMBER_BYTES).to_bytes(_NUMBER_BYTES, "big"), 0)
