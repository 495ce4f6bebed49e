"""What has to be made anew in a forked child: locks that a thread of the parent may have held, threads, counts."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_methods: list[weakref.WeakMethod[Callable[[], object]]] = []


def call_in_children(method: Callable[[], object]) -> None:
    """Call a bound method in every forked child, before anything else runs there, for as long as its object lives.

    Those that were given first are called first.
    """
    _methods.append(weakref.WeakMethod(method, _methods.remove))


def _after_fork_in_child() -> None:
    for reference in tuple(_methods):
        if (method := reference()) is not None:
            method()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
