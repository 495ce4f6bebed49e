"""What a store holds, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.views.lines import Line, Segment
from otel_agenttrace.views.units import format_time

if TYPE_CHECKING:
    from otel_agenttrace.stores.api import StoreInfo

_MIN_TITLE_WIDTH = 12


def format_store_info(info: StoreInfo, retention_days: int | None) -> list[Line]:
    """Return one line per fact about a store."""
    facts = {
        "store": info.url,
        "schema": f"version {info.schema_version}",
        "spans": f"{info.spans:,}",
        "traces": f"{info.traces:,}",
        "sessions": f"{info.sessions:,}",
        "size": format_bytes(info.size_bytes),
        "oldest": _time(info.oldest_unix_nano),
        "newest": _time(info.newest_unix_nano),
        "retention": "for ever" if retention_days is None else f"{retention_days} days",
        **{name.replace("_", " "): str(value) for name, value in info.details.items()},
    }
    width = max(_MIN_TITLE_WIDTH, *(len(name) + 2 for name in facts))
    return [(Segment(name.ljust(width), "dim"), Segment(said)) for name, said in facts.items() if said]


def format_bytes(count: int) -> str:
    """A size as `312 B`, `48.0 KiB` or `1.2 GiB`."""
    if count < 1024:
        return f"{count} B"
    size, unit = count / 1024, "KiB"
    for larger in ("MiB", "GiB"):
        if size >= 1024:
            size, unit = size / 1024, larger
    return f"{size:.1f} {unit}"


def _time(unix_nano: int | None) -> str:
    return "" if unix_nano is None else format_time(unix_nano) + " UTC"
