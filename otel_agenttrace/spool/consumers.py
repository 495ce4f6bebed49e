"""Consumers: all targets of this process, the threads that deliver to them, and what is waited for and tidied up."""

from __future__ import annotations

import os
import threading
import time
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING

from otel_agenttrace.spool.backoff import Backoff
from otel_agenttrace.spool.consumer import MAX_RECORDS, Consumer
from otel_agenttrace.spool.decoding import Decoder
from otel_agenttrace.spool.directory import log_bytes
from otel_agenttrace.spool.history import note_removed
from otel_agenttrace.spool.housekeeping import GIVE_UP_ABOVE, make_room, remove_passed
from otel_agenttrace.spool.keeper import Keeper
from otel_agenttrace.spool.open_spans import OpenSpans
from otel_agenttrace.spool.target import is_store
from otel_agenttrace.spool.waiting import count_spans_behind
from otel_agenttrace.spool.worker import POLL_S, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from otel_agenttrace.losses import LossLog
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.decoding import Decode
    from otel_agenttrace.spool.judging import Judge
    from otel_agenttrace.spool.log import SpoolLog
    from otel_agenttrace.spool.target import SpoolTarget

_SECONDS_BETWEEN_TIDYINGS = 0.5
_FIRST_LOOK_S = 2.0
"""For dead logs, so that processes that never live for long deliver what was left behind before them, too."""
_WAKE_EVERY = MAX_RECORDS // 2
_AWAY_JOIN_S = 0.2
"""For what a target that is away has to do at the end; one that is being asked may need as long as it likes."""


