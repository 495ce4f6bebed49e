"""SpoolStatus: how far each target has come, over all logs of a spool directory, living, dead and gone.

What people are shown are spans that have ended, each counted once, in one place: for each target, recorded = sent +
rejected + dropped + waiting. Records of spans that were open are counted apart, and those of verdicts not at all.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.spool.known_logs import read_known_logs
from otel_agenttrace.spool.ledger import RefusalTimes
from otel_agenttrace.spool.refusal import QUEUE_FULL, REASONS
from otel_agenttrace.spool.target import is_store
from otel_agenttrace.spool.waiting import Waiting, WaitingCounter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from otel_agenttrace.spool.cursor import Cursor
    from otel_agenttrace.spool.known_logs import KnownLog, LogState
    from otel_agenttrace.spool.log_counts import LogCounts


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """One target over all logs that it is to get.

    Attributes:
        name: the target.
        recorded: spans in those logs that have ended.
        sent: taken by the target.
        rejected: never taken by it.
        dropped: given up for it: for want of room, after too long a time, or lost from the disk.
        waiting: still to be offered.
        left_behind: how many of those are in the logs of dead processes.
        is_waiting_exact: False if there was too much to look at: so many wait at most, and were sent at least.
        open_waiting: records of open spans that dead processes have left and a store has still to be offered.
        only_by: services whose programs alone can deliver what is left behind, to an exporter object of theirs; empty
            if commands can, too.
        passed_over: records of open spans, of a target that is given none.
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
    is_waiting_exact: bool = True
    open_waiting: int = 0
    only_by: tuple[str, ...] = ()


class ProcessCounts(NamedTuple):
    """How many processes have logs: that run (or whose logs somebody drains), left something, or are done with."""

    living: int = 0
    dead: int = 0
    done: int = 0


_NO_PROCESSES = ProcessCounts()


@dataclass(frozen=True, slots=True)
class SpoolStatus:
    """A spool directory at one moment.

    Attributes:
        targets: in order of their names.
        living: names of the logs whose processes live, or that somebody drains.
        dead: names of the logs that wait to be adopted.
        unreadable: names of the logs that cannot be read.
        removed: how many logs everybody had to their end.
        processes: whose logs all these are; a process may have several.
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
    processes: ProcessCounts = _NO_PROCESSES
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
        processes=_processes(logs),
        bytes=sum(log.bytes for log in logs),
        ledger=_added(log.counts.ledger for log in logs),
        abandoned=sum(log.counts.abandoned for log in logs),
        lost_in_queue=sum(_lost_in_queue(log.counts) for log in logs if log.state in ("dead", "gone")),
        refusal_times=_refusal_times(logs),
    )


def _names(logs: Iterable[KnownLog], state: LogState) -> tuple[str, ...]:
    return tuple(log.name for log in logs if log.state == state)


def _processes(logs: Iterable[KnownLog]) -> ProcessCounts:
    states: dict[str, set[LogState]] = {}
    for log in logs:
        if log.state != "unreadable":
            states.setdefault(log.counts.about.process or log.name, set()).add(log.state)
    living = sum("living" in each for each in states.values())
    dead = sum("dead" in each and "living" not in each for each in states.values())
    return ProcessCounts(living, dead, len(states) - living - dead)


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
    counter = WaitingCounter()
    waiting = {log.name: counter.count(log) for log in logs}
    for name in sorted({name for log in logs for name in log.counts.cursors}):
        yield _target(name, [(log, waiting[log.name][name]) for log in logs if name in log.counts.cursors], now)


def _target(name: str, found: Sequence[tuple[KnownLog, Waiting]], now: float) -> TargetStatus:
    cursors = [log.counts.cursors[name] for log, _ in found]
    dead = [(log, waiting) for log, waiting in found if log.state == "dead"]
    recorded = sum(max(log.counts.ended, waiting.spans) for log, waiting in found)
    spans = sum(waiting.spans for _, waiting in found)
    rejected, dropped = _sum("rejected", cursors), _sum("dropped", cursors)
    times = [log.waiting_since(name) for log, waiting in found if waiting.spans]
    return TargetStatus(
        name,
        recorded,
        # Not the cursors' count, which has the records of open spans and verdicts in it.
        max(0, recorded - spans - rejected - dropped),
        rejected,
        dropped,
        waiting=spans,
        passed_over=max(0, _sum("seq", cursors) - _sum("sent", cursors) - rejected - dropped),
        retried=_sum("retried", cursors),
        oldest_waiting_s=max(0.0, now - min(times)) if times else None,
        left_behind=sum(waiting.spans for _, waiting in dead),
        is_waiting_exact=all(waiting.is_exact for _, waiting in found),
        open_waiting=sum(waiting.starts for _, waiting in dead) if is_store(name) else 0,
        only_by=only_by(name, [log for log, waiting in dead if waiting.spans]),
    )


def only_by(name: str, logs: Sequence[KnownLog]) -> tuple[str, ...]:
    """The services whose programs alone can deliver what these logs have for a target; empty if others can, too."""
    if all(name in log.counts.about.by_object for log in logs):
        return tuple(sorted({log.counts.about.service_name for log in logs}))
    return ()


def _sum(field: str, cursors: Iterable[Cursor]) -> int:
    return sum(getattr(cursor, field) for cursor in cursors)


def _added(ledgers: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for ledger in ledgers:
        for name, count in ledger.items():
            total[name] = total.get(name, 0) + count
    return total
