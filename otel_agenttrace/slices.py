"""Long work in the background, in slices that are short enough for an agent's threads to wait for."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

_T = TypeVar("_T")

_SLICE_S = 0.0002
_MAX_SLICE_S = 0.005
_SWITCH_S = 0.0001


def in_slices(items: Iterable[_T]) -> Iterator[_T]:
    """Yield the items, and give way to other threads every fifth of a millisecond.

    A thread that wants to run Python code waits for one that does for up to `sys.getswitchinterval()`, 5 milliseconds,
    unless that one gives way; and what ends a span may have to wait several times. Beside a thread that computes all
    the time that would come to nothing but waiting: after it was kept waiting, the next slice is as long as that took.
    """
    slice_s = _SLICE_S
    since = time.perf_counter()
    for item in items:
        yield item
        now = time.perf_counter()
        if now - since > slice_s:
            time.sleep(0)
            since = time.perf_counter()
            slice_s = min(max(_SLICE_S, since - now), _MAX_SLICE_S)


class _QuickSwitches:
    """A context manager around work that cannot give way by itself: threads wait for it a tenth of a millisecond.

    The interpreter has one interval for all threads; it is as before when nobody does such work any more, unless
    somebody else has set it meanwhile. With the default of 5 milliseconds, one span in a hundred would end 25 to 130
    times later than with the SDK's own processor; with this, 20 times.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._workers = 0
        self._before = 0.0

    def end_all(self) -> None:
        """Begin anew in a forked child, where nobody is at work."""
        self._lock = threading.Lock()
        if self._workers:
            self._workers = 0
            self._restore()

    def __enter__(self) -> None:
        with self._lock:
            self._workers += 1
            if self._workers == 1:
                self._before = sys.getswitchinterval()
                if self._before > _SWITCH_S:
                    sys.setswitchinterval(_SWITCH_S)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._workers -= 1
            if not self._workers:
                self._restore()

    def _restore(self) -> None:
        if abs(sys.getswitchinterval() - _SWITCH_S) < _SWITCH_S / 10:
            sys.setswitchinterval(self._before)


quick_switches = _QuickSwitches()


def _after_fork_in_child() -> None:
    quick_switches.end_all()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
