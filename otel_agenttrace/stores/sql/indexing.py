"""Bringing the deferred index up to date, and making it anew."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

from otel_agenttrace.errors import StoreError
from otel_agenttrace.stores.forking import MAX_FORK_DELAY_S, tell_about_forks
from otel_agenttrace.stores.sql.background import Background
from otel_agenttrace.stores.sql.connections import Connections, Reader
from otel_agenttrace.stores.sql.errors import is_file_damage
from otel_agenttrace.stores.sql.index import TABLES, VERSION, Progress, index_path, read_progress, row_mark
from otel_agenttrace.stores.sql.terms import PAIRS, WORDS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

_LOG = logging.getLogger(__name__)

_BATCH_SPANS = 2_000
_BATCH_BYTES = 4 * 2**20
_BATCH_CHANGES = 1_000
_BUSY_TIMEOUT_MILLIS = 2_000

_MAX_REPAIRS = 3
"""How often the file is made anew because of damage; more, and the damage is the store's."""

_NO_FTS5 = "no such module: fts5"

_GATHERING_S = 0.05
"""How long the thread waits for more when it starts: many small batches are more work than a large one."""

_ROUND_S = 0.25
_PAUSE_S = 0.01
_PAUSE_IN_TROUBLE_S = 1.0
_MAX_TROUBLES = 30
"""How long the thread goes on at a time, and lets others in between; and how often it tries when it cannot."""

_ROW = "id, start_ns, end_ns, origin_id, operation_id, status"
_BODY = "body"
_READABLE_BODY = "iif(json_valid(body), body, '{}') AS body"
"""For a store in which some body is damaged: it must not keep all that comes behind it out of the index."""


