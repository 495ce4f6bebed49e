"""What a reader finds wrong with a log: told, counted, and survived."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_LOG = logging.getLogger("otel_agenttrace")

DAMAGED = "damaged"
"""Bytes between two frames that are no frame."""
TORN = "torn"
"""Bytes behind the last frame: a write that was not completed, or whose end was lost."""
MISSING = "missing"
"""Records that should be here by their sequence numbers."""
EMPTY = "empty"
"""A segment without even a header."""
FOREIGN = "foreign"
"""A file that is called like a segment of its log, and is none."""
NEWER = "newer"
"""A segment of a later version of this package."""
UNREADABLE = "unreadable"
"""A file that the system does not let us read."""


class Damage(NamedTuple):
    """Something wrong with a log.

    Attributes:
        path: the segment.
        what: one of the words of this module.
        offset: where in the segment, in bytes.
        size: how many bytes.
        records: how many records are known to be lost by it.
        detail: more, for people.
    """

    path: Path
    what: str
    offset: int = 0
    size: int = 0
    records: int = 0
    detail: str = ""

    def __str__(self) -> str:
        where = f"{self.path.parent.name}/{self.path.name}"
        if self.what == MISSING:
            return f"spool: {self.records} records before byte {self.offset} of {where} are missing"
        if self.what in (DAMAGED, TORN):
            return f"spool: {self.size} bytes at {self.offset} of {where} are {self.what}{self.detail}"
        return f"spool: {where} is {self.what} and left alone{self.detail}"


def log_damage(damage: Damage) -> None:
    """Tell of it in the log."""
    _LOG.warning("%s", damage)
