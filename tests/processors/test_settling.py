"""Settler: when verdicts are made, and what happens when they cannot be. Time is the test's own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace import open_store
from otel_agenttrace.errors import StoreUnavailableError
from otel_agenttrace.grounding import GroundingReport
from otel_agenttrace.instrument.faults import fault_counts
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.model.verdicts import is_verdict, newest_verdict
from otel_agenttrace.pipeline.trace_stages import judged
from otel_agenttrace.processors.settler_thread import SettlerThread
from otel_agenttrace.processors.settling import RETRY_S, Settler
from otel_agenttrace.processors.sources import RecentSpans, StoredSpans
from otel_agenttrace.stores.memory import MemorySpanStore
from otel_agenttrace.testing.spans import make_span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import SpanStore, StoredTrace

FAULT = "make the verdict of a trace"
CHAT = {"gen_ai.operation.name": "chat"}
ROOT = make_span(attributes={"gen_ai.operation.name": "invoke_agent"})
STEP = make_span(span_id="b" * 16, parent_span_id=ROOT.span_id, attributes=CHAT, flags=0x101)
CALLED = make_span(span_id="c" * 16, parent_span_id=STEP.span_id, attributes=CHAT, flags=0x301)


class _Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class _Settling:
    """A settler over a store, and the verdicts that it gave; they are stored as well, as a recorder does."""

    def __init__(self, store: SpanStore, **settings: Any) -> None:
        self.store = store
        self.clock = _Clock()
        self.verdicts: list[SpanRecord] = []
        self.settler = Settler(StoredSpans(lambda: store), self._take, clock=self.clock, **settings)

    def _take(self, verdict: SpanRecord) -> None:
        self.verdicts.append(verdict)
        self.store.write_spans([verdict])
        self.settler.note([verdict])

    def record(self, *spans: SpanRecord) -> None:
        self.store.write_spans(spans)
        self.settler.note(spans)

    def after(self, seconds: float) -> int:
        """How many verdicts there are by then."""
        self.clock.now += seconds
        self.settler.settle_due()
        return len(self.verdicts)


@pytest.fixture
def settling(tmp_path: Path) -> Iterator[_Settling]:
    """Over a real SQLite file."""
    with open_store(str(tmp_path / "traces.db")) as store:
        yield _Settling(store.spans)


def _counted(verdict: SpanRecord) -> Any:
    return verdict.attributes["agenttrace.verdict.span_count"]


def test_a_trace_is_judged_once_it_has_been_quiet(settling: _Settling) -> None:
    """2 s after the last of its spans, and not again while nothing more comes."""
    settling.record(STEP)
    settling.after(1.5)
    settling.record(ROOT)

    assert [settling.after(1.9), settling.after(0.2), settling.after(100)] == [0, 1, 1]
    assert _counted(settling.verdicts[0]) == 2
    assert settling.settler.waiting() == []


def test_late_spans_make_another_verdict(settling: _Settling) -> None:
    """It was made from more: greater in revision, of the same span, and the store keeps that one."""
    settling.record(ROOT)
    settling.after(2)
    settling.record(STEP)
    settling.after(2)
    first, second = settling.verdicts

    assert first.identity == second.identity
    assert (_counted(first), _counted(second)) == (1, 2)
    assert second in settling.store.get_trace(ROOT.trace_id).spans
    assert first not in settling.store.get_trace(ROOT.trace_id).spans
    assert settling.store.get_trace(ROOT.trace_id).conflicts == frozenset()


def test_spans_that_come_again_change_nothing(settling: _Settling) -> None:
    """A span that is delivered twice is no reason for another verdict."""
    settling.record(ROOT)
    settling.after(2)
    settling.record(ROOT)

    assert settling.after(2) == 1


def test_a_trace_without_its_root_waits_longer(settling: _Settling) -> None:
    """10 s where its parent is in another process; until it ends, or 10 minutes, where it runs in this one."""
    settling.record(CALLED)
    assert [settling.after(9.9), settling.after(0.2)] == [0, 1]

    settling.record(make_span(trace_id="e" * 32, parent_span_id="d" * 16, attributes=CHAT, flags=0x101))
    assert [settling.after(500), settling.after(101)] == [1, 2]


def test_open_spans_are_waited_for(settling: _Settling) -> None:
    """However long a trace is quiet, what is known to run may still fail."""
    opened = make_span(span_id=STEP.span_id, parent_span_id=ROOT.span_id, attributes=CHAT, end_time_unix_nano=None)
    settling.record(ROOT, opened)
    assert settling.after(10_000) == 0
    settling.record(STEP)

    assert settling.after(2) == 1


def test_plain_traces_are_left_alone(settling: _Settling) -> None:
    """A web server's own requests are neither read again nor judged."""
    settling.record(make_span(name="GET"))

    assert settling.after(2) == 0
    assert settling.settler.waiting() == []


