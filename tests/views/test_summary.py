"""Traces, sessions, failures and spans in lists and in numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.model.failure import FailureEvent
from otel_agenttrace.model.session import TraceSession
from otel_agenttrace.pipeline.project import failure_event
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.pipeline.sessions import trace_session
from otel_agenttrace.pipeline.summary import summarize
from otel_agenttrace.stores.api import StoredTrace
from otel_agenttrace.testing.spans import SECOND, START, make_span
from otel_agenttrace.views.lines import ASCII, line_width, plain, render
from otel_agenttrace.views.lists import (
    format_failure_list,
    format_session_list,
    format_span_list,
    format_trace_list,
)
from otel_agenttrace.views.summary import format_session_summary, summarize_session, trace_heading

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord


def test_a_trace_in_a_few_lines(booking: StoredTrace) -> None:
    """Id, status, service, time, and what it came to."""
    assert render(trace_heading(summarize(booking))) == (
        "0199c2f4a0b17c3d8e5f60718293a4b5  failed\n"
        "  booking-agent · 2026-09-21 14:13:20 UTC · 2.1s · 9 spans · 3 errors\n"
        "  431→57 tok $0.0031 · gpt-4o-mini\n"
    )


def test_a_session_in_numbers(booking: StoredTrace) -> None:
    """Time that any trace ran, totals, failures by root cause, and the slowest steps with their share."""
    later = StoredTrace(
        "b" * 32,
        (
            make_span(
                trace_id="b" * 32, start_time_unix_nano=START + 10 * SECOND, end_time_unix_nano=START + 11 * SECOND
            ),
        ),
    )
    session = trace_session("chat-7", [booking.spans, later.spans])

    summary = summarize_session(session, [booking, later])

    assert (summary.trace_count, summary.span_count, summary.step_count) == (2, 10, 3)
    assert (summary.error_count, summary.recovered_count) == (1, 1)
    assert (summary.input_tokens, summary.output_tokens, summary.cost_usd) == (431, 57, 0.0031)
    assert summary.total_time_ms == pytest.approx(3103)
    slowest = summary.slowest_steps[0]
    assert (slowest.name, slowest.span_id, slowest.duration_ms) == ("chat gpt-4o-mini", f"{2:016x}", 1228)
    assert slowest.share == pytest.approx(1228 / 3103)
    assert render(format_session_summary(summary)) == (
        "chat-7  failed\n"
        "  invoke_agent booking\n"
        "  2026-09-21 14:13:20 UTC · 3.1s · 2 traces · 10 spans · 3 steps\n"
        "  1 error · 1 recovered · 431→57 tok $0.0031\n"
        "\n"
        "SLOWEST STEPS                TIME  SHARE\n"
        "chat gpt-4o-mini             1.2s    40%\n"
        "execute_tool search_flights  19ms     1%\n"
    )


def test_no_time_is_told_twice() -> None:
    """Of calls within calls the innermost are the slow ones; what an agent's tool waited for is not its own time."""

    def make_call(number: int, parent: int | None, operation: str) -> SpanRecord:
        ids = {"span_id": f"{number:016x}", "parent_span_id": None if parent is None else f"{parent:016x}"}
        return make_span(name=f"{operation} {number}", attributes={"gen_ai.operation.name": operation}, **ids)

    spans = (
        make_call(1, None, "invoke_agent"),
        make_call(2, 1, "execute_tool"),
        make_call(3, 2, "invoke_agent"),
        make_call(4, 3, "chat"),
        make_call(5, 1, "execute_tool"),
        make_span(span_id=f"{6:016x}", parent_span_id=f"{5:016x}", name="POST"),
    )

    summary = summarize_session(trace_session("s", [spans]), [StoredTrace(spans[0].trace_id, spans)])

    assert summary.step_count == 3
    assert sorted(step.name for step in summary.slowest_steps) == ["chat 4", "execute_tool 5"]


def test_a_session_without_steps_has_slow_spans() -> None:
    """Where nothing calls models or tools, the spans without children are what took the time."""
    spans = (make_span(), make_span(span_id="00000000000000bb", parent_span_id="a77f14b0c1d2e3f4", name="parse"))
    trace = StoredTrace(spans[0].trace_id, spans)

    summary = summarize_session(trace_session("s", [spans]), [trace])

    assert summary.step_count == 0
    assert [(step.name, step.share) for step in summary.slowest_steps] == [("parse", 1.0)]


def test_an_empty_session_has_a_summary() -> None:
    """A session that was started and has no trace yet takes no time."""
    session = TraceSession(id="s", task="book", started_at="2026-09-21T14:13:20Z", status="running")

    summary = summarize_session(session, [])

    assert (summary.total_time_ms, summary.slowest_steps) == (0, ())
    assert render(format_session_summary(summary)).startswith("s  running\n  book\n")


def test_overlapping_traces_count_once() -> None:
    """Agents that work side by side share the time."""
    traces = [
        StoredTrace(str(number) * 32, (make_span(start_time_unix_nano=START + start, end_time_unix_nano=START + end),))
        for number, (start, end) in enumerate([(0, 4), (1, 2), (3, 6), (8, 9), (20, 10)])
    ]
    session = TraceSession(id="s", task="book", started_at="2026-09-21T14:13:20Z", status="running")

    assert summarize_session(session, traces).total_time_ms == 7 / 1e6


