"""Settler: notices which traces have settled, and has their verdicts made. Never on the agent's thread."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_agenttrace.errors import StoreUnavailableError
from otel_agenttrace.instrument.faults import note_fault
from otel_agenttrace.model.record import completeness
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.pipeline.settled import QUIET_S, is_settled, may_settle, quiet_time_s, tells_of_agent
from otel_agenttrace.stores.forking import fork_gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from otel_agenttrace.grounding import GroundingChecker
    from otel_agenttrace.model.record import SpanRecord

MAX_TRACES = 10_000
"""Traces of one process that may wait to settle at a time; beyond it, those that waited longest are given up."""

RETRY_S = 10.0
"""After which time a source that was away is asked again."""

_NEVER = float("inf")


class TraceSource(Protocol):
    """Where the spans of a trace come from when its verdict is to be made."""

    def add(self, records: Sequence[SpanRecord]) -> None:
        """Take note of staged spans that have just come in."""

    def spans_of(self, trace_id: str) -> Sequence[SpanRecord]:
        """All that is known of a trace; nothing of an unknown one.

        Raises:
            StoreUnavailableError: they cannot be had now.
        """

    def has_verdict(self, trace_id: str) -> bool:
        """Whether somebody has made a verdict of the trace.

        Raises:
            StoreUnavailableError: that cannot be told now.
        """

    def forget_all(self) -> None:
        """Begin anew, in a forked child."""


@dataclass(slots=True)
class _Watched:
    """A trace of which something has come in since it was judged last. Times are seconds of the settler's clock."""

    last_seen: float
    next_look: float
    is_agentic: bool


