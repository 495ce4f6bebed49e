"""Consumer: one target in one log, from its cursor on."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from otel_agenttrace.spool.cursor import Cursor, CursorFile, MemoryCursor, within
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.offer import Offered, offer
from otel_agenttrace.spool.reader import LogReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from otel_agenttrace.losses import LossLog
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.decoding import Decoder
    from otel_agenttrace.spool.segment_reader import Entry
    from otel_agenttrace.spool.target import Item, SpoolTarget

MAX_RECORDS = 512
MAX_BYTES = 1 << 22
_FIRST_RECORDS = 32
"""Of a dead log, for which there may be a second only: each batch that is taken makes the next twice as large."""
_SUSPECT_AFTER = 5
"""Attempts at a batch, failed for no known reason, after which a record of it is suspected."""
_MAX_ATTEMPTS = _SUSPECT_AFTER + MAX_RECORDS.bit_length()
"""From here on records are offered one by one; each success makes that twice as many again."""


class Step(Enum):
    """What one step of a consumer came to."""

    IDLE = "idle"
    """There is nothing to deliver."""
    MOVED = "moved"
    """Records were delivered, or done with otherwise."""
    AWAY = "away"
    """The target took nothing more; the same records will be offered again."""


@dataclass
class _Batch:
    """Records that were read: those still to be offered, and what is to be said once all are."""

    items: list[Item]
    last_seq: int
    unreadable: int = 0
    attempts: int = 0
    comparisons: int = 0


class Consumer:
    """Delivers a log to a target: every record at least once, in order, and says on disk how far it has come.

    `step` is for one thread; everything else may be called from others meanwhile, and does not wait for the target.

    Args:
        log_dir: the log's directory.
        target: who gets the records.
        decoder: shared with the other consumers.
        losses: where rejected and dropped records are told, under the target's name.
        last_seq: the end of a log whose process is dead; None while it lives.
        see: is shown all that is read, in order.

    Attributes:
        cursor: how far it has come.
        message: what the target said last when it did not take something.
        retry_after_s: how long it asked to be left alone then.
        is_unreadable: whether the log could not be read when that was tried last.
        after_delivery: when set, is told of records once the target has them, or will never take them; by `step`.
    """

    def __init__(
        self,
        log_dir: Path,
        target: SpoolTarget,
        decoder: Decoder,
        losses: LossLog,
        *,
        last_seq: int | None = None,
        see: Callable[[Path, Sequence[Entry]], None] = lambda *_: None,
    ) -> None:
        self.log_dir = log_dir
        self.target = target
        self.message = ""
        self.retry_after_s: float | None = None
        self.is_unreadable = False
        self.after_delivery: Callable[[Sequence[SpanRecord]], object] | None = None
        self._decoder = decoder
        self._losses = losses
        self._see = see
        self._last_seq = last_seq
        self._is_dead = last_seq is not None
        self._lock = threading.Lock()
        self._is_closed = False
        self._is_stepping = False
        self._after_close: list[Callable[[], object]] = []
        self._batch_records = MAX_RECORDS if last_seq is None else _FIRST_RECORDS
        self._file = (CursorFile if target.is_lasting else MemoryCursor)(log_dir, target.name)
        self.cursor = self._loaded(last_seq)
        self._reader = self._reader_from(self.cursor.seq)
        self._batch: _Batch | None = None
        self._given_up_seq = 0

    @property
    def in_hand(self) -> int:
        """How many records were read, and are not taken yet."""
        batch = self._batch
        return 0 if batch is None or self._is_closed else len(batch.items)

    def step(self) -> Step:
        """Offer the next records once."""
        with self._lock:
            if self._is_closed:
                return Step.IDLE
            batch = self._batch or self._read()
            if batch is None:
                return Step.IDLE
            wanted = self._wanted_now(batch)
            self._is_stepping = True
        try:
            offered = offer(self.target, wanted)
            if offered.is_doubtful and not offered.done and len(wanted) == 1:
                offered = self._compared(batch, offered)
            if finished := batch.items[: offered.done]:
                self._tell_of_delivery(finished)  # before the cursor moves, for which others wait
            with self._lock:
                return self._settle(batch, offered)
        finally:
            self._end_step()

    def extend(self, last_seq: int) -> None:
        """Deliver a dead log on to an end that is further away now."""
        with self._lock:
            self._last_seq = last_seq

    def give_up(self, through_seq: int, why: str) -> int:
        """Drop what is not delivered up to there; return how many ended spans that were. `why` is told.

        Raises:
            OSError: the log cannot be read.
        """
        with self._lock:
            cursor = self.cursor
            if cursor.seq >= through_seq:
                return 0
            count = count_spans(self.log_dir, cursor.seq, through_seq, is_dead=self._is_dead)
            self._batch = None
            self._given_up_seq = through_seq
            self._reader = self._reader_from(through_seq)
            self._save(cursor._replace(seq=through_seq, dropped=cursor.dropped + count))
        name = self.target.name
        self._losses.add(name, count, f"spans for {name} were dropped: {why}")
        return count

    def close(self, then: Callable[[], object] = lambda: None) -> None:
        """Deliver nothing more, and leave the cursor to others; safe twice.

        What a delivery that is under way comes to is still written: it would be made again otherwise, and in vain again
        if that never has the time to end.

        Args:
            then: called once nothing is written any more, here or where the delivery ends.
        """
        with self._lock:
            self._is_closed = True
            self._after_close.append(then)
            if self._is_stepping:
                return
        self._leave()

    def abandon(self) -> None:
        """Close, and leave the cursor at once, though a delivery is under way that does not end."""
        with self._lock:
            self._is_closed = True
            self._is_stepping = False
        self._leave()

    def _end_step(self) -> None:
        with self._lock:
            self._is_stepping = False
            if not self._is_closed:
                return
        self._leave()

    def _leave(self) -> None:
        with self._lock:
            self._file.close()
            calls, self._after_close = self._after_close, []
        for call in calls:
            call()

    def _loaded(self, last_seq: int | None) -> Cursor:
        """The cursor on disk. One that is lost is at the beginning: what was delivered will be, again."""
        try:
            cursor = self._file.load() or Cursor()
        except OSError as error:
            self._tell_fault("cannot be read", error)
            return Cursor()
        if self._file.damaged_slots:
            self._losses.add(self.target.name, 0, f"spool: {self._file.path} is damaged; an earlier place is taken")
        if last_seq is None:
            return cursor
        cursor, is_within = within(cursor, last_seq)
        if not is_within:
            self._losses.add(self.target.name, 0, f"spool: {self._file.path} is beyond the log's end, which is taken")
        return cursor

    def _reader_from(self, seq: int) -> LogReader:
        self._missing_before = 0
        return LogReader(self.log_dir, seq, is_dead=self._is_dead)

    def _read(self) -> _Batch | None:
        """The next batch; None if nothing is there, or it cannot be read."""
        try:
            entries = self._reader.batch(self._batch_records, MAX_BYTES * self._batch_records // MAX_RECORDS)
        except OSError as error:
            self._tell_fault("cannot be read", error)
            self.is_unreadable = True
            return None
        self.is_unreadable = False
        self._note_missing()
        if not entries:
            self._note_end()
            return None
        self._see(self.log_dir, entries)
        if not self.target.takes_open:
            entries = [entry for entry in entries if entry.kind is Kind.SPAN]
        items = self._decoder.items(self.log_dir, entries, self.target.name)
        self._batch = _Batch(items, self._reader.last_seq, len(entries) - len(items))
        return self._batch

    def _note_missing(self) -> None:
        missing = self._reader.missing_count - self._missing_before
        if not missing:
            return
        self._missing_before += missing
        cursor = self.cursor
        if self._last_seq is not None:  # a segment of a newer version may begin anywhere
            missing = min(missing, max(0, self._last_seq - cursor.sent - cursor.rejected - cursor.dropped))
        self._save(cursor._replace(dropped=cursor.dropped + missing))

    def _note_end(self) -> None:
        """Pass what a dead log should still have, and has not: nobody will ever write it."""
        cursor = self.cursor
        lost = 0 if self._last_seq is None else self._last_seq - cursor.seq
        if lost > 0 and self._batch is None:
            self._save(cursor._replace(seq=cursor.seq + lost, dropped=cursor.dropped + lost))

    def _wanted_now(self, batch: _Batch) -> list[Item]:
        """All that is left of the batch; fewer and fewer when nobody knows why it fails."""
        suspicion = batch.attempts - _SUSPECT_AFTER
        if suspicion < 0:
            return batch.items
        size = max(1, MAX_RECORDS >> (suspicion + 1))
        if size == 1 and len(batch.items) < MAX_RECORDS // 2 and (more := self._read()) is not None:
            batch.items += more.items  # to compare with
            batch.last_seq = more.last_seq
            batch.unreadable += more.unreadable
            self._batch = batch
        return batch.items[:size]

    def _compared(self, batch: _Batch, offered: Offered) -> Offered:
        """Offer another record than the one that fails for no known reason: it is to blame if that is taken.

        And fails again then: the target may have come back in between.
        """
        first, others = batch.items[:1], batch.items[1:]
        batch.comparisons += 1  # with another one each time, as that may be bad, too
        at = 2 ** (batch.comparisons % MAX_RECORDS.bit_length()) % max(1, len(others))
        if not (others and offer(self.target, others[at : at + 1]).done):
            return offered
        again = offer(self.target, first)
        return Offered(1, 1, message=again.message) if again.is_doubtful else again

    def _settle(self, batch: _Batch, offered: Offered) -> Step:
        self.message = offered.message
        self.retry_after_s = offered.retry_after_s
        if offered.rejected:
            name = self.target.name
            why = offered.message or "it does not say why"
            self._losses.add(name, offered.rejected, f"{name} rejected spans: {why}")
        self._count(batch, offered.done, offered.rejected, retried=0 if offered.is_complete else 1)
        if offered.is_complete:
            self._batch_records = min(2 * self._batch_records, MAX_RECORDS)
        if offered.is_doubtful:
            batch.attempts = min(batch.attempts + 1, _MAX_ATTEMPTS)
        elif batch.attempts:
            batch.attempts -= 1
        return Step.MOVED if offered.is_complete or offered.done else Step.AWAY

    def _count(self, batch: _Batch, done: int, rejected: int, retried: int) -> None:
        """Move the cursor behind the first `done` records of the batch."""
        is_stale = self._batch is not batch  # since something was given up meanwhile
        finished, batch.items = batch.items[:done], batch.items[done:]
        given_up = sum(item.seq <= self._given_up_seq for item in finished)  # and yet delivered
        seq, sent = (batch.items[0].seq - 1 if batch.items else batch.last_seq), done - rejected
        if not batch.items:
            rejected += batch.unreadable
            self._batch = None
        cursor = self.cursor
        self._save(
            Cursor(
                max(cursor.seq, seq),
                cursor.sent + sent,
                cursor.rejected + rejected,
                max(0, cursor.dropped - given_up),
                cursor.retried + retried,
            )
        )
        if is_stale:
            self._reader = self._reader_from(self.cursor.seq)

    def _tell_of_delivery(self, finished: Sequence[Item]) -> None:
        if self.after_delivery is None or self._is_closed:
            return
        try:
            self.after_delivery([item.record for item in finished])
        except Exception as error:  # noqa: BLE001 - the records are delivered, whatever is made of them
            self._losses.add("spool", 0, "spool: delivered spans could not be looked at", error)

    def _save(self, cursor: Cursor) -> None:
        self.cursor = cursor
        if self._is_closed and not self._is_stepping:
            return
        try:
            self._file.save(cursor)
        except OSError as error:
            self._tell_fault("cannot be written; what is delivered now may be so again", error)

    def _tell_fault(self, what: str, error: OSError) -> None:
        self._losses.add(self.target.name, 0, f"spool: {self._file.path}: {what}: {error.strerror or error}")


def count_spans(log_dir: Path, after_seq: int, through_seq: int, *, is_dead: bool) -> int:
    """Return how many ended spans a log has in a range of sequence numbers.

    Raises:
        OSError: the log cannot be read.
    """
    count = 0
    for entry in LogReader(log_dir, after_seq, is_dead=is_dead, tell=lambda _: None).entries():
        if entry.seq > through_seq:
            break
        count += entry.kind is Kind.SPAN
    return count
