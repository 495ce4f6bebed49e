"""A trace as a tree of lines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from otel_agenttrace.model.record import EventRecord, SpanRecord
from otel_agenttrace.stores.api import StoredTrace
from otel_agenttrace.testing.spans import START, TRACE_ID, make_span
from otel_agenttrace.views.lines import ASCII, line_width, plain, render
from otel_agenttrace.views.tree import format_tree


def tree_of(*spans: SpanRecord, width: int = 80, **fields: Any) -> list[str]:
    """The tree of some spans as plain lines."""
    return [plain(line) for line in format_tree(StoredTrace(TRACE_ID, spans, **fields), width=width)]


def make_child(number: int, parent: int | None, **overrides: Any) -> SpanRecord:
    """A span named by its number."""
    fields = {
        "span_id": f"{number:016x}",
        "parent_span_id": None if parent is None else f"{parent:016x}",
        "name": f"step {number}",
        "start_time_unix_nano": START + number,
    }
    return make_span(**(fields | overrides))


def test_a_tree_says_what_happened(booking: StoredTrace) -> None:
    """Durations, tokens and cost (the root's: of the whole trace), where failures began, orphans, open spans."""
    assert render(format_tree(booking)) == (
        "invoke_agent booking 2.1s 431→57 tok $0.0031 ✗\n"
        "├─ chat gpt-4o-mini 1.2s 431→57 tok $0.0031\n"
        "│  └─ POST 1.2s\n"
        '├─ execute_tool search_flights 19ms ✗ origin  input {"date":"15/02/2026"}\n'
        "│     validation_error: date '15/02/2026' does not match YYYY-MM-DD\n"
        "├─ get_weather 300ms\n"
        "│  ├─ GET 90ms ↻ recovered origin\n"
        "│  │     exception: HTTP 503\n"
        "│  └─ GET 180ms\n"
        "└─ still going ▸ running\n"
        "parent 0000000000000099 was not recorded\n"
        "└─ lost child 200ms\n"
    )


def test_a_tree_without_unicode(booking: StoredTrace) -> None:
    """Where the output has no corners and crosses, nothing but ASCII is drawn."""
    text = render(format_tree(booking, glyphs=ASCII))

    assert text.isascii()
    assert "`- still going > running\n" in text


def test_styles_name_what_is_wrong(booking: StoredTrace) -> None:
    """A failure and what was recovered are told apart by their styles too."""
    styles = {segment.text: segment.style for line in format_tree(booking) for segment in line}

    assert styles["✗ origin"] == "error"
    assert styles["↻ recovered origin"] == "recovered"
    assert styles["▸ running"] == "running"


def test_orphans_stand_below_their_missing_parent() -> None:
    """Children of the same missing parent are shown together, with what is below them."""
    assert tree_of(make_child(1, None), make_child(2, 99), make_child(3, 99), make_child(4, 3)) == [
        "step 1 1.0s",
        "parent 0000000000000063 was not recorded",
        "├─ step 2 1.0s",
        "└─ step 3 1.0s",
        "   └─ step 4 1.0s",
    ]


def test_a_circle_of_parents_is_shown() -> None:
    """Spans that lead back to themselves are all there, and said to be odd."""
    assert tree_of(make_child(1, 3), make_child(2, 1), make_child(3, 2)) == [
        "parents that lead back to themselves",
        "└─ step 1 1.0s",
        "   └─ step 2 1.0s",
        "      └─ step 3 1.0s",
    ]


def test_several_roots_are_all_roots() -> None:
    """A trace may have more than one root; each is shown as one."""
    assert tree_of(make_child(1, None), make_child(2, 1), make_child(3, None)) == [
        "step 1 1.0s",
        "└─ step 2 1.0s",
        "step 3 1.0s",
    ]


def test_odd_records_are_flagged() -> None:
    """Repeated ids, differing versions and ends before starts are kept and marked."""
    lines = tree_of(
        make_child(1, None),
        make_child(2, 1),
        make_child(2, 1, start_time_unix_nano=START + 5),
        make_child(3, 1, end_time_unix_nano=START - 1_000_000_000),
        conflicts=frozenset({f"{1:016x}"}),
    )

    assert lines == [
        "step 1 1.0s (two versions)",
        "├─ step 2 1.0s (repeated id)",
        "├─ step 3 -1.0s (ends before it starts)",
        "└─ step 2 1.0s (repeated id)",
    ]


def test_a_deep_tree_stays_readable() -> None:
    """Only the nearest levels are indented; how many more there are above is said, and no line is too wide."""
    depth = 3_000
    lines = tree_of(*(make_child(number, number - 1 or None) for number in range(1, depth + 1)))

    assert lines[9] == " " * 24 + "└─ step 10 1.0s"
    assert lines[-1] == f"…{depth - 11} " + " " * 27 + f"└─ step {depth} 1.0s"
    assert max(map(len, lines)) <= 80


def test_a_long_name_is_cut_and_not_what_follows_it() -> None:
    """Duration and marks stay in sight."""
    (line,) = tree_of(make_child(1, None, name="n" * 200))

    assert line == "n" * 74 + "… 1.0s"


def test_a_long_error_is_cut() -> None:
    """An error takes a few lines at most; the rest is in the span."""
    lines = tree_of(make_child(1, None, status_code="ERROR", status_message="word " * 200))

    assert len(lines) == 4
    assert lines[-1].endswith("…")


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_too_wide(booking: StoredTrace, nasty: StoredTrace, width: int) -> None:
    """Whatever a span holds."""
    for trace in (booking, nasty):
        assert max(line_width(line) for line in format_tree(trace, width=width)) <= width


def test_nothing_in_a_tree_acts(nasty: StoredTrace) -> None:
    """Names, errors, inputs and ids are shown, not obeyed."""
    text = render(format_tree(nasty, width=500))

    assert all(line.isprintable() for line in text.split("\n"))
    assert r"\x1b[31m\x1b]0;owned\x07\u202egnp.exe\n\r\t<script>" in text


def test_a_timeout_that_is_running_is_marked() -> None:
    """An open span past its own limit has failed, and is still running."""
    late = EventRecord("agenttrace.task.timeout", START + 2_000_000_000)
    open_task = make_child(1, None, end_time_unix_nano=None, attributes={"task.timeout_ms": 1000}, events=(late,))

    assert tree_of(open_task)[0] == "step 1 ▸ running ✗ origin"


def violation(message: str, **location: Any) -> EventRecord:
    """The event of one broken rule."""
    return EventRecord(
        "agenttrace.contract.violation",
        START,
        {"agenttrace.contract.message": message, **location},
    )


def test_what_breaks_the_contract_is_told_with_its_line_of_code() -> None:
    """Below a span stand its violations, with file and line where they are known."""
    where = {"code.file.path": "/srv/app/route.py", "code.line.number": 21}

    lines = tree_of(make_span(events=(violation("task.phase is 'X'", **where), violation("task.id is missing"))))

    assert [line.strip() for line in lines[1:]] == [
        "contract: task.phase is 'X' (route.py:21)",
        "contract: task.id is missing",
    ]


def test_many_violations_are_counted() -> None:
    """Beyond three, violations are counted."""
    lines = tree_of(make_span(events=tuple(violation(f"rule {number}") for number in range(5))))

    assert lines[-1].strip() == "and 2 more violations"


def test_agent_events_stand_below_their_span() -> None:
    """What the agent said of itself is one line each, with its data; beyond ten they are counted."""
    told = EventRecord("agent.plan_created", START, {"agenttrace.event.data": {"steps": 3}})

    lines = tree_of(make_span(events=(told, *[EventRecord("agent.step_started", START)] * 12)))

    assert [line.strip() for line in lines[1:3]] == ['plan_created {"steps":3}', "step_started"]
    assert lines[-1].strip() == "and 3 more events"


def make_call(number: int, parent: int | None, **attributes: Any) -> SpanRecord:
    """A model call that used tokens."""
    used = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 2}
    return make_child(number, parent, attributes={**used, "gen_ai.request.model": "my-model", **attributes})


