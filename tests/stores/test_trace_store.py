"""TraceStore: what users keep and find, over spans in any store."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.errors import ConfigError, StoreRejectedError, StoreUnavailableError, TraceNotFoundError
from otel_agenttrace.model.entry import TraceEntry
from otel_agenttrace.model.event import AgentEvent
from otel_agenttrace.model.failure import FailureEvent
from otel_agenttrace.model.record import EventRecord, SpanRecord
from otel_agenttrace.model.trace_record import TraceRecord, TraceStep
from otel_agenttrace.pipeline.failures import failure_stage
from otel_agenttrace.stores.api import AttributeFilter, SpanQuery, StoredTrace
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.stores.trace_store import TraceStore
from otel_agenttrace.testing.spans import SECOND, START, TRACE_ID, make_span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ORIGIN = "a77f14b0c1d2e3f4"
ROOT = "00000000000000aa"
OTHER_TRACE = "0199c2f4ffffffffffffffffffffffff"


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TraceStore]:
    """Every promise holds over every store."""
    url = "memory" if request.param == "memory" else f"sqlite:///{tmp_path / 'traces.db'}"
    with open_store(url) as opened:
        yield opened


def failing_trace(trace_id: str = TRACE_ID, **overrides: Any) -> list[SpanRecord]:
    """A booking agent whose tool call times out and takes the agent with it."""
    exception = EventRecord(
        "exception", START + SECOND, {"exception.type": "TimeoutError", "exception.message": "late"}
    )
    root = make_span(
        trace_id=trace_id,
        span_id=ROOT,
        status_code="ERROR",
        events=(exception,),
        attributes={"gen_ai.agent.name": "booking"},
        **overrides,
    )
    tool = make_span(
        trace_id=trace_id,
        span_id=ORIGIN,
        parent_span_id=ROOT,
        name="execute_tool search_flights",
        status_code="ERROR",
        events=(exception,),
        **overrides,
    )
    return [root, tool]


def passing_trace(trace_id: str = OTHER_TRACE, **overrides: Any) -> list[SpanRecord]:
    """A trace that passed."""
    return [make_span(trace_id=trace_id, span_id=ROOT, **overrides)]


def recovered_trace(trace_id: str = OTHER_TRACE) -> list[SpanRecord]:
    """A trace whose first call failed, and which passed all the same."""
    root, tool = failing_trace(trace_id)
    return [make_span(trace_id=trace_id, span_id=root.span_id), tool]


def make_failure(failure_id: str, **overrides: Any) -> tuple[FailureEvent, TraceRecord]:
    """A failure that was recorded elsewhere."""
    event = FailureEvent(
        failure_id=failure_id,
        subject="booking",
        failure_type="exception",
        timestamp="2026-09-21T14:13:21Z",
        error="no seats",
        metadata={"attempt": 2},
    )
    record = TraceRecord(
        failure_id=failure_id,
        subject="booking",
        status="failed",
        started_at="2026-09-21T14:13:20Z",
        ended_at="2026-09-21T14:13:22Z",
        steps=[TraceStep(name="book", kind="tool_call", input={"seat": "1A"}, error="no seats")],
    )
    return event.model_copy(update=overrides), record


# Failures.


def test_a_failure_is_found_by_its_id(store: TraceStore) -> None:
    """The id of the span where it began gives the event and the trace as steps."""
    store.write_spans(failing_trace())

    found = store.get_trace(f"{TRACE_ID}-{ORIGIN}")

    assert found.failure_id == f"{TRACE_ID}-{ORIGIN}"
    assert found.failure_event.failure_type == "timeout"
    assert found.failure_event.subject == "booking"
    assert found.trace_record.status == "failed"
    assert found.trace_record.failure_id == found.failure_id


@pytest.mark.parametrize(
    "text",
    [
        f"{TRACE_ID}-{ROOT}",
        f"{TRACE_ID[:8]}…-{ORIGIN[:8]}",
        f"{TRACE_ID[:8]}...-{ORIGIN[:8]}",
        f"{TRACE_ID[:8]}-{ORIGIN[:2]}",
        TRACE_ID[:8],
        TRACE_ID[:8].upper(),
        TRACE_ID,
    ],
)
def test_shortened_ids_and_ids_of_the_branch_find_it_too(store: TraceStore, text: str) -> None:
    """Any failing span's id resolves to the root cause, as do the forms in which ids are shown and typed."""
    store.write_spans(failing_trace())

    assert store.get_trace(text).failure_id == f"{TRACE_ID}-{ORIGIN}"