class Settler:
    """Watches the traces that pass, and hands over the verdict of each that has settled; another when more has come.

    Thread-safe; nothing that a trace, its source or its judge does wrong is raised.

    Args:
        source: has the spans of traces.
        deliver: takes a verdict.
        on_news: told that there is something to watch.
        clock: the time in seconds.
        max_traces: how many may wait at a time.
        grounding: what holds answers against their sources, see `judged`.

    Attributes:
        given_up_count: traces that were not judged, as too many waited or their spans were no longer kept.
    """

    def __init__(
        self,
        source: TraceSource,
        deliver: Callable[[SpanRecord], None],
        *,
        on_news: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        max_traces: int = MAX_TRACES,
        grounding: bool | GroundingChecker = True,
    ) -> None:
        self._source = source
        self._deliver = deliver
        self._on_news = on_news
        self._clock = clock
        self._max_traces = max_traces
        self._grounding = grounding
        self.forget_all()

    def forget_all(self) -> None:
        """Begin anew, in a forked child: what was waiting is the parent's to judge."""
        self._lock = threading.RLock()  # reentrant: a signal handler may export while a batch is being noted
        self._judging = threading.RLock()
        self._watched: OrderedDict[str, _Watched] = OrderedDict()
        self._revisions: OrderedDict[str, int] = OrderedDict()
        self._in_hand = False
        self.given_up_count = 0
        self._source.forget_all()

    def note(self, records: Sequence[SpanRecord]) -> None:
        """Take note of staged spans that have come in, and are where the source finds them."""
        try:
            news = [(record.trace_id, tells_of_agent(record)) for record in records if not is_verdict(record)]
            if news:
                with self._lock:
                    self._source.add(records)
                    self._watch(news)
                    self._on_news()
        except Exception:  # noqa: BLE001 - the spans themselves have arrived
            note_fault("watch a trace")

    def _watch(self, news: Iterable[tuple[str, bool]]) -> None:
        now = self._clock()
        for trace_id, is_agentic in news:
            watched = self._watched.get(trace_id)
            if watched is None:
                self._watched[trace_id] = _Watched(now, now + QUIET_S, is_agentic or trace_id in self._revisions)
            else:
                watched.last_seen, watched.next_look = now, now + QUIET_S
                watched.is_agentic = watched.is_agentic or is_agentic
                self._watched.move_to_end(trace_id)
        while len(self._watched) > self._max_traces:
            _, given_up = self._watched.popitem(last=False)
            self.given_up_count += given_up.is_agentic

    def settle_due(self) -> float | None:
        """Judge the traces that have settled by now.

        Returns:
            In how many seconds to look again; None if there is no need to before there is news.
        """
        now = self._clock()
        with self._lock:
            due = [trace_id for trace_id, watched in self._watched.items() if watched.next_look <= now]
        for trace_id in due:
            if not self._look(trace_id, lambda tree, watched: is_settled(tree, now, watched.last_seen)):
                return RETRY_S
        with self._lock:
            next_look = min((watched.next_look for watched in self._watched.values()), default=_NEVER)
        return None if next_look == _NEVER else max(next_look - self._clock(), 0.0)

    def waiting(self) -> list[str]:
        """The traces that are watched now, the one that was quiet for longest first."""
        with self._lock:
            return list(self._watched)

    def settle(self, trace_ids: Iterable[str], *, is_last: bool) -> None:
        """Judge those of the traces that need no more than time to settle.

        Args:
            trace_ids: some of those that wait.
            is_last: nothing more will come from this process.
        """
        for trace_id in trace_ids:
            if not self._look(trace_id, lambda tree, _watched: may_settle(tree, is_last=is_last), is_last=is_last):
                return

    @property
    def unjudged_count(self) -> int:
        """Traces that have no verdict, though there should be one; to be asked when all has been settled for good."""
        with self._lock:
            return self.given_up_count + self._in_hand + sum(watched.is_agentic for watched in self._watched.values())

    def _look(self, trace_id: str, has_settled: Callable[[SpanTree, _Watched], bool], *, is_last: bool = False) -> bool:
        """Judge a trace if it has settled, else see when it may have; False if the source is away."""
        with self._judging, suppress_instrumentation():
            with self._lock:
                watched = self._watched.pop(trace_id, None)
                self._in_hand = watched is not None and watched.is_agentic
            if watched is None:
                return True
            next_look: float | None = None
            is_away = False
            try:
                next_look = self._judge(trace_id, watched, has_settled)
            except StoreUnavailableError:
                next_look, is_away = self._clock(), True
            except Exception:  # noqa: BLE001 - whatever a trace, a judge or a driver does, the agent goes on
                note_fault("make the verdict of a trace")
            with self._lock:
                self._in_hand = False
                if next_look is not None and (is_away or not is_last):
                    watched.next_look = next_look
                    self._watched.setdefault(trace_id, watched)  # what came in meanwhile is newer
            return not is_away

    def _judge(
        self, trace_id: str, watched: _Watched, has_settled: Callable[[SpanTree, _Watched], bool]
    ) -> float | None:
        """Return when to look again; None if the trace is done with."""
        if not watched.is_agentic and not self._source.has_verdict(trace_id):
            return None
        tree = SpanTree(self._source.spans_of(trace_id))
        if not tree.nodes:
            self.given_up_count += 1
            return None
        if not has_settled(tree, watched):
            quiet = quiet_time_s(tree)
            return _NEVER if quiet is None else watched.last_seen + quiet
        with fork_gate:
            from otel_agenttrace.pipeline.trace_stages import judged  # noqa: PLC0415  what agents start without

        verdict = judged(tree, self._grounding)
        if verdict is not None and self._is_news(verdict):
            self._deliver(verdict)
        return None

    def _is_news(self, verdict: SpanRecord) -> bool:
        """Whether this process has not handed over a verdict that was made from as much."""
        _, revision = completeness(verdict)
        with self._lock:
            if revision <= self._revisions.get(verdict.trace_id, -1):
                return False
            self._revisions[verdict.trace_id] = revision
            self._revisions.move_to_end(verdict.trace_id)
            while len(self._revisions) > self._max_traces:
                self._revisions.popitem(last=False)
        return True
