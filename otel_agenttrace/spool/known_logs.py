"""The logs of a spool directory, living, dead and gone, each with its counts. Pure reading."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.adoption import read_adopter
from otel_agenttrace.spool.cursor import Cursor
from otel_agenttrace.spool.directory import list_logs, log_bytes
from otel_agenttrace.spool.history import read_history
from otel_agenttrace.spool.ledger import RefusalTimes
from otel_agenttrace.spool.locks import is_alive
from otel_agenttrace.spool.log_counts import LogCounts, count_log
from otel_agenttrace.spool.names import parse_log_name
from otel_agenttrace.spool.parts import list_parts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LogState = Literal["living", "dead", "gone", "unreadable"]
"""Of its process; whether another one is delivering it stands elsewhere. `gone` once everybody had all of it."""


@dataclass(frozen=True, slots=True)
class KnownLog:
    """A log, and what it counts.

    Attributes:
        state: what has become of it.
        counts: what it says; of an unreadable one nothing but its name.
        path: its directory; None if it is gone.
        bytes: what it takes of the disk.
        adopter: the process that drains it right now, as `siblings.this_process` calls it; empty if none does.
    """

    state: LogState
    counts: LogCounts
    path: Path | None = None
    bytes: int = 0
    adopter: str = ""

    @property
    def name(self) -> str:
        """The name of its directory."""
        return self.counts.log

    @property
    def removed_count(self) -> int:
        """How many of its records are not on the disk any more, since everybody had passed them."""
        if self.path is None:
            return self.counts.last_seq
        with suppress(OSError):
            return min((segment.first_seq - 1 for segment in list_parts(self.path).segments), default=0)
        return 0

    def waiting(self, target: str) -> int:
        """How many records a target has still to be offered; 0 if it is not to get the log."""
        cursor = self.counts.cursors.get(target)
        return 0 if cursor is None else self.counts.last_seq - cursor.seq

    def waiting_since(self, target: str) -> float:
        """When the segment with the next record for a target was begun: when the one before it was ended.

        Returns:
            unix seconds.
        """
        name, since = parse_log_name(self.name), 0.0
        if self.path is not None:
            with suppress(OSError):
                segments = list_parts(self.path).segments
                passed = [
                    segment
                    for segment, following in pairwise(segments)
                    if following.first_seq <= self.counts.cursors[target].seq + 1
                ]
                since = (self.path / str(passed[-1])).stat().st_mtime if passed else 0.0
        return since or (0.0 if name is None else name.started_unix_nano / 1e9)


def read_known_logs(spool_dir: Path, since_unix_nano: int | None = None) -> list[KnownLog]:
    """Read what all logs count; nothing is changed, and no log is adopted.

    Args:
        spool_dir: where the logs are; it need not exist.
        since_unix_nano: leave out the logs of processes that started before.

    Raises:
        OSError: the directory cannot be read.
    """
    present = [_present(path) for path in list_logs(spool_dir) if _is_since(path.name, since_unix_nano)]
    gone = {counts.log: counts for counts in read_gone_logs(spool_dir) if _is_since(counts.log, since_unix_nano)}
    # Of a log that has something in it that is not ours the directory stays, with nothing else in it.
    present = [log for log in present if log.counts.last_seq > 0 or log.name not in gone]
    names = {log.name for log in present}
    return [*present, *(KnownLog("gone", counts) for name, counts in gone.items() if name not in names)]


def read_gone_logs(spool_dir: Path) -> list[LogCounts]:
    """Read what the logs counted that were removed; that something of them may still be there does not matter."""
    return [_counts_of(row) for row in read_history(spool_dir)]


def _present(path: Path) -> KnownLog:
    try:
        is_held = is_alive(path)
        adopter = read_adopter(path) if is_held else ""
        state: LogState = "living" if is_held and not adopter else "dead"
        return KnownLog(state, count_log(path), path, log_bytes(path), adopter)
    except OSError:
        return KnownLog("unreadable", LogCounts(path.name, About(), 0), path, log_bytes(path))


def _is_since(log: str, since_unix_nano: int | None) -> bool:
    name = parse_log_name(log)
    return since_unix_nano is None or (name is not None and name.started_unix_nano >= since_unix_nano)


def _counts_of(row: Mapping[str, Any]) -> LogCounts:
    """What the history says of a log; what has another type than it should counts as nothing."""
    targets = row.get("targets")
    cursors = {
        str(name): Cursor(*(_whole(fields.get(each)) for each in Cursor._fields))
        for name, fields in (targets.items() if isinstance(targets, dict) else ())
        if isinstance(fields, dict)
    }
    ledger = row.get("ledger")
    return LogCounts(
        str(row["log"]),
        About(service_name=str(row.get("service_name") or ""), process=str(row.get("process") or "")),
        _whole(row.get("last_seq")),
        cursors,
        {str(name): _whole(count) for name, count in ledger.items()} if isinstance(ledger, dict) else {},
        _whole(row.get("abandoned")),
        _whole(row.get("verdicts")),
        _refusal_times_of(row.get("refusal_times")),
    )


def _refusal_times_of(found: object) -> RefusalTimes | None:
    times = (
        RefusalTimes(*(_whole(found.get(each)) for each in RefusalTimes._fields)) if isinstance(found, dict) else None
    )
    return times if times and times.first_unix_nano else None


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
