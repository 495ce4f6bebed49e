"""`agenttrace contract`: show the attribute contract, check files against it, write its documentation."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from otel_agenttrace.cli.options import json_option
from otel_agenttrace.cli.output import glyphs, print_json, print_lines, width
from otel_agenttrace.contract.attributes import TASK_STATUS
from otel_agenttrace.views.lines import Segment
from otel_agenttrace.views.text import safe_text, wrap
from otel_agenttrace.views.units import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_agenttrace.contract.registry import Registry
    from otel_agenttrace.contract.validate import Contract
    from otel_agenttrace.contract.violation import Violation
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.views.lines import Line

DOCUMENT = Path("docs/contract.md")

_MOST_LINES = 6
_MAX_TASKS = 100_000


def _file_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--file",
        "contract_file",
        metavar="YAML",
        type=click.Path(path_type=Path),
        envvar="AGENTTRACE_CONTRACT_FILE",
        help="A project's own attributes and phases. [AGENTTRACE_CONTRACT_FILE]",
    )(function)


@click.group(short_help="What may stand on a span, and what must.")
def contract() -> None:
    """The attribute contract: what may stand on a span, and what must."""


@contract.command()
@click.argument("name", required=False)
@_file_option
@json_option
def show(name: str | None, contract_file: Path | None, as_json: bool) -> None:
    """Show an attribute, event, phase or group, or everything there is."""
    from otel_agenttrace.contract.registry import load_registry  # noqa: PLC0415 - `--help` needs no registry
    from otel_agenttrace.views.contract import contract_json, format_contract  # noqa: PLC0415 - as above

    registry = load_registry(contract_file)
    if name is not None and not _is_known(registry, name):
        _refuse_unknown(registry, name)
    if as_json:
        print_json(contract_json(registry, name))
    else:
        print_lines(format_contract(registry, name, width=width(), glyphs=glyphs()))


@contract.command(short_help="Check the spans in OTLP JSON lines files.")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE.jsonl...", type=click.Path(path_type=Path, allow_dash=True)
)
@_file_option
@json_option
def check(files: tuple[Path, ...], contract_file: Path | None, as_json: bool) -> None:
    """Check the spans in OTLP JSON lines files; `-` reads from standard input.

    Exits with 1 if a span breaks the contract or a line cannot be read, and with 2 if a file cannot.
    """
    from otel_agenttrace.contract.validate import Contract  # noqa: PLC0415 - `--help` needs no registry

    checked = _Checked()
    for file in files:
        _check_file(file, Contract.load(contract_file), checked)
    _check_order(checked)
    if as_json:
        print_json(checked.to_json())
    else:
        print_lines(checked.lines())
    sys.exit(1 if checked.findings or checked.errors else 0)


@contract.command()
@click.option("--output", type=click.Path(path_type=Path), default=DOCUMENT, show_default=True, help="Where to write.")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit with 1 if the file is stale.")
@_file_option
@json_option
def docs(output: Path, only_check: bool, contract_file: Path | None, as_json: bool) -> None:
    """Write the contract's documentation from its registry."""
    from otel_agenttrace.contract.docs import contract_markdown  # noqa: PLC0415 - `--help` needs no registry
    from otel_agenttrace.contract.registry import load_registry  # noqa: PLC0415 - as above

    text = contract_markdown(load_registry(contract_file))
    try:
        status = "fresh" if output.is_file() and output.read_text(encoding="utf-8") == text else "stale"
        if status == "stale" and not only_check:
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_text(text, encoding="utf-8")
            status = "written"
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{output}: {error}") from error
    if as_json:
        print_json({"path": str(output), "status": status})
    else:
        hint = f": run `agenttrace contract docs{_docs_options(output, contract_file)}`" if status == "stale" else ""
        click.echo(safe_text(f"{output} is {status}{hint}"), err=status == "stale")
    sys.exit(1 if status == "stale" else 0)


def _docs_options(output: Path, contract_file: Path | None) -> str:
    """What to type behind the command to get the same file."""
    given = (("--output", None if output == DOCUMENT else output), ("--file", contract_file))
    return "".join(f" {option} {shlex.quote(str(path))}" for option, path in given if path is not None)


class _Finding(NamedTuple):
    file: str
    line: int
    span: SpanRecord
    violation: Violation

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "line": self.line,
            "trace_id": self.span.trace_id,
            "span_id": self.span.span_id,
            "span_name": self.span.name,
            "attribute": self.violation.attribute,
            "rule": self.violation.rule,
            "message": self.violation.message,
            "file_path": self.violation.file_path,
            "line_number": self.violation.line_number,
            "function_name": self.violation.function_name,
        }


class _Place(NamedTuple):
    file: str
    line: int
    span: SpanRecord