def test_a_short_id_that_fits_two_is_refused(store: TraceStore) -> None:
    """Nothing is guessed: the error names what the id fits, and more digits decide."""
    store.write_spans([*failing_trace(), *failing_trace(OTHER_TRACE)])

    with pytest.raises(TraceNotFoundError, match=f"more than one.*{TRACE_ID}-{ORIGIN}.*{OTHER_TRACE}-{ORIGIN}"):
        store.get_trace(TRACE_ID[:8])
    assert store.get_trace(f"{OTHER_TRACE[:9]}-{ORIGIN[:4]}").failure_id == f"{OTHER_TRACE}-{ORIGIN}"


@pytest.mark.parametrize("text", ["", "-", "ffff", f"{TRACE_ID}-{'b' * 16}", f"{'b' * 32}-{ORIGIN}", "run 42", "%"])
def test_an_unknown_failure_is_an_error(store: TraceStore, text: str) -> None:
    """What is not there is said so, whatever the id looks like."""
    store.write_spans(failing_trace())

    with pytest.raises(TraceNotFoundError):
        store.get_trace(text)


def test_a_pass_is_found_by_its_root(store: TraceStore) -> None:
    """A trace that passed has an event of type none, under the id of its root span, and is in no list."""
    store.write_spans(passing_trace())

    assert store.get_trace(f"{OTHER_TRACE}-{ROOT}").failure_event.failure_type == "none"
    assert store.get_trace(OTHER_TRACE[:12]).trace_record.status == "passed"
    assert store.list_failures(recovered=True) == []
    assert store.newest_failure() is None


def test_a_running_trace_is_neither(store: TraceStore) -> None:
    """While the root is open there is no pass to find."""
    store.write_spans(passing_trace(end_time_unix_nano=None))

    with pytest.raises(TraceNotFoundError):
        store.get_trace(OTHER_TRACE[:12])


def test_failures_are_listed_newest_first(store: TraceStore) -> None:
    """The last stored comes first, recovered ones only when asked for, each root cause once."""
    store.write_spans(failing_trace())
    store.write_spans(recovered_trace())
    third = "0199c2f5" + "c" * 24
    store.write_spans(failing_trace(third))

    assert [event.failure_id[:32] for event in store.list_failures()] == [third, TRACE_ID]
    assert [event.failure_id[:32] for event in store.list_failures(recovered=True)] == [third, OTHER_TRACE, TRACE_ID]
    newest = store.newest_failure()
    assert newest is not None
    assert newest.failure_event.failure_id == f"{third}-{ORIGIN}"


def test_a_list_of_failures_is_continued(store: TraceStore) -> None:
    """Page by page, by the last id seen, every failure comes once, also those that share a trace."""
    for number in range(5):
        trace_id = f"{number:032x}"[::-1]
        root, tool = failing_trace(trace_id)
        store.write_spans([root, tool, make_span(**{**_fields(tool), "span_id": "00000000000000bb"})])
    everything = [event.failure_id for event in store.list_failures()]

    paged: list[str] = []
    while page := store.list_failures(limit=3, after=paged[-1] if paged else None):
        paged += [event.failure_id for event in page]

    assert len(set(everything)) == 10
    assert paged == everything
    with pytest.raises(TraceNotFoundError):
        store.list_failures(after="b" * 32)


def test_failures_are_filtered(store: TraceStore) -> None:
    """By the time at which they began, their type and their subject."""
    store.write_spans(failing_trace())
    late = {"start_time_unix_nano": START + 100 * SECOND, "end_time_unix_nano": START + 101 * SECOND}
    store.write_spans(failing_trace(OTHER_TRACE, **late))

    def listed(**conditions: Any) -> list[str]:
        return [event.failure_id[:32] for event in store.list_failures(**conditions)]

    assert listed(since=START + 50 * SECOND) == [OTHER_TRACE]
    assert listed(until=START + 100 * SECOND) == [TRACE_ID]
    assert listed(since="2026-09-21T14:13:20Z", until="2026-09-21T14:13:21Z") == [TRACE_ID]
    assert listed(since=datetime(2027, 1, 1, tzinfo=timezone.utc)) == []
    assert listed(failure_type="timeout") == [OTHER_TRACE, TRACE_ID]
    assert listed(failure_type="exception") == []
    assert listed(subject="booking") == [OTHER_TRACE, TRACE_ID]
    assert listed(subject="search") == []


