"""Origins and operations: what many spans share is stored once, and rows hold its id.

Both tables count their spans, so that what nothing refers to any more is found without a search.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from otel_agenttrace.stores.sql.rows import service_name_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from otel_agenttrace.stores.sql.rows import Operation, Origin

_MAX_KEPT = 50_000


class Interned:
    """The ids of origins and operations, kept in memory as long as nobody else can have deleted any."""

    def __init__(self) -> None:
        self._state = (0, 0)
        self._origins: dict[Origin, int] = {}
        self._operations: dict[Operation, int] = {}

    def revalidate(self, connection: sqlite3.Connection) -> None:
        """Forget the ids if another connection has written since; call it once at the start of a transaction."""
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        state = (id(connection), version)
        if state != self._state or len(self._origins) + len(self._operations) > _MAX_KEPT:
            self.forget()
            self._state = state

    def origin_ids(self, connection: sqlite3.Connection, origins: Iterable[Origin]) -> Mapping[Origin, int]:
        """The ids of origins, which are stored if they are new."""
        for origin in origins:
            if origin not in self._origins:
                self._origins[origin] = _origin_id(connection, origin)
        return self._origins

    def operation_ids(self, connection: sqlite3.Connection, operations: Iterable[Operation]) -> Mapping[Operation, int]:
        """The ids of operations, which are stored if they are new."""
        for operation in operations:
            if operation not in self._operations:
                self._operations[operation] = _operation_id(connection, operation)
        return self._operations

    def count(self, connection: sqlite3.Connection, origins: Mapping[int, int], operations: Mapping[int, int]) -> None:
        """Add to the numbers of spans, by id."""
        for table, counts in (("origins", origins), ("operations", operations)):
            connection.executemany(
                f"UPDATE {table} SET spans = spans + ? WHERE id = ?", [(count, id_) for id_, count in counts.items()]
            )

    def delete_unused(self, connection: sqlite3.Connection) -> None:
        """Delete what has no spans any more."""
        connection.execute("DELETE FROM origins WHERE spans = 0")
        connection.execute("DELETE FROM operations WHERE spans = 0")
        self.forget()

    def forget(self) -> None:
        """Believe nothing any more: rows were deleted, or a transaction was rolled back."""
        self._origins.clear()
        self._operations.clear()


def _origin_id(connection: sqlite3.Connection, origin: Origin) -> int:
    resource, scope = origin
    digest = hashlib.blake2b(resource + b"\0" + scope, digest_size=16).digest()
    found = connection.execute("SELECT id FROM origins WHERE digest = ?", [digest]).fetchone()
    if found is None:
        found = connection.execute(
            "INSERT INTO origins (digest, service_name, resource, scope) VALUES (?, ?, ?, ?) RETURNING id",
            [digest, service_name_of(resource), resource.decode(), scope.decode()],
        ).fetchone()
    return int(found[0])


def _operation_id(connection: sqlite3.Connection, operation: Operation) -> int:
    found = connection.execute(
        "SELECT id FROM operations WHERE service_name = ? AND name = ? AND kind = ?", operation
    ).fetchone()
    if found is None:
        found = connection.execute(
            "INSERT INTO operations (service_name, name, kind) VALUES (?, ?, ?) RETURNING id", operation
        ).fetchone()
    return int(found[0])
