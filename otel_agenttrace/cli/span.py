"""`agenttrace span`: single spans."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from otel_agenttrace.cli.options import list_options
from otel_agenttrace.cli.output import glyphs, print_json, print_lines, print_more, print_nothing, reading, width
from otel_agenttrace.cli.query import Chosen, query_options
from otel_agenttrace.stores.api import span_cursor
from otel_agenttrace.stores.lookup import complete_trace_id, short_ids
from otel_agenttrace.views.lists import format_span_list
from otel_agenttrace.views.shapes import span_shape


@click.group()
def span() -> None:
    """List spans."""


@span.command("list")
@list_options
@query_options
@click.option("--trace", "trace_id", metavar="ID", help="Only of this trace.")
@click.option("--text", default="", help="Only with all words of this text.")
@click.option("--failing", is_flag=True, help="Only spans that failed.")
def list_(
    *, store_url: str | None, as_json: bool, trace_id: str | None, text: str, failing: bool, **chosen: Any
) -> None:
    """List spans, the one stored last first."""
    with reading(store_url) as store:
        whole_id = None if trace_id is None else complete_trace_id(store.spans, trace_id)
        options = Chosen(**chosen)
        query = replace(options.query(store.spans), trace_id=whole_id, text=text, failing=failing or None)
        found = store.spans.find_spans(query)
        if as_json:
            print_json([span_shape(each) for each in found])
            return
        names = short_ids(store.spans, [each.trace_id for each in found])
        url = store.url
    if not found:
        print_nothing("no span", url)
        return
    print_lines(format_span_list(found, names, width=width(), glyphs=glyphs()))
    print_more(span_cursor(found[-1]) if len(found) == options.limit else None)
