"""The thread on which verdicts are made while the agent runs."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from otel_agenttrace.instrument.faults import contained
from otel_agenttrace.switches import quick_switches

if TYPE_CHECKING:
    from collections.abc import Callable

_MIN_PAUSE_S, _MAX_PAUSE_S = 0.25, 2.0
_REST = 3.0
"""How long the thread rests after work, as a multiple of the processor time that it took."""


class SettlerThread:
    """Lets a settler do what is due: one daemon thread, which starts with the first news.

    Args:
        settle_due: does it, and says in how many seconds to call again; None if not before there is news.
    """

    def __init__(self, settle_due: Callable[[], float | None]) -> None:
        self._settle_due = settle_due
        self.renew()

    def renew(self) -> None:
        """Begin anew, in a forked child, to which no other thread has come along."""
        self._thread: threading.Thread | None = None
        self._news = threading.Event()
        self._stopped = threading.Event()

    def wake(self) -> None:
        """Tell it that there is news."""
        self._news.set()
        if self._thread is None and not self._stopped.is_set():
            self._thread = threading.Thread(target=self._run, name="agenttrace-settler", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:
                self._stopped.set()  # the interpreter is ending; the shutdown settles what is left

    def stop(self, timeout_s: float) -> None:
        """Do nothing more, and wait for what is being done."""
        self._stopped.set()
        self._news.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        stopped, news = self._stopped, self._news
        while not stopped.is_set():
            news.wait()
            news.clear()
            pause: float | None = 0.0
            while pause is not None and not stopped.wait(pause):
                used, pause = time.thread_time(), _MAX_PAUSE_S
                with contained("settle traces"), quick_switches:
                    pause = self._settle_due()
                if pause is not None:
                    # The agent shares the interpreter with this thread, which must not keep it busy.
                    pause = max(min(pause, _MAX_PAUSE_S), _MIN_PAUSE_S, _REST * (time.thread_time() - used))
