"""Following a store: each thing that happens is told once."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.errors import StoreUnavailableError
from otel_agenttrace.model.record import ResourceRecord
from otel_agenttrace.pipeline.verdict import make_verdict
from otel_agenttrace.stores.following import Follower
from otel_agenttrace.stores.memory import MemorySpanStore
from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
from otel_agenttrace.testing.spans import SECOND, START, make_span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import SpanStore, StoredTrace
    from otel_agenttrace.stores.run_events import RunEvent

AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "booking"}


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock for a follower."""
    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SpanStore]:
    """An empty store of each kind."""
    made = MemorySpanStore() if request.param == "memory" else SqliteSpanStore(tmp_path / "traces.db")
    with closing(made):
        yield made


def trace_id(number: int) -> str:
    """The id of a trace, the first digits of which are its own."""
    return f"{number:08x}{0:024x}"


def span(trace: int, number: int, parent: int | None = None, **fields: Any) -> SpanRecord:
    """A span known by the numbers of its trace and its own."""
    named = {
        "trace_id": trace_id(trace),
        "span_id": f"{number:016x}",
        "parent_span_id": None if parent is None else f"{parent:016x}",
        "name": f"step {number}",
        "start_time_unix_nano": START + number,
    }
    return make_span(**{**named, **fields})


def opened(record: SpanRecord) -> SpanRecord:
    """The span while it is open."""
    return replace(record, end_time_unix_nano=None)


def failed(record: SpanRecord, message: str) -> SpanRecord:
    """The span as it ends in an error."""
    return replace(record, status_code="ERROR", status_message=message)


def all_of(follower: Follower, store: SpanStore) -> list[RunEvent]:
    """What a follower tells until there is no more."""
    events = list(follower.step(store))
    while follower.is_behind:
        events += follower.step(store)
    return events


def told(follower: Follower, store: SpanStore) -> list[str]:
    """What a follower tells, in short."""
    return [
        f"{event.kind} {event.summary.status if event.summary else event.span.name}"
        for event in all_of(follower, store)
    ]


def test_what_was_stored_before_is_not_told(store: SpanStore) -> None:
    """Without a time to begin at, following begins with what is stored from then on."""
    store.write_spans([span(1, 1)])
    follower = Follower()

    assert told(follower, store) == []
    store.write_spans([span(2, 1)])

    assert told(follower, store) == ["run_started step 1", "span_ended step 1"]
    assert told(follower, store) == []


def test_all_of_a_new_store_is_told(store: SpanStore) -> None:
    """A store that was not there when following began has nothing old in it."""
    follower = Follower(is_new=True)
    store.write_spans([span(1, 1)])

    assert told(follower, store) == ["run_started step 1", "span_ended step 1"]


