"""How fast spans are written to SQLite, over a plain `executemany` of the same bytes on the same disk.

Both write the same batches in turns, each commits each batch, both with a write-ahead log, `synchronous=NORMAL` and the
same `wal_autocheckpoint`. The floor's table has the bytes and the same unique key, and nothing else. Ours decodes each
span, and does all that the write path does. The deferred index is measured alone afterwards, and writing once more
while it works beside it.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from agent_spans import batches

from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore

if TYPE_CHECKING:
    from otel_agenttrace.model.codec import SerializedSpan

LIMIT = 0.5


class Floor:
    """The plain table."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "wal_autocheckpoint = 10000"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute(
            "CREATE TABLE spans"
            " (trace_id TEXT, span_id TEXT, start INTEGER, body BLOB, UNIQUE (trace_id, span_id, start))"
        )

    def write(self, rows: list[tuple[str, str, int, bytes]]) -> None:
        """Write rows in one transaction."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO spans VALUES (?, ?, ?, ?)", rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def floor_rows(batch: list[SerializedSpan]) -> list[tuple[str, str, int, bytes]]:
    """Return the rows of a batch, made outside the clock."""
    fields = [(json.loads(span.span), span.span) for span in batch]
    return [(span["trace_id"], span["span_id"], span["start_time_unix_nano"], text) for span, text in fields]


def write_rates(folder: Path, spans: int) -> tuple[float, float]:
    """Return the spans a second of the floor and of the store, without the deferred index."""
    floor = Floor(folder / "floor.db")
    store = SqliteSpanStore(folder / "store.db", index_in_background=False)
    seconds = [0.0, 0.0]
    for batch in batches(spans):
        rows = floor_rows(batch)
        started = time.perf_counter()
        floor.write(rows)
        between = time.perf_counter()
        store.write_serialized(batch)
        seconds[0] += between - started
        seconds[1] += time.perf_counter() - between
    floor.close()
    store.close()
    return spans / seconds[0], spans / seconds[1]


def index_rate(folder: Path, spans: int) -> float:
    """Return the spans a second that the deferred index takes in."""
    store = SqliteSpanStore(folder / "store.db", index_in_background=False)
    started = time.perf_counter()
    store.catch_up(3600)
    seconds = time.perf_counter() - started
    store.close()
    return spans / seconds


def rates_together(folder: Path, spans: int) -> tuple[float, float]:
    """Return the spans a second while the index works beside, and the seconds that it goes on after the last write."""
    store = SqliteSpanStore(folder / "together.db")
    seconds = 0.0
    for batch in batches(spans):
        started = time.perf_counter()
        store.write_serialized(batch)
        seconds += time.perf_counter() - started
    ended = time.perf_counter()
    store.catch_up(3600)
    behind = time.perf_counter() - ended
    store.close()
    return spans / seconds, behind


def size_mib(path: Path) -> float:
    """Return the size of a file."""
    return path.stat().st_size / 2**20


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=1_000_000)
    spans = parser.parse_args().spans
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        floor, ours = write_rates(folder, spans)
        print(f"{spans:,} serialised spans in batches of 1,000")
        print(f"  plain executemany, one table          {floor:9,.0f} spans/s")
        print(f"  SqliteSpanStore.write_serialized      {ours:9,.0f} spans/s   {ours / floor:.2f}x (at least {LIMIT}x)")
        index = index_rate(folder, spans)
        print(f"  deferred index, alone                 {index:9,.0f} spans/s   {index / floor:.2f}x")
        sizes = [size_mib(folder / file) for file in ("floor.db", "store.db", "store.db-index")]
        print("  size of plain table, store, index     " + ", ".join(f"{size:,.0f} MiB" for size in sizes))
        together, behind = rates_together(folder, spans)
        print(f"  writing while the index works beside  {together:9,.0f} spans/s   {together / floor:.2f}x")
        print(f"  the index is done after the last write  {behind:5.1f} s")


if __name__ == "__main__":
    main()
