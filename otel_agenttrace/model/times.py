"""Nanoseconds since the Unix epoch <-> RFC 3339 (https://www.rfc-editor.org/rfc/rfc3339)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_NAIVE_EPOCH = _EPOCH.replace(tzinfo=None)
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def to_rfc3339(unix_nano: int) -> str:
    """The time in UTC with six decimals, e.g. `2026-09-21T14:13:20.000000Z`; finer digits are cut off.

    Every int64 has one (the years 1677 to 2262).

    Raises:
        OverflowError: beyond the years 1 to 9999.
    """
    moment = _NAIVE_EPOCH + timedelta(0, 0, unix_nano // 1000)  # in UTC; a time zone would take as long again
    return f"{moment.isoformat(timespec='microseconds')}Z"


def from_rfc3339(text: str) -> int:
    """Nanoseconds since the Unix epoch; decimals beyond nine are cut off.

    Raises:
        ValueError: not an RFC 3339 time, or one without an offset.
    """
    match = _RFC3339.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not an RFC 3339 time with an offset, such as 2026-09-21T14:13:20Z: {text!r}")
    date, time, decimals, offset = match.groups()
    # Python 3.10 reads neither `Z` nor any number of decimals.
    moment = datetime.fromisoformat(f"{date}T{time}{'+00:00' if offset in 'Zz' else offset}")
    return to_unix_nano(moment) + int((decimals or "")[:9].ljust(9, "0"))


def to_unix_nano(moment: datetime) -> int:
    """Nanoseconds since the Unix epoch, exactly.

    Raises:
        ValueError: `moment` has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"a time without a time zone: {moment.isoformat()}")
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
