"""`agenttrace store`: what is in a store, and whether it is sound."""

from __future__ import annotations

import sys

import click

from otel_agenttrace.cli.options import json_option, store_option
from otel_agenttrace.cli.output import print_json, print_lines, reading
from otel_agenttrace.errors import StoreDamagedError, StoreRejectedError
from otel_agenttrace.views.shapes import info_shape
from otel_agenttrace.views.store import format_store_info
from otel_agenttrace.views.text import safe_text


@click.group()
def store() -> None:
    """Show and check a store."""


@store.command()
@store_option
@json_option
def info(*, store_url: str | None, as_json: bool) -> None:
    """Show where a store is, and how much is in it."""
    with reading(store_url) as opened:
        found = opened.spans.info()
        days = opened.get_retention_days()
    if as_json:
        print_json({**info_shape(found), "retention_days": days})
    else:
        print_lines(format_store_info(found, days))


@store.command()
@store_option
@json_option
def check(*, store_url: str | None, as_json: bool) -> None:
    """Say what is wrong with a store; exit 1 if anything is."""
    status, problems, url = _checked(store_url)
    if as_json:
        print_json({"url": url, "status": status, "problems": problems})
    else:
        for problem in problems:
            click.echo(safe_text(problem))
        click.echo(f"{status}: {_VERDICTS[status]} in {safe_text(url)}")
    sys.exit(1 if status == "failed" else 0)


_VERDICTS = {"passed": "nothing is wrong", "failed": "something is wrong", "skipped": "there is nothing to check"}


def _checked(store_url: str | None) -> tuple[str, list[str], str]:
    """The verdict, what is wrong, and where; a file that is too damaged to be opened is wrong, too."""
    try:
        with reading(store_url) as opened:
            problems = opened.spans.check()
            status = "failed" if problems else "passed" if opened.spans.info().spans else "skipped"
            return status, problems, opened.url
    except (StoreDamagedError, StoreRejectedError) as error:
        return "failed", [str(error)], store_url or "the default store"
