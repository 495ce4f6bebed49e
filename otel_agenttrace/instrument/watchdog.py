"""Watches spans with `task.timeout_ms`, so that one that hangs is known before it ends, if it ever does."""

from __future__ import annotations

import heapq
import math
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.contract.attributes import EVENT_TASK_TIMEOUT, TASK_TIMEOUT_MS
from otel_agenttrace.forks import call_in_children
from otel_agenttrace.instrument.faults import contained

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan, Span

    from otel_agenttrace.model.record import AnyValue

MAX_WATCHED = 10_000
"""Spans watched at once; further ones are counted in `Watchdog.unwatched_count`."""


class _Watch(NamedTuple):
    due: float
    order: int  # breaks ties, so that spans are never compared
    limit_ms: float
    span: Span


class Watchdog:
    """Finds running spans that are past their `task.timeout_ms`, each once.

    Such a span gets the event `agenttrace.task.timeout`, and `on_overdue` is called with it, still running, so that
    its record can be stored although it has not ended. The limit has to be among the attributes the span starts with.

    One daemon thread, started with the first span that has a limit, sleeps until the next limit is due and calls
    `on_overdue`. Thread-safe; after a fork the child watches only the spans it starts itself. No method raises.

    Args:
        on_overdue: told of each overdue span once.
        clock: seconds, never going back.

    Attributes:
        unwatched_count: spans with a limit that were not watched, because there were `MAX_WATCHED` already.
    """

    def __init__(
        self, on_overdue: Callable[[ReadableSpan], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._on_overdue = on_overdue
        self._clock = clock
        self._begin()
        call_in_children(self._begin)

    def _begin(self) -> None:
        self.unwatched_count = 0
        self._changed = threading.Condition()  # its lock is reentrant: a signal handler may end a span
        self._watched: dict[tuple[int, int], _Watch] = {}
        self._queue: list[_Watch] = []
        self._order = 0
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def start(self, span: Span) -> None:
        """Watch a span that has just started, if it has a limit."""
        limit_ms = _limit_ms(span)
        if limit_ms is None:
            return
        with contained("watch a span for its timeout"), self._changed:
            if self._is_closed or len(self._watched) >= MAX_WATCHED:
                self.unwatched_count += 1
                return
            self._order += 1
            watch = _Watch(self._clock() + limit_ms / 1000, self._order, limit_ms, span)
            self._watched[_key(span)] = watch
            heapq.heappush(self._queue, watch)
            self._wake()

    def end(self, span: ReadableSpan) -> None:
        """Stop watching a span; one that is not watched is passed over."""
        if not self._watched:
            return
        with contained("end the watch over a span"), self._changed:
            self._watched.pop(_key(span), None)
            if len(self._queue) > 2 * len(self._watched) + 64:
                self._queue = list(self._watched.values())
                heapq.heapify(self._queue)

    def check(self) -> None:
        """Report the spans that are overdue now. The thread does this by itself."""
        for watch in self._take_overdue():
            with contained("report an overdue span"):
                if watch.span.is_recording():
                    _mark(watch)
                    self._on_overdue(watch.span)

    def shutdown(self, timeout_s: float = 5.0) -> None:
        """Stop watching and wait up to `timeout_s` for the thread to end; safe twice."""
        with self._changed:
            self._is_closed = True
            self._watched.clear()
            self._queue.clear()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)

    def _take_overdue(self) -> list[_Watch]:
        overdue = []
        with self._changed:
            now = self._clock()
            while self._queue and self._queue[0].due <= now:
                watch = heapq.heappop(self._queue)
                key = _key(watch.span)
                if self._watched.get(key) is watch:
                    del self._watched[key]
                    overdue.append(watch)
        return overdue

    def _wake(self) -> None:
        if self._thread is not None:
            self._changed.notify_all()
            return
        thread = threading.Thread(target=self._run, name="agenttrace-watchdog", daemon=True)
        thread.start()
        self._thread = thread

    def _run(self) -> None:
        changed = self._changed
        while True:
            self.check()
            with changed:
                if self._is_closed:
                    return
                wait_s = self._queue[0].due - self._clock() if self._queue else math.inf
                if wait_s > 0:
                    changed.wait(None if wait_s > threading.TIMEOUT_MAX else wait_s)


def _mark(watch: _Watch) -> None:
    # Never earlier than the limit, whatever the wall clock did: the event is what tells that the limit has passed.
    limit_unix_nano = (watch.span.start_time or 0) + int(watch.limit_ms * 1_000_000) + 1
    attributes: dict[str, AnyValue] = {TASK_TIMEOUT_MS: watch.limit_ms}
    watch.span.add_event(EVENT_TASK_TIMEOUT, attributes, timestamp=max(time.time_ns(), limit_unix_nano))


def _limit_ms(span: ReadableSpan) -> float | None:
    limit = (span.attributes or {}).get(TASK_TIMEOUT_MS)
    if isinstance(limit, bool) or not isinstance(limit, (int, float)):
        return None
    return limit if 0 < limit < math.inf else None


def _key(span: ReadableSpan) -> tuple[int, int]:
    context = span.context
    return context.trace_id, context.span_id
