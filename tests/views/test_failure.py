"""A failure in a few lines."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agenttrace.model.record import EventRecord
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.stores.api import StoredTrace
from otel_agenttrace.testing.spans import START, TRACE_ID, make_span
from otel_agenttrace.views.failure import format_failure, short_failure_id
from otel_agenttrace.views.lines import ASCII, line_width, render

SHORT = "0199c2f4"


def shown(trace: StoredTrace, number: int = 0, **options: Any) -> str:
    """One failure of a trace as text, drawn in ASCII."""
    failure = find_failures(trace.spans)[number]
    failure_id = short_failure_id(failure.failure_id, SHORT, ASCII)
    return render(format_failure(trace, failure, failure_id=failure_id, trace_id=SHORT, glyphs=ASCII, **options))


def test_a_failure_as_the_readme_shows_it(booking: StoredTrace) -> None:
    """What, where, with which input, and what to type next."""
    failure, _ = find_failures(booking.spans)

    lines = format_failure(booking, failure, failure_id=short_failure_id(failure.failure_id, SHORT), trace_id=SHORT)

    assert render(lines) == (
        "0199c2f4…-a77f14b0  validation_error · booking · not recovered\n"
        "  `search_flights` raised ValidationError: date '15/02/2026' does not match\n"
        '  YYYY-MM-DD after 19.0 ms, called by agent booking with {"date": "15/02/2026"};\n'
        "  the trace failed by it.\n"
        "invoke_agent booking 2.1s $0.0031\n"
        '└─ execute_tool search_flights ✗ origin  input {"date":"15/02/2026"}\n'
        "next: agenttrace trace show 0199c2f4\n"
    )


def test_a_recovered_failure_says_so(booking: StoredTrace) -> None:
    """It has another sign, and no input where nothing on the way has one."""
    assert shown(booking, 1, next_option=" --store a.db") == (
        "0199c2f4...-00000000  exception - booking - recovered\n"
        "  `GET` failed with HTTP 503 after 90.0 ms, in agent booking; the trace\n"
        "  recovered from it.\n"
        "invoke_agent booking 2.1s $0.0031\n"
        "`- get_weather 300ms\n"
        "   `- GET ~ origin\n"
        "next: agenttrace trace show 0199c2f4 --store a.db\n"
    )


def make_chain(length: int, **last: Any) -> StoredTrace:
    """Spans below each other that all fail; the second has an input."""
    spans = []
    for number in range(1, length + 1):
        fields: dict[str, Any] = {
            "span_id": f"{number:016x}",
            "parent_span_id": f"{number - 1:016x}" if number > 1 else None,
            "name": f"step {number}",
            "start_time_unix_nano": START + number,
            "status_code": "ERROR",
        }
        if number == 2:
            fields["attributes"] = {"agenttrace.input": {"city": "Lisbon"}}
        spans.append(make_span(**(fields | (last if number == length else {}))))
    return StoredTrace(TRACE_ID, tuple(spans))


def test_the_nearest_input_is_shown_where_it_went_in() -> None:
    """A failure's own span often has no input: then that of the nearest span above it explains most."""
    text = shown(make_chain(3, status_message="boom"))

    assert '`- step 2 1.0s  input {"city":"Lisbon"}\n   `- step 3 x origin\n' in text


def test_an_input_without_room_beside_its_span_stands_below_it() -> None:
    """It is what explains most failures: it is wrapped, on a few lines, before it is cut."""
    arguments = {"query": "flights to Lisbon " * 3, "date": "15/02/2026"}
    trace = make_chain(2, status_message="boom", attributes={"agenttrace.input": arguments})

    assert shown(trace).splitlines()[4:-1] == [
        "step 1 1.0s",
        "`- step 2 x origin",
        '   input {"query":"flights to Lisbon flights to Lisbon flights to Lisbon',
        '         ","date":"15/02/2026"}',
    ]
    trace = make_chain(2, attributes={"agenttrace.input": "word " * 500})
    lines = shown(trace).splitlines()
    assert len(lines) == 13
    assert lines[-2].endswith("...")