class Consumers:
    """Delivers the spool of this process, and of dead ones, to its targets, in the background.

    Nothing runs before the first record, or `start`. One thread for each target, so that one that is slow, away or
    hanging holds back no other; and one that looks after dead logs and disk room. A forked child begins without
    threads, and starts its own with its first record.

    Args:
        log: this process's log.
        targets: where records go.
        decode: from what is in the log to the staged record that targets get.
        losses: where rejected, dropped and unreadable records are told.
        after_delivery: is told of this process's own records once the first target has them; on that target's thread.
        judge: makes what judges the traces of the log of a dead process.
        clock: seconds that never jump, for how long targets are left alone.

    Attributes:
        is_stopped: whether it was shut down; what is recorded from then on waits on disk.
    """

    def __init__(
        self,
        log: SpoolLog,
        targets: Sequence[SpoolTarget],
        decode: Decode,
        losses: LossLog,
        *,
        after_delivery: Callable[[Sequence[SpanRecord]], object] | None = None,
        judge: Callable[[], Judge] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.log = log
        self.targets = tuple(targets)
        self.losses = losses
        self.judge = judge
        self._after_delivery = after_delivery
        self._clock = clock
        self.decoder = Decoder(decode, losses, *([] if len(self.targets) > 1 else [0]))
        self._open_spans = OpenSpans()
        self.is_stopped = False
        self._begin_anew()
        _all_consumers.add(self)

    def _begin_anew(self) -> None:
        self._is_started = False
        self._starting = threading.RLock()
        self._tidying = threading.Lock()
        self._progress = threading.Condition()
        self._next_tidying = 0.0
        self._workers = [
            Worker(
                target,
                self.losses,
                prepare=self._prepare,
                report=self._report,
                recorded=lambda: self.log.recorded,
                backoff=Backoff(self._clock),
            )
            for target in self.targets
        ]
        self._keeper = Keeper(self)

    def note(self, seq: int | None) -> None:
        """Be told of a record that was appended; costs the agent's thread next to nothing."""
        if not self._is_started:
            self.start()
        elif seq and seq % _WAKE_EVERY == 0:
            for worker in self._workers:
                worker.ring()

    def start(self) -> None:
        """Start the threads, unless they run, or were stopped."""
        with self._starting:
            if self._is_started or self.is_stopped:
                return
            self._is_started = all(worker.start() for worker in self._workers) and self._keeper.start()

    def flush(self, timeout_s: float) -> bool:
        """Wait until every target that is up has all that was recorded before, and every store has it.

        A target other than a store that is away is tried once more, and then not waited for; nor is one that has not
        answered for 5 seconds.

        Returns:
            Whether every store has all of it; where there is none, whether every target has.
        """
        return self._flush(timeout_s, self._workers)

    def shutdown(self, timeout_s: float) -> bool:
        """Flush, end the threads, and close the targets; what could not be delivered waits on disk. Safe twice.

        A target that is known to be away is not waited for, a store tried once more; what dead processes have left is
        waited for, for 2 seconds at most, if that is still being looked at for the first time. A log that everybody
        has to its end, and in which no span is open, is removed.

        Returns:
            False if a store has not everything, see `flush`, or a target hangs.
        """
        deadline = time.monotonic() + timeout_s
        if self.is_stopped:
            return True
        away = [worker for worker in self._workers if worker.is_away]
        tried = [worker for worker in self._workers if worker not in away or is_store(worker.target.name)]
        is_flushed = self._flush(timeout_s * 0.75, tried, away)
        away = [worker for worker in self._workers if worker.is_away or worker.target.seems_away or worker.is_hanging]
        self._keeper.wait_for_first_look(min(deadline - time.monotonic(), _FIRST_LOOK_S))
        self.is_stopped = True
        self._keeper.stop()
        for worker in self._workers:
            worker.stop()
        have_ended = [
            worker.join(min(deadline - time.monotonic(), _AWAY_JOIN_S if worker in away else timeout_s))
            or worker in away
            for worker in self._workers
        ]
        has_ended = self._keeper.join(deadline - time.monotonic())
        self._retire()
        return is_flushed and has_ended and all(have_ended)

    def waiting(self) -> Mapping[str, int]:
        """How many ended spans of this process, no verdicts, wait for each target, as far as they can be read.

        Without the zeros.
        """
        counts: dict[str, int] = {}
        for worker in self._workers:
            for log_dir, last_seq in self.log.logs.items():
                consumer = worker.consumers.get(log_dir)
                passed = 0 if consumer is None else consumer.cursor.seq
                with suppress(OSError):
                    name, count = worker.target.name, count_spans_behind(log_dir, passed, last_seq)
                    counts[name] = counts.get(name, 0) + count
        return {name: count for name, count in counts.items() if count}

    def tidy(self) -> None:
        """Remove the segments that all targets have passed; let those give up that are too far behind."""
        if not self._tidying.acquire(blocking=False):
            return  # another thread is at it
        try:
            for log_dir in self.log.logs:
                consumers = self._consumers_of(log_dir)
                if len(consumers) < len(self._workers):
                    continue  # one has not come here yet
                with suppress(OSError):  # it is tried again, and a full disk is told when a record is refused
                    self._tidy_log(log_dir, consumers)
        finally:
            self._tidying.release()

    @property
    def workers(self) -> Sequence[Worker]:
        """One for each target."""
        return tuple(self._workers)

    def wait_for_progress(self, timeout_s: float) -> None:
        """Wait until a target took or refused something, at most so long."""
        with self._progress:
            self._progress.wait(timeout_s)

    def after_fork_in_child(self) -> None:
        """Begin anew: the threads, and what they were about to deliver, are the parent's."""
        self._begin_anew()
        for target in self.targets:
            with suppress(Exception):
                target.renew()

    def _prepare(self, worker: Worker) -> None:
        """Give a worker consumers for the logs of this process, which may be new, or gone."""
        logs = self.log.logs
        for log_dir in logs:
            if log_dir not in worker.consumers:
                consumer = Consumer(log_dir, worker.target, self.decoder, self.losses, see=self._open_spans.see)
                if worker is self._workers[0]:
                    consumer.after_delivery = self._after_delivery
                worker.add(consumer)

    def _report(self) -> None:
        with self._progress:
            self._progress.notify_all()
        now = time.monotonic()
        if now >= self._next_tidying:
            self._next_tidying = now + _SECONDS_BETWEEN_TIDYINGS
            self.tidy()

    def _consumers_of(self, log_dir: Path) -> list[Consumer]:
        return [found for worker in self._workers if (found := worker.consumers.get(log_dir)) is not None]

    def _tidy_log(self, log_dir: Path, consumers: list[Consumer]) -> None:
        passed = min((consumer.cursor.seq for consumer in consumers), default=self.log.logs.get(log_dir, 0))
        remove_passed(self.log, self._open_spans, log_dir, passed)
        config = self.log.config
        excess = log_bytes(log_dir) + self._keeper.bytes_elsewhere - int(config.max_bytes * GIVE_UP_ABOVE)
        if excess > 0 and make_room(consumers, log_dir, excess):
            passed = min(consumer.cursor.seq for consumer in consumers)
            remove_passed(self.log, self._open_spans, log_dir, passed)

    def _flush(self, timeout_s: float, tried: Sequence[Worker], known_away: Collection[Worker] = ()) -> bool:
        """Flush to some of the targets; those known to be away are asked once, even if they are stores."""
        deadline = time.monotonic() + timeout_s
        is_written = self.log.flush(timeout_s)
        goal = self.log.logs
        if goal and not self.is_stopped:
            self.start()
            failures = {worker: worker.failures for worker in tried}
            for worker in tried:
                worker.ring(hurry=True)

            def is_settled(worker: Worker) -> bool:
                if _has(worker, goal):
                    return True
                may_be_left = not is_store(worker.target.name) or worker in known_away
                has_failed = worker.is_away and worker.failures > failures[worker]
                is_at_it = worker.is_hanging or (worker.busy_s > 0 and worker.target.seems_away)
                return may_be_left and (has_failed or is_at_it)

            while not all(map(is_settled, tried)) and self._wait(deadline):
                pass
        stores = [worker for worker in self._workers if is_store(worker.target.name)]
        return is_written and all(_has(worker, goal) for worker in stores or self._workers)

    def _wait(self, deadline: float) -> bool:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return False
        for worker in self._workers:
            if not worker.is_running and not self.is_stopped:
                worker.round()  # the interpreter ends, and starts no more threads
        with self._progress:
            self._progress.wait(min(remaining, POLL_S / 20))
        return True

    def _retire(self) -> None:
        for log_dir, last_seq in self.log.logs.items():
            lasting = [worker.consumers.get(log_dir) for worker in self._workers if worker.target.is_lasting]
            is_passed = all(each is not None and each.cursor.seq >= last_seq for each in lasting)
            # Nobody would be told of an open span where no target outlives the process.
            if is_passed and not (lasting and self._open_spans.is_any_open(log_dir)):
                note_removed(log_dir)
                self.log.retire(log_dir, last_seq)


def _has(worker: Worker, goal: Mapping[Path, int]) -> bool:
    """Whether the target has all records of the logs up to there."""
    consumers = worker.consumers
    return all(log_dir in consumers and consumers[log_dir].cursor.seq >= seq for log_dir, seq in goal.items())


_all_consumers: weakref.WeakSet[Consumers] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for consumers in tuple(_all_consumers):
        consumers.after_fork_in_child()


os.register_at_fork(after_in_child=_after_fork_in_child)
