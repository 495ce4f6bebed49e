"""TraceViewer: sessions and traces, ready to be read, out of any store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.testing.spans import SECOND, START, TRACE_ID, make_span
from otel_agenttrace.views.lines import ASCII
from otel_agenttrace.views.viewer import TraceViewer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_agenttrace.stores.api import StoredTrace
    from otel_agenttrace.stores.trace_store import TraceStore

LATER = "b" * 32


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path, booking: StoredTrace) -> Iterator[TraceStore]:
    """A session of two traces, the second ten seconds after the first, and a trace of its own."""
    url = "memory" if request.param == "memory" else f"sqlite:///{tmp_path / 'traces.db'}"
    with open_store(url) as opened:
        start = START + 10 * SECOND
        later = make_span(
            trace_id=LATER,
            name="summarise",
            start_time_unix_nano=start,
            end_time_unix_nano=start + SECOND,
            attributes={"session.id": "chat-7"},
        )
        opened.write_spans(booking.spans)
        opened.write_spans([later, make_span(trace_id="c" * 32)])
        yield opened


@pytest.fixture
def viewer(store: TraceStore) -> TraceViewer:
    """What the tests look through."""
    return TraceViewer(store)


def test_sessions_are_listed(viewer: TraceViewer) -> None:
    """The last stored first; a trace that names no session is one."""
    assert [session.id for session in viewer.list_sessions()] == ["c" * 32, "chat-7"]
    assert [session.id for session in viewer.list_sessions(limit=1, offset=1)] == ["chat-7"]


def test_a_session_as_a_timeline(viewer: TraceViewer) -> None:
    """All spans of all its traces by their start, with their offset from the session's."""
    items = viewer.get_session_timeline("chat-7")

    assert [item.entry.data["name"] for item in items[:3]] == ["invoke_agent booking", "chat gpt-4o-mini", "POST"]
    assert [(item.offset_ms, item.depth) for item in items[:3]] == [(0, 0), (12, 1), (20, 2)]
    assert (items[-1].entry.data["name"], items[-1].offset_ms, items[-1].trace_id) == ("summarise", 10_000, LATER)
    assert {item.entry.session_id for item in items} == {"chat-7"}
    assert [item.error for item in items if item.error] == [
        "date '15/02/2026' does not match YYYY-MM-DD",
        "date '15/02/2026' does not match YYYY-MM-DD",
        "HTTP 503",
    ]


def test_a_session_summed_up(viewer: TraceViewer) -> None:
    """Time, tokens, cost, steps, errors and the slowest steps."""
    summary = viewer.get_session_summary("chat-7")

    assert (summary.session.status, summary.trace_count, summary.error_count) == ("failed", 2, 1)
    assert summary.total_time_ms == pytest.approx(3103)
    assert summary.slowest_steps[0].name == "chat gpt-4o-mini"


def test_a_session_started_by_hand_shows_what_is_in_it(store: TraceStore, viewer: TraceViewer) -> None:
    """The spans that tell of its start and end are no steps of it."""
    session = store.start_session("book a flight")
    store.end_session(session.id)

    assert viewer.get_session_timeline(session.id) == []
    assert viewer.get_session_summary(session.id).span_count == 0
    assert viewer.format_tree(session.id) == ""


def test_text_is_searched(viewer: TraceViewer) -> None:
    """All words, in any case, within what else is asked for."""
    assert [entry.type for entry in viewer.search_traces("lisbon FLIGHT")] == ["chat"]
    assert viewer.search_traces("lisbon", event_type="execute_tool") == []
    assert (
        viewer.search_traces("summarise", session_id="chat-7", start_time=START + 5 * SECOND)[0].session_id == "chat-7"
    )
    assert viewer.search_traces("nowhere") == []


def test_a_trace_in_detail(viewer: TraceViewer) -> None:
    """By its id, shortened while unique: summary, entries, failures, spans."""
    detail = viewer.get_trace_detail(TRACE_ID[:8])

    assert detail.summary.status == "failed"
    assert [failure.recovered for failure in detail.failures] == [False, True]
    assert len(detail.entries) == len(detail.trace.spans) == 9
    assert detail.entries[0].data["name"] == "invoke_agent booking"


def test_traces_and_sessions_are_drawn(viewer: TraceViewer) -> None:
    """A trace alone; a session as all its traces under their ids."""
    tree = viewer.format_tree(TRACE_ID)
    assert tree.startswith("invoke_agent booking 2.1s")
    assert viewer.format_timeline(TRACE_ID[:6], glyphs=ASCII).isascii()
    assert viewer.format_chat(TRACE_ID).startswith(
        "user       A flight to Lisbon,\n           please.\nassistant  One moment.\n"
    )

    session = viewer.format_tree("chat-7")
    assert session == f"trace {TRACE_ID}\n{tree}\ntrace {LATER}\nsummarise 1.0s\n"
    assert max(map(len, viewer.format_timeline("chat-7", width=60).splitlines())) <= 60


def test_entries_are_filtered(viewer: TraceViewer) -> None:
    """By type, by error, by duration."""
    assert [entry.data["name"] for entry in viewer.filter_by_type("chat-7", "chat")] == ["chat gpt-4o-mini"]
    assert [entry.data["name"] for entry in viewer.filter_errors("chat-7")] == [
        "invoke_agent booking",
        "execute_tool search_flights",
        "GET",
    ]
    assert [entry.duration_ms for entry in viewer.filter_by_duration("chat-7", 1000, 1300)] == [1228, 1210, 1000]
    assert [entry.duration_ms for entry in viewer.filter_by_duration("chat-7", max_duration_ms=90)] == [90, 19]
    assert len(viewer.filter_by_duration("chat-7")) == 9


def test_what_is_not_there_is_an_error(viewer: TraceViewer) -> None:
    """An unknown session or trace is never an empty answer."""
    for view in (
        viewer.get_session_timeline,
        viewer.get_session_summary,
        viewer.get_trace_detail,
        viewer.format_timeline,
        viewer.format_tree,
        viewer.format_chat,
        viewer.filter_errors,
        viewer.filter_by_duration,
        lambda id_: viewer.filter_by_type(id_, "chat"),
    ):
        with pytest.raises(TraceNotFoundError, match="nobody"):
            view("nobody")
