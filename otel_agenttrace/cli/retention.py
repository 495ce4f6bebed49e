"""`agenttrace retention`: for how long a store keeps what is in it."""

from __future__ import annotations

import click

from otel_agenttrace.cli.options import json_option, store_option
from otel_agenttrace.cli.output import print_json, reading, writing


@click.group()
def retention() -> None:
    """Show and set how long traces are kept, and delete what has expired."""


@retention.command()
@store_option
@json_option
def show(*, store_url: str | None, as_json: bool) -> None:
    """Show for how many days traces are kept."""
    with reading(store_url) as store:
        _print_days(store.get_retention_days(), as_json=as_json)


@retention.command("set")
@click.argument("days")
@store_option
@json_option
def set_(days: str, *, store_url: str | None, as_json: bool) -> None:
    """Keep traces for DAYS days, or `forever`."""
    if days != "forever" and not days.isdecimal():
        raise click.BadParameter(f"{days!r} is neither a number of days nor forever", param_hint="DAYS")
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
        click.echo(f"deleted {deleted.traces} traces with {deleted.spans} spans")


def _print_days(days: int | None, *, as_json: bool) -> None:
    if as_json:
        print_json({"retention_days": days})
    else:
        click.echo("traces are kept for ever" if days is None else f"traces are kept for {days} days")
