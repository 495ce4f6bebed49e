"""Keeping stores usable in forked children: their locks are free there, and no other thread is halfway through.

A child that inherits a lock which some thread of the parent held waits for it for ever, be it ours or one inside the
database library. So a fork waits for the locks of all stores first.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


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
    for forkable in reversed(_living()):
        forkable.before_fork()


def _in_parent() -> None:
    for forkable in _living():
        forkable.after_fork_in_parent()


def _in_child() -> None:
    for forkable in _living():
        forkable.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
