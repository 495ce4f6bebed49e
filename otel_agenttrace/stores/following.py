"""Following a store: what happens in it, in every process that writes to it, as it happens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.model.logfire import join_parts
from otel_agenttrace.model.record import session_id_of
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.pipeline.failures import classify
from otel_agenttrace.pipeline.sessions import is_session_mark
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.ending import FIRST_CHECK_S, run_end
from otel_agenttrace.stores.followed import Family, OpenSpan, Recent, Run
from otel_agenttrace.stores.lookup import short_ids
from otel_agenttrace.stores.news import PAGE, News
from otel_agenttrace.stores.run_events import RunEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import SpanStore
    from otel_agenttrace.stores.followed import Identity

_MAX_STORED = 1_000
"""Spans of a run that are read when it is seen first."""

_MAX_LOOKUPS = 200
_MAX_ENDS = 100
"""Runs that are summed up in one step, which takes a millisecond for every few spans."""

_LOOK_UP_EVERY_S = 2.0
_MAX_RUNS = 2_000
_MAX_OPEN = 5_000
_MAX_TOLD = 20_000
_SHORT = 12
"""Digits of a time-ordered trace id that tell its millisecond: with fewer, those of the next seconds start alike."""


class Follower:
    """Tells what happens in a store, each thing once: page by page what is new, and of open spans when they end.

    It remembers 2,000 runs, 5,000 open spans and what it told of 20,000: of an open span that is forgotten no end is
    told, and of a run its start again.

    Args:
        service: tell of spans of this `service.name` only.
        session: tell of runs of this session only, from the moment when one of their spans names it; what came of
            them before is told then. A trace's id is its own session's.
        since: tell what has happened from then on, in nanoseconds since the Unix epoch; None for what is stored from
            now on.
        is_new: the store is not there yet, so that all that will be in it is news.
        clock: seconds.

    Attributes:
        is_behind: there is more to tell already.
    """

    def __init__(
        self,
        *,
        service: str | None = None,
        session: str | None = None,
        since: int | None = None,
        is_new: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.is_behind = False
        self._service = service
        self._session = session
        self._since = since
        self._news = News(since=since, is_new=is_new)
        self._clock = clock
        self._looked_up_at = clock()
        self._runs: Recent[str, Run] = Recent(_MAX_RUNS)
        self._open: Recent[Identity, OpenSpan] = Recent(_MAX_OPEN)
        self._told: Recent[tuple[Identity, bool], None] = Recent(_MAX_TOLD)
        self._family = Family(_MAX_TOLD)

    def step(self, spans: SpanStore) -> Iterator[RunEvent]:
        """Yield what has happened since the last step, by time. The store may be another object each time.

        Raises:
            StoreUnavailableError: the store cannot be read; the next step goes on from there.
        """
        happened: list[RunEvent] = []
        try:
            happened.extend(self._gather(spans))
        finally:  # what was gathered before the store went away counts as told
            yield from sorted(happened, key=lambda event: event.time_unix_nano)

    def _gather(self, spans: SpanStore) -> Iterator[RunEvent]:
        self._learn(self._news.find_place(spans))
        page = self._news.page(spans)
        self.is_behind = len(page) == PAGE
        self._family.add(page)
        for span in page:
            yield from self._tell(spans, span)
            self._news.mark(span)
        now = self._clock()
        if not self.is_behind or now - self._looked_up_at >= _LOOK_UP_EVERY_S:
            self._looked_up_at = now
            yield from self._look_up(spans, self._due(now))
            yield from self._look_for_ends(spans, now)

    def _tell(self, spans: SpanStore, stored: SpanRecord) -> Iterator[RunEvent]:
        """Tell of one span as it is stored."""
        (span,) = join_parts([stored])  # what only tells that a span has begun stands for it, open
        if is_session_mark(span):
            return
        if self._since is not None and _happened(span) < self._since:
            self._learn([stored])
            return
        run = self._runs.get(span.trace_id)
        if run is None:
            if not self._is_wanted(span):
                return
            root, stored_before = self._look_at_run(spans, span)
            run = self._begin(spans, span.trace_id)
            yield RunEvent("run_started", root, run.short_id, root.start_time_unix_nano)
            for each in stored_before if self._session is not None else ():
                yield from self._tell(spans, each)
        self._touch(run)
        if is_verdict(span):
            yield from self._look_up(spans, [identity for identity in self._open.values if identity[0] == run.trace_id])
            yield from self._tell_end(spans, run)
        elif self._service in (None, span.resource.service_name):
            if stored.end_time_unix_nano is None:
                self._follow(stored)
            yield from self._tell_span(run, span)

    def _tell_span(self, run: Run, span: SpanRecord) -> Iterator[RunEvent]:
        has_ended = span.end_time_unix_nano is not None
        if (span.identity, True) in self._told.values or (span.identity, has_ended) in self._told.values:
            return
        self._told.set((span.identity, has_ended), None)
        depth = self._family.depth_of(span)
        if not has_ended:
            yield RunEvent("span_started", span, run.short_id, _happened(span), depth)
            return
        failure = classify(span)
        is_repeated = failure is not None and self._family.has_told(span, failure.text)
        yield RunEvent("span_ended", span, run.short_id, _happened(span), depth, failure, is_repeated)

    def _is_wanted(self, span: SpanRecord) -> bool:
        """Whether a run is to be told of as this span is in it."""
        if self._service not in (None, span.resource.service_name):
            return False
        return self._session in (None, span.trace_id, session_id_of(span.attributes))

    def _look_at_run(self, spans: SpanStore, span: SpanRecord) -> tuple[SpanRecord, list[SpanRecord]]:
        """The root of a run as far as it is stored, and what else came of it since following began."""
        if span.parent_span_id is None and self._session is None:
            return span, []
        query = SpanQuery(trace_id=span.trace_id, order="stored_asc", limit=_MAX_STORED)
        stored = spans.find_spans(query)
        self._learn(stored)
        before = [each for each in stored if _happened(each) >= self._news.begun_unix_nano and not is_verdict(each)]
        return SpanTree([*stored, span]).root.record, before

    def _begin(self, spans: SpanStore, trace_id: str) -> Run:
        short_id = short_ids(spans, [trace_id])[trace_id]
        run = Run(trace_id, trace_id[: max(len(short_id), _SHORT)], self._clock())
        self._touch(run)
        return run

    def _touch(self, run: Run) -> None:
        run.seen_at = self._clock()
        run.check_at = run.seen_at + FIRST_CHECK_S
        self._runs.set(run.trace_id, run)

    def _learn(self, stored: list[SpanRecord]) -> None:
        """Take note of spans that are not told of, but may be when they end."""
        self._family.add(stored)
        for span in stored:
            if span.end_time_unix_nano is None:
                self._follow(span)

    def _follow(self, span: SpanRecord) -> None:
        if self._open.get(span.identity) is None:
            now = self._clock()
            self._open.set(span.identity, OpenSpan(now, now))

    def _due(self, now: float) -> list[Identity]:
        """The open spans to look up now: those first that have waited longest."""
        waiting = self._open.values.items()
        due = [identity for identity, span in waiting if span.is_due(now, self._runs.get(identity[0]))]
        due.sort(key=lambda identity: self._open.values[identity].looked_at)
        return due[:_MAX_LOOKUPS]

    def _look_up(self, spans: SpanStore, identities: list[Identity]) -> Iterator[RunEvent]:
        """Tell which of some open spans have ended."""
        ended = []
        for identity in identities:
            found = spans.find_spans(SpanQuery(trace_id=identity[0], span_id=identity[1]))
            span = next((span for span in found if span.identity == identity), None)
            if span is None:  # deleted
                self._open.values.pop(identity, None)
            elif span.end_time_unix_nano is None:
                self._open.values[identity].looked_at = self._clock()
            else:
                ended.append(span)
        # Of those that ended at once, as where their process was killed, the inner ones come first.
        for span in sorted(ended, key=lambda span: (_happened(span), -span.start_time_unix_nano)):
            yield from self._tell(spans, span)
            self._open.values.pop(span.identity, None)

    def _look_for_ends(self, spans: SpanStore, now: float) -> Iterator[RunEvent]:
        """Tell which runs have ended without a verdict, or have a new one."""
        running = {identity[0] for identity in self._open.values}
        runs = self._runs.values.values()
        due = [run for run in runs if run.check_at is not None and run.check_at <= now and run.trace_id not in running]
        for run in due[:_MAX_ENDS]:
            yield from self._tell_end(spans, run)

    def _tell_end(self, spans: SpanStore, run: Run) -> Iterator[RunEvent]:
        try:
            trace = spans.get_trace(run.trace_id)
        except TraceNotFoundError:
            self._runs.values.pop(run.trace_id, None)
            return
        event = run_end(trace, run, self._clock())
        if event is not None:
            yield event


def _happened(span: SpanRecord) -> int:
    return span.start_time_unix_nano if span.end_time_unix_nano is None else span.end_time_unix_nano