def test_a_failure_from_elsewhere_is_stored(store: TraceStore) -> None:
    """Event and record come back equal under their own id, in the list of failures too."""
    event, record = make_failure("run-42/booking")

    assert store.store_trace(event, record) == "run-42/booking"
    assert store.get_trace("run-42/booking") == (event, record)
    assert store.list_failures() == [event]
    assert [span.attributes["failure.type"] for span in store.spans.find_spans(SpanQuery(failing=True))] == [
        "exception"
    ] * 2


def test_storing_a_failure_again_changes_nothing(store: TraceStore) -> None:
    """The same may be stored twice; something else under the same id is refused, and nothing is changed."""
    event, record = make_failure("run-42")
    store.store_trace(event, record)
    store.store_trace(event, record)

    with pytest.raises(StoreRejectedError, match="another failure"):
        store.store_trace(event.model_copy(update={"error": "another"}), record)
    assert store.list_failures() == [event]


def test_a_recorded_failure_may_be_stored_where_it_came_from(store: TraceStore) -> None:
    """What was read from a store changes nothing there, and moves to another store as it is."""
    store.write_spans(failing_trace())
    found = store.get_trace(TRACE_ID[:8])
    before = store.spans.info().spans

    store.store_trace(*found)

    assert store.spans.info().spans == before
    with open_store("memory") as other:
        other.store_trace(*found)
        assert other.get_trace(found.failure_id) == found


def test_mismatched_ids_are_refused(store: TraceStore) -> None:
    """An event and a record of different failures are never stored together."""
    event, record = make_failure("run-42")

    with pytest.raises(StoreRejectedError, match="run-42"):
        store.store_trace(event.model_copy(update={"failure_id": "run-43"}), record)
    assert store.spans.info().spans == 0


def test_what_cannot_be_said_is_refused(store: TraceStore) -> None:
    """An event that holds an object without a JSON form is a clear error."""
    event, record = make_failure("run-42", metadata={"socket": object()})

    with pytest.raises(StoreRejectedError, match="FailureEvent cannot be stored"):
        store.store_trace(event, record)


@pytest.mark.parametrize("duration_ms", [float("inf"), float("nan"), 1e300])
def test_an_entry_that_no_span_can_hold_is_refused(store: TraceStore, duration_ms: float) -> None:
    """A duration without end is a clear error, and nothing is stored of it."""
    session = store.start_session("book a flight")

    with pytest.raises(StoreRejectedError):
        store.save_trace(make_entry(session.id, duration_ms=duration_ms))
    assert store.get_traces(session.id) == []


def test_secrets_never_reach_the_store(store: TraceStore) -> None:
    """What users hand over is redacted like what agents record."""
    secret = "sk-proj-" + "a1B2c3D4e5F6g7H8" * 3
    event, record = make_failure("run-42", error=f"key {secret} is not valid")
    session = store.start_session(f"use {secret}")
    store.save_trace(make_entry(session.id, raw_input=f"api_key={secret}"))

    store.store_trace(event, record)

    assert secret not in str(store.spans.find_spans(SpanQuery()))
    assert "is not valid" in str(store.get_trace("run-42").failure_event.error)


# Sessions and entries.


def make_entry(session_id: str, entry_id: str = "00000000000000e1", **overrides: Any) -> TraceEntry:
    """A model call that an agent reports."""
    fields: dict[str, Any] = {
        "id": entry_id,
        "session_id": session_id,
        "type": "message",
        "timestamp": "2026-09-21T14:13:20Z",
        "duration_ms": 812.5,
        "data": {"role": "assistant", "content": "Booked."},
        "input_tokens": 431,
        "output_tokens": 57,
        "model_used": "gpt-4o-mini",
        "provider_used": "openai",
        "cost_usd": 0.0031,
        "raw_input": "a flight to Lisbon",
        "raw_output": '{"seat": "1A"}',
    }
    return TraceEntry.model_validate(fields | overrides)