class _Checked:
    """What a check has seen so far."""

    def __init__(self) -> None:
        self.span_count = 0
        self.subject_count = 0
        self.findings: list[_Finding] = []
        self.errors: list[str] = []
        self.tasks: dict[str, list[_Place]] = {}

    def add_task(self, place: _Place) -> None:
        """Keep a task span, to hold it against the others of its trace; not more than a trace can have of them."""
        tasks = self.tasks.setdefault(place.span.trace_id, [])
        if len(tasks) < _MAX_TASKS:
            tasks.append(place)

    @property
    def status(self) -> str:
        if self.findings or self.errors:
            return "failed"
        return "passed" if self.subject_count else "skipped"

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "span_count": self.span_count,
            "checked_count": self.subject_count,
            "violations": [finding.to_json() for finding in self.findings],
            "errors": self.errors,
        }

    def lines(self) -> Iterator[Line]:
        previous = None
        for finding in self.findings:
            place = (finding.file, finding.line, finding.span.span_id)
            if place != previous:
                yield (Segment(f"{finding.file}:{finding.line}  ", "dim"), Segment(finding.span.name, "name"))
            previous = place
            yield from _finding_lines(finding)
        for error in self.errors:
            yield (Segment("not readable  ", "error"), Segment(error))
        yield self._summary()

    def _summary(self) -> Line:
        spans = counted(self.span_count, "span")
        if self.status == "skipped":
            return (Segment("skipped  ", "recovered"), Segment(f"nothing to check: none of {spans} is in the contract"))
        counts = f"{self.subject_count} of {spans} checked, {counted(len(self.findings), 'violation')}"
        if self.errors:
            counts += f", {counted(len(self.errors), 'line')} not readable"
        style: Any = "ok" if self.status == "passed" else "error"
        return (Segment(f"{self.status}  ", style), Segment(counts))


def _finding_lines(finding: _Finding) -> Iterator[Line]:
    violation = finding.violation
    label = f"  {violation.rule:<13}"
    texts = wrap(violation.message, width() - len(label), most=_MOST_LINES, ellipsis=glyphs().ellipsis)
    for index, text in enumerate(texts):
        yield (Segment(label if index == 0 else " " * len(label), "error"), Segment(text))
    if violation.file_path is not None:
        where = f"{violation.file_path}:{violation.line_number} in {violation.function_name}"
        yield (Segment(" " * len(label)), Segment(where, "dim"))


def _check_file(file: Path, contract: Contract, checked: _Checked) -> None:
    from otel_agenttrace.otlp.jsonl import read_jsonl  # noqa: PLC0415 - `--help` reads no file

    source = sys.stdin.buffer if str(file) == "-" else file
    try:
        for line in read_jsonl(source):
            checked.errors += [str(error) for error in line.errors]
            for span in line.spans:
                checked.span_count += 1
                checked.subject_count += contract.concerns(span)
                checked.findings += [
                    _Finding(str(file), line.number, span, _located(violation, span))
                    for violation in _violations(contract, span)
                ]
                if TASK_STATUS in span.attributes:
                    checked.add_task(_Place(str(file), line.number, span))
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror or error}") from error


def _violations(contract: Contract, span: SpanRecord) -> list[Violation]:
    from otel_agenttrace.pipeline.gates import protocol_violations  # noqa: PLC0415 - `--help` checks nothing

    found = list(contract.check_record(span))
    missing = {violation.attribute for violation in found if violation.rule == "required"}
    return found + [violation for violation in protocol_violations(span) if violation.attribute not in missing]


def _check_order(checked: _Checked) -> None:
    """Hold the tasks of each trace against those that they depend on."""
    from otel_agenttrace.model.tree import SpanTree  # noqa: PLC0415 - as above
    from otel_agenttrace.pipeline.phase_order import early_starts  # noqa: PLC0415 - as above

    for places in checked.tasks.values():
        where = {place.span.identity: place for place in places}
        for early in early_starts(SpanTree(place.span for place in places)):
            place = where[early.record.identity]
            checked.findings.append(_Finding(place.file, place.line, early.record, early.violation()))


def _located(violation: Violation, span: SpanRecord) -> Violation:
    """The violation with the code location that the recording process noted of it, if it did."""
    from otel_agenttrace.pipeline.contract import recorded_location  # noqa: PLC0415 - only a violation needs it

    return recorded_location(violation, span)


def _is_known(registry: Registry, name: str) -> bool:
    return any(name in names for names in (registry.attributes, registry.events, registry.phases, registry.groups))


def _refuse_unknown(registry: Registry, name: str) -> None:
    from otel_agenttrace.contract.rules import closest  # noqa: PLC0415 - only a wrong name needs it

    names = (*registry.attributes, *registry.events, *registry.phases, *registry.groups)
    meant = closest(name, names)
    hint = f"; did you mean {meant}?" if meant else ""
    click.echo(f"agenttrace: the contract has no {safe_text(name)}{hint}", err=True)
    sys.exit(1)
