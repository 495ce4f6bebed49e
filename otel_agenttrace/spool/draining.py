"""Draining: the logs of dead processes, delivered to those who were to get them, and then removed."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from otel_agenttrace.spool.abandoned import OPEN_SPANS_MARK, end_open_spans
from otel_agenttrace.spool.about import read_about
from otel_agenttrace.spool.adoption import adopt
from otel_agenttrace.spool.consumer import Consumer
from otel_agenttrace.spool.decoding import Decoder
from otel_agenttrace.spool.directory import list_logs, log_bytes
from otel_agenttrace.spool.history import note_removed
from otel_agenttrace.spool.housekeeping import GIVE_UP_ABOVE, make_room
from otel_agenttrace.spool.names import CURSOR_SUFFIX, list_segments
from otel_agenttrace.spool.removal import remove_segments
from otel_agenttrace.spool.target import Delivery, is_store
from otel_agenttrace.spool.worker import HANGS_AFTER_S, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from otel_agenttrace.losses import LossLog
    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.adoption import AdoptedLog
    from otel_agenttrace.spool.target import Item, SpoolTarget

_DAY_S = 86_400
MAX_AGE_S = 7 * _DAY_S
"""How long records wait for a target that no adopter has."""
MAX_STORE_AGE_S = 30 * _DAY_S
"""The same for a store; by then its own retention would have deleted them."""

_WAIT_S = 0.05


class Drained(NamedTuple):
    """What became of the logs of dead processes.

    Attributes:
        removed: logs that everybody had to their end.
        left: logs in which something waits for a target that is away, or not here; or for the next time.
    """

    removed: int
    left: int


class Drainer:
    """Adopts the logs of dead processes one after the other, and has workers deliver them.

    Args:
        spool_dir: where the logs are.
        workers: the targets that are here, whose threads run.
        decoder: shared by them.
        losses: where rejected and dropped records are told.
        wait: waits for progress, at most so many seconds.
        may_go_on: asked all the time; False ends it, and leaves what is not done to others.
        max_bytes: disk quota of the directory; None gives nothing up for want of room.
        now: unix seconds.
    """

    def __init__(
        self,
        spool_dir: Path,
        workers: Sequence[Worker],
        decoder: Decoder,
        losses: LossLog,
        *,
        wait: Callable[[float], None],
        may_go_on: Callable[[], bool],
        max_bytes: int | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._spool_dir = spool_dir
        self._workers = {worker.target.name: worker for worker in workers}
        self._decoder = decoder
        self._losses = losses
        self._wait = wait
        self._may_go_on = may_go_on
        self._max_bytes = max_bytes
        self._now = now

    def drain(self) -> Drained:
        """Adopt and deliver what can be delivered now; what is to wait for a target, waits on disk."""
        removed = left = 0
        try:
            for adopted in adopt(self._spool_dir):
                with adopted:
                    is_removed = self._may_go_on() and self._is_drained(adopted)
                removed += is_removed
                left += not is_removed
                if not self._may_go_on():
                    break
        except OSError as error:
            self._tell(self._spool_dir, error)
        return Drained(removed, left)

    def _is_drained(self, adopted: AdoptedLog) -> bool:
        """Deliver one log; whether that was all of it, and it is gone."""
        try:
            last_seq = end_open_spans(adopted.path, adopted.repair().last_seq)
            consumers = self._consumers(adopted.path, last_seq)
            try:
                self._deliver(consumers, last_seq)
                self._give_up(consumers, adopted.path, last_seq)
                return self._clear(adopted, consumers, last_seq)
            finally:
                for consumer in consumers:
                    self._detach(consumer)
        except OSError as error:
            self._tell(adopted.path, error)
            return False

    def _consumers(self, log_dir: Path, last_seq: int) -> list[Consumer]:
        """One for each target that is to get the log, here or not."""
        about = read_about(log_dir)
        named = () if about is None else about.targets
        names = {*(named or self._workers), *_cursor_names(log_dir)}
        found = []
        for name in sorted(names):
            worker = self._workers.get(name)
            target = AbsentTarget(name) if worker is None else worker.target
            found.append(Consumer(log_dir, target, self._decoder, self._losses, last_seq=last_seq))
        return found

    def _deliver(self, consumers: Sequence[Consumer], last_seq: int) -> None:
        waiting = []
        for consumer in consumers:
            worker = self._workers.get(consumer.target.name)
            if worker is not None and consumer.cursor.seq < last_seq:
                worker.add(consumer)
                worker.ring()
                waiting.append((worker, consumer))
        while self._may_go_on():
            waiting = [(worker, consumer) for worker, consumer in waiting if consumer.cursor.seq < last_seq]
            if all(_is_blocked(worker, consumer) for worker, consumer in waiting):
                return
            self._wait(_WAIT_S)

    def _detach(self, consumer: Consumer) -> None:
        worker = self._workers.get(consumer.target.name)
        if worker is not None and worker.consumers.get(consumer.log_dir) is consumer:
            worker.remove(consumer.log_dir)
        consumer.close()

    def _give_up(self, consumers: Sequence[Consumer], log_dir: Path, last_seq: int) -> None:
        """Drop what has waited too long for a target that is not here, and what there is no room for."""
        age_s = self._now() - _written_at(log_dir)
        for consumer in consumers:
            name = consumer.target.name
            longest = MAX_STORE_AGE_S if is_store(name) else MAX_AGE_S
            if name not in self._workers and age_s > longest:
                consumer.give_up(last_seq, f"nobody has sent there for {longest // _DAY_S} days")
        if self._max_bytes is not None:
            total = sum(log_bytes(path) for path in list_logs(self._spool_dir))
            excess = total - int(self._max_bytes * GIVE_UP_ABOVE)
            if excess > 0:
                make_room(consumers, log_dir, excess)

    def _clear(self, adopted: AdoptedLog, consumers: Sequence[Consumer], last_seq: int) -> bool:
        passed = min((consumer.cursor.seq for consumer in consumers), default=0)
        if passed < last_seq:
            remove_segments(adopted.path, passed)
            return False
        for consumer in consumers:
            self._detach(consumer)
        note_removed(adopted.path)
        return adopted.remove()

    def _tell(self, path: Path, error: OSError) -> None:
        self._losses.add("spool", 0, f"spool: {path} cannot be drained: {error.strerror or error}")


def _is_blocked(worker: Worker, consumer: Consumer) -> bool:
    return worker.is_away or worker.busy_s > HANGS_AFTER_S or consumer.is_unreadable


class AbsentTarget:
    """A target that records wait for, and that is not here."""

    takes_open = True

    def __init__(self, name: str) -> None:
        self.name = name

    def deliver(self, items: Sequence[Item]) -> Delivery:
        """Take nothing."""
        del items
        return Delivery("away", message="it is not here")

    def renew(self) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Nothing is open."""


