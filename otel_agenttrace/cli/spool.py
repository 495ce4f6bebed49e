"""`agenttrace spool`: what has been recorded and has not arrived everywhere yet."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from otel_agenttrace.cli.gaps import stored_spans
from otel_agenttrace.cli.options import Moment, json_option, store_option
from otel_agenttrace.cli.output import glyphs, print_json, print_lines, store_argument, width
from otel_agenttrace.config import resolve_config
from otel_agenttrace.delivering import place_of
from otel_agenttrace.errors import AgentTraceError, StoreUnavailableError, TraceNotFoundError
from otel_agenttrace.spool.known_logs import read_known_logs
from otel_agenttrace.spool.places import spool_directories
from otel_agenttrace.spool.session_status import SessionStatus
from otel_agenttrace.spool.status import sum_up
from otel_agenttrace.stores.lookup import complete_session_id
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.stores.sessions import get_known
from otel_agenttrace.views.drained import drained_shape, format_drained
from otel_agenttrace.views.spool import format_spool, report_session, report_spool, spool_shape
from otel_agenttrace.views.text import safe_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.spool.places import SpoolPlace
    from otel_agenttrace.stores.trace_store import TraceStore
    from otel_agenttrace.views.spool import SpoolReport


@click.group(short_help="Show and deliver what waits on disk.")
def spool() -> None:
    """Show what was recorded and has not arrived everywhere yet, and deliver what dead processes left."""


@spool.command(short_help="Show what waits, for whom, and what was lost.")
@click.option("--session", "session_id", metavar="ID", help="Only the spans of this session.")
@click.option("--since", type=Moment(), help="Only of processes that started at or after: 15m, 2h, 3d or a date.")
@store_option
@json_option
def status(*, session_id: str | None, since: int | None, store_url: str | None, as_json: bool) -> None:
    """Show for each target how many spans were recorded, sent and wait; and what was refused, dropped and lost.

    A span is counted once it has ended; verdicts are not. Nothing is delivered by it. What is not known of a session
    alone is shown as `?`.
    """
    if session_id is not None and since is not None:
        raise click.UsageError("--session counts all of a session: leave out --since")
    argument, store_url = store_argument(store_url), _with_default(store_url)
    place = place_of(store_url, setting="--store")
    with _readable(place):
        report = _report(place, since) if session_id is None else _report_session(place, store_url, session_id)
    report = replace(report, store_argument=argument)
    if as_json:
        print_json(spool_shape(report))
    else:
        print_lines(format_spool(report, width=width(), glyphs=glyphs()))


@spool.command(short_help="Deliver what dead processes left.")
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(0), default=300.0, show_default=True, help="Seconds to take."
)
@store_option
@json_option
def drain(*, timeout_s: float, store_url: str | None, as_json: bool) -> None:
    """Deliver what dead processes left, to the store and to the exporters that the environment names.

    Exporters are those that configure_tracing() would take from OTEL_TRACES_EXPORTER, AGENTTRACE_EXPORTERS,
    OTEL_EXPORTER_OTLP_ENDPOINT and APPLICATIONINSIGHTS_CONNECTION_STRING. Exits with 1 if not everything arrived.
    """
    from otel_agenttrace.cli.draining import drain_spool  # noqa: PLC0415  brings the SDK

    store_url = _with_default(store_url)
    place = place_of(store_url, setting="--store")
    with _readable(place):
        drained = drain_spool(store_url, timeout_s)
    if as_json:
        print_json(drained_shape(str(place.directory), drained))
    else:
        print_lines(format_drained(str(place.directory), drained, width=width()))
    sys.exit(0 if drained.is_complete else 1)


def _with_default(store_url: str | None) -> str | None:
    """Where AGENTTRACE_STORE asks for no store, there is a spool all the same: that of stores which are no files."""
    return "memory" if store_url is None and resolve_config({}).store is None else store_url


@contextmanager
def _readable(place: SpoolPlace) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise StoreUnavailableError(f"the spool {place.directory} cannot be read: {reason}") from error


def _report(place: SpoolPlace, since: int | None) -> SpoolReport:
    logs = [log for directory in spool_directories(place.directory) for log in read_known_logs(directory, since)]
    return report_spool(str(place.directory), sum_up(logs), since)


def _report_session(place: SpoolPlace, store_url: str | None, session_id: str) -> SpoolReport:
    try:
        with open_store(store_url, read_only=True, setting="--store") as store:
            session_id, trace_ids = _known(store, session_id)
            found = SessionStatus(spool_directories(place.directory), session_id, trace_ids)
            stored = stored_spans(get_known(store.spans, sorted(found.trace_ids)))
    except TraceNotFoundError:
        raise
    except AgentTraceError as error:
        click.echo(f"agenttrace: {safe_text(str(error))}; only what is in the spool is counted", err=True)
        found, stored = SessionStatus(spool_directories(place.directory), session_id, ()), None
    if not stored and not found.has_spans:
        raise TraceNotFoundError(f"there is no session {session_id!r} in the store or the spool")
    targets = found.targets(place.store_name, stored)
    return report_session(str(place.directory), session_id, targets, is_complete=found.is_complete)


def _known(store: TraceStore, session_id: str) -> tuple[str, list[str]]:
    """The whole id of a session, and its traces, as far as the store knows them."""
    try:
        session_id = complete_session_id(store.spans, session_id)
    except TraceNotFoundError:
        if store.spans.complete_id(session_id, limit=1):  # several, or something else
            raise
        return session_id, []
    return session_id, store.spans.find_session_trace_ids(session_id)
