"""A thread that is there while there is work."""

from __future__ import annotations

import logging
import threading
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LOG = logging.getLogger(__name__)

_MAX_STOP_S = 10.0


@dataclass(slots=True)
class _Thread:
    """What is shared with the thread. `is_wanted` is set by `wake` and taken back before each round of work."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)
    is_wanted: bool = False
    running: threading.Thread | None = None


class Background:
    """Calls `work` in a daemon thread, which ends when all is done. Forked children begin with no thread.

    Args:
        name: the thread's.
        work: gets an event that is set when it is to stop early.
    """

    def __init__(self, name: str, work: Callable[[threading.Event], None]) -> None:
        self._name = name
        self._work = work
        self._begin()

    def renew(self) -> None:
        """Begin anew in a forked child, where the parent's lock may be taken for ever."""
        self._stop.detach()
        self._begin()

    def _begin(self) -> None:
        self._thread = _Thread()
        # Also runs when the interpreter exits, which must not happen while the thread is inside a library.
        self._stop = weakref.finalize(self, _stop, self._thread)

    def wake(self) -> None:
        """See to it that `work` is called once more, soon: if no thread can be started, after the next call."""
        thread = self._thread
        with thread.lock:
            thread.is_wanted = True
            if thread.running is None and not thread.closing.is_set():
                starting = threading.Thread(target=self._run, args=[thread], name=self._name, daemon=True)
                try:
                    starting.start()
                except RuntimeError as error:  # too many threads, or the interpreter is about to end
                    _LOG.debug("%s could not be started, and will be at the next chance: %s", self._name, error)
                    return
                # Only now, so that whoever stops finds a thread that can be waited for. It waits for the lock.
                thread.running = starting

    def close(self) -> None:
        """Stop the thread and wait for it."""
        self._stop()

    def _run(self, thread: _Thread) -> None:
        while _goes_on(thread):
            self._work(thread.closing)


def _goes_on(thread: _Thread) -> bool:
    with thread.lock:
        goes_on = thread.is_wanted and not thread.closing.is_set()
        thread.is_wanted = False
        if not goes_on:
            thread.running = None
        return goes_on


def _stop(thread: _Thread) -> None:
    thread.closing.set()
    with thread.lock:  # whoever is starting it
        running = thread.running
    if running is not None:
        running.join(_MAX_STOP_S)