def test_a_session_by_hand(store: TraceStore) -> None:
    """It runs from its start to its end, and sums up what was saved in it."""
    session = store.start_session("book a flight")
    assert (session.task, session.status, session.completed_at, session.total_events) == (
        "book a flight",
        "running",
        None,
        0,
    )

    store.save_trace(make_entry(session.id))
    store.save_trace(make_entry(session.id, "00000000000000e2", input_tokens=None, output_tokens=None, cost_usd=None))
    ended = store.end_session(session.id, "completed")

    assert ended == store.get_session(session.id)
    assert (ended.status, ended.total_events, ended.total_tokens) == ("completed", 2, 488)
    assert ended.total_cost_usd == pytest.approx(0.0031)
    assert ended.completed_at is not None


def test_the_last_end_of_a_session_counts(store: TraceStore) -> None:
    """Ending a session again changes how it ended; a status that is no end is refused."""
    session = store.start_session("book a flight")
    store.end_session(session.id)

    assert store.end_session(session.id, "failed").status == "failed"
    with pytest.raises(ConfigError, match="completed, failed, cancelled"):
        store.end_session(session.id, "running")


def test_an_unknown_session_is_an_error(store: TraceStore) -> None:
    """Nothing is begun or saved by accident in a session that is not there."""
    for use in (store.get_session, store.end_session, lambda id_: store.save_trace(make_entry(id_))):
        with pytest.raises(TraceNotFoundError, match="no session 'nobody'"):
            use("nobody")
    assert store.get_traces("nobody") == []
    assert store.spans.info().spans == 0


def test_recorded_spans_make_sessions_too(store: TraceStore) -> None:
    """What agents record under a `session.id` is a session, and a trace without one is its own."""
    store.write_spans([make_span(attributes={"session.id": "chat-7"})])
    store.write_spans(passing_trace())

    assert {session.id for session in store.get_sessions()} == {"chat-7", OTHER_TRACE}
    assert store.get_session("chat-7").task == "invoke_agent booking"
    assert store.end_session("chat-7", "cancelled").status == "cancelled"


def test_entries_come_back_as_they_were_saved(store: TraceStore) -> None:
    """All fields, in the order of their times, whatever form their ids have."""
    session = store.start_session("book a flight")
    parent = make_entry(
        session.id, "plan-1", type="plan_created", timestamp="2026-09-21T14:13:19Z", data={"plan": ["a"]}
    )
    child = make_entry(session.id, parent_trace_id="plan-1")
    bare = TraceEntry(id="x" * 200, session_id=session.id, type="custom", timestamp="2026-09-21T14:13:30Z")
    for entry in (bare, child, parent):
        store.save_trace(entry)

    assert store.get_traces(session.id) == [parent, child, bare]
    _, child_span = store.spans.find_spans(SpanQuery(session_id=session.id, text="Lisbon", order="start_asc"))
    assert child_span.parent_span_id is not None


def test_an_entry_of_an_agent_event_is_kept(store: TraceStore) -> None:
    """An event becomes an entry, and an error event a failure that views and lists know."""
    session = store.start_session("book a flight")
    event = AgentEvent.error("no seats", session.id, error_type="SeatError")
    entry = TraceEntry.from_agent_event(event)

    store.save_trace(entry)

    assert store.get_traces(session.id, "error") == [entry]
    (failure,) = store.list_failures()
    assert (failure.failure_type, failure.error) == ("exception", "no seats")
    assert store.end_session(session.id, "failed").status == "failed"


def test_a_saved_entry_is_replaced(store: TraceStore) -> None:
    """An entry saved again with the same id takes the place of the earlier one, however often and whatever changed."""
    session = store.start_session("book a flight")
    for duration_ms in (None, 10.0, 5.0):
        store.save_trace(make_entry(session.id, duration_ms=duration_ms))
    moved = make_entry(session.id, timestamp="2026-09-21T14:13:25Z", data={})
    store.save_trace(moved)
    store.save_trace(moved)

    assert store.get_traces(session.id) == [moved]