def test_a_list_of_traces(booking: StoredTrace) -> None:
    """One line each; times of one day leave the day to the heading."""
    first = summarize(booking)
    other = replace(first, trace_id="b" * 32, status="running", cost_usd=None, input_tokens=0, output_tokens=0)
    short = {first.trace_id: "0199c2f4"}

    assert render(format_trace_list([first, other], short, width=110)) == (
        "TRACE                             2026-09-21  STATUS   TIME  TOKENS     COST  NAME\n"
        "0199c2f4                          14:13:20    failed   2.1s     488  $0.0031  invoke_agent booking\n"
        f"{'b' * 32}  14:13:20    running  2.1s                   invoke_agent booking\n"
    )
    other = replace(other, started_at="2026-09-22T00:00:00.000000Z")
    assert plain(format_trace_list([first, other], {})[1]).split()[1:3] == ["09-21", "14:13"]
    other = replace(other, started_at="2025-09-22T00:00:00.000000Z")
    assert plain(format_trace_list([first, other], {})[1]).split()[1:3] == ["2026-09-21", "14:13"]
    assert render(format_trace_list([], {})) == "STARTED  NAME\n"[9:]


def test_a_cost_that_is_not_all_known_says_so(booking: StoredTrace) -> None:
    """A plus sign stands for the calls without a price."""
    incomplete = replace(summarize(booking), cost_complete=False)

    assert "$0.0031+" in render(format_trace_list([incomplete], {}, width=120))
    assert "$0.0031+" in render(trace_heading(incomplete))


def test_a_list_of_sessions() -> None:
    """One line each, with the task."""
    session = TraceSession(
        id="01a1f884-a4f8-78ae-9fbd-ca3a3a7c3b03",
        task="book a flight to Lisbon",
        started_at="2026-09-21T14:13:20Z",
        status="completed",
        total_events=9,
        total_tokens=12_400,
        total_cost_usd=0.0031,
    )

    assert render(format_session_list([session], {session.id: "01a1f884"})) == (
        "SESSION   2026-09-21  STATUS     EVENTS  TOKENS     COST  TASK\n"
        "01a1f884  14:13:20    completed       9   12.4k  $0.0031  book a flight to Lisb…\n"
    )


def test_a_list_of_failures(booking: StoredTrace) -> None:
    """One line each; a recovered one has its sign."""
    events = [failure_event(failure) for failure in find_failures(booking.spans)]
    short = {booking.trace_id: "0199c2f4"}

    assert render(format_failure_list(events, short)) == (
        "FAILURE             TYPE              SUBJECT     ERROR\n"
        "0199c2f4…-a77f14b0  validation_error  booking     date '15/02/2026' does not ma…\n"
        "0199c2f4…-00000000  exception         booking  ↻  HTTP 503\n"
    )
    assert render(format_failure_list(events, short, width=100)) == (
        "FAILURE             2026-09-21  TYPE              SUBJECT     ERROR\n"
        "0199c2f4…-a77f14b0  14:13:21    validation_error  booking     date '15/02/2026' does not match YYYY…\n"
        "0199c2f4…-00000000  14:13:21    exception         booking  ↻  HTTP 503\n"
    )


def test_a_list_of_spans(booking: StoredTrace) -> None:
    """One line each; running and failing ones have their signs."""
    spans = [booking.spans[-1], replace(booking.spans[3], attributes={"failure.type": "validation_error"})]

    assert render(format_span_list(spans, {booking.trace_id: "0199c2f4"})) == (
        "TRACE     SPAN              2026-09-21  TIME     NAME\n"
        "0199c2f4  0000000000000009  14:13:21       ▸     still going\n"
        "0199c2f4  a77f14b0c1d2e3f4  14:13:21    19ms  ✗  execute_tool search_flights\n"
    )


def listed(trace: StoredTrace, **options: Any) -> list[str]:
    """Every list and summary of a trace, as lines."""
    summary = summarize(trace)
    session = trace_session("\x1b[31m" * 20, [trace.spans])
    events = [failure_event(failure) for failure in find_failures(trace.spans)]
    odd = FailureEvent(failure_id="\x1b\n", subject="\x1b", failure_type="none", timestamp="2026-09-21T14:13:20Z")
    views = (
        trace_heading(summary, **options),
        format_trace_list([summary], {}, **options),
        format_session_list([session], {}, **options),
        format_failure_list([*events, odd], {}, **options),
        format_span_list(trace.spans, {}, **options),
        format_session_summary(summarize_session(session, [trace]), **options),
    )
    return [plain(line) for view in views for line in view]


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_too_wide(booking: StoredTrace, nasty: StoredTrace, width: int) -> None:
    """Whatever is listed."""
    for trace in (booking, nasty):
        for line in listed(trace, width=width):
            assert len(line) <= width


def test_nothing_in_a_list_acts(nasty: StoredTrace) -> None:
    """Names, tasks, services, models, ids and errors are shown, not obeyed."""
    for line in listed(nasty, width=900):
        assert line.isprintable()
    assert max(line_width(line) for line in trace_heading(summarize(nasty), glyphs=ASCII)) <= 80


@pytest.mark.parametrize("width", [60, 80])
def test_the_id_of_a_failure_is_never_cut(booking: StoredTrace, width: int) -> None:
    """It is there to be copied: where there is no room, what stands beside it is cut."""
    failure = failure_event(find_failures(booking.spans)[0])
    event = failure.model_copy(update={"subject": "an agent of a long name", "error": "no " * 40})

    lines = render(format_failure_list([event], {booking.trace_id: "0199c2f4a7b3"}, width=width)).splitlines()

    assert lines[1].startswith("0199c2f4a7b3…-a77f14b0  ")
    assert max(map(len, lines)) <= width
