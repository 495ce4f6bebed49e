"""Ledger: the counts of one process that its records do not tell, on a page of its log's directory.

Each count is eight bytes of its own at a place of its own, and is written as a whole with every change: what was
counted before a `kill -9` is there after it. Written with `pwrite`, though a memory map would cost a tenth of the 0.7
microseconds: a page that the file system cannot find room for when it is written to (copy-on-write file systems), or
that somebody has truncated, kills a process that has it mapped with SIGBUS.
"""

from __future__ import annotations

import os
from contextlib import suppress
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.spool.held_writes import HeldWrites
from otel_agenttrace.spool.names import LEDGER
from otel_agenttrace.spool.refusal import REASONS
from otel_agenttrace.spool.segment import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

UNENDED = "unended"

COUNTERS = (
    *(f"refused_{reason}" for reason in REASONS),
    "queued",
    "unsampled",
    "redacted",
    "truncated",
    "unsynced",
    "starts",
    "verdicts",
    UNENDED,
)
"""In the order of the page: add behind, never remove. `queued`: with `batch`, taken to be written later, so that what
was not when the process was killed can be told. `unsynced`: written, but the disk could not be made to promise it.
`starts` and `verdicts`: of the records written, those that are no ended spans of the agent.
`unended`: spans whose start is in the log, and whose end was refused, with nothing of it in the log so far."""

_MAGIC = b"AGTLEDG\x01"
_PAGE_BYTES = 4096
_FIRST_AT = 64
_TIMES_AT = 2048
_COUNT = Struct("<Q")
_TIMES = Struct("<QQ")
_AT = {name: _FIRST_AT + _COUNT.size * index for index, name in enumerate(COUNTERS)}


class RefusalTimes(NamedTuple):
    """When a process refused records, in unix nanoseconds by its clock.

    Attributes:
        first_unix_nano: the first time.
        last_unix_nano: the last time.
    """

    first_unix_nano: int
    last_unix_nano: int


class Ledger:
    """The counts while they are written. Not thread-safe.

    Raises:
        OSError: the page cannot be made.
    """

    def __init__(self, log_dir: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._fd = os.open(log_dir / LEDGER, flags, 0o600)
        self._counts = dict.fromkeys(COUNTERS, 0)
        self._first_refusal = 0
        self.writes = HeldWrites()
        write_whole(self._fd, _MAGIC.ljust(_PAGE_BYTES, b"\0"))

    def __del__(self, _close=os.close) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
        if fd := getattr(self, "_fd", 0):
            _close(fd)

    @property
    def counts(self) -> Mapping[str, int]:
        """All counts by name."""
        return dict(self._counts)

    def add(self, name: str, count: int = 1) -> None:
        """Add to one of COUNTERS; should the disk not take it, it is written with the next change."""
        self.set(name, self._counts[name] + count)

    def set(self, name: str, value: int) -> None:
        """Write one of COUNTERS; see `add`."""
        self._counts[name] = value
        try:  # noqa: SIM105 - `suppress` takes as long as the write
            self.writes.pwrite(self._fd, _COUNT.pack(value), _AT[name])
        except OSError:
            pass

    def note_refusal(self, unix_nano: int) -> None:
        """Take note of when a record was refused; see `add` for a disk that does not take it."""
        self._first_refusal = self._first_refusal or max(1, unix_nano)
        with suppress(OSError):
            os.pwrite(self._fd, _TIMES.pack(self._first_refusal, max(self._first_refusal, unix_nano)), _TIMES_AT)


def read_ledger(log_dir: Path) -> Mapping[str, int] | None:
    """Return the counts of a log, alive or dead; None if there are none to be read."""
    page = _read_page(log_dir)
    if page is None:
        return None
    return {name: _COUNT.unpack_from(page, at)[0] for name, at in _AT.items()}


def read_refusal_times(log_dir: Path) -> RefusalTimes | None:
    """Return when the process of a log, alive or dead, refused records; None if it did not, or it cannot be read."""
    page = _read_page(log_dir)
    times = None if page is None else RefusalTimes._make(_TIMES.unpack_from(page, _TIMES_AT))
    return times if times and times.first_unix_nano else None


def _read_page(log_dir: Path) -> bytes | None:
    try:
        page = (log_dir / LEDGER).read_bytes()
    except OSError:
        return None
    return page if page.startswith(_MAGIC) and len(page) >= _PAGE_BYTES else None
