"""Draining: the logs of dead processes, delivered to those who were to get them, and then removed."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from otel_agenttrace.errors import StoreUnavailableError
from otel_agenttrace.spool.abandoned import Completed, end_open_spans, is_completed
from otel_agenttrace.spool.about import read_about
from otel_agenttrace.spool.adoption import adopt, adopt_log
from otel_agenttrace.spool.consumer import Consumer
from otel_agenttrace.spool.decoding import Decoder
from otel_agenttrace.spool.directory import list_logs, log_bytes
from otel_agenttrace.spool.drained import Drained
from otel_agenttrace.spool.history import note_removed
from otel_agenttrace.spool.housekeeping import GIVE_UP_ABOVE, make_room
from otel_agenttrace.spool.judging import Judging
from otel_agenttrace.spool.names import target_names
from otel_agenttrace.spool.parts import list_parts
from otel_agenttrace.spool.removal import remove_segments
from otel_agenttrace.spool.siblings import Siblings
from otel_agenttrace.spool.target import Delivery, is_store
from otel_agenttrace.spool.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from otel_agenttrace.losses import LossLog
    from otel_agenttrace.spool.adoption import AdoptedLog
    from otel_agenttrace.spool.decoding import Decode
    from otel_agenttrace.spool.judging import Judge
    from otel_agenttrace.spool.target import Item, SpoolTarget

_DAY_S = 86_400
MAX_AGE_S = 7 * _DAY_S
"""How long records wait for a target that no adopter has."""
MAX_STORE_AGE_S = 30 * _DAY_S
"""The same for a store; by then its own retention would have deleted them."""

_WAIT_S = 0.05
_LAST_STEP_S = 0.5
"""Beyond the time that there is, for a delivery that is under way."""


class Drainer:
    """Adopts the logs of dead processes one after the other, and has workers deliver them.

    Args:
        spool_dir: where the logs are.
        workers: the targets that are here, whose threads run; those that are not lasting get nothing.
        decoder: shared by them.
        losses: where rejected and dropped records are told.
        wait: waits for progress, at most so many seconds.
        may_go_on: asked all the time; False ends it, and leaves what is not done to others.
        max_bytes: disk quota of the directory; None gives nothing up for want of room.
        judge: makes what judges the traces of one log.
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
        judge: Callable[[], Judge] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._spool_dir = spool_dir
        self._workers = {worker.target.name: worker for worker in workers if worker.target.is_lasting}
        self._decoder = decoder
        self._losses = losses
        self._wait = wait
        self._may_go_on = may_go_on
        self._max_bytes = max_bytes
        self._judge = judge
        self._now = now

    def drain(self) -> Drained:
        """Adopt and deliver what can be delivered now; what is to wait for a target, waits on disk."""
        removed = left = 0
        try:
            siblings = Siblings(self._spool_dir)
            for adopted in adopt(self._spool_dir):
                with adopted:
                    is_removed = self._may_go_on() and self._is_drained(adopted, siblings)
                removed += is_removed
                left += not is_removed
                if not self._may_go_on():
                    break
        except OSError as error:
            self._tell(self._spool_dir, error)
        return Drained(removed, left)

    def _is_drained(self, adopted: AdoptedLog, siblings: Siblings) -> bool:
        """Deliver one log; whether that was all of it, and it is gone."""
        try:
            path = adopted.path
            last_seq = adopted.repair().last_seq
            about = read_about(path)
            if about is None and not self._workers:
                return False  # nobody is here who could be meant
            names = target_names(path) | {*(self._workers if about is None else about.targets)}
            if about is not None and about.durability == "power":
                self._survive_power_cuts(names)
            consumers = {name: self._consumer(path, name, last_seq) for name in sorted(names)}
            try:
                completed = self._deliver_all(consumers, adopted, siblings, last_seq)
                if completed is None:
                    return False
                self._give_up(tuple(consumers.values()), path, completed.last_seq)
                return completed.is_complete and self._clear(adopted, tuple(consumers.values()), completed.last_seq)
            finally:
                for consumer in consumers.values():
                    self._detach(consumer, adopted)
        except (OSError, StoreUnavailableError) as error:
            self._tell(adopted.path, error)
            return False

    def _survive_power_cuts(self, names: Iterable[str]) -> None:
        """Hold to what the process of a log was promised, whatever this one asks for."""
        for name in self._workers.keys() & names:
            self._workers[name].target.survive_power_cuts()

    def _consumer(self, log_dir: Path, name: str, last_seq: int) -> Consumer:
        """Of a target that is to get the log, here or not."""
        worker = self._workers.get(name)
        target = AbsentTarget(name) if worker is None else worker.target
        return Consumer(log_dir, target, self._decoder, self._losses, last_seq=last_seq)

    def _deliver_all(
        self, consumers: dict[str, Consumer], adopted: AdoptedLog, siblings: Siblings, last_seq: int
    ) -> Completed | None:
        """Deliver, and what ends its open spans, and what the judge makes of all that; None if there was no time.

        What is there goes first: to find the open spans takes reading the whole log, and whoever has no time for more
        than that would never deliver anything.
        """
        judging = self._judging(consumers, adopted.path)
        try:
            self._deliver(tuple(consumers.values()), last_seq)
            if not self._may_go_on():
                return None
            completed = _complete(adopted, siblings.of(adopted.path))
            self._deliver_on(consumers, completed.last_seq)
            if judging is None or judging.stored.cursor.seq < completed.last_seq:
                return completed
            judged_seq = judging.append_verdicts(completed.last_seq, self._may_go_on)
            self._deliver_on(consumers, judged_seq)
            return completed._replace(last_seq=judged_seq)
        finally:
            if judging is not None:
                judging.close()

    def _judging(self, consumers: dict[str, Consumer], log_dir: Path) -> Judging | None:
        """None if there is no judge, or no store whose traces could be judged."""
        stored = next((each for name, each in consumers.items() if is_store(name) and name in self._workers), None)
        if self._judge is None or stored is None:
            return None
        judging = Judging(log_dir, self._judge(), self._decoder, stored=stored, losses=self._losses)
        stored.after_delivery = judging.note
        return judging

    def _deliver_on(self, consumers: dict[str, Consumer], last_seq: int) -> None:
        """Deliver what was added to the log."""
        for consumer in consumers.values():
            consumer.extend(last_seq)
        self._deliver(tuple(consumers.values()), last_seq)

    def _deliver(self, consumers: Sequence[Consumer], last_seq: int) -> None:
        waiting = []
        for consumer in consumers:
            worker = self._workers.get(consumer.target.name)
            if worker is not None and consumer.cursor.seq < last_seq:
                if worker.consumers.get(consumer.log_dir) is not consumer:
                    worker.add(consumer)
                worker.ring()
                waiting.append((worker, consumer))
        while self._may_go_on():
            waiting = [(worker, consumer) for worker, consumer in waiting if consumer.cursor.seq < last_seq]
            if all(_is_blocked(worker, consumer) for worker, consumer in waiting):
                return
            self._wait(_WAIT_S)

    def _detach(self, consumer: Consumer, adopted: AdoptedLog) -> None:
        """Deliver no more; the log is others' once the delivery that is under way has moved its cursor."""
        worker = self._workers.get(consumer.target.name)
        if worker is not None and worker.is_hanging:
            consumer.abandon()
        if worker is not None and worker.consumers.get(consumer.log_dir) is consumer:
            worker.remove(consumer.log_dir)
        adopted.borrow()
        consumer.close(adopted.give_back)

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
        passed = min((consumer.cursor.seq for consumer in consumers), default=last_seq)
        if passed < last_seq:
            remove_segments(adopted.path, passed)
            return False
        for consumer in consumers:
            self._detach(consumer, adopted)
        note_removed(adopted.path)
        return adopted.remove()

    def _tell(self, path: Path, error: Exception) -> None:
        why = getattr(error, "strerror", None) or error
        self._losses.add("spool", 0, f"spool: {path} cannot be drained: {why}")


