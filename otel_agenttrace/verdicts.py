"""Verdicts of the traces of this process: made when a trace has settled, and recorded like its spans."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from otel_agenttrace.forks import call_in_children
from otel_agenttrace.model.codec import serialize_record
from otel_agenttrace.processors.settler_thread import SettlerThread
from otel_agenttrace.processors.settling import Settler
from otel_agenttrace.processors.sources import RecentSpans, StoredSpans
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.together import run_together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_agenttrace.grounding import GroundingChecker
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.consumers import Consumers
    from otel_agenttrace.spool.log import SpoolLog
    from otel_agenttrace.stores.judging import TouchedTraces
    from otel_agenttrace.stores.lazy import LazyStore

_TRACES_AT_A_TIME = 256
"""Traces that are judged before it is looked whether the time is over."""


class Verdicts:
    """Watches what was delivered of this process's spans, and puts the verdicts into its spool.

    Spans of other processes count where there is a store: a trace is then judged by all that is stored of it. Else it
    is judged by what was delivered lately.

    Args:
        store: the store, if there is one.
        grounding: what holds answers against their sources, see `judged`.
    """

    def __init__(self, store: LazyStore | None, *, grounding: bool | GroundingChecker = True) -> None:
        self._spool: tuple[SpoolLog, Consumers] | None = None
        source = RecentSpans() if store is None else StoredSpans(lambda: store.open().spans)
        self._thread = SettlerThread(self._settle_due)
        self._settler = Settler(source, self._record, on_news=self._thread.wake, grounding=grounding)
        call_in_children(self._renew)

    def record_into(self, log: SpoolLog, consumers: Consumers) -> None:
        """Say where verdicts go; nothing is delivered before."""
        self._spool = log, consumers

    def note(self, records: Sequence[SpanRecord]) -> None:
        """Take note of spans that have been delivered."""
        self._settler.note(records)

    @property
    def unjudged_count(self) -> int:
        """Traces without a verdict, as too many were waiting or the time was over; to be asked when all is settled."""
        return self._settler.unjudged_count

    def settle(self, deadline: float, *, is_last: bool) -> bool:
        """Judge at once what needs no more than time to settle.

        Args:
            deadline: until when, on `time.monotonic`.
            is_last: nothing more is recorded.

        Returns:
            Whether there was time for all.
        """
        waiting = self._settler.waiting()
        for start in range(0, len(waiting), _TRACES_AT_A_TIME):
            settle = partial(self._settler.settle, waiting[start : start + _TRACES_AT_A_TIME], is_last=is_last)
            if not run_together([settle], deadline - time.monotonic()):
                return False
        return True

    def stop(self, timeout_s: float) -> None:
        """Judge nothing more by itself."""
        self._thread.stop(timeout_s)

    def _settle_due(self) -> float | None:
        return self._settler.settle_due()

    def _record(self, verdict: SpanRecord) -> None:
        if self._spool is not None:
            log, consumers = self._spool
            seq = log.append(Kind.SPAN, serialize_record(verdict))
            if seq is not None:
                log.count("verdicts")
            consumers.note(seq)

    def _renew(self) -> None:
        self._thread.renew()
        self._settler.forget_all()


class LateJudge:
    """Judges the traces of dead processes, once a store has all that they left behind.

    Args:
        store: the store.
        grounding: as for Verdicts.
    """

    def __init__(self, store: LazyStore, *, grounding: bool | GroundingChecker = True) -> None:
        self._store = store
        self._grounding = grounding
        self._touched: TouchedTraces | None = None

    def note(self, records: Sequence[SpanRecord]) -> None:
        """Take note of spans that were stored."""
        if self._touched is None:
            from otel_agenttrace.stores.judging import TouchedTraces  # noqa: PLC0415  what agents start without

            self._touched = TouchedTraces(self._store.open().spans)
        self._touched.add(records)

    def verdicts(self) -> list[SpanRecord]:
        """The verdicts that the traces lack."""
        if self._touched is None:
            return []
        from otel_agenttrace.stores.judging import missing_verdict  # noqa: PLC0415  as above

        spans = self._store.open().spans
        found = (missing_verdict(spans, trace_id, self._grounding) for trace_id in self._touched.to_judge())
        return [verdict for verdict in found if verdict is not None]


def late_judge(store: LazyStore | None, *, grounding: bool | GroundingChecker = True) -> Callable[[], LateJudge] | None:
    """What makes a judge for each log of a dead process; None where there is no store to judge by."""
    return None if store is None else partial(LateJudge, store, grounding=grounding)
