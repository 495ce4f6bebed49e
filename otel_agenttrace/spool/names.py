"""What the files and directories of the spool are called, and what their names say.

    <spool directory>/<started, unix nanoseconds>-<pid>-<id, 8 hex digits>/
        about.json  lock  process  ledger  <first sequence number, 16 digits>[.<n>].seg  <target>.cursor

The id makes a name unique: clocks jump back, and pids collide across containers. Segments sort by sequence number,
never by time. `.<n>` is there when a segment had to be left before it held a record, and the next begins like it.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from pathlib import Path

ABOUT = "about.json"
LOCK = "lock"
PROCESS_LOCK = "process"
"""Held by a process that has left the log to others, and may still end spans of it."""
LEDGER = "ledger"
SEGMENT_DRAFT = "segment.new"
"""A segment that is being made."""
CURSOR_SUFFIX = ".cursor"
OPEN_SPANS_MARK = "@open-spans"
"""Name of the cursor that says up to where the open spans of a dead log have been ended."""
VERDICTS_MARK = "@verdicts"
"""The same of the verdicts of its traces."""
UNFINISHED_PREFIX = ".new-"
"""Of a log that is being made, and is nobody's to adopt yet."""
REMOVED_PREFIX = ".old-"
"""Of a log that is being removed, and is nobody's to adopt any more."""

_LOG = re.compile(r"(\d{1,20})-(\d{1,10})-([0-9a-f]{8})", re.ASCII)
_SEGMENT = re.compile(r"(\d{16})(?:\.(\d{1,4}))?\.seg", re.ASCII)
_MAX_NAME = 150


class LogName(NamedTuple):
    """The parts of the name of a log's directory; logs sort by when they were started."""

    started_unix_nano: int
    pid: int
    log_id: str

    def __str__(self) -> str:
        return f"{self.started_unix_nano}-{self.pid}-{self.log_id}"


def parse_log_name(name: str) -> LogName | None:
    """None if the name is not that of a log."""
    found = _LOG.fullmatch(name)
    return None if found is None else LogName(int(found[1]), int(found[2]), found[3])


class SegmentName(NamedTuple):
    """The parts of a segment's file name; segments sort as they were written."""

    first_seq: int
    attempt: int = 0

    def __str__(self) -> str:
        return f"{self.first_seq:016}.{self.attempt}.seg" if self.attempt else f"{self.first_seq:016}.seg"


def parse_segment_name(name: str) -> SegmentName | None:
    """None if the name is not that of a segment."""
    found = _SEGMENT.fullmatch(name)
    return None if found is None else SegmentName(int(found[1]), int(found[2] or 0))


def list_segments(log_dir: Path) -> list[SegmentName]:
    """Return the names of a log's segments as they were written; none if the log is gone.

    Raises:
        OSError: the directory cannot be read.
    """
    try:
        found = [parse_segment_name(path.name) for path in log_dir.iterdir()]
    except FileNotFoundError:
        return []
    return sorted(name for name in found if name is not None)


def cursor_name(target: str) -> str:
    """Return the file name of a target's cursor: readable, and another for every target."""
    readable = quote(target, safe="")
    if len(readable) > _MAX_NAME:
        readable = f"{readable[: _MAX_NAME - 17]}-{sha256(target.encode(errors='surrogatepass')).hexdigest()[:16]}"
    return readable + CURSOR_SUFFIX


def target_names(log_dir: Path) -> set[str]:
    """Return the targets that have a place in a log, as far as their files' names tell.

    Raises:
        OSError: the directory cannot be read.
    """
    names = {unquote(path.name.removesuffix(CURSOR_SUFFIX)) for path in log_dir.glob(f"*{CURSOR_SUFFIX}")}
    return names - _MARKS


_MARKS = {OPEN_SPANS_MARK, VERDICTS_MARK}
