"""What dead processes left is delivered to a store for a second, before a command reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otel_agenttrace.cli.output import store_argument
from otel_agenttrace.delivering import deliver_dead_logs, place_of
from otel_agenttrace.errors import ConfigError
from otel_agenttrace.spool.places import spool_directories
from otel_agenttrace.views.text import safe_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SECONDS = 1.0


def deliver_before_reading(store_url: str | None) -> None:
    """Deliver what is left, for a second; tell what is not stored then.

    Whatever is wrong with the spool is told on a line: what is stored can be read all the same. Where nothing is left,
    nothing is loaded that delivers.
    """
    try:
        said = _deliver(store_url)
    except ConfigError:
        return  # of the URL, as opening the store will tell
    except OSError as error:
        said = f"the spool cannot be read: {error.strerror or error}"
    except Exception as error:  # noqa: BLE001 - see above
        said = f"what dead processes left cannot be delivered: {type(error).__name__}: {error}"
    if said:
        click.echo(f"agenttrace: {safe_text(said)}", err=True)


def _deliver(store_url: str | None) -> str:
    """Deliver, and return what is to be told; empty if the store has everything."""
    if not deliver_dead_logs(store_url, _SECONDS).left:
        return ""
    place = place_of(store_url)
    count = _left(spool_directories(place.directory), place.store_name)
    drain = f"`agenttrace spool drain{store_argument(store_url)}`"
    return f"{count:,} spans of dead processes are not stored yet: {drain}" if count else ""


def _left(directories: Sequence[Path], store_name: str) -> int:
    """How many spans wait for the store; those that a dead process began, and are still open, count too."""
    from otel_agenttrace.spool.status import read_status  # noqa: PLC0415  most of the time, nothing is left

    targets = [target for directory in directories for target in read_status(directory).targets]
    return sum(each.left_behind or each.open_waiting for each in targets if each.name == store_name)
