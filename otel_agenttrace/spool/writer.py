"""LogWriter: the log of one process on its way to the disk: sequence numbers, segments, quota, failed writes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from otel_agenttrace.spool.directory import log_bytes, sync_directory
from otel_agenttrace.spool.frames import START
from otel_agenttrace.spool.held_writes import HeldWrites
from otel_agenttrace.spool.refusal import DISK, QUOTA, TOO_LARGE, RefusedError
from otel_agenttrace.spool.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.spool.config import SpoolConfig
    from otel_agenttrace.spool.directory import NewLog
    from otel_agenttrace.spool.frames import Kind

_SECONDS_BETWEEN_COUNTS = 0.1
_KEPT_FREE = 1 / 32
"""Of the quota, for what is appended as a last resort."""


class LogWriter:
    """Writes one log. Not thread-safe, and not reentrant: SpoolLog sees to both.

    It may be interrupted anywhere by an exception, a `KeyboardInterrupt` say, and goes on rightly with the next record.

    Args:
        log: the log's directory.
        config: sizes and durability.
        clock: unix nanoseconds.

    Attributes:
        path: the log's directory.
        started_unix_nano: when it was made.
        ledger: its counts.
        last_seq: sequence number of the last record that is in the file.
        unsynced: segments that may hold what the disk does not promise yet, in order; `power` only.
        bytes_elsewhere: what other logs take of the same quota.
    """

    def __init__(self, log: NewLog, config: SpoolConfig, clock: Callable[[], int]) -> None:
        self.path = log.path
        self.started_unix_nano = log.name.started_unix_nano
        self.ledger = log.ledger
        self.last_seq = 0
        self.unsynced: list[Segment] = []
        self.bytes_elsewhere = 0
        self._lock = log.lock
        self._log_id = log.name.log_id
        self._config = config
        self._clock = clock
        self._rotate_at = config.rotate_at_bytes
        self._max_bytes = config.max_bytes
        self._usual_max_bytes = config.max_bytes - int(config.max_bytes * _KEPT_FREE)
        self._max_record = config.max_record_bytes
        self._segment: Segment | None = None
        self._bytes = 0
        self._next_count = 0.0
        self._is_in_doubt = False
        self._writes = HeldWrites()
        self.ledger.writes = self._writes

    def append(self, kind: Kind, span: SerializedSpan, origin: bytes = b"", *, is_last_resort: bool = False) -> int:
        """Write a record in one call to the system; return its sequence number once the kernel has it.

        Args:
            kind: SPAN or START.
            span: the record.
            origin: code locations behind it.
            is_last_resort: whether it may use that part of the quota, too, which is kept free.

        Raises:
            RefusedError: it is not in the log, and will not be.
        """
        if self._is_in_doubt:
            self._settle()
        segment = self._segment
        seq = self.last_seq + 1
        if segment is None or segment.size >= self._rotate_at:
            segment = self._next_segment(seq)
        frame = segment.encode(kind, seq, span, origin)
        size = len(frame)
        most = self._max_bytes if is_last_resort else self._usual_max_bytes
        if size > self._max_record or self._bytes + size + self.bytes_elsewhere > most:
            self._check_size(segment, size, most)
        self._is_in_doubt = True
        try:
            written = self._writes.write(segment.fd, frame)
        except OSError as error:
            # Stays in doubt: whether something of it is in the file is looked at before the next record.
            raise RefusedError(DISK, f"{self.path} cannot be written", error) from error
        if written != size:
            self._cut_back(segment, written)
        # In this order: interrupted in between, the record is found behind the segment's size.
        self.last_seq = seq
        segment.size += size
        self._bytes += size
        self._is_in_doubt = False
        if kind is START:
            self.ledger.add("starts")
        return seq

    def release(self) -> None:
        """Let go of the log's lock: nothing will be written any more."""
        self._segment = None
        self._lock.release()

    def _next_segment(self, seq: int) -> Segment:
        """Begin a new segment, so that the one before it can be removed once it has been read."""
        try:
            segment = Segment(self.path, self._log_id, seq, max(self._clock(), 0), has_name=self._config.is_left_behind)
        except OSError as error:
            raise RefusedError(DISK, f"no new file can be made in {self.path}", error) from error
        if self._config.durability == "power":
            self._sync_entry(segment)
        self._segment = segment
        self._bytes = log_bytes(self.path)
        return segment

    def _sync_entry(self, segment: Segment) -> None:
        self.unsynced.append(segment)
        try:
            sync_directory(self.path)
        except OSError:
            self.ledger.add("unsynced")

    def _check_size(self, segment: Segment, size: int, most: int) -> None:
        reason = TOO_LARGE if size > self._max_record else QUOTA
        now = time.monotonic()
        if reason == QUOTA and now >= self._next_count:
            self._next_count = now + _SECONDS_BETWEEN_COUNTS
            self._bytes = log_bytes(self.path)
        if reason == QUOTA and self._bytes + size + self.bytes_elsewhere <= most:
            return
        segment.forget_definitions()  # those of this record, which is not written
        limit = self._max_record if reason == TOO_LARGE else self._max_bytes
        what = "a record is larger than" if reason == TOO_LARGE else "the spool has reached its quota of"
        raise RefusedError(reason, f"{what} {limit} bytes")

    def _cut_back(self, segment: Segment, written: int) -> None:
        """Undo a write that the disk had no room for; what cannot be undone is left behind with its segment."""
        try:
            segment.cut_back(written)
        except OSError:
            self._segment = None
        self._is_in_doubt = False
        raise RefusedError(DISK, f"the disk of {self.path} is full")

    def _settle(self) -> None:
        """Find out whether the record of an append that was interrupted is in the file."""
        if self._segment is not None:
            try:
                last_seq, size = self._segment.settle()
                self.last_seq = max(self.last_seq, last_seq)  # in this order: what is settled is not looked at again
                self._segment.size = size
            except OSError:
                self._segment = None
                self.last_seq += 1  # it may be there under this number, which no other record must get
        self._is_in_doubt = False
