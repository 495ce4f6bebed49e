"""SpoolLog: the log of this process, as its threads, signal handlers and forked children see it."""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from otel_agenttrace.losses import LossLog
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.batching import BatchQueue
from otel_agenttrace.spool.frames import SPAN, START
from otel_agenttrace.spool.living import end_left_span, has_left_spans, live_on
from otel_agenttrace.spool.open_spans import ids_of
from otel_agenttrace.spool.process_log import ProcessLog
from otel_agenttrace.spool.refusal import DISK, FAULT, QUEUE_FULL, RefusedError
from otel_agenttrace.spool.short_ends import StartedSpans

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.spool.config import SpoolConfig
    from otel_agenttrace.spool.frames import Kind
    from otel_agenttrace.spool.syncing import GroupSync

_T = TypeVar("_T")

QUEUED = 0
"""What `append` returns for a record that waits in memory, and has no sequence number yet."""

_SECONDS_TO_WAIT_FOR_OTHERS = 1.0
_SECONDS_AT_EXIT = 5.0
_AT_ONCE, _IN_THE_END = (False,), (True,)
"""Whether to wait for a lock."""
_MAX_WAITS_IN_A_ROW = 8
_PAUSE_S = 0.00005
_MAX_PAUSES = 40


class SpoolLog:
    """Takes the records of this process. Never raises into whoever appends; what is not taken is counted and told.

    Thread-safe. A forked child gets a log of its own with its first record. A signal handler that appends in the
    middle of an append on the same thread, where neither could wait for the other, gets a log of its own, too. The
    log's files stay open, and its lock held, as long as the object lives.

    Args:
        config: where, how large, how durable.
        about: what is said of this process to whoever reads the log; its id, its host and the time are filled in.
        losses: where refused records are told, as lost in `spool`.
        clock: unix nanoseconds.
    """

    def __init__(
        self,
        config: SpoolConfig,
        about: About | None = None,
        *,
        losses: LossLog | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.config = config
        self.losses = losses or LossLog()
        self._about = about or About()
        self._clock = clock
        self._is_closed = False
        self._syncs = config.durability == "power"
        self._batches = config.durability == "batch"
        self._begin_anew()
        _spool_logs.add(self)

    def open(self) -> bool:
        """Open the log now, not with the first record; False if it cannot be, which is told."""
        return self._alone(lambda log: log.open()) is not None

    def append(self, kind: Kind, span: SerializedSpan, origin: bytes = b"") -> int | None:
        """Take a record; return its sequence number once it is as durable as the configuration asks for.

        Args:
            kind: SPAN or START.
            span: the record, redacted.
            origin: code locations behind it, for whoever decodes it; cheap where many records have the same object.

        Returns:
            QUEUED with `durability="batch"`; None if the record was refused, and counted so.
        """
        try:
            if kind is START:
                self._started.start(span)
            if self._batches:
                return self._write_now(kind, span, origin) if self._is_closed else self._enqueue(kind, span, origin)
            return self._write(kind, span, origin)
        except Exception as error:  # noqa: BLE001 - no fault of ours reaches the agent
            self._refuse(RefusedError(FAULT, "a span could not be written", error), kind, span)
            return None

    def count(self, name: str, count: int = 1) -> None:
        """Add to one of the ledger's counts."""
        self._alone(lambda log: log.count(name, count))

    @property
    def logs(self) -> Mapping[Path, int]:
        """The directories of this process's open logs, and the last sequence number in each."""
        return {writer.path: writer.last_seq for log in tuple(self._logs) if (writer := log.writer) is not None}

    @property
    def counts(self) -> Mapping[str, int]:
        """What the ledgers of this process's logs say together, of those that were retired, too."""
        total: dict[str, int] = {}
        for log in tuple(self._logs):
            for name, count in log.counts.items():
                total[name] = total.get(name, 0) + count
        return total

    @property
    def recorded(self) -> int:
        """How many records this process has written so far, start records included."""
        return sum(log.recorded for log in tuple(self._logs))

    def describe(self, about: About) -> None:
        """Say something else of this process; told if it cannot be written."""
        self._about = about
        for log in tuple(self._logs):
            self._alone(lambda log: log.describe(about), log)

    def set_bytes_elsewhere(self, count: int) -> None:
        """Tell how many bytes of the quota are taken by the logs of other processes."""
        for log in tuple(self._logs):
            log.set_bytes_elsewhere(count)
            self._alone(lambda log: log.write_short_ends(), log)

    def retire(self, log_dir: Path, through_seq: int) -> bool:
        """Remove one of `logs` if it has no record behind `through_seq`; the next record begins another."""
        for log in tuple(self._logs):
            if log.writer is not None and log.writer.path == log_dir:
                return self._alone(lambda log: log.remove(through_seq), log) or False
        return False

    def flush(self, timeout_s: float) -> bool:
        """Wait until what was appended before is in the log; False if that took longer."""
        queue = self._queue
        return queue is None or queue.is_closed or queue.flush(timeout_s)

    def close(self, timeout_s: float = _SECONDS_AT_EXIT) -> bool:
        """Release the thread, if there is one; what is appended later is written at once. Safe twice.

        Returns:
            False if what was waiting took longer to write.
        """
        self._is_closed = True
        return self._queue is None or self._queue.close(timeout_s)

    def release(self, timeout_s: float = _SECONDS_AT_EXIT) -> bool:
        """Close, and leave the log to whoever adopts it; what is appended later begins another. Safe twice.

        They deliver it. Spans of it that are open may still end, as long as this process lives.

        Returns:
            False if what was waiting took longer to write.
        """
        is_written = self.close(timeout_s)
        for log in tuple(self._logs):
            if self._started and log.writer is not None:
                live_on(log.writer.path, self._started.ids, may_have_more=not self._started.is_complete)
            self._alone(lambda log: log.close(), log)
        self._started.clear()
        return is_written

    def before_fork(self) -> None:
        """Wait until no other thread has a file open that nobody knows of yet."""
        self._is_held = self._lock.acquire(timeout=_SECONDS_TO_WAIT_FOR_OTHERS)

    def after_fork_in_parent(self) -> None:
        """Let the others go on."""
        if self._is_held:
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Leave the log, and what waits for it, to the parent."""
        self._begin_anew()

    def _begin_anew(self) -> None:
        # Reentrant: a signal handler may append in the middle of an append.
        self._lock = threading.RLock()
        self._is_held = False
        self._waits_in_a_row = 0
        self._logs = [self._new_log()]
        self._started = StartedSpans()
        self._queue: BatchQueue | None = None

    def _new_log(self) -> ProcessLog:
        return ProcessLog(self.config, self._about, self._clock)

    def _write(self, kind: Kind, span: SerializedSpan, origin: bytes) -> int | None:
        refusal = None
        lock = self._lock
        taken: list[bool] = []
        try:
            # From within C, where no signal handler can raise between the lock and the note that it is taken.
            taken += map(lock.acquire, _AT_ONCE)
            if taken[0]:
                self._waits_in_a_row = 0
            else:
                self._wait_for(lock, taken)
            log = self._logs[0]
            if log.is_busy:
                log = self._spare()
            log.is_busy = True
            try:
                seq = log.append(kind, span, origin)
                sync = log.sync
            except RefusedError as error:
                log.refuse(error.reason, self._end(kind, span))
                refusal = error
            else:
                if kind is SPAN:
                    self._end(kind, span)
            finally:
                log.is_busy = False
        finally:
            if taken and taken[-1]:
                lock.release()
        # Outside the lock: a log handler may wait for a thread that is about to append.
        if refusal is not None:
            self._tell(refusal)
            return None
        if self._syncs and sync is not None:
            self._wait_for_disk(sync, seq)
        return seq

    def _wait_for(self, lock: threading.RLock, taken: list[bool]) -> None:
        """Take the lock, which another thread has that had to stop in the middle of an append; `taken` ends with True.

        A lock that is waited for is handed over to a thread which does not run at that moment. Others that record all
        the time come upon it taken then, and wait, too: two thread switches for each span, and no end of it. Once that
        is so, the lock is looked for from time to time, and taken by who runs.
        """
        self._waits_in_a_row += 1
        if self._waits_in_a_row > _MAX_WAITS_IN_A_ROW:
            for _ in range(_MAX_PAUSES):
                time.sleep(_PAUSE_S)
                taken += map(lock.acquire, _AT_ONCE)
                if taken[-1]:
                    return
        taken += map(lock.acquire, _IN_THE_END)

    def _end(self, kind: Kind, span: SerializedSpan) -> SerializedSpan | None:
        """Follow no longer a span that has ended, or whose start was refused; its record, if the log has its start."""
        if not (self._started or has_left_spans()):
            return None
        ids = ids_of(span)
        is_known = self._started.end(ids) or (kind is SPAN and end_left_span(ids))
        return span if is_known and kind is SPAN else None

    def _spare(self) -> ProcessLog:
        """A log in which nothing is under way: this is a signal handler, in the middle of an append."""
        for log in self._logs:
            if not log.is_busy:
                return log
        self._logs.append(self._new_log())
        return self._logs[-1]

    def _alone(self, work: Callable[[ProcessLog], _T], log: ProcessLog | None = None) -> _T | None:
        """Do something to a log while nothing else is done to it; None if that fails, which is told, or cannot be."""
        with self._lock:
            if log is None:
                log = self._spare()
            elif log.is_busy:
                return None
            log.is_busy = True
            try:
                return work(log)
            except (OSError, RefusedError) as error:
                failure = error
            finally:
                log.is_busy = False
        if isinstance(failure, OSError):
            failure = RefusedError(DISK, "the log cannot be changed", failure)
        self._tell(failure, spans=0)
        return None

    def _enqueue(self, kind: Kind, span: SerializedSpan, origin: bytes) -> int | None:
        queue = self._queue or self._begin_queue()
        if queue is None:
            return self._write_now(kind, span, origin)
        if queue.put(kind, span, origin):
            return QUEUED
        if queue.is_closed:
            return self._write_now(kind, span, origin)
        self._refuse(RefusedError(QUEUE_FULL, "too many spans wait to be written"), kind, span)
        return None

    def _write_now(self, kind: Kind, span: SerializedSpan, origin: bytes) -> int | None:
        self._count_queued()  # those that were not written are those that were counted and are not in the log
        return self._write(kind, span, origin)

    def _count_queued(self) -> None:
        self._logs[0].count_queued()

    def _begin_queue(self) -> BatchQueue | None:
        config = self.config
        with self._lock:
            if self._queue is None:
                self.open()  # so that there is a ledger
                with suppress(RuntimeError):  # the interpreter ends, and starts no more threads
                    self._queue = BatchQueue(
                        self._write_later, self._count_queued, config.max_queued, config.max_queued_bytes
                    )
            return self._queue

    def _write_later(self, kind: Kind, span: SerializedSpan, origin: bytes) -> None:
        try:
            self._write(kind, span, origin)
        except Exception as error:  # noqa: BLE001 - the thread has to go on
            self._refuse(RefusedError(FAULT, "a span could not be written", error), kind, span)

    def _wait_for_disk(self, sync: GroupSync, seq: int) -> None:
        try:
            sync.wait_for(seq)
        except OSError as error:
            self.count("unsynced")
            self._tell(RefusedError(DISK, "the disk does not promise to keep a span", error), spans=0)

    def _refuse(self, refusal: RefusedError, kind: Kind, span: SerializedSpan) -> None:
        ended = None
        with suppress(Exception):  # the fault may be in the span
            ended = self._end(kind, span)
        self._alone(lambda log: log.refuse(refusal.reason, ended))
        self._tell(refusal)

    def _tell(self, refusal: RefusedError, spans: int = 1) -> None:
        cause = refusal.__cause__
        if isinstance(cause, OSError):
            self.losses.add("spool", spans, f"spool: {refusal}: {cause.strerror or cause}")
        else:
            self.losses.add("spool", spans, f"spool: {refusal}", cause)


_spool_logs: weakref.WeakSet[SpoolLog] = weakref.WeakSet()


def _before_fork() -> None:
    for log in tuple(_spool_logs):
        log.before_fork()


def _after_fork_in_parent() -> None:
    for log in tuple(_spool_logs):
        log.after_fork_in_parent()


def _after_fork_in_child() -> None:
    for log in tuple(_spool_logs):
        log.after_fork_in_child()


def _at_exit() -> None:
    for log in tuple(_spool_logs):
        log.close(_SECONDS_AT_EXIT)


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
atexit.register(_at_exit)
