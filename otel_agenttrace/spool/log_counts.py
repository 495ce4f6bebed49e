"""LogCounts: what one log says of its records and of each of its targets. Pure reading: no lock is taken."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from otel_agenttrace.spool.abandoned import OPEN_SPANS_MARK
from otel_agenttrace.spool.about import About, read_about
from otel_agenttrace.spool.cursor import Cursor, CursorFile
from otel_agenttrace.spool.ledger import read_ledger
from otel_agenttrace.spool.names import CURSOR_SUFFIX, list_segments
from otel_agenttrace.spool.reader import LogReader
from otel_agenttrace.spool.segment_reader import is_ours

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class LogCounts:
    """The counts of one log.

    Attributes:
        log: the name of its directory.
        about: its process.
        last_seq: how many records were written to it, start records included.
        cursors: how far each target has come.
        ledger: what its process counted besides; empty if that cannot be read.
        abandoned: spans that were ended on behalf of its process.
    """

    log: str
    about: About
    last_seq: int
    cursors: Mapping[str, Cursor] = field(default_factory=dict)
    ledger: Mapping[str, int] = field(default_factory=dict)
    abandoned: int = 0

    def as_json(self) -> dict[str, Any]:
        """The counts as JSON values."""
        return {
            "log": self.log,
            "service_name": self.about.service_name,
            "started_at": self.about.started_at,
            "last_seq": self.last_seq,
            "targets": {name: cursor._asdict() for name, cursor in self.cursors.items()},
            "ledger": dict(self.ledger),
            "abandoned": self.abandoned,
        }


def count_log(log_dir: Path) -> LogCounts:
    """Read what a log counts; reads its last segment.

    Raises:
        OSError: it cannot be read.
    """
    about = read_about(log_dir) or About()
    names = {unquote(path.name.removesuffix(CURSOR_SUFFIX)) for path in log_dir.glob(f"*{CURSOR_SUFFIX}")}
    cursors = {name: _cursor(log_dir, name) for name in sorted(names | set(about.targets))}
    mark = cursors.pop(OPEN_SPANS_MARK, Cursor())
    last_seq = max([find_last_seq(log_dir), *(cursor.seq for cursor in cursors.values())])
    return LogCounts(log_dir.name, about, last_seq, cursors, read_ledger(log_dir) or {}, mark.sent)


def find_last_seq(log_dir: Path) -> int:
    """Return the sequence number of a log's last record, 0 if it has none.

    Raises:
        OSError: it cannot be read.
    """
    for segment in reversed(list_segments(log_dir)):
        if is_ours(log_dir / str(segment)):
            reader = LogReader(log_dir, segment.first_seq - 1, tell=lambda _: None)
            deque(reader.entries(), maxlen=0)
            return reader.last_seq
    return 0


def _cursor(log_dir: Path, name: str) -> Cursor:
    with suppress(OSError):
        return CursorFile(log_dir, name).load() or Cursor()
    return Cursor()
