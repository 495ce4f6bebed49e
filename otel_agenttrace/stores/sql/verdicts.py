"""Verdicts that were made again: one trace keeps one, though a later one may stand at another time."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import SPAN_VERDICT
from otel_agenttrace.model.codec import load_fields
from otel_agenttrace.model.verdicts import VERDICT_SCOPE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from otel_agenttrace.stores.sql.rows import Columns


_NAME = str(SPAN_VERDICT)


def set_moved_apart(connection: sqlite3.Connection, rows: Sequence[Columns]) -> tuple[Sequence[Columns], list[Columns]]:
    """Take out the verdicts that are stored, or come earlier among the rows, with another start.

    Returns:
        The rows that keys tell apart, and the others.
    """
    if not any(row[4][1] == _NAME for row in rows):
        return rows, []
    others: list[Columns] = []
    moved: list[Columns] = []
    known: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        trace_id, span_id, start, _, operation, (_, scope), *_ = row
        starts = {start}
        if operation[1] == _NAME and _is_ours(scope):
            if (trace_id, span_id) not in known:
                known[trace_id, span_id] = starts_of_verdict(connection, trace_id, span_id) or starts
            starts = known[trace_id, span_id]
        (others if start in starts else moved).append(row)
    return others, moved


def starts_of_verdict(connection: sqlite3.Connection, trace_id: str, span_id: str) -> set[int]:
    """When the stored verdict of this id starts, in nanoseconds since the Unix epoch; one time at most."""
    rows = connection.execute(
        "SELECT start_ns, scope FROM spans JOIN operations ON operations.id = operation_id"
        " JOIN origins ON origins.id = origin_id WHERE trace_id = ? AND span_id = ? AND operations.name = ?",
        [trace_id, span_id, _NAME],
    )
    return set([start for start, scope in rows if _is_ours(scope.encode())][:1])


@lru_cache(maxsize=256)
def _is_ours(scope: bytes) -> bool:
    return load_fields(scope).get("name") == VERDICT_SCOPE.name
