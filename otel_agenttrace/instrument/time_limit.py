"""Calls a function with a time limit, on a thread that is used again.

A thread of its own for each call would take longer than what is called: handing a call to a thread that waits costs a
quarter of that. Threads that had nothing to do for a while end.
"""

from __future__ import annotations

import os
import threading
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_IDLE_S = 0.2


class OverdueError(Exception):
    """A call was not back when its time was over."""


def call_within(function: Callable[[], T], timeout_s: float | None, meanwhile: Callable[[], object] | None = None) -> T:
    """Call `function` with a copy of this context and return what it returns; what it raises is raised.

    Args:
        function: called on another thread.
        timeout_s: seconds to wait for it at most; None waits.
        meanwhile: called on this thread, which has to wait for the other one anyway; never raises.

    Raises:
        OverdueError: it has not returned in time. It runs on, on a daemon thread, and is counted until it returns.
    """
    call = _Call(function)
    try:
        worker = _idle.pop() if _idle else _Worker()
    except RuntimeError:  # no thread can be started: too many, or the interpreter is shutting down
        worker = None
    if worker is not None:
        worker.give(call)
    if meanwhile is not None:
        meanwhile()
    if worker is None:
        return function()
    if not call.returned.acquire(timeout=-1 if timeout_s is None else min(timeout_s, threading.TIMEOUT_MAX)):
        _overdue.add(call)
        if not call.has_returned:
            raise OverdueError
        _overdue.discard(call)
    if call.error is not None:
        raise call.error
    return call.result


def overdue_count() -> int:
    """How many calls that nobody waits for any more have not returned yet."""
    return len(_overdue)


class _Call(Generic[T]):
    __slots__ = ("_function", "_run", "error", "has_returned", "result", "returned")

    result: T

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._run = copy_context().run
        self.error: BaseException | None = None
        self.has_returned = False
        self.returned = threading.Lock()
        self.returned.acquire()

    def run(self) -> None:
        try:
            self.result = self._run(self._function)
        except BaseException as error:  # noqa: BLE001 - it is the waiting thread's to judge
            self.error = error
        self.has_returned = True
        _overdue.discard(self)


class _Worker:
    """A daemon thread that makes one call at a time. Everything here is one step of the interpreter, or waits."""

    def __init__(self) -> None:
        self._call: _Call[Any] | None = None
        self._given = threading.Lock()
        self._given.acquire()
        threading.Thread(target=self._work, name="agenttrace-check", daemon=True).start()

    def give(self, call: _Call[Any]) -> None:
        """Have it made."""
        self._call = call
        self._given.release()

    def _work(self) -> None:
        while self._given.acquire(timeout=_IDLE_S) or not self._retires():
            call, self._call = self._call, None
            if call is not None:
                call.run()
                _idle.append(self)  # before its caller goes on, who may need it at once
                call.returned.release()
                del call  # and with it all that the call has made

    def _retires(self) -> bool:
        try:
            _idle.remove(self)
        except ValueError:  # taken just now: a call is on its way
            self._given.acquire()
            return False
        return True


_idle: list[_Worker] = []
_overdue: set[_Call[Any]] = set()


def _begin() -> None:
    """Forget the threads, which a forked child does not have."""
    _idle.clear()
    _overdue.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin)
