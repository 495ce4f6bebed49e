"""`agenttrace session`: traces that belong together."""

from __future__ import annotations

import click

from otel_agenttrace.cli.gaps import Gaps
from otel_agenttrace.cli.options import json_option, list_options, store_option
from otel_agenttrace.cli.output import glyphs, print_json, print_lines, print_more, print_nothing, reading, width
from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.pipeline.summary import summarize
from otel_agenttrace.stores.lookup import complete_session_id, short_ids
from otel_agenttrace.views.lists import format_session_list, format_trace_list
from otel_agenttrace.views.shapes import session_shape
from otel_agenttrace.views.summary import format_session_summary, summarize_session
from otel_agenttrace.views.viewer import TraceViewer
from otel_agenttrace.views.warnings import format_warnings


@click.group()
def session() -> None:
    """List and sum up sessions."""


@session.command("list")
@list_options
def list_(
    *, since: int | None, until: int | None, limit: int, after: str | None, store_url: str | None, as_json: bool
) -> None:
    """List sessions, the one stored last first."""
    with reading(store_url) as store:
        last = None if after is None else complete_session_id(store.spans, after)
        found = store.get_sessions(limit, since=since, until=until, after=last)
        if as_json:
            print_json([each.model_dump(mode="json") for each in found])
            return
        names = short_ids(store.spans, [each.id for each in found])
        url = store.url
    if not found:
        print_nothing("no session", url)
        return
    print_lines(format_session_list(found, names, width=width(), glyphs=glyphs()))
    print_more(found[-1].id if len(found) == limit else None)


@session.command()
@click.argument("session_id", required=False)
@store_option
@json_option
def show(session_id: str | None, *, store_url: str | None, as_json: bool) -> None:
    """Sum up one session; without SESSION_ID, the one stored last.

    SESSION_ID may be shortened while it is unique; a trace that names no session is one, under its trace id.
    """
    with reading(store_url) as store:
        if session_id is None:
            newest = store.get_sessions(1)
            if not newest:
                raise TraceNotFoundError(f"no session is recorded in {store.url}; `agenttrace demo` records one")
            chosen = newest[0].id
        else:
            chosen = complete_session_id(store.spans, session_id)
        gaps = Gaps(store_url, store.spans.find_session_trace_ids(chosen), chosen)
        traces = TraceViewer(store).get_session_traces(chosen)
        summary = summarize_session(store.get_session(chosen), traces)
        warnings = gaps.warnings(traces)
        summaries = [summarize(trace) for trace in traces]
        names = short_ids(store.spans, [trace.trace_id for trace in traces])
    if as_json:
        print_json(session_shape(summary, summaries, warnings))
        return
    notes = format_warnings(warnings, width=width())
    print_lines(format_session_summary(summary, notes, width=width(), glyphs=glyphs()))
    if summaries:
        print_lines([(), *format_trace_list(summaries, names, width=width(), glyphs=glyphs())])
