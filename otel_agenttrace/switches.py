"""Long work in the background, which an agent's threads need not wait for."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from otel_agenttrace.forks import call_in_children

if TYPE_CHECKING:
    from types import TracebackType

_SWITCH_S = 0.0001


class _QuickSwitches:
    """A context manager around long work: a thread that wants to run Python code waits for it 0.1 milliseconds at most.

    The interpreter has one interval for all threads; it is as before when nobody does such work any more, unless
    somebody else has set it meanwhile. With the default of 5 milliseconds, one span in a hundred would end 25 to 130
    times later than with the SDK's own processor; with this, 20 times.

    To give way by `time.sleep(0)` would come to the same where somebody waits, and where nobody does, to a thread that
    is not run for 70 microseconds each time, which is how long Linux takes over such a sleep.

    Attributes:
        are_too_dear: set while threads end spans without a pause: each of those that wait wakes up at every switch,
            which then costs more than all else that is done for a span.
    """

    def __init__(self) -> None:
        self.are_too_dear = False
        self._lock = threading.Lock()
        self._workers = 0
        self._before = 0.0
        call_in_children(self._end_all)

    def __enter__(self) -> None:
        with self._lock:
            self._workers += 1
            if self._workers == 1:
                self._before = sys.getswitchinterval()
                if self._before > _SWITCH_S and not self.are_too_dear:
                    sys.setswitchinterval(_SWITCH_S)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._workers -= 1
            if not self._workers:
                self._restore()

    def _end_all(self) -> None:
        """Begin anew in a forked child, where nobody is at work."""
        self._lock = threading.Lock()
        if self._workers:
            self._workers = 0
            self._restore()

    def _restore(self) -> None:
        if abs(sys.getswitchinterval() - _SWITCH_S) < _SWITCH_S / 10:
            sys.setswitchinterval(self._before)


quick_switches = _QuickSwitches()
