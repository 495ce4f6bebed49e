"""Which files of a log are its segments: anybody can give a file such a name, and what it says would then be believed.

A segment says in its header where it begins. Where that is damaged, its name is believed if frames fit to it.
"""

from __future__ import annotations

import errno
import os
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.spool.damage import EMPTY, FOREIGN, NEWER, UNREADABLE
from otel_agenttrace.spool.frames import find_frame
from otel_agenttrace.spool.names import list_segments, parse_log_name
from otel_agenttrace.spool.segment import HEADER_BYTES, VERSION, decode_header, seed_of

if TYPE_CHECKING:
    from pathlib import Path

    from otel_agenttrace.spool.names import SegmentName

_PASSES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""What has nothing to do with the file."""


class Parts(NamedTuple):
    """The files of a log that are called like segments.

    Attributes:
        segments: those that are, of this version or a newer one, as they were written.
        strange: all others, each with the word of `damage` for it.
    """

    segments: list[SegmentName]
    strange: list[tuple[SegmentName, str]]


def list_parts(log_dir: Path) -> Parts:
    """Look at the files of a log, at each once in the life of this process; none if the log is gone.

    Raises:
        OSError: the directory cannot be read, or no file can be opened now.
    """
    parts = Parts([], [])
    log = parse_log_name(log_dir.name)
    for name in list_segments(log_dir):
        try:
            what = _strangeness(log_dir / str(name), name, "" if log is None else log.log_id)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno in _PASSES:
                raise
            what = UNREADABLE
        if what:
            parts.strange.append((name, what))
        else:
            parts.segments.append(name)
    return parts


@lru_cache(maxsize=4096)
def _strangeness(path: Path, name: SegmentName, log_id: str) -> str:
    """Why a file is no segment; empty if it is one. It stays so: nobody sees a segment before its header is there."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        data = os.pread(fd, HEADER_BYTES, 0)
        header = decode_header(data)
        if header is not None and header.first_seq == name.first_seq:
            return ""
        if header is not None:
            return FOREIGN if header.version == VERSION else NEWER
        if len(data) < HEADER_BYTES:
            return EMPTY
        whole = os.pread(fd, os.fstat(fd).st_size, 0)
        return FOREIGN if find_frame(whole, 0, seed_of(log_id, name.first_seq)) is None else ""
    finally:
        os.close(fd)