def test_a_call_without_a_price_says_so() -> None:
    """Unknown is not nothing; a call around other calls leaves it to them."""
    lines = tree_of(
        make_child(1, None),
        make_call(2, 1),
        make_call(3, 2),
        make_call(4, 1, **{"agenttrace.cost_usd": 0.25}),
        make_call(5, 1, **{"gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None}),
    )

    assert lines == [
        "step 1 1.0s 10→4 tok $0.2500+",
        "├─ step 2 1.0s 5→2 tok",
        "│  └─ step 3 1.0s 5→2 tok $?",
        "├─ step 4 1.0s 5→2 tok $0.2500",
        "└─ step 5 1.0s",
    ]
    assert tree_of(make_child(1, None), make_call(2, 1))[0] == "step 1 1.0s 5→2 tok $?"


def test_flags_stand_below_the_span_where_they_show() -> None:
    """In the colour of a warning."""
    cut = make_call(1, None, **{"gen_ai.response.finish_reasons": ["length"], "agenttrace.cost_usd": 0.25})

    (_, flag) = format_tree(StoredTrace(TRACE_ID, (cut,)))

    assert plain(flag) == "   truncated: the answer of my-model was cut at its length limit"
    assert flag[-1].style == "recovered"


def test_the_input_of_a_failed_model_call_is_what_was_asked() -> None:
    """The last words that it was given, and not the messages as they were written."""
    given = [{"role": "user", "content": "hello"}, {"role": "user", "content": "are you\nthere?"}]
    failed = make_call(1, None, **{"gen_ai.input.messages": given, "agenttrace.cost_usd": 0.25})

    (line, *_) = format_tree(StoredTrace(TRACE_ID, (replace(failed, status_code="ERROR"),)))

    assert plain(line).endswith("✗ origin  input are you there?")