def test_many_spans_are_told_page_by_page(store: SpanStore) -> None:
    """None is left out and none is told twice, however many come at once."""
    follower = Follower()
    list(follower.step(store))
    store.write_spans([span(number // 50, number) for number in range(1_700)])

    events = all_of(follower, store)

    kinds = Counter(event.kind for event in events)
    assert kinds == {"run_started": 34, "span_ended": 1_700}
    assert len({event.span.identity for event in events if event.kind == "span_ended"}) == 1_700


def test_an_open_span_is_told_when_it_starts_and_when_it_ends(store: SpanStore) -> None:
    """It keeps its place in the store, so that it is looked up again."""
    follower = Follower()
    list(follower.step(store))
    root, child = span(1, 1), span(1, 2, parent=1)

    store.write_spans([opened(root), opened(child)])
    assert told(follower, store) == ["run_started step 1", "span_started step 1", "span_started step 2"]
    store.write_spans([child])
    assert told(follower, store) == ["span_ended step 2"]
    assert told(follower, store) == []


def test_an_open_span_is_looked_up_ever_less_often(store: SpanStore, clock: Clock) -> None:
    """The longer it has been open the later its end may be told, by a fiftieth of that time and 5 seconds at most."""
    follower = Follower(clock=clock)
    list(follower.step(store))
    store.write_spans([opened(span(1, 1))])
    list(follower.step(store))
    list(follower.step(store))
    clock.now += 1_000
    list(follower.step(store))
    store.write_spans([span(1, 1)])

    clock.now += 4.9
    assert told(follower, store) == []
    clock.now += 0.2
    assert told(follower, store) == ["span_ended step 1"]


def test_what_was_open_before_ends(store: SpanStore) -> None:
    """Who begins to follow in the middle of a run is told what it is, and how it ends."""
    store.write_spans([opened(span(1, 1))])
    follower = Follower()
    list(follower.step(store))
    store.write_spans([span(1, 1)])

    assert told(follower, store) == ["run_started step 1", "span_ended step 1"]


def test_depth_counts_the_spans_above(store: SpanStore) -> None:
    """As far as they are known; a span whose parent is not there is below something."""
    follower = Follower()
    list(follower.step(store))
    store.write_spans([span(1, 3, parent=2), span(1, 2, parent=1), span(1, 1), span(1, 9, parent=8)])
    circle = [span(2, 1, parent=2), span(2, 2, parent=1)]
    store.write_spans(circle)

    depths = {
        (event.span.trace_id, event.span.span_id): event.depth
        for event in all_of(follower, store)
        if event.kind == "span_ended"
    }

    assert [depths[trace_id(1), f"{number:016x}"] for number in (1, 2, 3, 9)] == [0, 1, 2, 1]
    assert all(depths[each.trace_id, each.span_id] > 0 for each in circle)


def test_a_run_ends_with_its_verdict(store: SpanStore) -> None:
    """As soon as there is one on all that is stored of it, with what it failed by."""
    follower = Follower()
    list(follower.step(store))
    root = failed(span(1, 1, attributes=AGENT), "no seats")
    child = failed(span(1, 2, parent=1), "no seats")
    store.write_spans([opened(root), child])
    assert told(follower, store) == ["run_started step 1", "span_started step 1", "span_ended step 2"]
    verdict = make_verdict([root, child])
    assert verdict is not None
    store.write_spans([root])
    store.write_spans([verdict])

    ended, run_ended = all_of(follower, store)

    assert (ended.kind, ended.is_repeated, run_ended.kind) == ("span_ended", True, "run_ended")
    assert run_ended.summary is not None
    assert run_ended.cause is not None
    assert (run_ended.summary.status, run_ended.cause.origin.span_id) == ("failed", child.span_id)
    assert run_ended.is_bad
    assert told(follower, store) == []


def test_of_spans_that_end_at_once_the_inner_ones_are_told_first(store: SpanStore) -> None:
    """Those of a killed process do; the outer ones then only pass on what was told."""
    follower = Follower()
    list(follower.step(store))
    spans = [failed(span(1, number, parent=number - 1 or None), "killed") for number in (1, 2, 3)]
    store.write_spans([opened(each) for each in spans])
    list(follower.step(store))
    store.write_spans(spans)

    events = all_of(follower, store)
    assert [(event.span.name, event.is_repeated) for event in events] == [
        ("step 3", False),
        ("step 2", True),
        ("step 1", True),
    ]


def test_a_run_without_a_verdict_ends_when_it_has_been_quiet(store: SpanStore, clock: Clock) -> None:
    """Plain exporters make none: a run with an ended root has ended after a few seconds, one without after more."""
    follower = Follower(clock=clock)
    list(follower.step(store))
    store.write_spans([span(1, 1), span(2, 2, parent=1)])
    assert len(told(follower, store)) == 4

    clock.now += 4.9
    assert told(follower, store) == []
    clock.now += 0.2
    assert told(follower, store) == ["run_ended passed"]
    clock.now += 8
    assert told(follower, store) == ["run_ended passed"]
    clock.now += 1_000
    assert told(follower, store) == []


def test_a_run_does_not_end_while_something_is_open(store: SpanStore, clock: Clock) -> None:
    """However long that takes."""
    follower = Follower(clock=clock)
    list(follower.step(store))
    store.write_spans([span(1, 1), opened(span(1, 2, parent=1))])
    list(follower.step(store))
    clock.now += 3_600
    assert told(follower, store) == []
    store.write_spans([span(1, 2, parent=1)])
    clock.now += 6
    assert told(follower, store) == ["span_ended step 2"]
    clock.now += 6
    assert told(follower, store) == ["run_ended passed"]


def test_an_end_is_told_again_if_it_has_changed(store: SpanStore, clock: Clock) -> None:
    """A late span that changes nothing about the run is told alone."""
    follower = Follower(clock=clock)
    list(follower.step(store))
    first = [span(1, 1, attributes=AGENT)]
    verdict = make_verdict(first)
    assert verdict is not None
    store.write_spans([*first, verdict])
    assert told(follower, store)[-1] == "run_ended passed"

    store.write_spans([span(1, 2, parent=1)])
    assert told(follower, store) == ["span_ended step 2"]
    clock.now += 60
    assert told(follower, store) == []
    store.write_spans([failed(span(1, 3), "late")])
    assert told(follower, store) == ["span_ended step 3"]
    clock.now += 60
    assert told(follower, store) == ["run_ended failed"]


def test_a_service_is_told_apart(store: SpanStore) -> None:
    """Of other services in the same trace nothing is told."""
    follower = Follower(service="search")
    list(follower.step(store))
    store.write_spans([span(1, 1), span(1, 2, parent=1, resource=ResourceRecord({"service.name": "search"}))])
    store.write_spans([span(2, 1)])

    assert told(follower, store) == ["run_started step 1", "span_ended step 2"]


def test_a_session_is_told_from_the_beginning(store: SpanStore) -> None:
    """Also where only the root names it, which is stored last."""
    begun = {"start_time_unix_nano": 2 * START, "end_time_unix_nano": 2 * START + SECOND}
    follower = Follower(session="order-1")
    list(follower.step(store))
    store.write_spans([span(1, 2, parent=1, **begun), span(2, 2, parent=1, **begun)])
    store.write_spans([opened(span(1, 4, parent=1, **begun))])
    assert told(follower, store) == []
    store.write_spans([span(1, 1, attributes={"session.id": "order-1"}, **begun), span(1, 3, parent=1, **begun)])

    assert sorted(told(follower, store)) == [
        "run_started step 1",
        *(f"span_ended step {number}" for number in (1, 2, 3)),
        "span_started step 4",
    ]
    assert told(follower, store) == []


def test_since_tells_what_has_happened_from_then_on(store: SpanStore) -> None:
    """What started before ends after, and what is stored late has happened when it says."""
    begun = START + 100 * SECOND
    follower = Follower(since=begun)
    old, running = span(1, 1), span(2, 1, end_time_unix_nano=begun + SECOND)
    new = span(3, 1, start_time_unix_nano=begun, end_time_unix_nano=begun + SECOND)
    store.write_spans([old, opened(running), new, span(4, 1)])

    assert told(follower, store) == ["run_started step 1", "span_ended step 1"]
    store.write_spans([running])
    assert told(follower, store) == ["run_started step 1", "span_ended step 1"]


def test_a_deleted_trace_is_no_obstacle(store: SpanStore) -> None:
    """Following goes on behind what is left, and tells nothing of that again."""
    follower = Follower()
    list(follower.step(store))
    store.write_spans([span(1, 1), span(2, 1), opened(span(2, 2))])
    list(follower.step(store))
    store.delete_traces([trace_id(2)])
    store.write_spans([span(3, 1)])

    assert told(follower, store) == ["run_started step 1", "span_ended step 1"]


def test_another_store_in_its_place_is_followed(store: SpanStore) -> None:
    """What has started in it since following began is told."""
    follower = Follower(is_new=True)
    store.write_spans([span(1, 1)])
    list(follower.step(store))
    now = {"start_time_unix_nano": 2 * START, "end_time_unix_nano": 2 * START + SECOND}
    with closing(MemorySpanStore()) as other:
        other.write_spans([span(2, 1), span(3, 1, **now)])

        assert told(follower, other) == ["run_started step 1", "span_ended step 1"]


class _Faltering(MemorySpanStore):
    """A store that goes away when it is asked for a trace, once."""

    is_away = True

    def get_trace(self, trace_id: str) -> StoredTrace:
        if self.is_away:
            self.is_away = False
            raise StoreUnavailableError("away")
        return super().get_trace(trace_id)


def test_a_store_that_goes_away_costs_nothing() -> None:
    """What was read before is told, and the rest when the store is back."""
    spans = [span(1, 1, attributes=AGENT)]
    verdict = make_verdict(spans)
    assert verdict is not None
    follower = Follower(is_new=True)
    events: list[str] = []
    with closing(_Faltering()) as store:
        store.write_spans([*spans, verdict])
        with pytest.raises(StoreUnavailableError):
            events.extend(event.kind for event in follower.step(store))
        assert events == ["run_started", "span_ended"]

        assert told(follower, store) == ["run_ended passed"]


def test_the_start_of_a_pending_span_is_that_of_its_span(store: SpanStore) -> None:
    """Logfire tells that a span has begun in a span of its own below it."""
    pending = span(
        1, 7, parent=2, end_time_unix_nano=START + 2, start_time_unix_nano=START + 2, name="step 2",
        attributes={"logfire.span_type": "pending_span", "logfire.pending_parent_id": f"{1:016x}"},
    )  # fmt: skip
    follower = Follower()
    list(follower.step(store))
    store.write_spans([pending])
    assert told(follower, store) == ["run_started step 2", "span_started step 2"]
    store.write_spans([span(1, 2, parent=1)])
    assert told(follower, store) == ["span_ended step 2"]


def test_memory_is_bounded(tmp_path: Path) -> None:
    """Whatever comes, only so much of it is remembered."""
    follower = Follower(is_new=True)
    with closing(SqliteSpanStore(tmp_path / "traces.db", index_in_background=False)) as store:
        for batch in range(30):
            first = batch * 200
            store.write_spans([opened(span(trace, 1)) for trace in range(first, first + 200)])
            list(follower.step(store))

    sizes = [len(kept.values) for kept in (follower._runs, follower._open, follower._told)]
    assert sizes == [2_000, 5_000, 6_000]


_WRITES = st.lists(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 5), st.booleans()), max_size=6), min_size=1, max_size=8
)


@given(_WRITES)
def test_whatever_is_written_each_span_starts_and_ends_once(writes: list[list[tuple[int, int, bool]]]) -> None:
    """In any order, open or ended, again and again: one end for each that ended, and at most one start before it."""
    clock = Clock()
    follower = Follower(is_new=True, clock=clock)
    events: list[RunEvent] = []
    ended = set()
    with closing(MemorySpanStore()) as store:
        for batch in writes:
            records = [span(trace, number, parent=number // 2 or None) for trace, number, _ in batch]
            ended |= {record.identity for record, (*_, has_ended) in zip(records, batch, strict=True) if has_ended}
            store.write_spans([each if each.identity in ended else opened(each) for each in records])
            events += all_of(follower, store)
            clock.now += 1

    kinds = [(event.span.identity, event.kind) for event in events if event.kind.startswith("span_")]
    assert len(kinds) == len(set(kinds))
    assert {identity for identity, kind in kinds if kind == "span_ended"} == ended
    for identity in ended:
        assert [kind for each, kind in kinds if each == identity][-1] == "span_ended"
    assert len([event for event in events if event.kind == "run_started"]) == len(
        {event.span.trace_id for event in events}
    )
