"""Keeper: the thread that looks after disk room and the logs of dead processes."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_agenttrace.spool.draining import Drainer
from otel_agenttrace.spool.housekeeping import bytes_elsewhere

if TYPE_CHECKING:
    from otel_agenttrace.spool.consumers import Consumers

_TICK_S = 1.0
_SECONDS_BETWEEN_DRAININGS = 30.0


class Keeper:
    """Tidies up every second; looks for dead logs at first, and every 30 seconds.

    Args:
        consumers: whose.

    Attributes:
        bytes_elsewhere: what other logs take of the same quota.
    """

    def __init__(self, consumers: Consumers) -> None:
        self.bytes_elsewhere = 0
        self._consumers = consumers
        self._stopping = threading.Event()
        self._has_looked = threading.Event()
        self._thread: threading.Thread | None = None
        self._next_tick = 0.0

    def start(self) -> bool:
        """Start the thread; False if none can be started, as when the interpreter ends."""
        if self._thread is not None:
            return True
        thread = threading.Thread(target=self._run, name="agenttrace-keeper", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return False
        self._thread = thread
        return True

    def wait_for_first_look(self, timeout_s: float) -> None:
        """Wait until the dead logs that were there at first have been delivered, as far as they could be."""
        if self._thread is not None:
            self._has_looked.wait(max(0.0, timeout_s))

    def stop(self) -> None:
        """Let the thread end; a dead log that is being delivered is left to others."""
        self._stopping.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread's end; False if that took longer."""
        if self._thread is not None:
            self._thread.join(max(0.0, timeout_s))
        return self._thread is None or not self._thread.is_alive()

    def _run(self) -> None:
        consumers = self._consumers
        config = consumers.log.config
        drainer = Drainer(
            config.directory,
            consumers.workers,
            consumers.decoder,
            consumers.losses,
            wait=self._wait,
            may_go_on=lambda: not self._stopping.is_set(),
            max_bytes=config.max_bytes,
            judge=consumers.judge,
        )
        with suppress_instrumentation():
            while not self._stopping.is_set():
                try:
                    drainer.drain()
                except Exception as error:  # noqa: BLE001 - a fault of ours; the thread has to go on
                    consumers.losses.add("spool", 0, "spool: logs of dead processes could not be drained", error)
                self._has_looked.set()
                self._idle(_SECONDS_BETWEEN_DRAININGS)

    def _idle(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._stopping.wait(_TICK_S):
            self._tick()

    def _wait(self, seconds: float) -> None:
        self._consumers.wait_for_progress(seconds)
        if time.monotonic() >= self._next_tick:
            self._tick()

    def _tick(self) -> None:
        self._next_tick = time.monotonic() + _TICK_S
        log = self._consumers.log
        with suppress(OSError):
            self.bytes_elsewhere = bytes_elsewhere(log.config.directory, tuple(log.logs))
            log.set_bytes_elsewhere(self.bytes_elsewhere)
        self._consumers.tidy()
        for worker in self._consumers.workers:
            worker.tell_if_hanging()
