"""Times as users give them."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from otel_agenttrace.errors import ConfigError
from otel_agenttrace.model.times import from_rfc3339, to_unix_nano

Moment: TypeAlias = "datetime | str | int"
"""A datetime with a time zone, RFC 3339 text, or integer nanoseconds since the Unix epoch."""


def as_unix_nano(moment: Moment) -> int:
    """Return a time in nanoseconds since the Unix epoch.

    Raises:
        ConfigError: text that is no RFC 3339 time, a datetime without a time zone, or something else.
    """
    try:
        if isinstance(moment, str):
            return from_rfc3339(moment)
        if isinstance(moment, datetime):
            return to_unix_nano(moment)
    except ValueError as error:
        raise ConfigError(f"a time: {error}") from error
    if isinstance(moment, bool) or not isinstance(moment, int):
        raise ConfigError(f"a time: {moment!r} is no datetime, RFC 3339 text or integer of nanoseconds")
    return moment


def maybe_unix_nano(moment: Moment | None) -> int | None:
    """Return what `as_unix_nano` does; None for None."""
    return None if moment is None else as_unix_nano(moment)
