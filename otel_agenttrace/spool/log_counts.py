"""LogCounts: what one log says of its records and of each of its targets. Pure reading: no lock is taken."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from otel_agenttrace.spool.about import About, read_about
from otel_agenttrace.spool.cursor import Cursor, CursorFile
from otel_agenttrace.spool.ledger import RefusalTimes, read_ledger, read_refusal_times
from otel_agenttrace.spool.names import OPEN_SPANS_MARK, VERDICTS_MARK, target_names
from otel_agenttrace.spool.parts import list_parts
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
        verdicts: of its traces, added by those who adopted the log.
        refusal_times: when its process refused records; None if it did not.
    """

    log: str
    about: About
    last_seq: int
    cursors: Mapping[str, Cursor] = field(default_factory=dict)
    ledger: Mapping[str, int] = field(default_factory=dict)
    abandoned: int = 0
    verdicts: int = 0
    refusal_times: RefusalTimes | None = None

    @property
    def ended(self) -> int:
        """How many spans of agents that have ended were written to it."""
        others = self.ledger.get("starts", 0) + self.ledger.get("verdicts", 0) + self.verdicts
        return max(0, self.last_seq - others)

    def as_json(self) -> dict[str, Any]:
        """The counts as JSON values."""
        return {
            "log": self.log,
            "service_name": self.about.service_name,
            "process": self.about.process,
            "started_at": self.about.started_at,
            "last_seq": self.last_seq,
            "targets": {name: cursor._asdict() for name, cursor in self.cursors.items()},
            "ledger": dict(self.ledger),
            "abandoned": self.abandoned,
            "verdicts": self.verdicts,
            "refusal_times": None if self.refusal_times is None else self.refusal_times._asdict(),
        }


def count_log(log_dir: Path) -> LogCounts:
    """Read what a log counts; reads its last segment.

    Raises:
        OSError: it cannot be read.
    """
    about = read_about(log_dir) or About()
    cursors = {name: _cursor(log_dir, name) for name in sorted(target_names(log_dir) | {*about.targets})}
    abandoned, verdicts = (_cursor(log_dir, mark).sent for mark in (OPEN_SPANS_MARK, VERDICTS_MARK))
    last_seq = max([find_last_seq(log_dir), *(cursor.seq for cursor in cursors.values())])
    return LogCounts(
        log_dir.name,
        about,
        last_seq,
        cursors,
        read_ledger(log_dir) or {},
        abandoned,
        verdicts,
        read_refusal_times(log_dir),
    )


def find_last_seq(log_dir: Path) -> int:
    """Return the sequence number of a log's last record, 0 if it has none.

    Raises:
        OSError: it cannot be read.
    """
    for segment in reversed(list_parts(log_dir).segments):
        if is_ours(log_dir / str(segment)):
            reader = LogReader(log_dir, segment.first_seq - 1, tell=lambda _: None)
            deque(reader.entries(), maxlen=0)
            return reader.last_seq
    return 0


def _cursor(log_dir: Path, name: str) -> Cursor:
    with suppress(OSError):
        return CursorFile(log_dir, name).load() or Cursor()
    return Cursor()
