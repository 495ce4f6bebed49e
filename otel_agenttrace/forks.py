"""What has to be made anew in a forked child: locks that a thread of the parent may have held, threads, counts."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import MethodType


class _Owner(weakref.ref[Any]):
    """The object of a bound method. A WeakMethod may complain on stderr at the interpreter's end, this does not."""

    __slots__ = ("function",)
    function: Callable[[Any], object]


_owners: list[_Owner] = []


def call_in_children(method: Callable[[], object]) -> None:
    """Call a bound method in every forked child, before anything else runs there, for as long as its object lives.

    Those that were given first are called first.
    """
    bound = cast("MethodType", method)
    owner = _Owner(bound.__self__, _owners.remove)
    owner.function = bound.__func__
    _owners.append(owner)


def _after_fork_in_child() -> None:
    for owner in tuple(_owners):
        if (found := owner()) is not None:
            owner.function(found)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