def drain(
    spool_dir: Path,
    targets: Sequence[SpoolTarget],
    decode: Callable[[SerializedSpan], SpanRecord],
    losses: LossLog,
    timeout_s: float,
) -> Drained:
    """Deliver the logs of dead processes, for commands that read; returns in time even if a target hangs.

    The targets are the caller's to close. Logs of living processes are not touched.
    """
    deadline = time.monotonic() + timeout_s
    progress = threading.Condition()

    def report() -> None:
        with progress:
            progress.notify_all()

    def wait(limit_s: float) -> None:
        with progress:
            progress.wait(min(limit_s, max(0.0, deadline - time.monotonic())))

    workers = [Worker(target, losses, report=report) for target in targets]
    drainer = Drainer(
        spool_dir,
        workers,
        Decoder(decode, losses),
        losses,
        wait=wait,
        may_go_on=lambda: time.monotonic() < deadline,
    )
    for worker in workers:
        worker.start()
    try:
        return drainer.drain()
    finally:
        for worker in workers:
            worker.stop(close=False)
        for worker in workers:
            worker.join(deadline - time.monotonic())


def _cursor_names(log_dir: Path) -> list[str]:
    """The targets that have a place in the log, as far as their files' names tell."""
    names = [unquote(path.name.removesuffix(CURSOR_SUFFIX)) for path in log_dir.glob(f"*{CURSOR_SUFFIX}")]
    return [name for name in names if name != OPEN_SPANS_MARK]


def _written_at(log_dir: Path) -> float:
    """When the log was written to last, unix seconds."""
    times = [0.0]
    for name in list_segments(log_dir):
        with suppress(OSError):
            times.append((log_dir / str(name)).stat().st_mtime)
    return max(times)