def test_late_plain_spans_renew_the_verdict_that_others_made(settling: _Settling) -> None:
    """A process that only served a tool's request belongs to the trace: the verdict counts its spans."""
    settling.record(ROOT)
    settling.after(2)
    elsewhere = _Settling(settling.store)
    elsewhere.record(make_span(span_id="d" * 16, name="GET", parent_span_id=ROOT.span_id, flags=0x301))

    assert elsewhere.after(2) == 1
    assert _counted(elsewhere.verdicts[0]) == 2


def test_a_trace_of_two_processes_has_the_verdict_of_all_its_spans(settling: _Settling) -> None:
    """Whichever settles last knows more; each alone may have judged a part of it."""
    there = _Settling(settling.store)
    there.record(CALLED)
    assert there.after(10) == 1
    settling.record(ROOT, STEP)
    assert settling.after(2) == 1
    stored = settling.store.get_trace(ROOT.trace_id).spans
    verdicts = [span for span in stored if span.name == "agenttrace.verdict"]

    assert max(map(_counted, verdicts)) == 3
    assert newest_verdict(verdicts) == settling.verdicts[0]


def test_two_settlers_make_the_same_verdict(settling: _Settling) -> None:
    """From the same spans, byte for byte: it does not matter who is asked."""
    other = _Settling(MemorySpanStore())
    settling.record(ROOT, STEP, CALLED)
    other.record(CALLED)
    other.record(STEP, ROOT)
    settling.after(2)
    other.after(2)

    assert repr(settling.verdicts) == repr(other.verdicts)


@given(
    order=st.permutations(range(5)),
    pauses=st.lists(st.sampled_from([0.0, 1.0, 3.0, 11.0, 700.0]), min_size=5, max_size=5),
    places=st.lists(st.integers(0, 1), min_size=5, max_size=5),
)
def test_whatever_comes_when_and_where_the_last_verdict_is_that_of_all_spans(
    order: list[int], pauses: list[float], places: list[int]
) -> None:
    """Two processes with one store, spans in any order, with any pauses: in the end nobody has judged too early."""
    request = make_span(span_id="d" * 16, name="POST", parent_span_id=STEP.span_id, flags=0x101)
    served = make_span(span_id="e" * 16, name="POST /", parent_span_id=request.span_id, flags=0x301)
    spans = [ROOT, STEP, CALLED, request, served]
    settlings = [_Settling(store := MemorySpanStore()), _Settling(store)]
    for index, pause, place in zip(order, pauses, places, strict=True):
        settlings[place].record(spans[index])
        for settling in settlings:
            settling.after(pause)
    for settling in settlings:
        settling.after(1000)

    stored = store.get_trace(ROOT.trace_id).spans
    assert newest_verdict(filter(is_verdict, stored)) == judged(SpanTree(spans))


def test_unfinished_traces_take_bounded_room(settling: _Settling) -> None:
    """Of 10,000 that never end the oldest are given up, and counted."""
    bounded = _Settling(settling.store, max_traces=100)
    for number in range(10_000):
        bounded.settler.note([make_span(trace_id=f"{number + 1:032x}", attributes=CHAT, end_time_unix_nano=None)])

    assert len(bounded.settler.waiting()) == 100
    assert bounded.settler.given_up_count == 9_900


