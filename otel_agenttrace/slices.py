"""Long work in the background, in slices that are short enough for an agent's threads to wait for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_T = TypeVar("_T")

_SLICE_S = 0.0002


def in_slices(items: Iterable[_T]) -> Iterator[_T]:
    """Yield the items, and let others run every fifth of a millisecond.

    A thread that wants to run Python code waits for one that does for up to `sys.getswitchinterval()`, 5 milliseconds,
    unless that one gives way; and what ends a span may have to wait several times.
    """
    until = time.perf_counter() + _SLICE_S
    for item in items:
        yield item
        if time.perf_counter() > until:
            time.sleep(0)
            until = time.perf_counter() + _SLICE_S
