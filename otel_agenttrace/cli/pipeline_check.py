"""`agenttrace pipeline check` and `diagnose`: what the files of a run say of it."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from otel_agenttrace.cli.options import json_option
from otel_agenttrace.cli.output import glyphs, print_json, print_lines, width

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.workflow.definition import PipelineDefinition

    _F = TypeVar("_F", bound=Callable[..., Any])


def _folder_argument(function: _F) -> _F:
    kind = click.Path(exists=True, file_okay=False, path_type=Path)
    return click.argument("folder", metavar="DIR", type=kind)(function)


def _definition_option(function: _F) -> _F:
    text = "The pipeline's definition; PI-101-002 if not given."
    return click.option("--definition", metavar="FILE", type=click.Path(path_type=Path), help=text)(function)


@click.command(short_help="Hold the files of a run against every gate.")
@_folder_argument
@click.option("--min-coverage", metavar="N", type=float, help="The least coverage in percent, 0 to 100.")
@click.option("--scan-existing", is_flag=True, help="Also look for files that are in no inventory.")
@click.option("--all", "each_gate", is_flag=True, help="A line for each gate, in the order of a run.")
@_definition_option
@json_option
def check(
    folder: Path,
    *,
    min_coverage: float | None,
    scan_existing: bool,
    each_gate: bool,
    definition: Path | None,
    as_json: bool,
) -> None:
    """Hold the files of a run in DIR against every gate of its pipeline.

    Exits with 1 if a gate fails, or has nothing to check that it should have.
    """
    from otel_agenttrace.views.pipeline_check import format_report, report_shape  # noqa: PLC0415 - as in `_load`
    from otel_agenttrace.workflow.integrity import check_run  # noqa: PLC0415 - as above

    if min_coverage is not None and not (math.isfinite(min_coverage) and 0 <= min_coverage <= 100):
        raise click.UsageError(f"--min-coverage takes 0 to 100, not {min_coverage}")
    report = check_run(folder, _load(definition), min_coverage=min_coverage, scan_existing=scan_existing)
    if as_json:
        print_json(report_shape(report))
    else:
        print_lines(format_report(report, each_gate=each_gate, width=width(), glyphs=glyphs()))
    sys.exit(0 if report.status == "passed" else 1)


@click.command(short_help="Say where a run went wrong first.")
@_folder_argument
@_definition_option
@json_option
def diagnose(folder: Path, *, definition: Path | None, as_json: bool) -> None:
    """Say where the run in DIR went wrong first, and what to do about it.

    Three questions in order: is the contract complete, was it faithfully translated, was the plan faithfully
    executed? Stops at the first no. Exits with 1 at a no, and where there is nothing to judge.
    """
    from otel_agenttrace.views.pipeline_diagnosis import (  # noqa: PLC0415 - as in `_load`
        diagnosis_shape,
        format_diagnosis,
    )
    from otel_agenttrace.workflow.diagnose import diagnose as diagnose_run  # noqa: PLC0415 - as above

    diagnosis = diagnose_run(folder, _load(definition))
    if as_json:
        print_json(diagnosis_shape(diagnosis))
    else:
        print_lines(format_diagnosis(diagnosis, width=width(), glyphs=glyphs()))
    sys.exit(0 if diagnosis.status == "clear" else 1)


def _load(path: Path | None) -> PipelineDefinition:
    from otel_agenttrace.workflow.definition import load_definition  # noqa: PLC0415 - `--help` needs no definition

    return load_definition(path)
