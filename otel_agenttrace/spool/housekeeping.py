"""Room: segments that all targets have passed go, and where that is not enough, what is too far behind is given up."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from otel_agenttrace.spool.directory import list_logs, log_bytes
from otel_agenttrace.spool.nameless import segment_bytes
from otel_agenttrace.spool.parts import list_parts
from otel_agenttrace.spool.removal import remove_segments
from otel_agenttrace.spool.target import is_store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from otel_agenttrace.spool.consumer import Consumer
    from otel_agenttrace.spool.log import SpoolLog
    from otel_agenttrace.spool.open_spans import OpenSpans

GIVE_UP_ABOVE = 0.75
"""Of the quota: above, a target that is behind gives up its oldest records, so that new ones find room."""

_TOO_FAR_BEHIND = "it is too far behind, and the spool needs the room"


def removable_seq(log_dir: Path, passed_seq: int) -> int:
    """Return the last sequence number of the segments that may go once `passed_seq` has been passed; 0 if none may.

    Raises:
        OSError: the directory cannot be read.
    """
    return max(
        (b.first_seq - 1 for _, b in pairwise(list_parts(log_dir).segments) if b.first_seq - 1 <= passed_seq), default=0
    )


def remove_passed(log: SpoolLog, open_spans: OpenSpans, log_dir: Path, passed_seq: int) -> int:
    """Remove the segments of a living log that all targets have passed; return how many.

    Raises:
        OSError: the directory cannot be read or changed.
    """
    through_seq = removable_seq(log_dir, passed_seq)
    if not through_seq:
        return 0
    open_spans.carry(log, log_dir, through_seq)
    return remove_segments(log_dir, through_seq)


def make_room(consumers: Sequence[Consumer], log_dir: Path, wanted_bytes: int) -> int:
    """Let targets that are behind give up the oldest segments of a log, until so many bytes can be removed.

    What a store has not passed stays. Nothing is given up where that would free nothing.

    Returns:
        how many spans were given up.

    Raises:
        OSError: the log cannot be read.
    """
    kept_from = min((each.cursor.seq for each in consumers if is_store(each.target.name)), default=None)
    through_seq = freed = 0
    for name, following in pairwise(list_parts(log_dir).segments):
        if freed >= wanted_bytes or (kept_from is not None and following.first_seq - 1 > kept_from):
            break
        freed += segment_bytes(log_dir / str(name))
        through_seq = following.first_seq - 1
    forwards = [each for each in consumers if not is_store(each.target.name)]
    return sum(each.give_up(through_seq, _TOO_FAR_BEHIND) for each in forwards)


def bytes_elsewhere(spool_dir: Path, own: Sequence[Path]) -> int:
    """What the logs of other processes take, living and dead, in bytes.

    Raises:
        OSError: the directory cannot be read.
    """
    return sum(log_bytes(path) for path in list_logs(spool_dir) if path not in own)
