"""The store's file, read and locked past the package that wrote it."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.crash.outside import SpanKey

_TIMEOUT_S = 30.0

_ENDED = """
SELECT trace_id || span_id FROM spans
WHERE end_ns IS NOT NULL AND trace_id IN (SELECT value FROM json_each(?))
"""


class Row(NamedTuple):
    """One row of the table of spans."""

    name: str
    has_ended: bool
    attributes: dict[str, Any]


def keys_of_ended(store: Path, keys: Iterable[SpanKey]) -> set[SpanKey]:
    """Which of these spans are in the store with their end, at this moment."""
    if not store.exists():
        return set()
    wanted = orjson.dumps(sorted({key[:32] for key in keys})).decode()
    with closing(sqlite3.connect(store, timeout=_TIMEOUT_S)) as connection:
        try:
            return {key for (key,) in connection.execute(_ENDED, [wanted])}
        except sqlite3.OperationalError:  # its tables are just being made
            return set()


def read_rows(store: Path) -> dict[SpanKey, list[Row]]:
    """All rows by the identity of their spans, which should have one row each."""
    found: dict[SpanKey, list[Row]] = defaultdict(list)
    with closing(sqlite3.connect(store, timeout=_TIMEOUT_S)) as connection:
        for key, end, body in connection.execute("SELECT trace_id || span_id, end_ns, body FROM spans"):
            span = orjson.loads(body)
            found[key].append(Row(span["name"], end is not None, span.get("attributes", {})))
    return found


def lock(store: Path) -> Iterator[None]:
    """Lock the store against all writers, from the first `next` to the second."""
    with closing(sqlite3.connect(store, timeout=_TIMEOUT_S, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
