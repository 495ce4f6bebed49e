"""SpoolStatus: how far each target has come, over all logs of a spool directory, living, dead and gone.

Nothing is counted twice, and every record is in one place: for each target, recorded = sent + rejected + dropped +
waiting + passed over, where the last are the start records, which only stores are given.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_agenttrace.spool.known_logs import read_known_logs
from otel_agenttrace.spool.ledger import RefusalTimes
from otel_agenttrace.spool.refusal import QUEUE_FULL, REASONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from otel_agenttrace.spool.known_logs import KnownLog, LogState
    from otel_agenttrace.spool.log_counts import LogCounts


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
        left_behind: how many of those are in the logs of dead processes.
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
    left_behind: int = 0


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
        lost_in_queue: records that waited in memory when their process died; only with `durability="batch"`.
        refusal_times: when records were refused first and last; None if none were.
    """

    targets: tuple[TargetStatus, ...]
    living: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    removed: int = 0
    bytes: int = 0
    ledger: Mapping[str, int] | None = None
    abandoned: int = 0
    lost_in_queue: int = 0
    refusal_times: RefusalTimes | None = None


def read_status(
    spool_dir: Path, now: Callable[[], float] = time.time, *, since_unix_nano: int | None = None
) -> SpoolStatus:
    """Read it; nothing is changed, and no log is adopted.

    Args:
        spool_dir: where the logs are; it need not exist.
        now: unix seconds.
        since_unix_nano: leave out the logs of processes that started before.

    Raises:
        OSError: the directory cannot be read.
    """
    return sum_up(read_known_logs(spool_dir, since_unix_nano), now)


def sum_up(logs: Sequence[KnownLog], now: Callable[[], float] = time.time) -> SpoolStatus:
    """Sum up logs, which may be of several directories; `now` is unix seconds."""
    return SpoolStatus(
        targets=tuple(_targets(logs, now())),
        living=_names(logs, "living"),
        dead=_names(logs, "dead"),
        unreadable=_names(logs, "unreadable"),
        removed=len(_names(logs, "gone")),
        bytes=sum(log.bytes for log in logs),
        ledger=_added(log.counts.ledger for log in logs),
        abandoned=sum(log.counts.abandoned for log in logs),
        lost_in_queue=sum(_lost_in_queue(log.counts) for log in logs if log.state in ("dead", "gone")),
        refusal_times=_refusal_times(logs),
    )


def _names(logs: Iterable[KnownLog], state: LogState) -> tuple[str, ...]:
    return tuple(log.name for log in logs if log.state == state)


def _refusal_times(logs: Iterable[KnownLog]) -> RefusalTimes | None:
    found = [times for log in logs if (times := log.counts.refusal_times) is not None]
    if not found:
        return None
    return RefusalTimes(min(each.first_unix_nano for each in found), max(each.last_unix_nano for each in found))


def _lost_in_queue(counts: LogCounts) -> int:
    """Of the records that a process took into its queue, those that it neither wrote nor refused before it died."""
    refused = sum(counts.ledger.get(f"refused_{reason}", 0) for reason in REASONS if reason != QUEUE_FULL)
    return max(0, counts.ledger.get("queued", 0) - refused - (counts.last_seq - counts.abandoned - counts.verdicts))


def _targets(logs: Sequence[KnownLog], now: float) -> Iterator[TargetStatus]:
    for name in sorted({name for log in logs for name in log.counts.cursors}):
        wanted = [log for log in logs if name in log.counts.cursors]
        cursors = [log.counts.cursors[name] for log in wanted]
        sent, rejected, dropped, retried, passed = (
            sum(getattr(cursor, field) for cursor in cursors)
            for field in ("sent", "rejected", "dropped", "retried", "seq")
        )
        times = [log.waiting_since(name) for log in wanted if log.state != "gone" and log.waiting(name)]
        yield TargetStatus(
            name,
            sum(log.counts.last_seq for log in wanted),
            sent,
            rejected,
            dropped,
            waiting=sum(log.waiting(name) for log in wanted),
            passed_over=max(0, passed - sent - rejected - dropped),
            retried=retried,
            oldest_waiting_s=max(0.0, now - min(times)) if times else None,
            left_behind=sum(log.waiting(name) for log in wanted if log.state == "dead"),
        )


def _added(ledgers: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for ledger in ledgers:
        for name, count in ledger.items():
            total[name] = total.get(name, 0) + count
    return total
