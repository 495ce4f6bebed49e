"""What dead processes left is delivered to a store for a second, before a command reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otel_agenttrace.delivering import deliver_dead_logs, place_of
from otel_agenttrace.errors import ConfigError
from otel_agenttrace.spool.directory import has_dead_logs
from otel_agenttrace.spool.places import fallback_of
from otel_agenttrace.views.text import safe_text

if TYPE_CHECKING:
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
    place = place_of(store_url)
    directories = [each for each in (place.directory, fallback_of(place.directory)) if has_dead_logs(each)]
    if not directories or not deliver_dead_logs(store_url, _SECONDS).left:
        return ""
    count = sum(_left(directory, place.store_name) for directory in directories)
    return f"{count:,} records of dead processes are not stored yet: `agenttrace spool drain`" if count else ""


def _left(directory: Path, store_name: str) -> int:
    from otel_agenttrace.spool.known_logs import read_known_logs  # noqa: PLC0415  most of the time, nothing is left

    return sum(log.waiting(store_name) for log in read_known_logs(directory) if log.state == "dead")
