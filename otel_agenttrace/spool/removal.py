"""Removing what all consumers are done with: segments of a log that goes on, and logs that do not.

Only what is ours is ever removed; a file that is foreign, or of a newer version, is told and left.
"""

from __future__ import annotations

import logging
import shutil
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from otel_agenttrace.spool.nameless import forget_log, forget_segment
from otel_agenttrace.spool.names import (
    ABOUT,
    CURSOR_SUFFIX,
    LEDGER,
    LOCK,
    PROCESS_LOCK,
    REMOVED_PREFIX,
    SEGMENT_DRAFT,
    parse_segment_name,
)
from otel_agenttrace.spool.parts import list_parts
from otel_agenttrace.spool.segment_reader import is_ours

if TYPE_CHECKING:
    from pathlib import Path

_LOG = logging.getLogger("otel_agenttrace")


def remove_segments(log_dir: Path, through_seq: int) -> int:
    """Remove the segments whose records are all up to `through_seq`; return how many.

    Never the last one, which may be written to, and never one that is not ours.

    Raises:
        OSError: one cannot be removed.
    """
    names = list_parts(log_dir).segments
    removed = 0
    for name, following in pairwise(names):
        if following.first_seq > through_seq + 1:
            break
        path = log_dir / str(name)
        if is_ours(path):
            path.unlink(missing_ok=True)
            forget_segment(path)
            removed += 1
    return removed


def remove_log(log_dir: Path) -> bool:
    """Remove a log, which the caller holds the lock of; False if something in it is not ours and had to be left.

    Raises:
        OSError: it cannot be removed.
    """
    forget_log(log_dir)
    names = [path.name for path in log_dir.iterdir()]
    strange = [name for name in names if not _is_removable(log_dir, name)]
    if not strange:
        removed = log_dir.with_name(REMOVED_PREFIX + log_dir.name)
        log_dir.rename(removed)  # at once: nobody adopts the half of it, or its directory while that goes
        shutil.rmtree(removed, ignore_errors=True)  # whoever adopts logs next sweeps what this leaves
        return True
    for name in names:
        if name != LOCK and name not in strange:
            (log_dir / name).unlink(missing_ok=True)
    tell_once(f"{log_dir} has files that are not ours and is left alone: {', '.join(sorted(strange)[:3])}")
    return False


def _is_removable(log_dir: Path, name: str) -> bool:
    if parse_segment_name(name) is not None:
        return is_ours(log_dir / name)
    return name in (ABOUT, f"{ABOUT}.new", LEDGER, LOCK, PROCESS_LOCK, SEGMENT_DRAFT) or name.endswith(CURSOR_SUFFIX)


@lru_cache(maxsize=256)
def tell_once(message: str) -> None:
    """Tell in the log what is left alone; once, since those who look for dead logs look again and again."""
    _LOG.warning("spool: %s", message)
