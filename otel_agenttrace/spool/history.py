"""History: the counts of logs that are gone, one JSON line each, so that they add up after the logs were removed."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson

from otel_agenttrace.spool.log_counts import count_log

if TYPE_CHECKING:
    from pathlib import Path

HISTORY = "history.jsonl"
_MAX_BYTES = 1 << 22
"""Of one file; there are two, the older of which is replaced."""


def note_removed(log_dir: Path) -> None:
    """Write down the counts of a log that is about to be removed; that they cannot be written stops nobody."""
    with suppress(OSError):
        path = log_dir.parent / HISTORY
        line = orjson.dumps(count_log(log_dir).as_json()) + b"\n"
        with suppress(FileNotFoundError):
            if path.stat().st_size > _MAX_BYTES:
                path.replace(path.with_suffix(".jsonl.1"))
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, line)
        finally:
            os.close(fd)


def read_history(spool_dir: Path) -> list[dict[str, Any]]:
    """Return the counts of removed logs, oldest first, each log once; what cannot be read is left out."""
    found: dict[str, dict[str, Any]] = {}
    for name in (f"{HISTORY}.1", HISTORY):
        with suppress(OSError):
            for line in (spool_dir / name).read_bytes().splitlines():
                with suppress(ValueError):
                    row = orjson.loads(line)
                    if isinstance(row, dict) and isinstance(row.get("log"), str):
                        found.setdefault(row["log"], row)  # later ones tell of what could not be removed
    return list(found.values())
