"""ProcessLog: a log of this process that is opened when it is first needed."""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from otel_agenttrace.spool.about import About, write_about
from otel_agenttrace.spool.directory import create_log
from otel_agenttrace.spool.ledger import COUNTERS
from otel_agenttrace.spool.refusal import DISK, RefusedError
from otel_agenttrace.spool.removal import remove_log
from otel_agenttrace.spool.short_ends import ShortEnds
from otel_agenttrace.spool.siblings import this_process
from otel_agenttrace.spool.syncing import GroupSync
from otel_agenttrace.spool.writer import LogWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.spool.config import SpoolConfig
    from otel_agenttrace.spool.frames import Kind

_SECONDS_BETWEEN_OPENINGS = 1.0


class ProcessLog:
    """One log of this process. Not thread-safe; the caller sets `is_busy` around each call.

    Args:
        config: where, how large, how durable.
        about: what is to be said of this process; its id, its host and the time are filled in.
        clock: unix nanoseconds.

    Attributes:
        is_busy: whether a call is under way, which a signal handler on the same thread must not disturb.
        writer: the open log.
        sync: its syncs.
    """

    def __init__(self, config: SpoolConfig, about: About, clock: Callable[[], int]) -> None:
        self.is_busy = False
        self.writer: LogWriter | None = None
        self.sync: GroupSync | None = None
        self._config = config
        self._about = about
        self._clock = clock
        self._bytes_elsewhere = 0
        self._next_opening = 0.0
        self._refusal = RefusedError(DISK, "")
        self._pending: Counter[str] = Counter()  # counts that no ledger has yet
        self._pending_refusals: tuple[int, int] | None = None  # the first and the last, unix nanoseconds
        self._past: Counter[str] = Counter()  # those of logs that are gone
        self._past_records = 0
        self._short_ends = ShortEnds()

    @property
    def counts(self) -> Mapping[str, int]:
        """What was counted, written or not, before and after a removal."""
        written: Mapping[str, int] = {} if self.writer is None else self.writer.ledger.counts
        return {name: self._past[name] + written.get(name, 0) + self._pending[name] for name in COUNTERS}

    @property
    def recorded(self) -> int:
        """How many records were written, start records included, before and after a removal."""
        return self._past_records + (0 if self.writer is None else self.writer.last_seq)

    def append(self, kind: Kind, span: SerializedSpan, origin: bytes = b"") -> int:
        """Write a record; return its sequence number.

        Raises:
            RefusedError: it is not in the log.
        """
        writer = self.writer or self.open()
        try:
            seq = writer.append(kind, span, origin)
        except RefusedError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
        else:
            if self._short_ends.waiting:
                self._short_ends.write(writer)
            return seq
        self.close()  # somebody has removed the directory
        return self.open().append(kind, span, origin)

    def open(self) -> LogWriter:
        """Open the log now; after a failure, not again for a second.

        Raises:
            RefusedError: it cannot be opened.
        """
        if self.writer is not None:
            return self.writer
        now = time.monotonic()
        if now < self._next_opening:
            raise self._refusal
        started = self._clock()
        try:
            log = create_log(
                self._config.directory, self._complete(started), started, sync=self._config.durability == "power"
            )
        except OSError as error:
            self._next_opening = now + _SECONDS_BETWEEN_OPENINGS
            self._refusal = RefusedError(DISK, f"no log can be made in {self._config.directory}", error)
            raise self._refusal from error
        self.sync = None
        writer = self.writer = LogWriter(log, self._config, self._clock)
        writer.bytes_elsewhere = self._bytes_elsewhere
        self.sync = GroupSync(writer)
        for name in tuple(self._pending):
            writer.ledger.add(name, self._pending.pop(name))
        self._write_refusals(writer)
        self._short_ends.write(writer)
        return writer

    def close(self) -> None:
        """Leave the log to others; the next record begins another."""
        writer, self.writer = self.writer, None
        if writer is not None:
            self._short_ends.write(writer)
            self._past.update(writer.ledger.counts)
            self._past_records += writer.last_seq
            writer.release()

    def remove(self, through_seq: int) -> bool:
        """Remove the log if it has no record behind `through_seq`; the next one begins another.

        Raises:
            OSError: it cannot be removed.
        """
        writer = self.writer
        if writer is None or writer.last_seq > through_seq:
            return False
        try:
            return remove_log(writer.path)
        finally:
            self.close()

    def count(self, name: str, count: int) -> None:
        """Add to one of the ledger's counts."""
        with suppress(RefusedError):
            self.open().ledger.add(name, count)
            return
        self._pending[name] += count

    def count_queued(self) -> None:
        """Count a record that waits to be written; for any thread, while others do something to the log."""
        writer = self.writer
        if writer is None:
            self._pending["queued"] += 1
        else:
            writer.ledger.add("queued")

    def refuse(self, reason: str, started: SerializedSpan | None = None) -> None:
        """Count a refused record, and take note of when that was.

        Args:
            reason: one of `refusal.REASONS`.
            started: the record, if it is that of an ended span whose start was taken.
        """
        now = max(1, self._clock())
        first, _ = self._pending_refusals or (now, now)
        self._pending_refusals = first, now
        self.count(f"refused_{reason}", 1)
        if self.writer is not None:
            self._write_refusals(self.writer)
        if started is not None:
            self._short_ends.add(started, self.writer)

    def set_bytes_elsewhere(self, count: int) -> None:
        """Tell how many bytes of the quota others take."""
        self._bytes_elsewhere = count
        if self.writer is not None:
            self.writer.bytes_elsewhere = count

    def write_short_ends(self) -> None:
        """Write again what was refused before, in case that there is room now."""
        if self._short_ends.waiting:
            self._short_ends.write(self.writer)

    def describe(self, about: About) -> None:
        """Say something else of this process.

        Raises:
            OSError: it cannot be written.
        """
        self._about = about
        if self.writer is not None:
            about = self._complete(self.writer.started_unix_nano)
            write_about(self.writer.path, about, sync=self._config.durability == "power")

    def _write_refusals(self, writer: LogWriter) -> None:
        times, self._pending_refusals = self._pending_refusals, None
        for unix_nano in times or ():
            writer.ledger.note_refusal(unix_nano)

    def _complete(self, started_unix_nano: int) -> About:
        started_at = datetime.fromtimestamp(started_unix_nano / 1e9, timezone.utc).isoformat()
        return replace(
            self._about,
            pid=os.getpid(),
            process=this_process(),
            host=socket.gethostname(),
            started_at=started_at,
            durability=self._config.durability,
        )