def test_entries_are_filtered_and_paged(store: TraceStore) -> None:
    """By session, type, time and text; limit and offset count what is left after that."""
    session = store.start_session("book a flight")
    for number in range(6):
        kind = "tool_called" if number % 2 else "message"
        content = "Lisbon" if number < 4 else "Porto 100%"
        store.save_trace(
            make_entry(
                session.id,
                f"{number + 1:016x}",
                type=kind,
                timestamp=f"2026-09-21T14:13:2{number}Z",
                data={"content": content},
                raw_input=None,
            )
        )
    store.write_spans(passing_trace())

    def ids(**conditions: Any) -> list[int]:
        return [int(entry.id, 16) for entry in store.get_traces(session.id, **conditions)]

    assert ids() == [1, 2, 3, 4, 5, 6]
    assert ids(event_type="tool_called") == [2, 4, 6]
    assert ids(event_type="tool_called", limit=1, offset=1) == [4]
    assert ids(start_time="2026-09-21T14:13:22Z", end_time="2026-09-21T14:13:24Z") == [3, 4]
    assert ids(search_text="porto") == [5, 6]
    assert ids(search_text="%") == []
    assert ids(limit=2, offset=5) == [6]
    assert ids(limit=0) == []
    assert len(store.get_traces()) == 7
    assert store.get_traces(event_type="span")[0].data["name"] == "invoke_agent booking"


def test_sessions_are_listed_newest_first(store: TraceStore) -> None:
    """The last stored first, a page at a time by offset or by the last id seen."""
    ids = [store.start_session(f"task {number}").id for number in range(4)][::-1]

    assert [session.id for session in store.get_sessions()] == ids
    assert [session.id for session in store.get_sessions(2, 1)] == ids[1:3]
    assert [session.id for session in store.get_sessions(2, after=ids[1])] == ids[2:]
    assert store.get_sessions(since=datetime.now(timezone.utc) + timedelta(days=1)) == []


def test_traces_that_only_tell_of_a_session_are_no_traces(store: TraceStore) -> None:
    """The spans that mark a session's start and end are not listed among what agents did, and take no one's place."""
    for number in range(3):
        store.start_session(f"task {number}")
    store.write_spans(passing_trace())
    store.start_session("last")

    assert [trace.trace_id for trace in store.find_traces(SpanQuery(limit=1))] == [OTHER_TRACE]
    assert all(entry.session_id == OTHER_TRACE for entry in store.get_traces())


# Retention.


DAY = 86_400 * SECOND
NOW = START + 100 * DAY


def aged(trace_id: str, days: float, **overrides: Any) -> SpanRecord:
    """A trace of one span that started so many days before NOW."""
    start = NOW - round(days * DAY)
    fields = {"trace_id": trace_id, "start_time_unix_nano": start, "end_time_unix_nano": start + SECOND}
    return make_span(**(fields | overrides))


@pytest.fixture
def old_store(store: TraceStore) -> TraceStore:
    """The same store, at NOW."""
    return TraceStore(store.spans, now=lambda: NOW)


def kept(store: TraceStore) -> set[str]:
    """The first digits of the ids of the stored traces."""
    return {trace_id[:2] for trace_id in store.spans.find_trace_ids(SpanQuery())}


def test_old_traces_are_deleted(old_store: TraceStore) -> None:
    """After 30 days, unless set otherwise, a trace goes whole, and the counts say how much went."""
    old_store.spans.write_spans([aged("a1" * 16, 31), aged("a1" * 16, 31, span_id=ROOT), aged("b1" * 16, 29)])
    assert old_store.get_retention_days() == 30

    deleted = old_store.cleanup_old_traces()

    assert (deleted.traces, deleted.spans) == (1, 2)
    assert kept(old_store) == {"b1"}
    assert old_store.cleanup_old_traces() == type(deleted)(0, 0)


def test_retention_is_kept_in_the_store(old_store: TraceStore) -> None:
    """The days are a setting of the store; for ever is one of them; nonsense is refused."""
    old_store.spans.write_spans([aged("a1" * 16, 8)])

    old_store.set_retention_days(None)
    assert TraceStore(old_store.spans).get_retention_days() is None
    assert old_store.cleanup_old_traces().traces == 0

    old_store.set_retention_days(7)
    assert TraceStore(old_store.spans).get_retention_days() == 7
    assert old_store.cleanup_old_traces().traces == 1

    for nonsense in (0, -1, 1.5, True, "7", 36_501):
        with pytest.raises(ConfigError, match="retention_days"):
            old_store.set_retention_days(nonsense)  # type: ignore[arg-type]


