"""Lists of traces, sessions, failures and spans as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import FAILURE_RECOVERED, FAILURE_TYPE
from otel_agenttrace.model.times import from_rfc3339
from otel_agenttrace.views.failure import short_failure_id
from otel_agenttrace.views.lines import UNICODE, Glyphs, Line
from otel_agenttrace.views.summary import STATUS_STYLES
from otel_agenttrace.views.table import Cell, Column, format_table
from otel_agenttrace.views.units import cost_text, format_count, format_duration, format_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otel_agenttrace.model.failure import FailureEvent
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.session import TraceSession
    from otel_agenttrace.pipeline.summary import TraceSummary

_ROOM_FOR_TIMES = 100


def format_trace_list(
    traces: Sequence[TraceSummary], short_ids: Mapping[str, str], *, width: int = 80, glyphs: Glyphs = UNICODE
) -> list[Line]:
    """Return a heading and a line per trace. `short_ids` are the ids as they are to be shown, by trace id."""
    times = _times([from_rfc3339(trace.started_at) for trace in traces])
    columns = (
        Column("TRACE"),
        Column(times[0]),
        Column("STATUS"),
        Column("TIME", right=True),
        Column("TOKENS", right=True),
        Column("COST", right=True),
        Column("NAME", share=True),
    )
    rows = [
        (
            Cell(short_ids.get(trace.trace_id, trace.trace_id), "heading"),
            Cell(started, "dim"),
            Cell(trace.status, STATUS_STYLES[trace.status]),
            Cell(format_duration(round(trace.duration_ms * 1e6))),
            Cell(_tokens(trace.input_tokens + trace.output_tokens)),
            Cell(cost_text(trace.cost_usd, is_complete=trace.cost_complete)),
            Cell(trace.root_name, "name"),
        )
        for trace, started in zip(traces, times[1:], strict=True)
    ]
    return format_table(columns, rows, width=width, glyphs=glyphs)


def format_session_list(
    sessions: Sequence[TraceSession], short_ids: Mapping[str, str], *, width: int = 80, glyphs: Glyphs = UNICODE
) -> list[Line]:
    """Return a heading and a line per session."""
    times = _times([from_rfc3339(session.started_at) for session in sessions])
    columns = (
        Column("SESSION", most=36),
        Column(times[0]),
        Column("STATUS"),
        Column("EVENTS", right=True),
        Column("TOKENS", right=True),
        Column("COST", right=True),
        Column("TASK", share=True),
    )
    rows = [
        (
            Cell(short_ids.get(session.id, session.id), "heading"),
            Cell(started, "dim"),
            Cell(session.status, STATUS_STYLES[session.status]),
            Cell(str(session.total_events)),
            Cell(_tokens(session.total_tokens)),
            Cell(cost_text(session.total_cost_usd or None, is_complete=session.cost_complete)),
            Cell(session.task, "name"),
        )
        for session, started in zip(sessions, times[1:], strict=True)
    ]
    return format_table(columns, rows, width=width, glyphs=glyphs)


def format_failure_list(
    failures: Sequence[FailureEvent], short_ids: Mapping[str, str], *, width: int = 80, glyphs: Glyphs = UNICODE
) -> list[Line]:
    """Return a heading and a line per failure; a recovered one is marked. Times are told where there is room."""
    times = _times([from_rfc3339(failure.timestamp) for failure in failures])
    has_times = width >= _ROOM_FOR_TIMES
    columns = (
        Column("FAILURE", whole=True),
        Column(times[0]),
        Column("TYPE"),
        Column("SUBJECT", most=20),
        Column(""),
        Column("ERROR", share=True),
    )
    ids = [failure.failure_id for failure in failures]
    rows = []
    for failure, at in zip(failures, times[1:], strict=True):
        recovered = bool(failure.metadata.get("recovered"))
        trace_id = failure.trace_id or ""
        rows.append(
            (
                Cell(
                    short_failure_id(failure.failure_id, short_ids.get(trace_id, trace_id), glyphs, others=ids),
                    "heading",
                ),
                Cell(at if has_times else "", "dim"),
                Cell(failure.failure_type, "recovered" if recovered else "error"),
                Cell(failure.subject, "name"),
                Cell(glyphs.recovered if recovered else "", "recovered"),
                Cell(failure.error or ""),
            )
        )
    return format_table(columns, rows, width=width, glyphs=glyphs)


def format_span_list(
    spans: Sequence[SpanRecord], short_ids: Mapping[str, str], *, width: int = 80, glyphs: Glyphs = UNICODE
) -> list[Line]:
    """Return a heading and a line per span."""
    times = _times([span.start_time_unix_nano for span in spans])
    columns = (
        Column("TRACE"),
        Column("SPAN"),
        Column(times[0]),
        Column("TIME", right=True),
        Column("", most=2),
        Column("NAME", share=True),
    )
    rows = [
        (
            Cell(short_ids.get(span.trace_id, span.trace_id), "heading"),
            Cell(span.span_id),
            Cell(started, "dim"),
            Cell(glyphs.running if span.duration_nano is None else format_duration(span.duration_nano)),
            _failed(span, glyphs),
            Cell(span.name, "name"),
        )
        for span, started in zip(spans, times[1:], strict=True)
    ]
    return format_table(columns, rows, width=width, glyphs=glyphs)


def _failed(span: SpanRecord, glyphs: Glyphs) -> Cell:
    if FAILURE_TYPE not in span.attributes:
        return Cell("")
    # Only a verdict knows what became of a failure.
    is_recovered = span.attributes.get(FAILURE_RECOVERED) is True
    return Cell(glyphs.recovered, "recovered") if is_recovered else Cell(glyphs.cross, "error")


def _times(unix_nanos: Sequence[int]) -> list[str]:
    """A title and the times below it: when all are of one day, the day stands in the title alone."""
    days = {format_time(unix_nano)[:10] for unix_nano in unix_nanos}
    if len(days) == 1:
        return [*days, *(format_time(unix_nano, date=False) for unix_nano in unix_nanos)]
    years = {day[:4] for day in days}
    cut = 5 if len(years) == 1 else 0
    return ["STARTED", *(format_time(unix_nano, seconds=False)[cut:] for unix_nano in unix_nanos)]


def _tokens(count: int) -> str:
    return format_count(count) if count else ""