def test_a_deep_path_stays_readable() -> None:
    """Only the nearest levels are indented."""
    lines = shown(make_chain(500)).splitlines()

    assert lines[-2] == "...489 " + " " * 27 + "`- step 500 x origin"


def test_an_error_is_told_once() -> None:
    """The sentence says it, with its class; below stands only what the sentence cuts."""
    event = EventRecord("exception", START, {"exception.type": "KeyError", "exception.message": "'seat'"})
    long = EventRecord("exception", START, {"exception.type": "KeyError", "exception.message": "seat " * 80})

    short_text, long_text = (shown(make_chain(1, events=(told,))) for told in (event, long))

    assert short_text.splitlines()[1:-2] == ["  `step 1` raised KeyError: 'seat' after 1.0 s; the trace failed by it."]
    assert "\n  KeyError: seat seat" in long_text


def test_a_failure_that_may_yet_recover() -> None:
    """While a span above it is open, nobody knows."""
    trace = make_chain(2, status_message="boom")
    spans = (make_span(span_id=f"{1:016x}", end_time_unix_nano=None), trace.spans[1])

    assert "may still recover" in shown(StoredTrace(TRACE_ID, spans))


def test_a_pass_is_shown_too() -> None:
    """Its way is the root alone."""
    trace = StoredTrace(TRACE_ID, (make_span(attributes={"gen_ai.agent.name": "booking"}),))

    assert render(format_failure(trace, None, failure_id="run-42", trace_id=SHORT)) == (
        "run-42  none · booking · passed\ninvoke_agent booking 1.0s\nnext: agenttrace trace show 0199c2f4\n"
    )


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_too_wide(booking: StoredTrace, nasty: StoredTrace, width: int) -> None:
    """Whatever a span holds."""
    for trace in (booking, nasty):
        failure = find_failures(trace.spans)[0]
        lines = format_failure(trace, failure, failure_id=failure.failure_id, trace_id=SHORT, width=width)
        assert max(map(line_width, lines)) <= width


def test_the_next_command_is_never_cut(booking: StoredTrace) -> None:
    """It is there to be copied."""
    option = f" --store sqlite:////{'x' * 200}.db"

    assert shown(booking, next_option=option).endswith(f"show 0199c2f4{option}\n")


def test_nothing_in_a_failure_acts(nasty: StoredTrace) -> None:
    """Subject, error, names and input are shown, not obeyed."""
    text = shown(nasty, width=900)

    assert all(line.isprintable() for line in text.split("\n"))
    assert r"\x1b[31m\x1b]0;owned" in text


def test_a_long_error_is_wrapped_and_bounded() -> None:
    """Up to a dozen lines, then it says that there is more."""
    lines = shown(make_chain(1, status_message="word " * 1000)).splitlines()

    assert len(lines) == 19
    assert lines[16].endswith("...")


@pytest.mark.parametrize(
    ("failure_id", "short"),
    [
        (f"{TRACE_ID}-a77f14b0c1d2e3f4", "0199c2f4…-a77f14b0"),
        ("run-42", "run-42"),
        ("", ""),
        (TRACE_ID, TRACE_ID),
    ],
)
def test_ids_are_shortened_if_they_are_ours(failure_id: str, short: str) -> None:
    """An id of another form is shown as it is."""
    assert short_failure_id(failure_id, SHORT) == short
    assert short_failure_id(f"{TRACE_ID}-a77f14b0c1d2e3f4", TRACE_ID) == f"{TRACE_ID}-a77f14b0"


def test_a_class_is_not_its_own_message() -> None:
    """An exception without a message is told in words."""
    recorded = EventRecord("exception", START, {"exception.type": "asyncio.exceptions.CancelledError"})
    span = make_span(status_code="ERROR", status_message="CancelledError", events=(recorded,))

    text = shown(StoredTrace(TRACE_ID, (span,)))

    assert text.splitlines()[1:-2] == ["  `invoke_agent booking` was called off after 1.0 s; the trace failed by it."]