def test_a_judge_that_raises_is_counted(settling: _Settling, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is raised; other traces are judged, and this one when more of it comes."""
    monkeypatch.setattr("otel_agenttrace.pipeline.trace_stages.judged", _divide)
    before = fault_counts[FAULT]
    settling.record(ROOT)
    assert settling.after(2) == 0
    assert fault_counts[FAULT] == before + 1
    monkeypatch.undo()
    settling.record(STEP)

    assert settling.after(2) == 1


def _divide(*_: object) -> None:
    raise ZeroDivisionError


def test_a_store_that_is_away_is_asked_again() -> None:
    """The trace waits until the store is back; the others are not tried meanwhile."""

    class Away(MemorySpanStore):
        is_away = True
        calls = 0

        def get_trace(self, trace_id: str) -> StoredTrace:
            self.calls += 1
            if self.is_away:
                raise StoreUnavailableError("locked")
            return super().get_trace(trace_id)

    store = Away()
    settling = _Settling(store)
    settling.record(ROOT, make_span(trace_id="f" * 32, attributes=CHAT))
    settling.clock.now += 2

    assert settling.settler.settle_due() == RETRY_S
    assert store.calls == 1
    store.is_away = False
    assert settling.after(RETRY_S) == 2


def test_what_is_no_longer_kept_is_not_judged() -> None:
    """Without a store, a trace larger than what is kept gets no verdict rather than a wrong one, and is counted."""
    verdicts: list[SpanRecord] = []
    clock = _Clock()
    settler = Settler(RecentSpans(max_spans=1), verdicts.append, clock=clock)
    settler.note([ROOT, STEP])
    clock.now += 2
    settler.settle_due()

    assert (verdicts, settler.given_up_count) == ([], 1)


def test_what_is_left_at_the_end_is_counted() -> None:
    """What nobody had time to look at, what is being judged just then, and what the store cannot tell; no open run."""
    asked, answered = threading.Event(), threading.Event()
    said: Any = [{"role": "assistant", "content": "There are 15 rooms."}]
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t", "gen_ai.tool.call.result": "rooms: 12"}

    def slow(_output: str, _sources: Sequence[str], /) -> GroundingReport:
        asked.set()
        assert answered.wait(30)
        return GroundingReport.of([])

    settling = _Settling(MemorySpanStore(), grounding=slow)
    for number in (1, 2):
        trace_id = f"{number:032x}"
        settling.record(
            make_span(trace_id=trace_id),
            make_span(trace_id=trace_id, span_id="a" * 16, parent_span_id=ROOT.span_id, attributes=tool),
            make_span(
                trace_id=trace_id,
                span_id="b" * 16,
                parent_span_id=ROOT.span_id,
                attributes={**CHAT, "gen_ai.output.messages": said},
            ),
        )
    settling.record(make_span(trace_id="f" * 32, attributes=CHAT, end_time_unix_nano=None))
    settler = settling.settler
    settler.settle(["f" * 32], is_last=True)
    assert settler.unjudged_count == 2

    thread = threading.Thread(target=settler.settle, args=[settler.waiting()], kwargs={"is_last": True})
    thread.start()
    assert asked.wait(30)
    assert settler.unjudged_count == 2
    answered.set()
    thread.join()
    assert (settler.unjudged_count, len(settling.verdicts)) == (0, 2)


def test_at_a_flush_nothing_has_to_be_quiet(settling: _Settling) -> None:
    """What needs no more than time is judged at once; a run that goes on is not, but at the end of the process."""
    running = make_span(trace_id="d" * 32, parent_span_id="e" * 16, attributes=CHAT, flags=0x101)
    settling.record(ROOT, running)

    settling.settler.settle(settling.settler.waiting(), is_last=False)
    assert [verdict.trace_id for verdict in settling.verdicts] == [ROOT.trace_id]
    settling.settler.settle(settling.settler.waiting(), is_last=True)
    assert [verdict.trace_id for verdict in settling.verdicts] == [ROOT.trace_id, running.trace_id]


def test_the_thread_starts_with_the_first_news_and_ends_when_told() -> None:
    """It does what is due, waits while nothing is, and starts again on news."""
    calls: list[int] = []
    called = threading.Semaphore(0)

    def settle_due() -> None:
        calls.append(threading.active_count())
        called.release()

    before = threading.active_count()
    thread = SettlerThread(settle_due)
    assert threading.active_count() == before
    for _ in range(2):
        thread.wake()
        assert called.acquire(timeout=30)
    thread.stop(30)
    thread.wake()

    assert calls == [before + 1, before + 1]
    assert threading.active_count() == before


def test_the_thread_outlives_an_error() -> None:
    """What goes wrong once is counted, and the next news is looked at again."""
    results: list[Any] = [ZeroDivisionError(), None]
    called = threading.Semaphore(0)

    def settle_due() -> None:
        called.release()
        result = results.pop(0)
        if result:
            raise result

    thread = SettlerThread(settle_due)
    before = fault_counts["settle traces"]
    thread.wake()
    assert called.acquire(timeout=30)
    assert called.acquire(timeout=30)
    thread.stop(30)

    assert (results, fault_counts["settle traces"]) == ([], before + 1)


def test_it_is_noted_from_many_threads(settling: _Settling) -> None:
    """Exporters of several threads may feed one settler while it settles."""

    def feed(letter: str) -> None:
        for number in range(50):
            settling.record(make_span(trace_id=f"{letter}{number:031x}", attributes=CHAT))

    threads = [threading.Thread(target=feed, args=[letter]) for letter in "abcd"]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        settling.after(0.5)
    for thread in threads:
        thread.join()
    settling.after(5)

    assert len({verdict.trace_id for verdict in settling.verdicts}) == 200
