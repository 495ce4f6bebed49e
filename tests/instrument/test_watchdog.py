"""The watchdog over spans with a time limit."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.instrument import watchdog as watchdog_module
from otel_agenttrace.instrument.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan, Span

    from tests.instrument.conftest import Recorded


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


class Watched:
    """A watchdog by a clock of our own, and what it reported."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.reported: list[ReadableSpan] = []
        self.failing = False
        self.dog = Watchdog(self._report, clock=self.clock)

    def _report(self, span: ReadableSpan) -> None:
        if self.failing:
            raise RuntimeError("store is gone")
        self.reported.append(span)

    def after(self, seconds: float) -> list[ReadableSpan]:
        """What has been reported once this time has passed."""
        self.clock.now += seconds
        self.dog.check()
        return self.reported


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    """A watchdog that looks only when it is asked to: its thread would do so at any time."""
    monkeypatch.setattr(Watchdog, "_wake", lambda _: None)
    return Watched()


@pytest.fixture
def dog() -> Iterator[Watchdog]:
    """A watchdog with its thread, which is shut down afterwards."""
    dog = Watchdog(lambda _: None)
    yield dog
    dog.shutdown()


def _start(recorded: Recorded, dog: Watchdog, name: str, limit_ms: Any) -> Span:
    span: Any = recorded.tracer.start_span(name, attributes={"task.timeout_ms": limit_ms})
    dog.start(span)
    started: Span = span
    return started


def test_a_running_span_is_reported_once_when_its_limit_has_passed(recorded: Recorded, watched: Watched) -> None:
    """Not before, not twice, and it has not ended: an event tells when it was noticed."""
    span = _start(recorded, watched.dog, "slow", 500)

    assert watched.after(0.4) == []
    assert watched.after(0.2) == [span]
    assert watched.after(10) == [span]
    assert span.end_time is None
    (event,) = span.events
    assert (event.name, event.attributes) == ("agenttrace.task.timeout", {"task.timeout_ms": 500})
    assert event.timestamp > (span.start_time or 0) + 500_000_000
    span.end()


def test_a_span_that_ends_in_time_is_not_reported(recorded: Recorded, watched: Watched) -> None:
    """The end of a span ends the watch over it; ending one that was never watched does nothing."""
    span = _start(recorded, watched.dog, "quick", 500)
    other: Any = recorded.tracer.start_span("unwatched")
    watched.dog.end(other)
    watched.dog.end(span)

    assert watched.after(1) == []
    assert span.events == ()


def test_each_span_has_its_own_limit(recorded: Recorded, watched: Watched) -> None:
    """Limits are kept in the order in which they are due, whatever the order of the starts."""
    long, short, middle = (_start(recorded, watched.dog, "x", limit) for limit in (3000, 1000.5, 2000))

    assert watched.after(1.1) == [short]
    watched.dog.end(middle)
    assert watched.after(1) == [short]
    assert watched.after(1) == [short, long]


@pytest.mark.parametrize("limit", [None, "500", True, 0, -1, float("nan"), float("inf"), [500]])
def test_what_is_no_limit_is_not_watched(limit: object, recorded: Recorded, dog: Watchdog) -> None:
    """Only a positive number of milliseconds is a limit; no thread is started for anything else."""
    before = threading.active_count()

    _start(recorded, dog, "x", limit)

    assert not dog._watched
    assert threading.active_count() == before


def test_the_thread_reports_without_being_asked(recorded: Recorded) -> None:
    """With a real clock, a thread of the watchdog's own finds a span that hangs, also behind a longer limit."""
    reported = threading.Event()
    dog = Watchdog(lambda _: reported.set())
    spans: list[Any] = [recorded.tracer.start_span("x", attributes={"task.timeout_ms": ms}) for ms in (1e12, 1e9, 1)]
    for span in spans:
        dog.start(span)

    assert reported.wait(30)
    assert [len(span.events) for span in spans] == [0, 0, 1]
    dog.shutdown()


def test_one_thread_serves_all_spans_and_ends_at_shutdown(recorded: Recorded, dog: Watchdog) -> None:
    """There is one thread, from the first span with a limit to the shutdown, which is safe twice."""
    before = threading.active_count()
    for _ in range(5):
        _start(recorded, dog, "x", 60_000)
    assert threading.active_count() == before + 1

    dog.shutdown()
    dog.shutdown()
    _start(recorded, dog, "late", 60_000)

    assert threading.active_count() == before
    assert dog.unwatched_count == 1


def test_a_callback_that_raises_stops_nothing(
    recorded: Recorded, watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    """An error of whoever is told is logged, and the next span is reported all the same."""
    watched.failing = True
    _start(recorded, watched.dog, "one", 1)
    assert watched.after(1) == []
    watched.failing = False
    two = _start(recorded, watched.dog, "two", 1)

    assert watched.after(1) == [two]
    assert caplog.messages == ["could not report an overdue span; the agent goes on"]


def test_a_span_that_ended_meanwhile_is_passed_over(
    recorded: Recorded, watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    """A span whose end nobody told of is not touched."""
    span = _start(recorded, watched.dog, "ended", 1)
    span.end()

    assert watched.after(1) == []
    assert caplog.messages == []


def test_the_number_of_watched_spans_is_bounded(
    recorded: Recorded, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound spans are counted instead of watched, until others have ended."""
    monkeypatch.setattr(watchdog_module, "MAX_WATCHED", 2)
    one, two, three = (_start(recorded, watched.dog, "x", 1000) for _ in range(3))
    assert watched.dog.unwatched_count == 1
    watched.dog.end(one)
    four = _start(recorded, watched.dog, "x", 1000)

    assert watched.after(2) == [two, four]
    assert three.events == ()


def test_spans_that_ended_are_not_kept(recorded: Recorded, watched: Watched) -> None:
    """Many short spans with long limits leave nothing behind."""
    for _ in range(1000):
        watched.dog.end(_start(recorded, watched.dog, "x", 3_600_000))

    assert len(watched.dog._queue) < 100


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_watches_its_own_spans_only(recorded: Recorded, dog: Watchdog) -> None:
    """After a fork the child starts afresh, with a thread of its own, and the parent goes on."""
    span = _start(recorded, dog, "parent's", 60_000)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        own = _start(recorded, dog, "child's", 60_000)
        is_right = [watch.span for watch in dog._watched.values()] == [own] and threading.active_count() == 2
        os.write(writer, b"y" if is_right else b"n")
        os._exit(0)
    answer = os.read(reader, 1)
    os.waitpid(child, 0)
    os.close(reader)
    os.close(writer)

    assert answer == b"y"
    assert [watch.span for watch in dog._watched.values()] == [span]
