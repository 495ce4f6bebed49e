"""Long work in the background gives way to the agent's threads."""

from __future__ import annotations

import sys
import threading
import time
from itertools import count
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.slices import in_slices

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def _patient_interpreter() -> Iterator[None]:
    """Threads are not taken away from by the interpreter, only by what gives way."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(60)
    yield
    sys.setswitchinterval(before)


def test_all_items_come_in_order() -> None:
    """Whatever is done in between, nothing is left out."""
    assert list(in_slices(range(1000))) == list(range(1000))
    assert list(in_slices([])) == []


def test_no_more_is_taken_than_asked_for() -> None:
    """An endless iterable is fine."""
    items = in_slices(count())

    assert [next(items), next(items)] == [0, 1]


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
    may_run.set()
    for _ in in_slices(count()):
        if has_run.is_set() or time.monotonic() > deadline:
            break
    thread.join()

    assert time.monotonic() < deadline
