"""Nobody waits long for what is done in the background."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.switches import quick_switches

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def _patient_interpreter() -> Iterator[None]:
    """Threads are not taken away from by the interpreter, only by what gives way."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(60)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_patient_interpreter")
def test_others_run_meanwhile() -> None:
    """A thread that wants to run does so before the work is done."""
    may_run, has_run = threading.Event(), threading.Event()

    def run() -> None:
        may_run.wait()
        has_run.set()

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 20
    with quick_switches:
        may_run.set()
        while not has_run.is_set() and time.monotonic() < deadline:
            pass
    thread.join()

    assert time.monotonic() < deadline


def test_threads_switch_quickly_while_work_is_done_and_as_before_behind_it() -> None:
    """However many are at work, and in whatever order they end; what somebody else has set meanwhile stays."""
    before = sys.getswitchinterval()
    with quick_switches:
        with quick_switches:
            assert sys.getswitchinterval() == pytest.approx(0.0001)
        assert sys.getswitchinterval() == pytest.approx(0.0001)
    assert sys.getswitchinterval() == pytest.approx(before)

    try:
        with quick_switches:
            sys.setswitchinterval(0.02)
        assert sys.getswitchinterval() == pytest.approx(0.02)
    finally:
        sys.setswitchinterval(before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_switches_as_before() -> None:
    """The thread that was at work is not in the child."""
    before = sys.getswitchinterval()
    with quick_switches:
        child = os.fork()
        if child == 0:
            os._exit(0 if abs(sys.getswitchinterval() - before) < before / 10 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