def test_an_age_may_be_given(old_store: TraceStore) -> None:
    """Once, something else than the store's retention may count: an age or a time."""
    old_store.spans.write_spans([aged("a1" * 16, 3), aged("b1" * 16, 2), aged("c1" * 16, 1)])

    assert old_store.cleanup_old_traces(timedelta(days=2.5)).traces == 1
    assert old_store.cleanup_old_traces(NOW - round(1.5 * DAY)).traces == 1
    assert kept(old_store) == {"c1"}


def test_a_session_goes_whole_or_not_at_all(old_store: TraceStore) -> None:
    """One recent span keeps all traces of its session; so does one that is still open, however old."""
    in_use, at_work, over = ({"session.id": name} for name in ("in use", "at work", "over"))
    old_store.spans.write_spans(
        [
            aged("a1" * 16, 90, attributes=in_use),
            aged("a2" * 16, 1, attributes=in_use),
            aged("b1" * 16, 90, attributes=at_work),
            aged("b2" * 16, 60, attributes=at_work, end_time_unix_nano=None),
            aged("c1" * 16, 90, attributes=over),
            aged("c2" * 16, 60, attributes=over),
            # One trace in two sessions: it goes when both are over.
            aged("d1" * 16, 90, attributes=over),
            aged("d1" * 16, 90, span_id=ROOT, attributes=in_use),
        ]
    )

    assert old_store.cleanup_old_traces().traces == 2
    assert kept(old_store) == {"a1", "a2", "b1", "b2", "d1"}


def test_a_session_that_was_started_by_hand_is_kept_until_it_ends(store: TraceStore) -> None:
    """However old it is: it is still running. Once ended, it goes as a whole."""
    then = TraceStore(store.spans, now=lambda: NOW - 200 * DAY)
    session = then.start_session("a long study")
    then.save_trace(make_entry(session.id, timestamp="2026-01-01T00:00:00Z"))
    store = TraceStore(store.spans, now=lambda: NOW)

    assert store.cleanup_old_traces().traces == 0
    then.end_session(session.id)
    assert store.cleanup_old_traces().traces == 2
    assert store.spans.info().spans == 0


