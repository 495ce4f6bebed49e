"""Long work in the background, in slices that are short enough for an agent's threads to wait for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_T = TypeVar("_T")

_SLICE_S = 0.0002
_MAX_SLICE_S = 0.005


def in_slices(items: Iterable[_T]) -> Iterator[_T]:
    """Yield the items, and give way to other threads every fifth of a millisecond.

    A thread that wants to run Python code waits for one that does for up to `sys.getswitchinterval()`, 5 milliseconds,
    unless that one gives way; and what ends a span may have to wait several times. Beside a thread that computes all
    the time that would come to nothing but waiting: after it was kept waiting, the next slice is as long as that took.
    """
    slice_s = _SLICE_S
    since = time.perf_counter()
    for item in items:
        yield item
        now = time.perf_counter()
        if now - since > slice_s:
            time.sleep(0)
            since = time.perf_counter()
            slice_s = min(max(_SLICE_S, since - now), _MAX_SLICE_S)
