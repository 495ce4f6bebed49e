"""The lock under which the tasks of one store are changed: whoever holds it reads, changes and writes, then lets go."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING

from otel_agenttrace.errors import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.spool.places import SpoolPlace

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.002, 0.05


@contextmanager
def task_lock(place: SpoolPlace, timeout_s: float) -> Iterator[None]:
    """Hold the lock of a store's tasks; it goes with the process, however that ends.

    Args:
        place: where the spool of the store is; it must be there.
        timeout_s: how long to wait for those who hold it.

    Raises:
        StoreUnavailableError: others held it for too long, or it cannot be had.
    """
    name = f"tasks-{sha256(place.store_name.encode()).hexdigest()[:8]}.lock"
    path = place.directory / name
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreUnavailableError(f"tasks cannot be changed: {path}: {error.strerror or error}") from error
    try:
        _take(fd, timeout_s)
        yield
    finally:
        os.close(fd)


def _take(fd: int, timeout_s: float) -> None:
    deadline, wait_s = time.monotonic() + timeout_s, _FIRST_WAIT_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise StoreUnavailableError(
                    f"the tasks of this store are being changed by somebody else for {timeout_s:g} s; try again"
                ) from None
        else:
            return
        time.sleep(wait_s)
        wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
