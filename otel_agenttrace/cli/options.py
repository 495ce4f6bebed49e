"""Options that commands share, and how their values are read."""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

import click

from otel_agenttrace.model.times import to_unix_nano

if TYPE_CHECKING:
    from collections.abc import Callable

    _F = TypeVar("_F", bound=Callable[..., Any])

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_AGO = re.compile(r"(\d{1,9})([smhdw])", re.ASCII)


class Moment(click.ParamType[int]):
    """A point in time as nanoseconds since the Unix epoch.

    Reads `15m`, `2h`, `3d` (that long ago) and RFC 3339 dates and times; one without an offset is local time.
    """

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read one value; a wrong one is a usage error that names the option."""
        if isinstance(value, int):
            return value
        if ago := _AGO.fullmatch(value):
            return time.time_ns() - int(ago[1]) * _UNIT_SECONDS[ago[2]] * 1_000_000_000
        try:
            moment = datetime.fromisoformat(re.sub("[zZ]$", "+00:00", value)).astimezone(timezone.utc)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is neither an age such as 15m or 3d nor a time such as 2026-11-20T09:30", param, ctx)
        return to_unix_nano(moment)


def store_option(function: _F) -> _F:
    """Add `--store URL`."""
    text = "The store: sqlite:///PATH, FILE.db, sqlite (the default file) or memory. [AGENTTRACE_STORE]"
    return click.option("--store", "store_url", metavar="URL", help=text)(function)


def json_option(function: _F) -> _F:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def list_options(function: _F) -> _F:
    """Add what every list has: `--since`, `--until`, `--limit`, `--after`, `--store`, `--json`."""
    for option in (
        click.option("--since", type=Moment(), help="Only what started at or after: 15m, 2h, 3d or a date."),
        click.option("--until", type=Moment(), help="Only what started before."),
        click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many."),
        click.option("--after", metavar="ID", help="Continue a list behind this id."),
        store_option,
        json_option,
    )[::-1]:
        function = option(function)
    return function
