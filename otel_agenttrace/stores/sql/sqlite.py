"""SqliteSpanStore: spans in one SQLite file, searched with a second one that may be deleted at any time."""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING, TypeVar

from otel_agenttrace.errors import StoreError
from otel_agenttrace.model.codec import serialize_record
from otel_agenttrace.stores.api import Deleted, StoreInfo
from otel_agenttrace.stores.sql import listing
from otel_agenttrace.stores.sql.check import check_store
from otel_agenttrace.stores.sql.connections import Connections
from otel_agenttrace.stores.sql.errors import is_file_damage
from otel_agenttrace.stores.sql.index import count_behind, index_path, is_far_behind, read_progress
from otel_agenttrace.stores.sql.indexing import DeferredIndex
from otel_agenttrace.stores.sql.interned import Interned
from otel_agenttrace.stores.sql.queries import has_conditions, wants_index
from otel_agenttrace.stores.sql.reader import Finder, read_trace
from otel_agenttrace.stores.sql.rows import span_columns
from otel_agenttrace.stores.sql.schema import StoreFormat, latest_version
from otel_agenttrace.stores.sql.writer import delete_traces, write_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import Operation, SpanQuery, StoredTrace

_LOG = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")

_TRACES_PER_DELETION = 50
"""Traces that one transaction deletes, so that writers never wait for long."""

_FILE_SUFFIXES = ("", "-wal", "-shm", "-index", "-index-wal", "-index-shm")

_MAX_CATCH_UP_S = 0.25
"""How long a search first works on the index; what is not in it then, is found without."""


class SqliteSpanStore:
    """Keeps spans in an SQLite file, and beside it a file ending in `-index` that searches are quicker with.

    Args:
        path: the file; it is created with its folder, for this user alone, unless `read_only`.
        read_only: never create or change anything.
        busy_timeout_millis: how long a call waits while other processes write.
        index_in_background: whether writing starts a thread that brings the index up to date; without it, that is
            left to `catch_up`, to searches, and to other processes.
        survives_power_cut: whether writing waits for the disk; without it, only a killed process loses nothing.

    Attributes:
        path: the file, absolute.

    Raises:
        StoreUnavailableError: the file cannot be opened, read or created.
        StoreRejectedError: the file is not a store, or was written by a newer version.
    """

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool = False,
        busy_timeout_millis: int = 5_000,
        index_in_background: bool = True,
        survives_power_cut: bool = False,
    ) -> None:
        self.path = path.absolute()
        self.url = f"sqlite:///{self.path}"
        self._format = StoreFormat(index_path(self.path))
        self._connections = Connections(
            self.path,
            self._format,
            busy_timeout_millis=busy_timeout_millis,
            read_only=read_only,
            survives_power_cut=survives_power_cut,
            on_loss=_tell_of_loss,
        )
        self._index = DeferredIndex(self._connections)
        self._interned = Interned()
        self._index_in_background = index_in_background

    def write_spans(self, spans: Sequence[SpanRecord]) -> None:
        self.write_serialized([serialize_record(span) for span in spans])

    def write_serialized(self, spans: Sequence[SerializedSpan]) -> None:
        rows = span_columns(spans)
        with self._connections.writing(self._interned.forget) as connection:
            write_rows(connection, self._interned, rows)
        self._wake_index()

    def get_trace(self, trace_id: str) -> StoredTrace:
        return self._read(lambda connection: read_trace(connection, trace_id))

    def find_spans(self, query: SpanQuery) -> list[SpanRecord]:
        return self._find(query, Finder.spans)

    def find_trace_ids(self, query: SpanQuery) -> list[str]:
        if query.order.startswith("stored") and not has_conditions(query):
            return self._read(lambda connection: listing.list_trace_ids(connection, query))
        return self._find(query, Finder.trace_ids)

    def find_session_ids(self, query: SpanQuery) -> list[str]:
        return self._read(lambda connection: listing.list_session_ids(connection, query))

    def find_session_trace_ids(self, session_id: str) -> list[str]:
        return self._read(lambda connection: listing.list_session_traces(connection, session_id))

    def find_operations(self) -> list[Operation]:
        return self._read(listing.list_operations)

    def complete_id(self, prefix: str, *, limit: int = 10) -> list[str]:
        return self._read(lambda connection: listing.complete_id(connection, prefix, limit))

    def delete_traces(self, trace_ids: Sequence[str]) -> Deleted:
        wanted = list(dict.fromkeys(trace_ids))
        traces = spans = 0
        for start in range(0, len(wanted), _TRACES_PER_DELETION):
            chunk = wanted[start : start + _TRACES_PER_DELETION]
            with self._connections.writing(self._interned.forget) as connection:
                deleted = delete_traces(connection, self._interned, chunk)
            traces, spans = traces + deleted.traces, spans + deleted.spans
        self._wake_index()
        return Deleted(traces, spans)

    def get_setting(self, name: str) -> str | None:
        return self._read(lambda connection: listing.get_setting(connection, name))

    def set_setting(self, name: str, value: str) -> None:
        with self._connections.writing() as connection:
            connection.execute(
                "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                [name, value],
            )

    def info(self) -> StoreInfo:
        counts = self._read(listing.count_all)
        behind = self._read(lambda connection: count_behind(connection, read_progress(connection)))
        return StoreInfo(
            url=self.url,
            schema_version=latest_version(),
            size_bytes=sum(_size(self.path.with_name(self.path.name + suffix)) for suffix in _FILE_SUFFIXES),
            details={"not_indexed_yet": behind, "sqlite_version": sqlite3.sqlite_version},
            **counts,
        )

    def check(self) -> list[str]:
        return self._read(check_store)

    def survive_power_cuts(self) -> None:
        self._connections.survive_power_cuts()

    def close(self) -> None:
        self._index.close()
        self._connections.close()

    def catch_up(self, timeout_s: float) -> bool:
        """Bring the index up to date, for about `timeout_s` seconds; return whether all is in it."""
        return self._index.catch_up(timeout_s)

    def _find(self, query: SpanQuery, answer: Callable[[Finder], _Answer]) -> _Answer:
        if wants_index(query):
            self._catch_up_briefly()
        try:
            return self._read(lambda connection: answer(Finder(connection, query, read_progress(connection))))
        except StoreError as error:
            if not is_file_damage(error.__cause__):
                raise
        found = self._read(lambda connection: answer(Finder(connection, query, None)))
        # The store is well, so it was the index that is damaged.
        self._give_up_index()
        return found

    def _catch_up_briefly(self) -> None:
        is_needed = self._read(lambda connection: is_far_behind(connection, read_progress(connection)))
        if is_needed and not self._connections.read_only:
            self._index.catch_up(_MAX_CATCH_UP_S)

    def _wake_index(self) -> None:
        if self._index_in_background:
            self._index.wake()

    def _give_up_index(self) -> None:
        if self._connections.read_only:
            self._format.index = None
        else:
            self._index.discard()

    def _read(self, answer: Callable[[sqlite3.Connection], _Answer]) -> _Answer:
        with self._connections.reading() as connection:
            return answer(connection)


def _tell_of_loss(path: Path) -> None:
    _LOG.warning(
        "%s was deleted, moved or replaced while it was in use; what is stored from now on is in the file of that name",
        path,
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
