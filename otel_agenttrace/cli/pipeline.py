"""`agenttrace pipeline`: phases with gates between them, run and looked at."""

from __future__ import annotations

import shlex
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from otel_agenttrace.cli.options import json_option, store_option
from otel_agenttrace.cli.output import glyphs, print_json, print_lines, store_argument, width, writing
from otel_agenttrace.cli.pipeline_check import check, diagnose
from otel_agenttrace.views.lines import Segment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.stores.trace_store import TraceStore
    from otel_agenttrace.views.lines import Line
    from otel_agenttrace.workflow.phases import PipelineResult

_SERVICE = "agenttrace-pilot"
_DEFAULT_FOLDER = "pi-101-002"


@click.group()
def pipeline() -> None:
    """Run a pipeline, and see whether what it made holds."""


pipeline.add_command(check)
pipeline.add_command(diagnose)


@pipeline.command(short_help="Run the ten phases of PI-101-002 on real files.")
@click.argument("folder", metavar="[DIR]", default=_DEFAULT_FOLDER, type=click.Path(path_type=Path))
@click.option("--source-checksum", metavar="CHECKSUM", help="Put this into the contract; found in S3.")
@click.option("--drop-feature", "dropped", metavar="ID", multiple=True, help="Leave a feature out; found in S4.")
@click.option("--test-failures", type=click.IntRange(0), default=0, help="Make so many tests fail; found in S8.")
@click.option("--from", "start_at", metavar="PHASE", default="S1", help="Go on in DIR with this phase, or end.")
@store_option
@json_option
def pilot(
    *,
    folder: Path,
    source_checksum: str | None,
    dropped: tuple[str, ...],
    test_failures: int,
    start_at: str,
    store_url: str | None,
    as_json: bool,
) -> None:
    """Run the ten phases of PI-101-002 in DIR, which is pi-101-002 unless given.

    Each phase makes files of those before it, and each gate reads them. DIR has to be new or empty, or the folder of an
    earlier run; sources that are there are used. The exit code is 0 if all phases are completed, else 1.
    """
    from otel_agenttrace.configure import configure_tracing  # noqa: PLC0415  `--help` needs none of it
    from otel_agenttrace.workflow.pilot.injections import Injections  # noqa: PLC0415  as above
    from otel_agenttrace.workflow.pilot.run import run_pilot  # noqa: PLC0415  as above

    injections = Injections(source_checksum, dropped, test_failures)
    with _recording(store_url) as store:
        with configure_tracing(_SERVICE, store="none" if store is None else store, instrument=False):
            result = run_pilot(folder, injections, start_at=start_at)
        is_kept = store is not None and not store.spans.url.startswith("memory")
    if as_json:
        print_json(_report(result, folder))
    else:
        print_lines([*_lines(result), *_next(result, folder, store_url, is_kept=is_kept)])
    sys.exit(0 if result.is_completed else 1)


@contextmanager
def _recording(store_url: str | None) -> Iterator[TraceStore | None]:
    """The store that the run goes to; None where it is to go to exporters alone."""
    from otel_agenttrace.config import resolve_config  # noqa: PLC0415  as above

    if resolve_config({} if store_url is None else {"store": store_url}).store is None:
        yield None
        return
    with writing(store_url) as store:
        yield store


def _report(result: PipelineResult, folder: Path) -> dict[str, Any]:
    stopped = next((phase for phase in result.phases if phase.status == result.status), None)
    gate = None if stopped is None else next((each for each in reversed(stopped.gates) if each.blocks), None)
    is_completed = result.is_completed
    return {
        **result.to_json(),
        "folder": str(folder),
        "stopped_at": None if is_completed or stopped is None else stopped.id,
        "blocked_by": None if gate is None else gate.gate_id,
    }


def _lines(result: PipelineResult) -> list[Line]:
    from otel_agenttrace.views.pipeline import format_pipeline  # noqa: PLC0415  as above

    return format_pipeline(result, width=width(), glyphs=glyphs())


def _next(result: PipelineResult, folder: Path, store_url: str | None, *, is_kept: bool) -> list[Line]:
    verb = "check" if result.is_completed else "diagnose"
    commands = [f"agenttrace pipeline {verb} {shlex.quote(str(folder))}"]
    if is_kept:
        commands.append(f"agenttrace task show {result.id}{store_argument(store_url)}")
    words = ("next: ", *["      "] * (len(commands) - 1))
    return [(Segment(word, "dim"), Segment(command)) for word, command in zip(words, commands, strict=True)]
