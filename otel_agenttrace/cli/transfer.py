"""`agenttrace import` and `agenttrace export`: OTLP JSON lines in and out."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from otel_agenttrace.cli.options import Moment, json_option, store_option
from otel_agenttrace.cli.output import print_json, progress, reading, store_argument, writing
from otel_agenttrace.config import resolve_config
from otel_agenttrace.errors import AgentTraceError, StoreRejectedError
from otel_agenttrace.instrument.faults import contained
from otel_agenttrace.otlp.jsonl import read_jsonl, write_jsonl
from otel_agenttrace.processors.intake import Intake
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.judging import TouchedTraces, missing_verdict
from otel_agenttrace.stores.lookup import complete_session_id, complete_trace_id
from otel_agenttrace.stores.retention import DAY_NANO
from otel_agenttrace.stores.sessions import get_known
from otel_agenttrace.views.text import safe_text
from otel_agenttrace.views.units import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from otel_agenttrace.grounding import GroundingChecker
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.trace_store import TraceStore

_BATCH_SPANS = 1000
_PAGE_TRACES = 200
_MAX_SHOWN = 20


@dataclass
class _Taken:
    """What became of one file. `newest_unix_nano` is the latest start of a span, 0 without one."""

    file: str
    spans: int
    traces: int
    errors: list[str]
    warnings: list[str]
    newest_unix_nano: int = 0

    def shape(self) -> dict[str, Any]:
        """The item of `import --json`."""
        return {name: getattr(self, name) for name in ("file", "spans", "traces", "errors", "warnings")}


@click.command("import", short_help="Store the spans of OTLP JSON lines files.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@store_option
@json_option
def import_(files: Sequence[Path], *, store_url: str | None, as_json: bool) -> None:
    """Store the spans of OTLP JSON lines files, also packed with gzip.

    They are redacted, checked and classified like spans that were recorded here. A line that cannot be read is
    reported with its number, the others are stored, and the exit code is 1. Importing a file again changes nothing.
    Then the verdict of each trace is made, by all that the store has of it.
    """
    intake = Intake.from_environment()
    with writing(store_url) as store:
        touched = TouchedTraces(store.spans)
        results = [_import_file(path, store, intake, touched) for path in files]
        _judge(store, touched, resolve_config({}).grounding)
        url, days = store.url, store.get_retention_days()
    if days is not None:
        _warn_of_expiry(results, days)
    if as_json:
        print_json([taken.shape() for taken in results])
    else:
        _report(results, url, store_url)
    sys.exit(1 if any(taken.errors for taken in results) else 0)


@click.command(short_help="Write traces as OTLP JSON lines.")
@click.argument("trace_ids", nargs=-1, metavar="[TRACE_ID]...")
@click.option("--session", "session_id", metavar="ID", help="Only the traces of this session.")
@click.option("--since", type=Moment(), help="Only traces with a span that started then or later.")
@click.option("--until", type=Moment(), help="Only traces with a span that started before.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of stdout.")
@store_option
@json_option
def export(
    trace_ids: Sequence[str],
    *,
    session_id: str | None,
    since: int | None,
    until: int | None,
    output: Path | None,
    store_url: str | None,
    as_json: bool,
) -> None:
    """Write traces as OTLP JSON lines, one trace a line, oldest stored first; all of them unless chosen.

    With --output, --json prints how much was written.
    """
    if trace_ids and not (session_id is None and since is None and until is None):
        raise click.UsageError("give trace ids, or --session, --since and --until, not both")
    traces = spans = 0
    with reading(store_url) as store:
        session = None if session_id is None else complete_session_id(store.spans, session_id)
        query = SpanQuery(session_id=session, started_from=since, started_to=until, order="stored_asc")
        chosen = dict.fromkeys(complete_trace_id(store.spans, trace_id) for trace_id in trace_ids)
        with _output(output) as stream:
            for found in _traces(store, chosen, query):
                write_jsonl(found, stream)
                traces += 1
                spans += len(found)
    if output is not None and as_json:
        print_json({"file": str(output), "traces": traces, "spans": spans})
    elif output is not None:
        click.echo(f"wrote {_amount(traces, spans)} to {safe_text(str(output))}", err=True)


def _import_file(path: Path, store: TraceStore, intake: Intake, touched: TouchedTraces) -> _Taken:
    taken = _Taken(str(path), 0, 0, [], [])
    trace_ids: set[str] = set()
    try:
        for batch in _batches(path, taken):
            stored = _write(store, _admitted(batch, intake, taken), taken)
            touched.add(stored)
            taken.spans += len(stored)
            trace_ids.update(span.trace_id for span in stored)
            taken.newest_unix_nano = max([taken.newest_unix_nano, *(span.start_time_unix_nano for span in stored)])
    except OSError as error:
        taken.errors.append(f"{path}: {error.strerror or error}")
    taken.traces = len(trace_ids)
    return taken


def _admitted(batch: Sequence[SpanRecord], intake: Intake, taken: _Taken) -> list[SpanRecord]:
    """The spans as they are to be kept; one that the pipeline cannot take is noted, and the others go on."""
    admitted = []
    for span in batch:
        try:
            admitted.append(intake.admitted(span))
        except AgentTraceError as error:
            taken.errors.append(f"{taken.file}: span {span.trace_id}-{span.span_id}: {error}")
    return admitted


def _batches(path: Path, taken: _Taken) -> Iterator[list[SpanRecord]]:
    """The spans of a file in pieces that fit in memory; what is wrong with it is noted."""
    batch: list[SpanRecord] = []
    is_empty = True
    for line in read_jsonl(path):
        is_empty = False
        taken.errors += map(str, line.errors)
        taken.warnings += line.warnings
        batch += line.spans
        if len(batch) >= _BATCH_SPANS:
            yield batch
            batch = []
    if batch:
        yield batch
    if is_empty:
        taken.errors.append(f"{path}: empty; there is nothing to import")


def _write(store: TraceStore, spans: list[SpanRecord], taken: _Taken) -> list[SpanRecord]:
    """Store what the store takes, and note what it refuses for good."""
    try:
        store.write_staged(spans)
    except StoreRejectedError as error:
        if len(spans) == 1:
            taken.errors.append(f"{taken.file}: {error}")
            return []
        middle = len(spans) // 2
        return _write(store, spans[:middle], taken) + _write(store, spans[middle:], taken)
    return spans


def _judge(store: TraceStore, touched: TouchedTraces, grounding: bool | GroundingChecker) -> None:
    """Add the verdicts that are missing; one that cannot be made is logged."""
    verdicts: list[SpanRecord] = []
    for trace_id in progress(touched.to_judge(), "judging traces"):
        with contained("make the verdict of a trace"):
            verdicts += filter(None, [missing_verdict(store.spans, trace_id, grounding)])
        if len(verdicts) >= _BATCH_SPANS:
            store.write_staged(verdicts)
            verdicts = []
    if verdicts:
        store.write_staged(verdicts)


def _warn_of_expiry(results: Sequence[_Taken], days: int) -> None:
    """Say it now, not by deleting them tomorrow."""
    oldest_kept = time.time_ns() - days * DAY_NANO
    for taken in results:
        if taken.spans and taken.newest_unix_nano < oldest_kept:
            taken.warnings.append(
                f"{taken.file}: older than the {days} days that this store keeps traces, so they are deleted within "
                "a day or two; `agenttrace retention set forever` keeps them"
            )


def _report(results: Sequence[_Taken], url: str, store_url: str | None) -> None:
    for taken in results:
        for kind, texts in (("error", taken.errors), ("warning", taken.warnings)):
            for text in texts[:_MAX_SHOWN]:
                click.echo(f"{kind}: {safe_text(text)}", err=True)
            if len(texts) > _MAX_SHOWN:
                click.echo(f"{kind}: and {len(texts) - _MAX_SHOWN} more; --json prints all", err=True)
    spans, traces = sum(taken.spans for taken in results), sum(taken.traces for taken in results)
    click.echo(f"imported {_amount(traces, spans)} into {safe_text(url)}")
    if spans:
        click.echo(f"next: agenttrace trace list{store_argument(store_url)}")


def _amount(traces: int, spans: int) -> str:
    return f"{counted(traces, 'trace')} with {counted(spans, 'span')}"


def _traces(store: TraceStore, chosen: Iterable[str], query: SpanQuery) -> Iterator[Sequence[SpanRecord]]:
    for trace in get_known(store.spans, chosen or _all_ids(store, query)):
        yield trace.spans


def _all_ids(store: TraceStore, query: SpanQuery) -> Iterator[str]:
    after = None
    while page := store.spans.find_trace_ids(replace(query, limit=_PAGE_TRACES, after=after)):
        yield from page
        after = page[-1]


@contextmanager
def _output(path: Path | None) -> Iterator[IO[bytes]]:
    if path is None:
        yield sys.stdout.buffer
        return
    try:
        with path.open("wb") as stream:
            yield stream
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}") from error
