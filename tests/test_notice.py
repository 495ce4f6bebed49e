"""The lines at start and exit, and the count behind them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.model.codec import IS_REMOTE
from otel_agenttrace.model.verdicts import VERDICT_SCOPE
from otel_agenttrace.notice import TraceTally, exit_lines, say, shown_url, start_line
from otel_agenttrace.pipeline.failures import failure_stage
from otel_agenttrace.testing.spans import make_span

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord


def _tally(*, passed: int, failed: int) -> TraceTally:
    tally = TraceTally()
    for index in range(passed + failed):
        status = "ERROR" if index < failed else "UNSET"
        tally.add(failure_stage(make_span(span_id=f"{index + 1:016x}", status_code=status)))
    return tally


def test_the_line_at_start_says_who_records_what_and_where() -> None:
    """Service, targets, instrumentors and whether content is kept fit on one line."""
    line = start_line("booking-agent", ["~/.agenttrace/traces.db", "otlp"], ["httpx", "openai"], content="on")

    assert line == "booking-agent -> ~/.agenttrace/traces.db, otlp (httpx, openai; content on)"


@pytest.mark.parametrize(
    ("passed", "failed", "line"),
    [
        (2, 1, "1 of 3 traces failed -> agenttrace failure show"),
        (0, 1, "1 of 1 trace failed -> agenttrace failure show"),
        (3, 0, "3 traces, none failed -> agenttrace trace list"),
        (1, 0, "1 trace, none failed -> agenttrace trace list"),
    ],
)
def test_the_line_at_exit_says_how_it_went_and_what_to_type_next(passed: int, failed: int, line: str) -> None:
    """The result comes with the command that shows more of it."""
    assert exit_lines(_tally(passed=passed, failed=failed), {}, store_option="") == [line]


def _verdict(status: str, revision: int = 1) -> SpanRecord:
    attributes = {"agenttrace.verdict.status": status, "agenttrace.revision": revision}
    return make_span(name="agenttrace.verdict", scope=VERDICT_SCOPE, attributes=attributes)


def test_hallucinations_are_told_beside_failures() -> None:
    """The verdicts tell of them, each trace once; a later verdict counts."""
    tally = _tally(passed=2, failed=1)
    tally.add(_verdict("hallucinated"))
    tally.add(_verdict("hallucinated", 2))
    assert exit_lines(tally, {}) == ["1 of 3 traces failed, 1 hallucinated"]

    tally.add(_verdict("passed", 3))
    assert exit_lines(tally, {}) == ["1 of 3 traces failed"]

    alone = _tally(passed=2, failed=0)
    alone.add(_verdict("hallucinated"))
    assert exit_lines(alone, {}, store_option="") == ["1 of 2 traces hallucinated -> agenttrace failure show"]


def test_nothing_is_said_when_nothing_was_recorded() -> None:
    """An agent that made no span ends without a line."""
    assert exit_lines(TraceTally(), {}, store_option="") == []


def test_a_store_that_cannot_be_read_later_has_no_command() -> None:
    """A store in memory is gone with the process, so there is no command to name."""
    assert exit_lines(_tally(passed=1, failed=0), {}, store_option=None) == ["1 trace, none failed"]


def test_lost_and_unsampled_spans_are_told() -> None:
    """A dropped span is never silent."""
    waiting = {"otlp@localhost:4317": 3}
    lines = exit_lines(TraceTally(), {"store": 2, "console": 0}, waiting=waiting, unsampled_spans=1)

    assert lines == [
        "2 spans did not reach the store, see the log",
        "3 spans wait on disk for otlp@localhost:4317: the next start sends them, or agenttrace spool drain",
        "1 span left out by the sampler",
    ]


def test_what_waits_comes_with_a_command_that_sends_it() -> None:
    """It names the store; for an exporter object, which no command can make, there is none."""
    waiting = {"otlp@localhost:4317": 1, "MyExporter@shop": 2}
    drain = "agenttrace spool drain --store sqlite:///h.db"
    lines = exit_lines(TraceTally(), {}, waiting=waiting, drain=drain, by_object={"MyExporter@shop"})

    assert lines == [
        f"1 span waits on disk for otlp@localhost:4317: the next start sends them, or {drain}",
        "2 spans wait on disk for MyExporter@shop: the next start sends them",
    ]


def test_only_ended_local_roots_count_as_traces() -> None:
    """A trace is counted once, by the span that began it in this process."""
    tally = TraceTally()
    tally.add(make_span())
    tally.add(make_span(parent_span_id="b" * 16, flags=0x101))
    tally.add(make_span(parent_span_id="b" * 16, flags=0x101 | IS_REMOTE))
    tally.add(make_span(end_time_unix_nano=None))
    tally.add(make_span(attributes={"agenttrace.session.status": "running"}))

    assert (tally.traces, tally.failed) == (2, 0)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"sqlite:///{Path('/srv/traces.db')}", "/srv/traces.db"),
        ("memory:", "memory"),
        (f"runs{os.sep}traces.db", f"runs{os.sep}traces.db"),
        ("postgresql://agent:secret@db.example:5432/traces?sslmode=require", "postgresql://db.example:5432/traces"),
    ],
)
def test_a_store_is_shown_without_credentials(url: str, shown: str) -> None:
    """What goes to the screen holds no password."""
    assert shown_url(url) == shown


def test_a_file_in_the_home_directory_is_shown_from_there() -> None:
    """The default store reads as people know it."""
    assert shown_url(f"sqlite:///{Path.home()}/.agenttrace/traces.db") == f"~{os.sep}.agenttrace/traces.db"


def test_a_line_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A service name with an escape sequence in it is shown, not obeyed."""
    say("\x1b[2Jbooking")

    assert capsys.readouterr().err == "agenttrace: \\x1b[2Jbooking\n"


def test_quiet_silences_the_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With `AGENTTRACE_QUIET` nothing is printed."""
    monkeypatch.setenv("AGENTTRACE_QUIET", "1")
    say("booking")

    assert capsys.readouterr().err == ""
