"""What is made anew in forked children."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref

import pytest

from otel_agenttrace.forks import call_in_children


class Renewed:
    """Counts how often it was made anew.

    Args:
        order: where each one that is called puts its name.
        name: its own.
    """

    def __init__(self, name: str, order: list[str]) -> None:
        self.name = name
        self.order = order
        call_in_children(self.renew)

    def renew(self) -> None:
        """Put its name to the others."""
        self.order.append(self.name)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_methods_are_called_in_the_child_alone_and_in_their_order() -> None:
    """Once each, those that were given first before the others; the parent goes on as it was."""
    order: list[str] = []
    kept = [Renewed("first", order), Renewed("second", order)]
    child = os.fork()
    if child == 0:
        os._exit(0 if order == ["first", "second"] else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert order == []
    assert len(kept) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_nothing_is_kept_alive_for_it() -> None:
    """An object that is gone is called no more."""
    order: list[str] = []
    gone = weakref.ref(Renewed("gone", order))
    gc.collect()
    child = os.fork()
    if child == 0:
        os._exit(0 if order == [] else 1)

    assert gone() is None
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_what_lives_to_the_end_ends_without_a_word() -> None:
    """An object that a module holds is taken apart in any order, with the modules that know of it."""
    program = """
from otel_agenttrace.pipeline.limit import ValueLimiter
limiter = ValueLimiter()
def keep(): return limiter
"""
    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert ended.stdout + ended.stderr == ""