class DeferredIndex:
    """Keeps the index of one store. Thread-safe, and usable in forked children; other processes may do the same.

    Args:
        store: the store's connections.
    """

    def __init__(self, store: Connections) -> None:
        self.path = index_path(store.path)
        self._store = store
        self._files: Connections | None = None
        self._is_impossible = False
        self._repairs = 0
        self._background = Background("agenttrace-index", self._catch_up_patiently)
        self._renew()
        tell_about_forks(self)

    def wake(self) -> None:
        """Catch up in the background."""
        self._background.wake()

    def catch_up(self, timeout_s: float) -> bool:
        """Take in what is not in the index yet, for about that long; return whether that was all.

        Never raises: whatever cannot be indexed, searches find without the index.
        """
        try:
            return self._catch_up(timeout_s)
        except StoreError as error:
            _LOG.debug("the index for searches could not be brought up to date: %s", error)
            return False

    def discard(self) -> None:
        """Delete the file, as it is damaged."""
        with self._lock:
            self._close_files()
            _remove(self.path)

    def close(self) -> None:
        """Stop the thread and close the file."""
        self._background.close()
        with self._lock:
            self._close_files()

    def before_fork(self) -> None:
        """Let no batch be halfway through."""
        self._is_held = self._lock.acquire(timeout=MAX_FORK_DELAY_S)

    def after_fork_in_parent(self) -> None:
        """Go on."""
        if self._is_held:
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Begin without a thread."""
        self._background.renew()
        self._renew()

    def _renew(self) -> None:
        self._body = _BODY
        self._lock = threading.Lock()
        self._is_held = False

    def _catch_up_patiently(self, closing: threading.Event) -> None:
        """Go on until all is done, though another process may be at it, or the disk be full for a while."""
        troubles, pause = 0, _GATHERING_S
        while troubles < _MAX_TROUBLES and not self._is_impossible and not closing.wait(pause):
            pause = _PAUSE_S
            try:
                if self._catch_up(_ROUND_S):
                    return
            except StoreError as error:
                _LOG.debug("the index for searches could not be brought up to date: %s", error)
                troubles, pause = troubles + 1, _PAUSE_IN_TROUBLE_S

    def _catch_up(self, timeout_s: float) -> bool:
        if self._store.read_only or self._is_impossible or not self._lock.acquire(timeout=timeout_s):
            return False
        try:
            deadline = time.monotonic() + timeout_s
            while self._take_batch():
                if time.monotonic() >= deadline:
                    return False
        finally:
            self._lock.release()
        return True

    def _take_batch(self) -> bool:
        """Return whether there may be more."""
        try:
            self._files = self._files or self._open()
            with self._files.writing() as connection:
                before = read_progress(connection, store="store", index="main")
                after = before and _take_batch(connection, before, self._body)
        except StoreError as error:
            self._recover(error)
            return True
        if before is None or after is None:
            # Another process may have made it anew.
            self._close_files()
            return True
        if after.change != before.change:
            with self._store.writing() as connection:
                connection.execute("DELETE FROM replaced WHERE change <= ?", [after.change])
        return after != before

    def _recover(self, error: StoreError) -> None:
        """Go on with a new file, or with what can be read; if that does not help, raise the error again."""
        is_damaged = is_file_damage(error.__cause__)
        if is_damaged and self._repairs < _MAX_REPAIRS:
            self._repairs += 1
            self._close_files()
            _remove(self.path)
        elif "malformed JSON" in str(error) and self._body == _BODY:
            self._body = _READABLE_BODY
        else:
            if is_damaged or _NO_FTS5 in str(error):
                self._is_impossible = True
                _LOG.warning("searches in %s will read the whole store: %s", self._store.path, error)
            raise error

    def _open(self) -> Connections:
        """Open the index that belongs to the store, or make it, while no other process can do the same."""
        with self._store.writing() as store:
            files = _open_existing(self.path, self._store.path)
            if files is None:
                files, index_id = _make(self.path, self._store.path)
                store.execute("UPDATE state SET value = ? WHERE name = 'index_id'", [index_id])
                store.execute("DELETE FROM replaced")
            return files

    def _close_files(self) -> None:
        if self._files is not None:
            self._files.close()
        self._files = None


class _IndexFormat:
    """The tables of the index, with the store attached as `store`.

    Read-only, or a transaction that writes to the index would keep everybody from writing to the store as well.
    """

    def __init__(self, store: Path) -> None:
        self._store = f"file:{quote(str(store))}?mode=ro"

    def prepare(self, connection: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
        del path, read_only
        for statement in TABLES:
            connection.execute(statement)
        connection.execute("ATTACH ? AS store", [self._store])

    def before_reading(self, reader: Reader) -> None:
        del reader


def _open_existing(path: Path, store: Path) -> Connections | None:
    """Open the index if it is there and belongs to the store."""
    if not path.exists():
        return None
    try:
        files = Connections(path, _IndexFormat(store), busy_timeout_millis=_BUSY_TIMEOUT_MILLIS, attached=store)
    except StoreError as error:
        if is_file_damage(error.__cause__):
            return None
        raise
    with files.writing() as connection:
        if read_progress(connection, store="store", index="main") is not None:
            return files
    files.close()
    return None


def _make(path: Path, store: Path) -> tuple[Connections, str]:
    """Make an empty index; return its id, too."""
    _remove(path)
    files = Connections(path, _IndexFormat(store), busy_timeout_millis=_BUSY_TIMEOUT_MILLIS, attached=store)
    index_id = uuid.uuid4().hex
    with files.writing() as connection:
        last = connection.execute("SELECT seq FROM store.sqlite_sequence WHERE name = 'replaced'").fetchone()
        state = {"version": VERSION, "index_id": index_id, "position": 0, "mark": "", "change": last[0] if last else 0}
        connection.executemany("INSERT INTO state VALUES (?, ?)", state.items())
    return files, index_id


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _take_batch(connection: sqlite3.Connection, before: Progress, body: str) -> Progress:
    """Take in what comes next; return how far that is."""
    change = _end_of_changes(connection, before.change)
    if change > before.change:
        _take_changes(connection, body, (before.change, change, before.position))
    position = _end_of_rows(connection, before.position)
    if position > before.position:
        _take_in(connection, f"{_ROW}, {body} FROM store.spans WHERE id > ? AND id <= ?", [before.position, position])
        connection.execute("UPDATE state SET value = ? WHERE name = 'mark'", [row_mark(connection, "store", position)])
    connection.executemany("UPDATE state SET value = ? WHERE name = ?", [(change, "change"), (position, "position")])
    return Progress(position, change)


def _end_of_changes(connection: sqlite3.Connection, start: int) -> int:
    ((end,),) = connection.execute(
        "SELECT max(change) FROM (SELECT change FROM store.replaced WHERE change > ? ORDER BY change LIMIT ?)",
        [start, _BATCH_CHANGES],
    )
    return int(end or start)


def _end_of_rows(connection: sqlite3.Connection, start: int) -> int:
    """The last row of the next batch, which is bounded in spans and in bytes, but has one span at least."""
    ((end,),) = connection.execute(
        """
        SELECT coalesce(max(id) FILTER (WHERE bytes <= ?), min(id)) FROM (
            SELECT id, sum(length(body)) OVER (ORDER BY id) AS bytes FROM (
                SELECT id, body FROM store.spans WHERE id > ? ORDER BY id LIMIT ?
            )
        )
        """,
        [_BATCH_BYTES, start, _BATCH_SPANS],
    )
    return int(end or start)


def _take_changes(connection: sqlite3.Connection, body: str, bounds: tuple[int, int, int]) -> None:
    """Take out what changed rows said when they were taken in, and take in what they say now."""
    # With min(), SQLite takes the other columns from the same row: the first change.
    first = (
        f"SELECT {_ROW}, body, min(change) FROM store.replaced WHERE change > ? AND change <= ? AND id <= ? GROUP BY id"
    )
    for table, text in (("words", WORDS), ("pairs", PAIRS)):
        connection.execute(
            f"INSERT INTO {table} ({table}, rowid, text)"
            f" SELECT 'delete', id, {text} FROM (SELECT {_ROW}, {body} FROM ({first}))",
            bounds,
        )
    changed = "SELECT id FROM store.replaced WHERE change > ? AND change <= ? AND id <= ?"
    _take_in(connection, f"{_ROW}, {body} FROM store.spans WHERE id IN ({changed})", bounds)


def _take_in(connection: sqlite3.Connection, rows: str, parameters: Sequence[int]) -> None:
    for table, text in (("words", WORDS), ("pairs", PAIRS)):
        connection.execute(
            f"INSERT INTO {table} (rowid, text) SELECT id, {text} FROM (SELECT {rows} ORDER BY id)", parameters
        )
