"""A trace in two lines; a session in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.pipeline.summary import last_known_unix_nano
from otel_agenttrace.pipeline.usage import Totals, totals
from otel_agenttrace.views.lines import UNICODE, Glyphs, Line, Segment, Style, cut_line
from otel_agenttrace.views.table import Cell, Column, format_table
from otel_agenttrace.views.text import cell_width, cut, safe_text
from otel_agenttrace.views.tree import usage_text
from otel_agenttrace.views.units import counted, format_duration, format_share

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.session import TraceSession
    from otel_agenttrace.model.tree import SpanNode
    from otel_agenttrace.pipeline.root_cause import Failure
    from otel_agenttrace.pipeline.summary import TraceSummary
    from otel_agenttrace.stores.api import StoredTrace

STATUS_STYLES: dict[str, Style] = {
    "passed": "ok",
    "completed": "ok",
    "failed": "error",
    "hallucinated": "error",
    "cancelled": "recovered",
    "running": "running",
}
_MAX_SLOWEST = 5


@dataclass(frozen=True, slots=True)
class SlowStep:
    """A step that took long. `share` is its part of the session's time, from 0 to 1."""

    trace_id: str
    span_id: str
    name: str
    duration_ms: float
    share: float


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A session in numbers.

    Attributes:
        session: the session itself.
        total_time_ms: milliseconds during which at least one of its traces ran.
        trace_count: traces, without those that only tell of its start and end.
        step_count: calls of models and tools, and other spans where a failure began.
        error_count: failures, each root cause once, that were not recovered.
        recovered_count: those that were, or may yet be.
        input_tokens: each model call once, as are the other totals.
        cost_usd: US dollars; None if no span reports a cost.
        cost_complete: every model call has a cost.
        reported_cost_usd: US dollars, as emitters report them; None if none does.
        unpriced_models: models with calls whose cost is not known.
        slowest_steps: the longest calls of models and tools that contain no other, longest first; where there are none,
            the longest spans without children.
    """

    session: TraceSession
    total_time_ms: float
    trace_count: int
    span_count: int
    step_count: int
    error_count: int
    recovered_count: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    cost_complete: bool
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    reported_cost_usd: float | None
    unpriced_models: tuple[str, ...]
    slowest_steps: tuple[SlowStep, ...]


def summarize_session(
    session: TraceSession, traces: Sequence[StoredTrace], *, max_slowest: int = _MAX_SLOWEST
) -> SessionSummary:
    """Sum up a session and its traces; none of them may be without spans."""
    trees = [SpanTree(trace.spans) for trace in traces]
    failures = [failure for tree in trees for failure in find_failures(tree)]
    used = totals(span for trace in traces for span in trace.spans)
    total_nano = _covered_nano(traces)
    timed = [_timed(tree) for tree in trees]
    steps = [call for calls, _ in timed for call in calls] or [leaf for _, leaves in timed for leaf in leaves]
    slowest = sorted(steps, key=lambda record: (-_duration(record), record.start_time_unix_nano))
    return SessionSummary(
        session=session,
        total_time_ms=total_nano / 1e6,
        trace_count=len(traces),
        span_count=sum(len(tree.nodes) for tree in trees),
        step_count=sum(_count_steps(tree, failures) for tree in trees),
        error_count=sum(failure.is_final for failure in failures),
        recovered_count=sum(not failure.is_final for failure in failures),
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cost_usd=used.cost_usd,
        cost_complete=used.cost_complete,
        cache_read_tokens=used.cache_read_tokens,
        cache_write_tokens=used.cache_write_tokens,
        reasoning_tokens=used.reasoning_tokens,
        reported_cost_usd=used.reported_cost_usd,
        unpriced_models=used.unpriced_models,
        slowest_steps=tuple(_slow_step(record, total_nano) for record in slowest[:max_slowest]),
    )


def trace_heading(
    summary: TraceSummary, notes: Sequence[Line] = (), *, width: int = 80, glyphs: Glyphs = UNICODE
) -> list[Line]:
    """Return in a few lines what a trace is, and what it came to; `notes` are those of `trace_notes`."""
    facts = [
        summary.service_name,
        _started(summary.started_at),
        format_duration(round(summary.duration_ms * 1e6)),
        counted(summary.span_count, "span"),
        counted(summary.error_count, "error"),
        usage_text(_totals(summary), glyphs),
        ", ".join(summary.models),
    ]
    return [_identity(summary.trace_id, summary.status), *_flow(facts, width, glyphs), *notes]


def format_session_summary(
    summary: SessionSummary, notes: Sequence[Line] = (), *, width: int = 80, glyphs: Glyphs = UNICODE
) -> list[Line]:
    """Return a session as lines: what it was about, its totals, and its slowest steps with their share of the time.

    `notes` are lines about the session as a whole, as those of `format_warnings`.
    """
    session = summary.session
    recovered = f" {glyphs.dot} {summary.recovered_count} recovered" if summary.recovered_count else ""
    facts = [
        _started(session.started_at),
        format_duration(round(summary.total_time_ms * 1e6)),
        counted(summary.trace_count, "trace"),
        counted(summary.span_count, "span"),
        counted(summary.step_count, "step"),
        counted(summary.error_count, "error") + recovered,
        usage_text(_totals(summary), glyphs),
    ]
    lines = [
        _identity(session.id, session.status),
        *_flow([session.task], width, glyphs),
        *_flow(facts, width, glyphs),
        *notes,
    ]
    if summary.slowest_steps:
        lines += [(), *_slowest_lines(summary, width, glyphs)]
    return [cut_line(line, width, glyphs) for line in lines]


def _slowest_lines(summary: SessionSummary, width: int, glyphs: Glyphs) -> list[Line]:
    # Where there are no steps, the spans that stand in for them are called what they are.
    title = "SLOWEST STEPS" if summary.step_count else "SLOWEST SPANS"
    columns = (Column(title, share=True), Column("TIME", right=True), Column("SHARE", right=True))
    rows = [
        (
            Cell(step.name, "name"),
            Cell(format_duration(round(step.duration_ms * 1e6))),
            Cell(format_share(step.share, 1)),
        )
        for step in summary.slowest_steps
    ]
    return format_table(columns, rows, width=width, glyphs=glyphs)


def _count_steps(tree: SpanTree, failures: Iterable[Failure]) -> int:
    """How many steps a TraceRecord of it has."""
    origins = {failure.origin.identity for failure in failures}
    return sum(_is_call(node) or node.record.identity in origins for node in tree.nodes)


def _is_call(node: SpanNode) -> bool:
    said = canonical(node.record)
    return said.is_tool_call or said.is_model_call


def _timed(tree: SpanTree) -> tuple[list[SpanRecord], list[SpanRecord]]:
    """The innermost calls of models and tools, and the spans without children: none of either is part of another."""
    has_call_below: set[SpanNode] = set()
    calls: list[SpanRecord] = []
    for node in reversed(tree.nodes):  # children first
        is_call = _is_call(node)
        if is_call and node not in has_call_below:
            calls.append(node.record)
        if node.parent is not None and (is_call or node in has_call_below):
            has_call_below.add(node.parent)
    return calls, [node.record for node in tree.nodes if not node.children]


def _slow_step(record: SpanRecord, total_nano: int) -> SlowStep:
    duration = _duration(record)
    return SlowStep(
        record.trace_id, record.span_id, record.name, duration / 1e6, duration / total_nano if total_nano else 0.0
    )


def _duration(record: SpanRecord) -> int:
    return max(record.duration_nano or 0, 0)


def _covered_nano(traces: Iterable[StoredTrace]) -> int:
    """How long at least one of the traces ran."""
    covered, end = 0, None
    for start, until in sorted(
        (min(span.start_time_unix_nano for span in trace.spans), last_known_unix_nano(trace.spans)) for trace in traces
    ):
        covered += max(until - (start if end is None else max(start, end)), 0)
        end = until if end is None else max(end, until)
    return covered


def _totals(summary: TraceSummary | SessionSummary) -> Totals:
    return Totals(summary.input_tokens, summary.output_tokens, summary.cost_usd, summary.cost_complete)


def _identity(id_: str, status: str) -> Line:
    return Segment(id_, "heading"), Segment("  "), Segment(status, STATUS_STYLES[status])


def _started(rfc3339: str) -> str:
    return rfc3339[:19].replace("T", " ") + " UTC"


def _flow(facts: Iterable[str], width: int, glyphs: Glyphs) -> list[Line]:
    """The facts that are not empty, with a dot between them, on as many indented lines as they need."""
    dot = f" {glyphs.dot} "
    lines: list[str] = []
    for fact in map(safe_text, filter(None, facts)):
        if lines and cell_width(lines[-1] + dot + fact) <= width - 2:
            lines[-1] += dot + fact
        else:
            lines.append(cut(fact, width - 2, glyphs.ellipsis))
    return [(Segment("  "), Segment(line)) for line in lines]
