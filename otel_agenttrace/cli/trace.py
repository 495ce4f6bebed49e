"""`agenttrace trace`: list, show, search and follow traces."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from otel_agenttrace.cli.gaps import Gaps
from otel_agenttrace.cli.options import json_option, list_options, store_option
from otel_agenttrace.cli.output import glyphs, print_json, print_lines, print_more, print_nothing, reading, width
from otel_agenttrace.cli.query import Chosen, query_options
from otel_agenttrace.cli.tail import tail
from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.pipeline.summary import summarize
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.lookup import complete_trace_id, short_ids
from otel_agenttrace.stores.sessions import walk_traces
from otel_agenttrace.stores.text import words
from otel_agenttrace.views.chat import format_chat
from otel_agenttrace.views.html import format_html
from otel_agenttrace.views.lists import format_trace_list
from otel_agenttrace.views.notes import trace_notes
from otel_agenttrace.views.rows import TraceRows
from otel_agenttrace.views.shapes import summary_shape, trace_shape
from otel_agenttrace.views.summary import trace_heading
from otel_agenttrace.views.text import safe_text
from otel_agenttrace.views.timeline import format_timeline
from otel_agenttrace.views.tree import format_tree
from otel_agenttrace.views.warnings import format_warnings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.pipeline.summary import TraceSummary
    from otel_agenttrace.stores.api import StoredTrace
    from otel_agenttrace.stores.trace_store import TraceStore

_STATUSES = ("failed", "hallucinated", "passed", "running")
_BAD = ("failed", "hallucinated")
_ANY = SpanQuery()
_PAGE = 100


@click.group()
def trace() -> None:
    """List, show, search and follow traces."""


trace.add_command(tail)

_status_option = click.option("--status", type=click.Choice(_STATUSES), help="Only traces that ended like this.")


@trace.command("list")
@list_options
@_status_option
@query_options
def list_(store_url: str | None, as_json: bool, status: str | None, **chosen: Any) -> None:
    """List traces, the one stored last first."""
    _list(store_url, "", status, Chosen(**chosen), as_json=as_json)


@trace.command()
@click.argument("text")
@list_options
@_status_option
@query_options
def search(store_url: str | None, text: str, as_json: bool, status: str | None, **chosen: Any) -> None:
    """List traces with a span that says all words of TEXT."""
    if not words(text):
        raise click.BadParameter(f"there is no word in {text!r}", param_hint="TEXT")
    _list(store_url, text, status, Chosen(**chosen), as_json=as_json)


@trace.command()
@click.argument("trace_id", required=False)
@click.option("--timeline", is_flag=True, help="Draw bars along one axis of time.")
@click.option("--full", is_flag=True, help="Leave out nothing of what was said.")
@click.option("--html", "html_path", type=click.Path(dir_okay=False, path_type=Path), help="Write a page instead.")
@store_option
@json_option
def show(
    trace_id: str | None, *, timeline: bool, full: bool, html_path: Path | None, store_url: str | None, as_json: bool
) -> None:
    """Show one trace as a tree, and what was said in it; without TRACE_ID, the one stored last.

    TRACE_ID may be shortened while it is unique.
    """
    if html_path is not None and (timeline or as_json):
        raise click.UsageError("--html writes a page of its own: leave out --timeline and --json")
    with reading(store_url) as store:
        chosen = _chosen_id(store, trace_id)
        gaps = Gaps(store_url, [chosen])
        found = store.spans.get_trace(chosen)
    if html_path is not None:
        _write_page(html_path, format_html(found, gaps.warnings([found], tells_parents=True)))
    elif as_json:
        print_json(trace_shape(found, gaps.warnings([found])))
    else:
        _print_trace(found, gaps, timeline=timeline, full=full)


def _print_trace(found: StoredTrace, gaps: Gaps, *, timeline: bool, full: bool) -> None:
    rows = TraceRows(found)
    warnings = gaps.warnings([found], tells_parents=True)
    notes = [*trace_notes(rows, width=width()), *format_warnings(warnings, width=width())]
    print_lines([*trace_heading(summarize(found), notes, width=width(), glyphs=glyphs()), ()])
    if timeline:
        print_lines(format_timeline(rows, width=width(), glyphs=glyphs()))
        return
    print_lines(format_tree(rows, width=width(), glyphs=glyphs()))
    chat = format_chat(rows, width=width(), glyphs=glyphs(), full=full)
    print_lines([(), *chat] if chat else [])


def _write_page(path: Path, page: str) -> None:
    try:
        path.write_text(page, "utf-8")
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}") from error
    click.echo(f"wrote {safe_text(str(path))}", err=True)


def _chosen_id(store: TraceStore, trace_id: str | None) -> str:
    if trace_id is not None:
        return complete_trace_id(store.spans, trace_id)
    newest = store.find_traces(SpanQuery(limit=1))
    if not newest:
        raise TraceNotFoundError(f"no trace is recorded in {store.url}; `agenttrace demo` records some")
    return newest[0].trace_id


def _list(store_url: str | None, text: str, status: str | None, chosen: Chosen, *, as_json: bool) -> None:
    with reading(store_url) as store:
        query = replace(chosen.query(store.spans), text=text, limit=_PAGE)
        if chosen.after is not None:
            query = replace(query, after=complete_trace_id(store.spans, chosen.after))
        summaries = _of_status(store, query, status)
        found = list(islice(summaries, chosen.limit))
        if as_json:
            print_json([summary_shape(summary) for summary in found])
            return
        names = short_ids(store.spans, [summary.trace_id for summary in found])
        url = store.url
    if not found:
        print_nothing("no trace", url)
        return
    print_lines(format_trace_list(found, names, width=width(), glyphs=glyphs()))
    print_more(found[-1].trace_id if len(found) == chosen.limit else None)


def _of_status(store: TraceStore, query: SpanQuery, status: str | None) -> Iterator[TraceSummary]:
    """The summaries of the traces that a query finds; a trace's status takes all of its spans to tell."""
    if status in _BAD and query == replace(_ANY, order=query.order, limit=query.limit, after=query.after):
        # Only with no other condition: one span may meet that, another one of its trace be the one that failed.
        query = replace(query, failing=True)
    summaries = map(summarize, walk_traces(store.spans, query))
    return (summary for summary in summaries if status in (None, summary.status))
