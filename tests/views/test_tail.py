"""What happens while agents run, a line at a time."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from otel_agenttrace.model.codec import deserialize, serialize_record
from otel_agenttrace.model.record import ResourceRecord
from otel_agenttrace.pipeline.failures import classify
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.pipeline.summary import summarize
from otel_agenttrace.stores.api import StoredTrace
from otel_agenttrace.stores.run_events import RunEvent
from otel_agenttrace.testing.spans import SECOND, START, TRACE_ID, make_span
from otel_agenttrace.views.lines import ASCII, line_width, plain
from otel_agenttrace.views.tail import TailLines, tail_shape
from tests.views.conftest import NASTY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.model.record import SpanRecord

SHORT = TRACE_ID[:12]
INT64 = 2**63 - 1


@pytest.fixture(autouse=True)
def _far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is five and a half hours ahead."""
    monkeypatch.setenv("TZ", "IST-5:30")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def ended(span: SpanRecord, **fields: Any) -> RunEvent:
    """The end of a span."""
    return RunEvent("span_ended", span, SHORT, span.end_time_unix_nano or 0, failure=classify(span), **fields)


def started(span: SpanRecord, kind: Any = "span_started", **fields: Any) -> RunEvent:
    """The start of a span or a run."""
    return RunEvent(kind, replace(span, end_time_unix_nano=None), SHORT, span.start_time_unix_nano, **fields)


def run_ended(trace: StoredTrace) -> RunEvent:
    """The end of a run."""
    failures = [failure for failure in find_failures(trace.spans) if failure.is_final]
    cause = failures[0] if failures else None
    return RunEvent("run_ended", trace.spans[0], SHORT, START + SECOND, summary=summarize(trace), cause=cause)


def text_of(*events: RunEvent, **options: Any) -> list[str]:
    """The lines of some events as plain text, without the day that comes first."""
    writer = TailLines(**options)
    return [plain(line) for event in events for line in writer.lines(event)][1:]


def test_a_run_that_passed() -> None:
    """It starts with its service and session; its root's own start would say the same again."""
    root = make_span(attributes={"session.id": "order-1", "gen_ai.operation.name": "invoke_agent"})
    call = make_span(
        span_id="00000000000000aa", parent_span_id=root.span_id, name="ChatOpenAI",
        attributes={
            "gen_ai.operation.name": "chat", "gen_ai.request.model": "m-1", "gen_ai.usage.cost": 0.0031,
            "gen_ai.usage.input_tokens": 431, "gen_ai.usage.output_tokens": 57,
        },
    )  # fmt: skip
    events = [
        started(root, "run_started"), started(root), started(call, depth=1), ended(call, depth=1), ended(root),
        run_ended(StoredTrace(TRACE_ID, (root, call))),
    ]  # fmt: skip

    assert text_of(*events) == [
        "19:43:20 0199c2f4a0b1 ▸ run invoke_agent booking  booking-agent · session order…",
        "19:43:20 0199c2f4a0b1 ▸   ChatOpenAI chat m-1",
        "19:43:21 0199c2f4a0b1     ChatOpenAI chat m-1 1.0s 431→57 tok $0.0031",
        "19:43:21 0199c2f4a0b1   invoke_agent booking 1.0s",
        "19:43:21 0199c2f4a0b1   passed invoke_agent booking 1.0s 431→57 tok $0.0031",
    ]


def test_a_run_that_failed(booking: StoredTrace) -> None:
    """Why is told once where it happened and once at the end, with the command that tells more."""
    tool, root = booking.spans[3], booking.spans[0]
    events = [ended(tool, depth=1), ended(root, is_repeated=True), run_ended(booking)]

    assert text_of(*events, next_option=" --store runs.db") == [
        "19:43:21 0199c2f4a0b1 ✗   execute_tool search_flights 19ms",
        "                        validation_error: date '15/02/2026' does not match",
        "                        YYYY-MM-DD",
        "19:43:22 0199c2f4a0b1 ✗ invoke_agent booking 2.1s",
        "19:43:21 0199c2f4a0b1 ✗ failed invoke_agent booking 2.1s 431→57 tok $0.0031",
        "                        validation_error: date '15/02/2026' does not match",
        "                        YYYY-MM-DD",
        "                        agenttrace failure show 0199c2f4a0b1 --store runs.db",
    ]


def test_an_error_stands_on_the_line_where_there_is_room(booking: StoredTrace) -> None:
    """On a wide terminal one thing is one line."""
    (line,) = text_of(ended(booking.spans[3]), width=120)

    assert line.endswith("19ms validation_error: date '15/02/2026' does not match YYYY-MM-DD")


def test_a_run_that_failed_twice_names_the_failure(booking: StoredTrace) -> None:
    """The trace's id alone would fit both."""
    late = START + 10 * SECOND
    other = make_span(
        span_id="00000000000000cc", status_code="ERROR", start_time_unix_nano=late, end_time_unix_nano=late + SECOND
    )

    *_, command = text_of(run_ended(replace(booking, spans=(*booking.spans, other))))

    assert command.strip() == "agenttrace failure show 0199c2f4a0b1…-a77f14b0"


def test_each_day_is_told_once() -> None:
    """By local time, with its distance from UTC."""
    writer = TailLines()
    events = [started(make_span(start_time_unix_nano=START + hours * 3_600 * SECOND)) for hours in (0, 1, 5)]

    heads = [plain(line) for event in events for line in writer.lines(event) if len(line) == 1]

    assert heads == ["2026-09-21 UTC+0530", "2026-09-22 UTC+0530"]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_fit_and_do_nothing(nasty: StoredTrace, width: int) -> None:
    """Whatever was recorded, no line but a command's is too wide, and none drives the terminal."""
    writer = TailLines(width=width, glyphs=ASCII)
    deep = make_span(name="x" * 300, resource=ResourceRecord({"service.name": NASTY * 20}))
    spans = [*nasty.spans, deep, make_span(start_time_unix_nano=-INT64, end_time_unix_nano=INT64)]
    events = [event for span in spans for event in (started(span, "run_started"), ended(span, depth=50))]

    lines = [line for event in [*events, run_ended(nasty)] for line in writer.lines(event)]

    assert all(line_width(line) <= width for line in lines if "agenttrace failure show" not in plain(line))
    assert all(char.isprintable() for line in lines for segment in line for char in segment.text)


def test_json_has_the_span_and_what_became_of_it(booking: StoredTrace, nasty: StoredTrace) -> None:
    """Anything that a span may hold can be written as JSON."""
    shape = json.loads(orjson.dumps(tail_shape(run_ended(booking))))

    assert (shape["event"], shape["span_id"]) == ("run_ended", booking.spans[0].span_id)
    assert shape["run"]["status"] == "failed"
    assert shape["failure"] == {
        "failure_type": "validation_error",
        "message": "date '15/02/2026' does not match YYYY-MM-DD",
    }
    for span in nasty.spans:
        stored = deserialize(serialize_record(span))
        assert orjson.loads(orjson.dumps(tail_shape(ended(stored))))["run"] is None
    assert tail_shape(started(booking.spans[0]))["failure"] is None
