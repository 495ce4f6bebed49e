"""Repair of a dead log: where it ends, and what a last write that was not completed has left behind it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.spool.damage import TORN, Damage, log_damage
from otel_agenttrace.spool.names import parse_log_name
from otel_agenttrace.spool.parts import list_parts
from otel_agenttrace.spool.segment_reader import SegmentReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Repaired(NamedTuple):
    """What is known of a log after its repair.

    Attributes:
        last_seq: sequence number of its last record.
        cut_bytes: how much was cut off behind it.
    """

    last_seq: int
    cut_bytes: int


def repair(log_dir: Path, tell: Callable[[Damage], None] = log_damage) -> Repaired:
    """Cut off the torn end of a dead log, which the caller holds the lock of. What is not ours is left alone.

    Reads the last segment only; damage before its end is told by whoever reads the log.

    Raises:
        OSError: the log cannot be read or cut.
    """
    name = parse_log_name(log_dir.name)
    for segment in reversed(list_parts(log_dir).segments):
        path = log_dir / str(segment)
        reader = SegmentReader(path, segment, "" if name is None else name.log_id, _ignore, 0)
        last_seq = max((entry.seq for entry in reader.entries(is_final=True)), default=segment.first_seq - 1)
        if reader.is_ours:
            return Repaired(last_seq, _cut(path, reader.end, tell))
    return Repaired(0, 0)


def _cut(path: Path, end: int, tell: Callable[[Damage], None]) -> int:
    excess = path.stat().st_size - end
    if excess > 0:
        os.truncate(path, end)
        tell(Damage(path, TORN, end, excess, detail=", and cut off"))
    return max(excess, 0)


def _ignore(_damage: Damage) -> None:
    """Whoever reads the log will be told."""
