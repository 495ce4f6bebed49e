"""Durations, costs, counts and times as people read them: short, and never more exact than they are."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone

_MILLISECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def format_duration(nano: int) -> str:
    """Nanoseconds as `0.4ms`, `18ms`, `2.1s`, `3m05s`, `2h03m` or `4d02h`."""
    if nano < 0:
        return "-" + format_duration(-nano)
    millis = nano / _MILLISECOND
    if 0 < millis < 0.05:
        return "<0.1ms"
    if millis < 9.95:
        return f"{millis:.1f}ms" if millis else "0ms"
    if millis < 999.5:
        return f"{millis:.0f}ms"
    if millis < 59_950:
        return f"{millis / 1000:.1f}s"
    return _format_long(round(millis / 1000))


def format_cost(usd: float) -> str:
    """US dollars as `$0.0031`; with two significant digits below a tenth of a cent, with cents from a dollar on."""
    if usd < 0:
        return "-" + format_cost(-usd)
    if usd >= 1 or usd == 0:
        return f"${usd:,.2f}"
    if usd >= 0.001:
        return f"${usd:.4f}"
    return f"${usd:.{1 - math.floor(math.log10(usd))}f}" if usd >= 1e-6 else "<$0.000001"


def cost_text(usd: float | None, *, is_complete: bool = True) -> str:
    """A cost that may not be all that there was: `$0.0021`, `$0.0021+`, and nothing where none of it is known."""
    if usd is None or (usd == 0 and not is_complete):
        return ""
    return format_cost(usd) + ("" if is_complete else "+")


def format_count(number: int) -> str:
    """A count as `488`, `12.4k` or `3.1M`."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if number >= size * 0.9995:
            return f"{number / size:.1f}{unit}" if number < size * 99.95 else f"{number / size:.0f}{unit}"
    return str(number)


def counted(number: int, noun: str) -> str:
    """`1 span`, `2 spans`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def format_share(part: float, whole: float) -> str:
    """`part` of `whole` as a whole percentage; `-` of nothing."""
    return f"{100 * part / whole:.0f}%" if whole else "-"


def format_time(unix_nano: int, *, date: bool = True, seconds: bool = True) -> str:
    """A time in UTC as `2026-09-21 14:13:20`, or without its date, or without its seconds."""
    pattern = ("%Y-%m-%d " if date else "") + ("%H:%M:%S" if seconds else "%H:%M")
    return at_utc(unix_nano).strftime(pattern)


def at_utc(unix_nano: int) -> datetime:
    """A time in nanoseconds since the Unix epoch, cut to microseconds. Any int64 has one."""
    return _EPOCH + timedelta(microseconds=unix_nano // 1000)


def _format_long(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes}m{seconds:02d}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 100:
        return f"{hours}h{minutes:02d}m"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02d}h"
