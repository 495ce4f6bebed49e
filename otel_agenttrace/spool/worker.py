"""Worker: the thread of one target, which delivers the logs that it is given to it."""

from __future__ import annotations

import threading
import time
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_agenttrace.spool.backoff import Backoff
from otel_agenttrace.spool.consumer import Step
from otel_agenttrace.spool.tally import Tally
from otel_agenttrace.switches import quick_switches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from otel_agenttrace.losses import LossLog
    from otel_agenttrace.spool.consumer import Consumer
    from otel_agenttrace.spool.target import SpoolTarget

POLL_S = 1.0
_HANGS_AFTER_S = 5.0
"""A target that has not answered for so long is not waited for, where there is something else to do."""

_LULL_S = 0.004
_MAX_DELAY_S = 0.5
_MAX_DELAYED = 2048
"""A lull of so many seconds is waited for, for so long, and while no more than so many records come in."""

_TOLD_AFTER_FAILURES = 3
"""In a row: less than a second of them is nothing to speak of, as when a store is locked."""

_TOLD_AFTER_S = 60.0
"""Longer than any exporter's own timeout."""


class Worker:
    """Delivers to one target, and to no other, so that it may hang.

    Consumers are stepped in turns, so that the logs of dead processes do not hold back that of this one.

    Args:
        target: where to.
        losses: where failures are told.
        prepare: called in front of each round, e.g. to add consumers.
        report: called after each round that did something.
        recorded: how many records this process has made so far. While it makes some, it goes first, for a while.
        backoff: how long the target is left alone when it is away.

    Attributes:
        failures: rounds so far in which the target took nothing.
        tally: what its consumers came to so far, also those that are gone.
    """

    def __init__(
        self,
        target: SpoolTarget,
        losses: LossLog,
        *,
        prepare: Callable[[Worker], None] = lambda _: None,
        report: Callable[[], None] = lambda: None,
        recorded: Callable[[], int] = lambda: 0,
        backoff: Backoff | None = None,
    ) -> None:
        self.target = target
        self.failures = 0
        self.tally = Tally()
        self._losses = losses
        self._prepare = prepare
        self._report = report
        self._recorded = recorded
        self._recorded_before = 0
        self._is_hurried = False
        self._backoff = backoff or Backoff()
        self._changing = threading.Lock()
        self._consumers: dict[Path, Consumer] = {}  # replaced, never changed
        # Rung by the agent's threads: its `put` may be interrupted by a signal handler that puts, too.
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._is_stopping = False
        self._closes = False
        self._thread: threading.Thread | None = None
        self._busy_since: float | None = None

    @property
    def consumers(self) -> Mapping[Path, Consumer]:
        """Those that it steps, by the directories of their logs."""
        return dict(self._consumers)

    @property
    def is_away(self) -> bool:
        """Whether the target did not take what it was offered last."""
        return self._backoff.failures > 0

    @property
    def is_running(self) -> bool:
        """Whether its thread lives."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def busy_s(self) -> float:
        """For how many seconds the target has not answered; 0 when nobody waits for it."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def is_hanging(self) -> bool:
        """Whether the target has not answered for so long that it is not waited for."""
        return self.busy_s > _HANGS_AFTER_S

    def add(self, consumer: Consumer) -> None:
        """Step a consumer, too."""
        self.tally.add(consumer)
        with self._changing:
            self._consumers = {**self._consumers, consumer.log_dir: consumer}

    def remove(self, log_dir: Path) -> None:
        """Step the consumer of a log no longer; a delivery that is under way is counted, and not waited for."""
        with self._changing:
            consumer = self._consumers.get(log_dir)
            self._consumers = {path: each for path, each in self._consumers.items() if path != log_dir}
        if consumer is not None:
            consumer.close(partial(self.tally.remove, consumer))

    def start(self) -> bool:
        """Start the thread, unless it runs; False if none can be started, as when the interpreter ends."""
        if self._is_stopping or self.is_running:
            return True
        thread = threading.Thread(target=self._run, name=f"agenttrace-{self.target.name}"[:60], daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return False
        self._thread = thread
        return True

    def ring(self, *, hurry: bool = False) -> None:
        """Wake the thread; with `hurry` it tries a target that is away now, not later."""
        if hurry:
            self._is_hurried = True
            self._backoff.hurry()
        self._bell.put(None)

    def stop(self, *, close: bool = True) -> None:
        """Let the thread end after what it is doing, and close the target then."""
        self._closes = close
        self._is_stopping = True
        self._bell.put(None)

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread's end; False if the target hangs."""
        thread = self._thread
        if thread is None:
            if self._is_stopping and self._closes:
                self._close()
            return True
        thread.join(max(0.0, timeout_s))
        return not thread.is_alive()

    def round(self) -> bool:
        """Step each consumer once, unless the target is to be left alone; whether any moved."""
        self._prepare(self)
        moved = False
        for consumer in tuple(self._consumers.values()):
            if self._backoff.remaining_s > 0 or self._is_stopping:
                break
            step = self._step(consumer)
            if step is Step.AWAY:
                self._note_failure(consumer)
            elif step is Step.MOVED:
                self._backoff.succeed()
                moved = True
            if step is not Step.IDLE:
                self._report()
        return moved

    def tell_if_hanging(self) -> None:
        """Tell in the log that the target does not answer, if that is so."""
        busy_s = self.busy_s
        if busy_s > _TOLD_AFTER_S:
            name = self.target.name
            self._losses.add(name, 0, f"{name} has not answered for {busy_s:.0f} s; spans for it wait on disk")

    def _step(self, consumer: Consumer) -> Step:
        self._busy_since = time.monotonic()
        try:
            return consumer.step()
        except Exception as error:  # noqa: BLE001 - a fault of ours; the thread has to go on
            self._losses.add(self.target.name, 0, f"spool: {self.target.name} could not be served", error)
            return Step.AWAY
        finally:
            self._busy_since = None

    def _note_failure(self, consumer: Consumer) -> None:
        self._backoff.fail(consumer.retry_after_s)
        self.failures += 1
        if self._backoff.failures >= _TOLD_AFTER_FAILURES:
            name, why = self.target.name, consumer.message or "it does not say why"
            self._losses.add(name, 0, f"{name} does not take spans, which wait on disk: {why}")

    def _run(self) -> None:
        with suppress_instrumentation():
            while not self._is_stopping:
                self._let_agent_go_first()
                if not self._safe_round():
                    self._is_hurried = False
                    self._wait()
            if self._closes:
                self._close()
            self._report()

    def _let_agent_go_first(self) -> None:
        """Wait until the process records nothing for the moment, or too much waits, or it was waited long enough.

        Threads share one interpreter: what is done here while spans end, they wait for.
        """
        until = time.monotonic() + _MAX_DELAY_S
        most = self._recorded_before + _MAX_DELAYED
        while self._recorded_before != (recorded := self._recorded()):
            self._recorded_before = recorded
            quick_switches.are_too_dear = recorded > most
            if self._is_hurried or self._is_stopping or recorded > most or time.monotonic() > until:
                return
            time.sleep(_LULL_S)
        quick_switches.are_too_dear = False

    def _safe_round(self) -> bool:
        try:
            return self.round()
        except Exception as error:  # noqa: BLE001 - a fault of ours; the thread has to go on
            self._losses.add(self.target.name, 0, f"spool: {self.target.name} could not be served", error)
            return False

    def _wait(self) -> None:
        try:
            self._bell.get(timeout=min(POLL_S, self._backoff.remaining_s) or POLL_S)
            while True:
                self._bell.get_nowait()
        except Empty:
            pass

    def _close(self) -> None:
        self._closes = False
        for consumer in self._consumers.values():
            consumer.close()
        try:
            self.target.close()
        except Exception as error:  # noqa: BLE001 - somebody else's code
            self._losses.add(self.target.name, 0, f"{self.target.name} could not be closed", error)
