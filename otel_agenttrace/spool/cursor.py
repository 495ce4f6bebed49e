"""Cursors: how far a consumer of a log has come, and what became of the records up to there."""

from __future__ import annotations

import os
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from otel_agenttrace.spool.names import cursor_name
from otel_agenttrace.spool.segment import write_whole

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = b"AGTCURS\x01"
_FIELDS = Struct("<8sQQQQQQ")
_CHECKSUM = Struct("<I")
_SLOT_BYTES = 512  # a sector each, so that a write that is torn spoils one
_MAX = (1 << 64) - 1


class Cursor(NamedTuple):
    """A place in a log, with the counts of what came before it.

    Attributes:
        seq: records up to this one are done with.
        sent: records that the target took.
        rejected: records that it will never take.
        dropped: records that were given up for it.
        retried: attempts that had to be made again.
    """

    seq: int = 0
    sent: int = 0
    rejected: int = 0
    dropped: int = 0
    retried: int = 0


class CursorFile:
    """The cursor of one target in one log. Not thread-safe.

    Two slots are written in turns, so that one is whole whatever happens to the other.

    Args:
        log_dir: the log's directory.
        target: name of the consumer.

    Attributes:
        damaged_slots: how many of the slots could not be read by `load`.
    """

    def __init__(self, log_dir: Path, target: str) -> None:
        self.path = log_dir / cursor_name(target)
        self.damaged_slots = 0
        self._writes = 0
        self._fd: int | None = None

    def __del__(self) -> None:
        self.close()

    def load(self) -> Cursor | None:
        """Return the cursor as it was saved last, or before that if that slot is damaged; None if there is none.

        Raises:
            OSError: the file cannot be read.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None
        slots = [data[at : at + _SLOT_BYTES] for at in (0, _SLOT_BYTES)]
        found = [slot for text in slots if (slot := _decode(text)) is not None]
        self.damaged_slots = sum(any(text) for text in slots) - len(found)
        if not found:
            return None
        self._writes, cursor = max(found)
        return cursor

    def save(self, cursor: Cursor, *, sync: bool = False) -> None:
        """Write the cursor; survives `kill -9` at once, with `sync` a power cut too.

        Raises:
            OSError: it could not be written; the one before it still is there.
        """
        if self._fd is None:
            self._open()
        number = self._writes + 1
        fields = _FIELDS.pack(_MAGIC, number, *(min(max(value, 0), _MAX) for value in cursor))
        fd = self._fd or 0
        os.pwrite(fd, fields + _CHECKSUM.pack(crc32(fields)), (number % 2) * _SLOT_BYTES)
        self._writes = number
        if sync:
            os.fsync(fd)

    def close(self, _close=os.close) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
        """Close the file; saving opens it again. Safe twice."""
        fd, self._fd = getattr(self, "_fd", None), None
        if fd is not None:
            _close(fd)

    def _open(self) -> None:
        """Open or make the file, and go on with the number of writes that it has."""
        self.load()
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self._fd = fd
        if os.fstat(fd).st_size < 2 * _SLOT_BYTES:
            # All room that it will ever need, so that a full disk does not stop a consumer that would free some.
            kept = os.pread(fd, 2 * _SLOT_BYTES, 0)
            write_whole(fd, kept.ljust(2 * _SLOT_BYTES, b"\0"))


class MemoryCursor:
    """The cursor of a target that ends with the process: nothing of it is on disk.

    Args:
        log_dir: the log's directory.
        target: name of the consumer.
    """

    damaged_slots = 0

    def __init__(self, log_dir: Path, target: str) -> None:
        self.path = log_dir / cursor_name(target)

    def load(self) -> None:
        """It begins at the beginning."""

    def save(self, cursor: Cursor) -> None:
        """Whoever saves has it."""

    def close(self) -> None:
        """Nothing is open."""


def _decode(slot: bytes) -> tuple[int, Cursor] | None:
    if len(slot) < _FIELDS.size + _CHECKSUM.size:
        return None
    magic, number, *values = _FIELDS.unpack_from(slot)
    if magic != _MAGIC or crc32(slot[: _FIELDS.size]) != _CHECKSUM.unpack_from(slot, _FIELDS.size)[0]:
        return None
    return number, Cursor(*values)


def within(cursor: Cursor, last_seq: int) -> tuple[Cursor, bool]:
    """Return the cursor, at most at the log's end, and whether it was: beyond it, the log has lost its end."""
    if cursor.seq <= last_seq:
        return cursor, True
    return cursor._replace(seq=last_seq), False
