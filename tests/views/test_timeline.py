"""A trace as bars along an axis."""

from __future__ import annotations

import pytest

from otel_agenttrace.stores.api import StoredTrace
from otel_agenttrace.testing.spans import SECOND, START, TRACE_ID, make_span
from otel_agenttrace.views.lines import ASCII, line_width, render
from otel_agenttrace.views.timeline import axis_of, format_timeline


def test_a_timeline_shows_when(booking: StoredTrace) -> None:
    """Offsets, bars and durations in the order of the tree; what still runs reaches to the end."""
    assert render(format_timeline(booking)) == (
        "SPAN                           START 0                            2.1s    TIME\n"
        "invoke_agent booking            +0ms █████████████████████████████████    2.1s ✗\n"
        " chat gpt-4o-mini              +12ms ███████████████████                  1.2s\n"
        "  POST                         +20ms ███████████████████                  1.2s\n"
        " execute_tool search_flights   +1.4s                       ▏              19ms ✗\n"
        " get_weather                   +1.5s                         █████       300ms\n"
        "  GET                          +1.5s                         █            90ms ↻\n"
        "  GET                          +1.6s                          ███        180ms\n"
        " still going                   +1.9s                               ███         ▸\n"
        "lost child                     +1.7s                            ███      200ms\n"
    )


def test_a_timeline_without_unicode(booking: StoredTrace) -> None:
    """Bars of another kind where there are no blocks."""
    assert render(format_timeline(booking, glyphs=ASCII)).isascii()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_too_wide(booking: StoredTrace, nasty: StoredTrace, width: int) -> None:
    """Whatever a span is called."""
    for trace in (booking, nasty):
        assert max(line_width(line) for line in format_timeline(trace, width=width)) <= width


def test_nothing_in_a_timeline_acts(nasty: StoredTrace) -> None:
    """Names are shown, not obeyed."""
    assert all(line.isprintable() for line in render(format_timeline(nasty, width=300)).split("\n"))


@pytest.mark.parametrize("end", [START, START - SECOND, None])
def test_spans_without_length_have_a_place(end: int | None) -> None:
    """Of no length, ending before they start, or all open: each has its sign, and nothing divides by zero."""
    trace = StoredTrace(TRACE_ID, (make_span(end_time_unix_nano=end),))
    axis = axis_of(trace.spans)

    assert axis.place(trace.spans[0]) == (0.0, 0.0)
    assert "▏" in render(format_timeline(trace))
