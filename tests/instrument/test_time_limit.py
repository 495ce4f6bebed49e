"""Calls with a time limit, on threads that are used again."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import NoReturn

import pytest

from otel_agenttrace.instrument.time_limit import OverdueError, call_within, overdue_count

_place: ContextVar[str] = ContextVar("place", default="nowhere")


def test_what_is_returned_in_time_is_returned() -> None:
    """The caller gets the result of the call."""
    assert call_within(lambda: 7, 30) == 7
    assert call_within(lambda: 7, None) == 7
    assert call_within(lambda: 7, float("inf")) == 7


def test_what_is_raised_is_raised() -> None:
    """The caller gets the error of the call, whatever it is."""

    def leave() -> NoReturn:
        raise SystemExit(3)

    with pytest.raises(SystemExit, match="3"):
        call_within(leave, 30)


def test_calls_one_after_the_other_share_a_thread() -> None:
    """A thread that has nothing to do takes the next call."""
    assert call_within(threading.get_ident, 30) == call_within(threading.get_ident, 30) != threading.get_ident()


def test_a_call_has_the_context_of_its_caller() -> None:
    """What the caller has set is set for the call, and what the call sets is not set for the caller."""
    _place.set("here")

    assert call_within(_place.get, 30) == "here"
    call_within(lambda: _place.set("there"), 30)
    assert _place.get() == "here"


def test_a_call_that_is_not_back_in_time_is_left_behind_and_counted() -> None:
    """Its thread goes on by itself, and is counted until it is back."""
    free, ended = threading.Event(), threading.Event()

    def hang() -> None:
        free.wait(60)
        ended.set()

    with pytest.raises(OverdueError):
        call_within(hang, 0.01)

    assert (overdue_count(), call_within(lambda: 7, 30)) == (1, 7)
    free.set()
    assert ended.wait(60)
    assert call_within(lambda: 7, 30) == 7


def test_calls_at_once_have_threads_of_their_own() -> None:
    """No call waits for another."""
    together = threading.Barrier(4)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda number: call_within(lambda: (number, together.wait(60)), 60)[0], range(4)))

    assert results == [0, 1, 2, 3]


def test_a_call_within_a_call_is_made() -> None:
    """A check may pass a gate of its own."""
    assert call_within(lambda: call_within(lambda: 7, 30), 30) == 7


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_starts_threads_of_its_own() -> None:
    """The threads of the parent are not there, and not waited for."""
    call_within(lambda: 7, 30)
    child = os.fork()
    if child == 0:
        os._exit(0 if call_within(lambda: 7, 30) == 7 else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