def test_many_traces_are_deleted_page_by_page(old_store: TraceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a page, with kept ones among them, are all looked at."""
    monkeypatch.setattr("otel_agenttrace.stores.retention._PAGE", 20)
    old = [aged(f"{number:032x}", 40 + number / 1000) for number in range(1, 71)]
    running = [aged(f"f{number:031x}", 40 + number / 1000, end_time_unix_nano=None) for number in range(1, 71)]
    old_store.spans.write_spans([*old, *running])

    assert old_store.cleanup_old_traces().traces == 70
    assert kept(old_store) == {"f0"}


def test_retention_runs_by_itself(store: TraceStore) -> None:
    """Once a day, after a write, whichever process that is of; the first look at a store only notes the day."""

    def write(days_later: float, trace_id: str) -> None:
        now = NOW + round(days_later * DAY)
        TraceStore(store.spans, now=lambda: now).write_spans([aged(trace_id, -days_later)])

    store.spans.write_spans([aged("a1" * 16, 31)])
    write(0, "b1" * 16)
    assert kept(store) == {"a1", "b1"}

    write(1, "b2" * 16)
    assert kept(store) == {"b1", "b2"}

    store.spans.write_spans([aged("c1" * 16, 31)])
    write(1.5, "b3" * 16)
    assert kept(store) == {"b1", "b2", "b3", "c1"}

    write(2, "b4" * 16)
    assert kept(store) == {"b1", "b2", "b3", "b4"}


def test_one_process_goes_on_for_days(store: TraceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never ends cleans every day, and looks into the store only now and then."""
    clock = {"now": NOW, "monotonic": 1000.0}
    monkeypatch.setattr("otel_agenttrace.stores.retention.time.monotonic", lambda: clock["monotonic"])
    server = TraceStore(store.spans, now=lambda: int(clock["now"]))
    server.write_spans([aged("a1" * 16, 30.5), aged("b1" * 16, 0)])

    clock["now"] += DAY
    server.write_spans([aged("b2" * 16, 0)])
    assert "a1" in kept(store)

    clock["monotonic"] += 601
    server.write_spans([aged("b3" * 16, 0)])
    assert "a1" not in kept(store)


def test_much_that_is_old_is_deleted_bit_by_bit(store: TraceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write waits for a part of it only; the next one goes on."""
    monkeypatch.setattr("otel_agenttrace.stores.retention._MAX_TRACES_PER_RUN", 200)
    TraceStore(store.spans, now=lambda: NOW - DAY).write_spans([])
    store.spans.write_spans([aged(f"{number:032x}", 40) for number in range(1, 501)])
    writer = TraceStore(store.spans, now=lambda: NOW)

    left = []
    for _ in range(4):
        writer.write_spans([])
        left.append(store.spans.info().traces)

    assert left == [300, 100, 0, 0]


def test_a_day_of_the_future_does_not_stop_retention(old_store: TraceStore) -> None:
    """A clock that was wrong once must not keep everything for years."""
    TraceStore(old_store.spans, now=lambda: NOW + 1000 * DAY).write_spans([])
    old_store.spans.write_spans([aged("a1" * 16, 31)])

    old_store.write_spans([aged("b2" * 16, 0)])

    assert kept(old_store) == {"b2"}


def test_a_write_does_not_fail_for_retention(store: TraceStore, caplog: pytest.LogCaptureFixture) -> None:
    """What was written is written: a store that cannot be cleaned is logged."""

    class Stuck(type(store.spans)):  # type: ignore[misc]
        def get_setting(self, name: str) -> str | None:
            raise StoreUnavailableError(f"{name}: locked")

    store.spans.__class__ = Stuck
    store.write_spans(passing_trace())

    assert "locked" in caplog.text
    assert store.spans.get_trace(OTHER_TRACE).spans


# The object itself.


def test_a_closed_store_says_so(store: TraceStore) -> None:
    """After `close`, which is safe twice, every call is a clear error."""
    store.close()
    store.close()

    with pytest.raises(StoreUnavailableError):
        store.get_sessions()


@pytest.mark.parametrize("moment", ["yesterday", "2026-09-21T14:13:20", datetime(2026, 9, 21)])  # noqa: DTZ001
def test_a_time_without_an_offset_is_refused(store: TraceStore, moment: str | datetime) -> None:
    """Local time means another moment on another machine."""
    with pytest.raises(ConfigError, match="time"):
        store.get_traces(start_time=moment)


def _fields(span: SpanRecord) -> dict[str, Any]:
    return {name: getattr(span, name) for name in SpanRecord.__slots__}


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.get_traces(limit=-1),
        lambda store: store.get_traces(offset=-1),
        lambda store: store.get_traces(limit="3"),
        lambda store: store.get_sessions(-1),
        lambda store: store.get_sessions(1, -1),
        lambda store: store.list_failures(limit=-1),
        lambda store: store.find_traces(SpanQuery(limit=True)),
        lambda store: store.find_traces(SpanQuery(order="newest")),  # type: ignore[arg-type]
        lambda store: store.find_traces(SpanQuery(attributes=(AttributeFilter("a", "~", "b"),))),  # type: ignore[arg-type]
        lambda store: store.get_traces(start_time=1.5),
        lambda store: store.get_traces(start_time=True),
        lambda store: store.get_traces(start_time=datetime(2026, 9, 21, tzinfo=timezone.utc).date()),
        lambda store: store.cleanup_old_traces(timedelta(days=-1)),
    ],
)
def test_wrong_arguments_are_refused(store: TraceStore, ask: Callable[[Any], object]) -> None:
    """Never an empty answer, or a deletion, by mistake."""
    store.write_spans([make_span()])

    with pytest.raises(ConfigError):
        ask(store)
    assert len(store.get_traces()) == 1


def test_what_is_deleted_while_it_is_read_is_left_out(store: TraceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Retention of another process may delete what was listed a moment ago."""
    spans = [failure_stage(make_span(trace_id=digit * 32, status_code="ERROR")) for digit in "abc"]
    store.write_spans(spans)
    read = store.spans.get_trace

    def gone(trace_id: str) -> StoredTrace:
        if trace_id == "b" * 32:
            raise TraceNotFoundError(trace_id)
        return read(trace_id)

    monkeypatch.setattr(store.spans, "get_trace", gone)

    assert [trace.trace_id[0] for trace in store.find_traces(SpanQuery())] == ["c", "a"]
    assert [failure.failure_id[0] for failure in store.list_failures()] == ["c", "a"]
    assert [session.id[0] for session in store.get_sessions()] == ["c", "a"]
    with pytest.raises(TraceNotFoundError, match="no session"):
        store.get_session("b" * 32)
