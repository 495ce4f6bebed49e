"""Keeping stores usable in forked children: their locks are free there, and no other thread is halfway through.

A child that inherits a lock which some thread of the parent held waits for it for ever, be it ours or one inside the
database library, which has some that all connections of a process share. So a fork first waits until nobody is in
the library, and for the locks of all stores.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType

MAX_FORK_DELAY_S = 1.0
"""How long a fork waits for each of these; after that it goes ahead, as nobody's query may stop a program."""


class ForkGate:
    """A context manager around what a fork must not find half done: while one waits, nobody enters any more.

    That is every use of a database library, and imports in background threads: a child that needs the same module
    would wait for its lock for ever. May be entered again by a thread that is inside.
    """

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin anew, with nobody inside."""
        self._changed = threading.Condition(threading.Lock())
        self._own = threading.local()
        self._inside = 0
        self._is_shut = False

    def __enter__(self) -> None:
        depth = getattr(self._own, "depth", 0)
        if not depth:
            with self._changed:
                self._changed.wait_for(lambda: not self._is_shut)
                self._inside += 1
        self._own.depth = depth + 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._own.depth -= 1
        if not self._own.depth:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def shut(self) -> None:
        """Let nobody in, and wait, for a bounded time, until all others are out."""
        own = 1 if getattr(self._own, "depth", 0) else 0
        with self._changed:
            self._is_shut = True
            self._changed.wait_for(lambda: self._inside <= own, MAX_FORK_DELAY_S)

    def open(self) -> None:
        """Let the others in again."""
        with self._changed:
            self._is_shut = False
            self._changed.notify_all()


fork_gate = ForkGate()


class Forkable(Protocol):
    """What is to be told about forks. The three methods run in the thread that forks."""

    def before_fork(self) -> None:
        """Wait, for a bounded time, until no other thread is busy, and keep them from starting."""

    def after_fork_in_parent(self) -> None:
        """Let the others go on."""

    def after_fork_in_child(self) -> None:
        """Begin anew: there are no other threads here, and what they held belongs to the parent."""


_forkables: list[weakref.ref[Forkable]] = []


def tell_about_forks(forkable: Forkable) -> None:
    """Tell an object about forks for as long as it lives; those told of last are asked to wait first."""
    _forkables.append(weakref.ref(forkable, _forkables.remove))


def _living() -> list[Forkable]:
    return [forkable for reference in tuple(_forkables) if (forkable := reference()) is not None]


def _before() -> None:
    fork_gate.shut()
    for forkable in reversed(_living()):
        forkable.before_fork()


def _in_parent() -> None:
    for forkable in _living():
        forkable.after_fork_in_parent()
    fork_gate.open()


def _in_child() -> None:
    fork_gate.renew()
    for forkable in _living():
        forkable.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
