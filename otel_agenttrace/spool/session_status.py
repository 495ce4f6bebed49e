"""How far the spans of one session have come. What cannot be told of one session alone is None."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_agenttrace.spool.known_logs import read_known_logs
from otel_agenttrace.spool.status import only_by
from otel_agenttrace.spool.target import is_store
from otel_agenttrace.spool.trace_records import latest, missing, read_trace_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from otel_agenttrace.spool.known_logs import KnownLog
    from otel_agenttrace.spool.trace_records import SpanKey, SpooledRecord


@dataclass(frozen=True, slots=True)
class SessionTarget:
    """One target and the spans of one session that have ended, each counted once; the same as in TargetStatus.

    Attributes:
        name: the target.
        recorded: the spans that are known; None if it is not known that they were all recorded for the target.
        sent: those that it has; None if some may have been rejected or dropped.
        waiting: those that have still to be offered to it.
        rejected: 0 if the target never rejected anything, else None.
        dropped: 0 if nothing was ever dropped for it, else None.
        oldest_waiting_s: for how many seconds the oldest waiting segment has been there; None if nothing waits.
        left_behind: how many of those that wait are in the logs of dead processes.
        open_waiting: open spans that dead processes have left and a store has still to be offered.
        only_by: see TargetStatus.
    """

    name: str
    recorded: int | None
    sent: int | None
    waiting: int
    rejected: int | None
    dropped: int | None
    oldest_waiting_s: float | None
    left_behind: int
    open_waiting: int = 0
    only_by: tuple[str, ...] = ()


class SessionStatus:
    """The spans of a session in the logs of a spool, which are read before the session's spans are read from a store.

    Args:
        spool_dirs: where the logs are; they need not exist.
        session_id: whose spans; those of a trace in which a record names it count.
        trace_ids: and those of these traces.

    Attributes:
        trace_ids: all of these traces.
        is_complete: whether all logs could be read.

    Raises:
        OSError: a directory cannot be read.
    """

    def __init__(self, spool_dirs: Sequence[Path], session_id: str, trace_ids: Iterable[str]) -> None:
        found = read_trace_records(spool_dirs, trace_ids, session_id=session_id)
        self.trace_ids = frozenset(found.trace_ids)
        self.is_complete = found.is_complete
        self._spooled = latest(found.records)
        self._logs = [log for spool_dir in spool_dirs for log in read_known_logs(spool_dir)]
        self._records: dict[str, list[SpooledRecord]] = {log.name: [] for log in self._logs}
        for record in found.records:
            self._records.setdefault(record.log_dir.name, []).append(record)

    @property
    def has_spans(self) -> bool:
        """Whether a span of the session is in a log."""
        return bool(self._spooled)

    def targets(
        self, store_name: str, stored: Mapping[SpanKey, bool] | None, now: Callable[[], float] = time.time
    ) -> list[SessionTarget]:
        """Count for each target.

        Args:
            store_name: the target that `stored` was read from.
            stored: spans of `trace_ids`, and whether they have ended; None if the store cannot be read.
            now: unix seconds.
        """
        names = sorted({name for log in self._logs for name in log.counts.cursors})
        return [self._target(name, stored, now(), is_read=name == store_name) for name in names]

    def _target(self, name: str, stored: Mapping[SpanKey, bool] | None, now: float, *, is_read: bool) -> SessionTarget:
        wanted = [log for log in self._logs if name in log.counts.cursors]
        has = stored or {} if is_read else {}
        waiting = {log.name: missing(self._waiting(log, name), has, takes_open=False) for log in wanted}
        spans = set().union(*waiting.values())
        known = {key for each in (self._spooled, stored or {}) for key, is_ended in each.items() if is_ended}
        rejected = 0 if not any(log.counts.cursors[name].rejected for log in wanted) else None
        dropped = 0 if not any(log.counts.cursors[name].dropped for log in wanted) else None
        is_known = stored is not None and len(wanted) == len(self._logs) and self._may_have_held(stored)
        recorded = len(known) if is_known else None
        sent = None if recorded is None or rejected is None or dropped is None else recorded - len(spans)
        if is_read and stored is not None:
            recorded, sent = len(known), len({key for key, is_ended in stored.items() if is_ended} - spans)
        left = [log for log in wanted if log.state == "dead" and waiting[log.name]]
        times = [log.waiting_since(name) for log in wanted if waiting[log.name]]
        return SessionTarget(
            name,
            recorded,
            sent,
            len(spans),
            rejected,
            dropped,
            max(0.0, now - min(times)) if times else None,
            len(set().union(*(waiting[log.name] for log in left))),
            open_waiting=self._open_waiting(wanted, name, has),
            only_by=only_by(name, left),
        )

    def _open_waiting(self, logs: Sequence[KnownLog], name: str, has: Mapping[SpanKey, bool]) -> int:
        if not is_store(name):
            return 0
        records = [record for log in logs if log.state == "dead" for record in self._waiting(log, name)]
        return len(missing(records, has) - missing(records, has, takes_open=False))

    def _may_have_held(self, stored: Mapping[SpanKey, bool]) -> bool:
        """Whether spans that the store has, and no log any more, can have been in one; imported ones never were."""
        elsewhere = len(stored.keys() - self._spooled.keys())
        return elsewhere <= sum(log.removed_count for log in self._logs)

    def _waiting(self, log: KnownLog, target: str) -> Sequence[SpooledRecord]:
        passed = log.counts.cursors[target].seq
        return [record for record in self._records[log.name] if record.seq > passed]