def _complete(adopted: AdoptedLog, siblings: Sequence[Path]) -> Completed:
    """End the open spans of a log, and first those of its siblings, which may have ended in this one."""
    family = [adopted.path, *siblings]
    are_complete = True
    for path in siblings:
        other = None if is_completed(path) else adopt_log(path)
        if other is not None:
            with other:
                others = [each for each in family if each != path]
                found = end_open_spans(path, other.repair().last_seq, others, held=adopted.path)
                are_complete = are_complete and found.is_complete
    found = end_open_spans(adopted.path, adopted.repair().last_seq, siblings)
    return found if are_complete else found._replace(is_complete=False)


def _is_blocked(worker: Worker, consumer: Consumer) -> bool:
    return worker.is_away or worker.is_hanging or consumer.is_unreadable


class AbsentTarget:
    """A target that records wait for, and that is not here."""

    takes_open = True
    seems_away = True
    is_lasting = True

    def __init__(self, name: str) -> None:
        self.name = name

    def deliver(self, items: Sequence[Item]) -> Delivery:
        """Take nothing."""
        del items
        return Delivery("away", message="it is not here")

    def survive_power_cuts(self) -> None:
        """Nothing is taken."""

    def renew(self) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Nothing is open."""


def drain(
    spool_dir: Path,
    targets: Sequence[SpoolTarget],
    decode: Decode,
    losses: LossLog,
    timeout_s: float,
    *,
    judge: Callable[[], Judge] | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> Drained:
    """Deliver the logs of dead processes, for commands that read; returns in time even if a target hangs.

    The targets are the caller's to close. Logs of living processes are not touched. `judge` makes what judges the
    traces of one log; `progress` is told, all the time, how many records targets are done with.
    """
    deadline = time.monotonic() + timeout_s
    moved = threading.Condition()

    def report() -> None:
        with moved:
            moved.notify_all()

    def wait(limit_s: float) -> None:
        with moved:
            moved.wait(min(limit_s, max(0.0, deadline - time.monotonic())))
        progress(sum(worker.tally.total.seq for worker in workers))

    workers = [Worker(target, losses, report=report) for target in targets]
    drainer = Drainer(
        spool_dir,
        workers,
        Decoder(decode, losses),
        losses,
        wait=wait,
        may_go_on=lambda: time.monotonic() < deadline,
        judge=judge,
    )
    for worker in workers:
        worker.start()
    try:
        return drainer.drain()
    finally:
        for worker in workers:
            worker.stop(close=False)
        deadline = max(deadline, time.monotonic() + _LAST_STEP_S)
        for worker in workers:
            worker.join(deadline - time.monotonic())


def _written_at(log_dir: Path) -> float:
    """When the log was written to last, unix seconds."""
    times = [0.0]
    for name in list_parts(log_dir).segments:
        with suppress(OSError):
            times.append((log_dir / str(name)).stat().st_mtime)
    return max(times)
