"""A trace as one HTML page that needs nothing else: no server, no network, and scripts only for comfort.

Everything recorded is escaped. On top of that the page's content security policy lets nothing run or load but its own
style and script, which it names by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from otel_agenttrace.pipeline.summary import summarize
from otel_agenttrace.views.html_span import span_details
from otel_agenttrace.views.html_value import escape, text_block
from otel_agenttrace.views.rows import TraceRows, error_text, outcome
from otel_agenttrace.views.timeline import Axis, axis_of
from otel_agenttrace.views.units import format_cost, format_duration, format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel_agenttrace.pipeline.root_cause import Failure
    from otel_agenttrace.pipeline.summary import TraceSummary
    from otel_agenttrace.stores.api import StoredTrace
    from otel_agenttrace.views.warnings import ViewWarning

MAX_SPANS = 5_000
"""Spans on one page; a browser gets slow beyond."""

MAX_CHARACTERS = 20_000_000
"""Characters after which spans are listed without what they hold."""

_STATUS_CSS = {"failed": "bad", "hallucinated": "bad", "passed": "good", "running": "run"}


def format_html(trace: StoredTrace, warnings: Iterable[ViewWarning] = (), *, max_spans: int = MAX_SPANS) -> str:
    """Return a trace as an HTML document.

    It shows what the tree and the timeline show, and each span opens to all that it holds. Of a trace with more than
    `max_spans` spans or 20 million characters, and of values and lists beyond the bounds in `html_value`, it says what
    it leaves out; `warnings` say what the trace itself lacks.
    """
    rows = TraceRows(trace)
    summary = summarize(trace)
    anchors = {id(row.node): f"span-{number}" for number, row in enumerate(rows.rows[:max_spans], 1)}
    body = "".join(
        (
            _header(summary),
            *(f'<section class="failure recovered">{escape(warning.message)}</section>\n' for warning in warnings),
            *(_failure(failure, rows, anchors) for failure in rows.failures),
            _spans(rows, anchors),
            _footer(trace),
        )
    )
    return _document(f"{summary.root_name} · {trace.trace_id[:12]}", body)


def _document(title: str, body: str) -> str:
    style, script = _asset("page.css"), _asset("page.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}</main>\n<script>{script}</script>\n</body>\n</html>\n"
    )


@cache
def _asset(name: str) -> str:
    return files("otel_agenttrace.views").joinpath(name).read_text("utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _header(summary: TraceSummary) -> str:
    badge = f'<span class="badge {_STATUS_CSS[summary.status]}">{summary.status}</span>'
    facts = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in _facts(summary) if value)
    return (
        f'<header><div class="soft">Trace <code>{escape(summary.trace_id)}</code></div>'
        f'<h1><bdi>{escape(summary.root_name)}</bdi>{badge}</h1><dl class="facts">{facts}</dl></header>\n'
    )


def _facts(summary: TraceSummary) -> Iterator[tuple[str, str]]:
    yield "Service", summary.service_name
    yield "Started", summary.started_at[:19].replace("T", " ") + " UTC"
    yield "Duration", format_duration(round(summary.duration_ms * 1_000_000))
    yield "Spans", f"{summary.span_count:,}"
    yield "Errors", f"{summary.error_count:,}"
    if summary.input_tokens or summary.output_tokens:
        yield "Tokens", f"{summary.input_tokens:,} in, {summary.output_tokens:,} out"
    if summary.cost_usd is not None:
        yield "Cost", format_cost(summary.cost_usd) + ("" if summary.cost_complete else ", and more that is not known")
    yield "Models", ", ".join(summary.models)
    if summary.session_id != summary.trace_id:
        yield "Session", summary.session_id
    yield "Tasks", ", ".join(summary.task_ids)


def _failure(failure: Failure, rows: TraceRows, anchors: dict[int, str]) -> str:
    css = "warn" if failure.recovered else "bad"
    origin = rows.origin_of(failure)
    path = [*reversed([node.record.name for node in origin.node.ancestors()]), origin.span.name]
    place = escape(" → ".join(path[-6:]))
    if anchor := anchors.get(id(origin.node)):
        place = f'<a href="#{anchor}"><bdi>{place}</bdi></a>'
    return (
        f'<section class="failure{" recovered" * failure.recovered}">'
        f'<span class="badge {css}">{escape(failure.type)}</span> '
        f"<bdi>{escape(failure.subject)}</bdi> · {outcome(failure)}"
        f"{text_block(error_text(failure))}"
        f'<p class="path">began in {place} · <code>{escape(failure.failure_id)}</code></p></section>\n'
    )


def _spans(rows: TraceRows, anchors: dict[int, str]) -> str:
    axis = axis_of(rows.trace.spans)
    parts: list[str] = []
    size = 0
    for section in rows.sections:
        shown = [row for row in section.rows if id(row.node) in anchors]
        if section.heading and shown:
            parts.append(f'<div class="heading">{escape(section.heading)}</div>')
        for row in shown:
            parts.append(span_details(row, axis, anchors[id(row.node)], body=size < MAX_CHARACTERS))
            size += len(parts[-1])
    hidden = len(rows.rows) - len(anchors)
    note = f'<p class="cut">{hidden:,} more spans are in the store.</p>' if hidden else ""
    return (
        '<h2>Spans</h2>\n<div class="tools" hidden><input type="search" placeholder="Find in spans" '
        'aria-label="Find in spans"><button type="button" aria-pressed="false">Only errors</button>'
        '<button type="button">Open or close all</button></div>\n'
        f'<div class="spans">{_axis_line(axis)}{"".join(parts)}</div>{note}\n'
    )


def _axis_line(axis: Axis) -> str:
    ticks = "".join(f"<span>{escape(format_duration(axis.length * step // 4))}</span>" for step in range(5))
    return (
        '<div class="row head"><span>Span</span><span class="num">Time</span><span class="num wide">Tokens</span>'
        f'<span class="num wide">Cost</span><span class="axis">{ticks}</span></div>'
    )


def _footer(trace: StoredTrace) -> str:
    newest = max(span.end_time_unix_nano or span.start_time_unix_nano for span in trace.spans)
    return (
        f"<footer>Recorded by otel-agenttrace, last at {format_time(newest)} UTC. "
        f"In a terminal: <code>agenttrace trace show {escape(trace.trace_id)}</code></footer>\n"
    )
