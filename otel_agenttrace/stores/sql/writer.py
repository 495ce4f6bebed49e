"""Writing and deleting: one call is one transaction that keeps `spans` and everything derived from it in step."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from otel_agenttrace.stores.api import Deleted
from otel_agenttrace.stores.sql.groups import add_spans, delete_groups
from otel_agenttrace.stores.sql.merging import keep_replaced, merge_repeated
from otel_agenttrace.stores.sql.rows import json_array

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from otel_agenttrace.stores.sql.interned import Interned
    from otel_agenttrace.stores.sql.rows import SpanRow


def write_rows(connection: sqlite3.Connection, interned: Interned, rows: Sequence[SpanRow]) -> None:
    """Insert rows, or merge them into the rows of the same identity."""
    interned.revalidate(connection)
    origins = interned.origin_ids(connection, {row.origin for row in rows})
    operations = interned.operation_ids(connection, {row.operation for row in rows})
    first_id = _reserve_ids(connection, len(rows))
    cursor = connection.executemany(
        "INSERT INTO spans (id, trace_id, span_id, start_ns, end_ns, operation_id, origin_id, status, failing, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (trace_id, span_id, start_ns) DO NOTHING",
        [
            (id_, trace, span, start, end, operations[operation], origins[origin], status, failing, body)
            for id_, (trace, span, start, end, operation, origin, status, failing, _, body) in enumerate(rows, first_id)
        ],
    )
    add_spans(connection, rows, first_id)
    is_new = cursor.rowcount == len(rows)
    inserted, repeated = (rows, []) if is_new else _told_apart(connection, rows, first_id)
    counts = (Counter(origins[row.origin] for row in inserted), Counter(operations[row.operation] for row in inserted))
    interned.count(connection, *counts)
    if repeated:
        merge_repeated(connection, interned, repeated)


def delete_traces(connection: sqlite3.Connection, interned: Interned, trace_ids: Sequence[str]) -> Deleted:
    """Delete traces with all that is derived from them."""
    where = "WHERE trace_id IN (SELECT value FROM json_each(?))"
    traces = [json_array(trace_ids)]
    origins = dict(connection.execute(f"SELECT origin_id, -count(*) FROM spans {where} GROUP BY 1", traces))
    operations = dict(connection.execute(f"SELECT operation_id, -count(*) FROM spans {where} GROUP BY 1", traces))
    keep_replaced(connection, where, traces)
    spans = connection.execute(f"DELETE FROM spans {where}", traces).rowcount
    interned.count(connection, origins, operations)
    interned.delete_unused(connection)
    return Deleted(delete_groups(connection, trace_ids), spans)


def _reserve_ids(connection: sqlite3.Connection, count: int) -> int:
    ((next_id,),) = connection.execute("SELECT value FROM state WHERE name = 'next_id'")
    connection.execute("UPDATE state SET value = ? WHERE name = 'next_id'", [next_id + count])
    return int(next_id)


def _told_apart(
    connection: sqlite3.Connection, rows: Sequence[SpanRow], first_id: int
) -> tuple[Sequence[SpanRow], Sequence[SpanRow]]:
    """The rows that were inserted, and those that were not as a row of their identity was there already."""
    ids = {row[0] for row in connection.execute("SELECT id FROM spans WHERE id >= ?", [first_id])}
    placed = list(enumerate(rows, first_id))
    return [row for id_, row in placed if id_ in ids], [row for id_, row in placed if id_ not in ids]
