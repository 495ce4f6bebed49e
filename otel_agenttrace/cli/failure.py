"""`agenttrace failure`: what went wrong, and where it began."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import click

from otel_agenttrace.cli.gaps import Gaps
from otel_agenttrace.cli.options import json_option, list_options, store_option
from otel_agenttrace.cli.output import (
    glyphs,
    print_json,
    print_lines,
    print_more,
    print_nothing,
    reading,
    store_argument,
    width,
)
from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.model.kinds import FailureType
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.stores.lookup import short_ids
from otel_agenttrace.views.failure import format_failure, short_failure_id
from otel_agenttrace.views.lists import format_failure_list
from otel_agenttrace.views.shapes import failure_shape
from otel_agenttrace.views.warnings import format_warnings

if TYPE_CHECKING:
    from otel_agenttrace.stores.failures import FoundFailure
    from otel_agenttrace.stores.trace_store import TraceStore

_TYPES = [name for name in get_args(FailureType) if name != "none"]


@click.group()
def failure() -> None:
    """List failures and show where they began."""


@failure.command("list", short_help="List failures, each root cause once.")
@list_options
@click.option("--type", "failure_type", type=click.Choice(_TYPES), help="Only of this type.")
@click.option("--subject", metavar="AGENT", help="Only of this agent.")
@click.option("--all", "recovered", is_flag=True, help="Also those that the agent recovered from.")
def list_(
    *,
    since: int | None,
    until: int | None,
    limit: int,
    after: str | None,
    store_url: str | None,
    as_json: bool,
    failure_type: FailureType | None,
    subject: str | None,
    recovered: bool,
) -> None:
    """List failures, those of the trace stored last first, each root cause once."""
    with reading(store_url) as store:
        last = None if after is None else store.find_failure(after).stored.failure_id
        found = store.list_failures(
            since=since,
            until=until,
            failure_type=failure_type,
            subject=subject,
            recovered=recovered,
            limit=limit,
            after=last,
        )
        if as_json:
            print_json([each.model_dump(mode="json") for each in found])
            return
        names = short_ids(store.spans, [each.trace_id for each in found if each.trace_id])
        url = store.url
    if not found:
        print_nothing("no failure", url)
        return
    print_lines(format_failure_list(found, names, width=width(), glyphs=glyphs()))
    print_more(found[-1].failure_id if len(found) == limit else None)


@failure.command(short_help="Show one failure, or the newest: what, where, with which input.")
@click.argument("failure_id", required=False)
@store_option
@json_option
def show(failure_id: str | None, *, store_url: str | None, as_json: bool) -> None:
    """Show one failure: what, where, with which input; without FAILURE_ID, the newest.

    FAILURE_ID is that of any span that failed with it, may be shortened while it is unique, and may be that of a run
    that passed.
    """
    with reading(store_url) as store:
        found = store.find_failure(failure_id) if failure_id is not None else _newest(store)
        gaps = Gaps(store_url, [found.trace.trace_id])
        found = store.find_failure(found.stored.failure_id)  # with what came from the spool meanwhile
        trace_id = short_ids(store.spans, [found.trace.trace_id])[found.trace.trace_id]
    warnings = gaps.warnings([found.trace])
    if as_json:
        print_json(failure_shape(found, warnings))
        return
    shown = short_failure_id(found.stored.failure_id, trace_id, glyphs(), others=_rivals(found))
    lines = format_failure(
        found.trace,
        found.failure,
        failure_id=shown,
        trace_id=trace_id,
        notes=format_warnings(warnings, width=width()),
        next_option=store_argument(store_url),
        width=width(),
        glyphs=glyphs(),
    )
    print_lines(lines)


def _rivals(found: FoundFailure) -> list[str]:
    """The failures of the trace that a shortened id could also mean."""
    is_final = found.failure is not None and found.failure.is_final
    return [other.failure_id for other in find_failures(found.trace.spans) if other.is_final or not is_final]


def _newest(store: TraceStore) -> FoundFailure:
    found = store.newest_failure()
    if found is None:
        raise TraceNotFoundError(f"no failure is recorded in {store.url}")
    return found
