"""Drained: what became of the logs of dead processes. Apart from what drains them, which most look-ups never load."""

from __future__ import annotations

from typing import NamedTuple


class Drained(NamedTuple):
    """What became of the logs of dead processes.

    Attributes:
        removed: logs that everybody had to their end.
        left: logs in which something waits for a target that is away, or not here; or for the next time.
    """

    removed: int
    left: int
