"""`agenttrace demo`: something to look at within a second or two."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from otel_agenttrace.cli.options import json_option, store_option
from otel_agenttrace.cli.output import glyphs, print_json_line, print_lines, store_argument, width, writing
from otel_agenttrace.stores.lookup import short_ids
from otel_agenttrace.views.failure import short_failure_id
from otel_agenttrace.views.lines import Segment
from otel_agenttrace.views.table import Cell, Column, format_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_agenttrace.demo.run import DemoRun
    from otel_agenttrace.stores.trace_store import TraceStore
    from otel_agenttrace.views.lines import Line

_COLUMNS = (
    Column("AGENT"),
    Column("FAILURE TYPE"),
    Column("STEPS", right=True),
    Column("FAILURE ID", share=True),
)


@click.command(short_help="Record five small agents, some of which fail.")
@click.option("--kill", "kills", is_flag=True, help="Kill it in the middle of the third agent, as kill -9 does.")
@store_option
@json_option
def demo(*, kills: bool, store_url: str | None, as_json: bool) -> None:
    """Run five small agents, some of which fail on purpose, and record them.

    They call tools over HTTP on this machine, and their model is a script: nothing leaves the machine unless the
    environment names an exporter.
    """
    from otel_agenttrace.demo.run import run_demo  # noqa: PLC0415  `--help` needs no server

    with writing(store_url) as store:
        runs = run_demo(store, kills=kills)
        if not as_json:
            print_lines(_lines(store, runs, store_url))
            return
        for run in runs:
            print_json_line(asdict(run))


def _lines(store: TraceStore, runs: Sequence[DemoRun], store_url: str | None) -> Iterator[Line]:
    short = short_ids(store.spans, [run.trace_id for run in runs])
    rows = [_row(run, short[run.trace_id]) for run in runs]
    yield from format_table(_COLUMNS, rows, width=width(), glyphs=glyphs())
    yield ()
    if store.spans.url.startswith("memory"):
        yield (Segment("These runs were in memory only; without --store they are kept."),)
        return
    option = store_argument(store_url)
    failed = next((run for run in runs if run.failure_type != "none"), runs[0])
    for word, command in (
        ("next: ", "failure show"),
        ("      ", "trace list"),
        ("      ", f"trace show {short[failed.trace_id]}"),
        ("      ", "session list"),
    ):
        yield Segment(word, "dim"), Segment(f"agenttrace {command}{option}")


def _row(run: DemoRun, short_trace_id: str) -> list[Cell]:
    passed = run.failure_type == "none"
    return [
        Cell(run.subject, "name"),
        Cell(run.failure_type, "ok" if passed else "error"),
        Cell(str(run.steps_count)),
        Cell(short_failure_id(run.failure_id, short_trace_id, glyphs())),
    ]
