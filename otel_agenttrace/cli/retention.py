"""`agenttrace retention`: for how long a store keeps what is in it."""

from __future__ import annotations

import re

import click

from otel_agenttrace.cli.options import json_option, store_option
from otel_agenttrace.cli.output import print_json, reading, writing
from otel_agenttrace.stores.retention import MAX_RETENTION_DAYS
from otel_agenttrace.views.units import counted

_NUMBER = re.compile("[0-9]{1,9}")


@click.group(short_help="Show and set how long traces are kept.")
def retention() -> None:
    """Show and set how long traces are kept, and delete what has expired."""


@retention.command()
@store_option
@json_option
def show(*, store_url: str | None, as_json: bool) -> None:
    """Show for how many days traces are kept."""
    with reading(store_url) as store:
        _print_days(store.get_retention_days(), as_json=as_json)


@retention.command("set", context_settings={"ignore_unknown_options": True})
@click.argument("days")
@store_option
@json_option
def set_(days: str, *, store_url: str | None, as_json: bool) -> None:
    """Keep traces for DAYS days, or `forever`."""
    if days != "forever" and not (_NUMBER.fullmatch(days) and 1 <= int(days) <= MAX_RETENTION_DAYS):
        accepted = f"a number of days from 1 to {MAX_RETENTION_DAYS}"
        raise click.BadParameter(f"{days!r} is neither {accepted} nor forever", param_hint="DAYS")
    with writing(store_url) as store:
        store.set_retention_days(None if days == "forever" else int(days))
        _print_days(store.get_retention_days(), as_json=as_json)


@retention.command()
@store_option
@json_option
def run(*, store_url: str | None, as_json: bool) -> None:
    """Delete what has expired now; agents do it by themselves once a day."""
    with writing(store_url) as store:
        deleted = store.cleanup_old_traces()
    if as_json:
        print_json({"traces": deleted.traces, "spans": deleted.spans})
    else:
        click.echo(f"deleted {counted(deleted.traces, 'trace')} with {counted(deleted.spans, 'span')}")


def _print_days(days: int | None, *, as_json: bool) -> None:
    if as_json:
        print_json({"retention_days": days})
    else:
        click.echo("traces are kept for ever" if days is None else f"traces are kept for {counted(days, 'day')}")
