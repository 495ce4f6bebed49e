"""SpoolStatus: how far each target has come, over all logs of a spool directory, living, dead and gone.

Nothing is counted twice, and every record is in one place: for each target, recorded = sent + rejected + dropped +
waiting + passed over, where the last are the start records, which only stores are given.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.cursor import Cursor
from otel_agenttrace.spool.directory import list_logs, log_bytes
from otel_agenttrace.spool.history import read_history
from otel_agenttrace.spool.locks import is_alive
from otel_agenttrace.spool.log_counts import LogCounts, count_log
from otel_agenttrace.spool.names import list_segments, parse_log_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """One target over all logs that it is to get.

    Attributes:
        name: the target.
        recorded: records in those logs, start records included.
        sent: taken by the target.
        rejected: never taken by it.
        dropped: given up for it: for want of room, after too long a time, or lost from the disk.
        waiting: still to be offered.
        passed_over: start records, of a target that is given none.
        retried: attempts that had to be made again.
        oldest_waiting_s: for how many seconds the oldest waiting segment has been there; None if nothing waits.
    """

    name: str
    recorded: int = 0
    sent: int = 0
    rejected: int = 0
    dropped: int = 0
    waiting: int = 0
    passed_over: int = 0
    retried: int = 0
    oldest_waiting_s: float | None = None


@dataclass(frozen=True, slots=True)
class SpoolStatus:
    """A spool directory at one moment.

    Attributes:
        targets: in order of their names.
        living: names of the logs whose processes live, or that somebody drains.
        dead: names of the logs that wait to be adopted.
        unreadable: names of the logs that cannot be read.
        removed: how many logs everybody had to their end.
        bytes: what the logs take of the disk.
        ledger: the processes' counts, added up.
        abandoned: spans that were ended on behalf of dead processes.
    """

    targets: tuple[TargetStatus, ...]
    living: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    removed: int = 0
    bytes: int = 0
    ledger: Mapping[str, int] | None = None
    abandoned: int = 0


def read_status(spool_dir: Path, now: Callable[[], float] = time.time) -> SpoolStatus:
    """Read it; nothing is changed, and no log is adopted.

    Raises:
        OSError: the directory cannot be read.
    """
    found: dict[str, list[str]] = {"living": [], "dead": [], "unreadable": []}
    counted: list[tuple[LogCounts, Path | None]] = []
    size = 0
    for path in list_logs(spool_dir):
        size += log_bytes(path)
        try:
            state = "living" if is_alive(path) else "dead"
            counted.append((count_log(path), path))
        except OSError:
            state = "unreadable"
        found[state].append(path.name)
    gone = [_counts_of(row) for row in read_history(spool_dir)]
    # Of a log that has something in it that is not ours the directory stays, with nothing else in it.
    done = {counts.log: counts for counts in gone}
    counted = [each for each in counted if each[0].last_seq > 0 or each[0].log not in done]
    present = {counts.log for counts, _ in counted}
    gone = [counts for counts in gone if counts.log not in present]
    everything = [*counted, *((counts, None) for counts in gone)]
    return SpoolStatus(
        targets=tuple(_targets(everything, now())),
        living=tuple(found["living"]),
        dead=tuple(found["dead"]),
        unreadable=tuple(found["unreadable"]),
        removed=len(gone),
        bytes=size,
        ledger=_added(counts.ledger for counts, _ in everything),
        abandoned=sum(counts.abandoned for counts, _ in everything),
    )


def _targets(everything: list[tuple[LogCounts, Path | None]], now: float) -> Iterable[TargetStatus]:
    names = sorted({name for counts, _ in everything for name in counts.cursors})
    for name in names:
        logs = [(counts, path) for counts, path in everything if name in counts.cursors]
        cursors = [counts.cursors[name] for counts, _ in logs]
        recorded = sum(counts.last_seq for counts, _ in logs)
        sent, rejected, dropped, retried, passed = (
            sum(getattr(cursor, field) for cursor in cursors)
            for field in ("sent", "rejected", "dropped", "retried", "seq")
        )
        yield TargetStatus(
            name,
            recorded,
            sent,
            rejected,
            dropped,
            waiting=recorded - passed,
            passed_over=max(0, passed - sent - rejected - dropped),
            retried=retried,
            oldest_waiting_s=_oldest_waiting_s(name, logs, now),
        )


def _oldest_waiting_s(name: str, logs: list[tuple[LogCounts, Path | None]], now: float) -> float | None:
    times = [
        _waiting_since(counts, path, counts.cursors[name].seq)
        for counts, path in logs
        if path is not None and counts.cursors[name].seq < counts.last_seq
    ]
    return max(0.0, now - min(times)) if times else None


def _waiting_since(counts: LogCounts, path: Path, seq: int) -> float:
    """When the segment in which the next record is was begun, unix seconds: when the one before it was ended."""
    since = 0.0
    name = parse_log_name(counts.log)
    with suppress(OSError):
        for segment, following in _pairs(path):
            if following <= seq + 1:
                since = (path / segment).stat().st_mtime
    return since or (0.0 if name is None else name.started_unix_nano / 1e9)


def _pairs(path: Path) -> list[tuple[str, int]]:
    """The name of each segment, and where the one behind it begins."""
    names = list_segments(path)
    return [(str(name), following.first_seq) for name, following in pairwise(names)]


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
        About(service_name=str(row.get("service_name") or "")),
        _whole(row.get("last_seq")),
        cursors,
        {str(name): _whole(count) for name, count in ledger.items()} if isinstance(ledger, dict) else {},
        _whole(row.get("abandoned")),
    )


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _added(ledgers: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for ledger in ledgers:
        for name, count in ledger.items():
            total[name] = total.get(name, 0) + count
    return total
