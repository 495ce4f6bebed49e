"""Origins and operations: what many spans share is stored once, and rows hold its id.

Both tables count their spans, so that what nothing refers to any more is found without a search.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

from otel_agenttrace.stores.sql.rows import service_name_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from otel_agenttrace.stores.sql.rows import Operation, Origin

_MAX_KEPT = 50_000

_Key = TypeVar("_Key")


class _Ids(dict[_Key, int]):
    """Ids by what they stand for; one that is not known is read, or stored if it is new."""

    def __init__(self, store: Callable[[sqlite3.Connection, _Key], int]) -> None:
        super().__init__()
        self._store = store
        self.connection: sqlite3.Connection | None = None

    def __missing__(self, key: _Key) -> int:
        if self.connection is None:
            raise KeyError(key)
        id_ = self[key] = self._store(self.connection, key)
        return id_


class Interned:
    """The ids of origins and operations, kept in memory as long as nobody else can have deleted any.

    Attributes:
        origins: the id of each origin that one asks for; stored if it is new.
        operations: the same for operations.
    """

    def __init__(self) -> None:
        self.origins = _Ids(_origin_id)
        self.operations = _Ids(_operation_id)
        self._version = -1

    def begin(self, connection: sqlite3.Connection) -> None:
        """Be of use in the transaction that has just begun: forget all if other connections have written since."""
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        is_same = connection is self.origins.connection and version == self._version
        if not is_same or len(self.origins) + len(self.operations) > _MAX_KEPT:
            self.forget()
        self._version = version
        self.origins.connection = self.operations.connection = connection

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
        self.origins.clear()
        self.operations.clear()


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
