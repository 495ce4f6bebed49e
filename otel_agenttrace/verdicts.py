"""Verdicts of the traces of this process: made when a trace has settled, and handed to every target like its spans."""

from __future__ import annotations

import os
import time
import weakref
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry.trace import SpanContext, TraceFlags

from otel_agenttrace.instrument.faults import contained
from otel_agenttrace.model.codec import serialize_record
from otel_agenttrace.processors.recorded import RecordedSpan
from otel_agenttrace.processors.settler_thread import SettlerThread
from otel_agenttrace.processors.settling import Settler
from otel_agenttrace.processors.sources import RecentSpans, StoredSpans
from otel_agenttrace.together import run_together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_agenttrace.exporters.staged import StagedSpanExporter
    from otel_agenttrace.exporters.store import StoreSpanExporter
    from otel_agenttrace.grounding import GroundingChecker
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.targets import Target

_TRACES_AT_A_TIME = 256
"""Verdicts that are put into the queues before these are flushed; the SDK's hold 2,048 spans unless told otherwise."""


class Verdicts:
    """Sees what one exporter takes, and gives the verdicts to all.

    Spans of other processes count where there is a store: a trace is then judged by all that is stored of it. Else it
    is judged by what went through the first exporter lately.

    Args:
        targets: all of them get each verdict.
        store: the exporter to the store, if there is one; its own queue need not be among the targets.
        grounding: what holds answers against their sources, see `judged`.

    Attributes:
        handed_over_count: verdicts that were put into the queue of each target.
    """

    def __init__(
        self, targets: Sequence[Target], store: StoreSpanExporter | None, *, grounding: bool | GroundingChecker = True
    ) -> None:
        self._targets = targets
        self._apart = None if store in [target.exporter for target in targets] else store
        self.handed_over_count = 0
        source = RecentSpans() if store is None else StoredSpans(lambda: store.open().spans)
        self._thread = SettlerThread(self._settle_due)
        self._settler = Settler(source, self._hand_over, on_news=self._thread.wake, grounding=grounding)
        self._seen: StoreSpanExporter | StagedSpanExporter | None = store or next(
            (target.exporter for target in targets), None
        )
        if self._seen is not None:
            self._seen.after_export = self._settler.note
        if hasattr(os, "register_at_fork"):
            renew = weakref.WeakMethod(self._renew)
            os.register_at_fork(after_in_child=lambda: (method := renew()) and method())

    @property
    def unjudged_count(self) -> int:
        """Traces without a verdict, as too many were waiting or the time was over; to be asked when all is settled."""
        return self._settler.unjudged_count

    def settle(self, flush_queues: Callable[[float], bool], deadline: float, *, is_last: bool) -> bool:
        """Judge at once what needs no more than time to settle, and see the verdicts off.

        Args:
            flush_queues: hands what is in the targets' queues to the exporters, within some seconds.
            deadline: until when, on `time.monotonic`.
            is_last: nothing more is recorded.

        Returns:
            Whether there was time for all.
        """
        waiting = self._settler.waiting()
        is_complete = True
        for start in range(0, len(waiting), _TRACES_AT_A_TIME):
            before = self.handed_over_count
            some = waiting[start : start + _TRACES_AT_A_TIME]
            settle = partial(self._settler.settle, some, is_last=is_last)
            is_complete = is_complete and run_together([settle], deadline - time.monotonic())
            if self.handed_over_count > before:
                is_complete = flush_queues(deadline - time.monotonic()) and is_complete
            if not is_complete:
                return False
        return True

    def stop(self, timeout_s: float) -> None:
        """Judge nothing more by itself."""
        self._thread.stop(timeout_s)

    def detach(self) -> None:
        """See nothing more; an exporter that was there before lives on."""
        if self._seen is not None:
            self._seen.after_export = None

    def _settle_due(self) -> float | None:
        return self._settler.settle_due()

    def _hand_over(self, verdict: SpanRecord) -> None:
        sampled = TraceFlags(TraceFlags.SAMPLED)
        context = SpanContext(int(verdict.trace_id, 16), int(verdict.span_id, 16), is_remote=False, trace_flags=sampled)
        recorded = RecordedSpan(serialize_record(verdict), context)
        self.handed_over_count += 1
        for target in self._targets:
            with contained("hand over a verdict"):
                target.queue.on_end(recorded)
        if self._apart is not None:
            self._apart.export([recorded])

    def _renew(self) -> None:
        self._thread.renew()
        self._settler.forget_all()
