"""Connections to one SQLite file: one that writes, and readers that never wait for it."""

from __future__ import annotations

import sqlite3
import threading
import time
import weakref
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from otel_agenttrace.errors import StoreRejectedError, StoreUnavailableError
from otel_agenttrace.stores.forking import MAX_FORK_DELAY_S, fork_gate, tell_about_forks
from otel_agenttrace.stores.sql.errors import is_busy, mapped_errors, store_error
from otel_agenttrace.stores.sql.files import clear_away, companions, create_file, file_id, is_writable
from otel_agenttrace.stores.sql.transactions import completed, reported, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otel_agenttrace.stores.sql.files import FileId

_MIN_SQLITE = (3, 35, 0)
_MAX_IDLE_READERS = 4

_PAGE_BYTES = 16_384
"""Of a new file. Spans have 1 to 10 kB: with SQLite's 4 KiB, more of each page is wasted, and writing costs more."""

_CHECKPOINT_PAGES = 2_500
"""Pages that the write-ahead log holds before they are moved, 40 MiB: if that is done more often, writing is slower."""

_WAL_BYTES = 64 * 2**20
"""What the write-ahead log is cut back to when a long reader has let it grow."""

_BUSY_PAUSE_S = 0.02
"""Between attempts at a file that another process writes to."""

_parents: list[sqlite3.Connection] = []
"""Connections of the parent process, which a forked child must neither use nor close."""

_inherited: set[Path] = set()
"""Files of such connections, which this process must not open either: what it wrote would be lost.

It would share its parent's state of the file, and go by locks that it does not have; so somebody else who closes the
file takes himself for the last, and removes the write-ahead log.
"""


class Reader(sqlite3.Connection):
    """A connection that reads. `attached` is for whoever attaches another file to it."""

    attached: object = None


class FileFormat(Protocol):
    """What a file must hold before anybody gets a connection to it."""

    def prepare(self, connection: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
        """Check what is in the file; create or update it unless `read_only`."""

    def before_reading(self, reader: Reader) -> None:
        """Make ready a reader that is about to be handed out."""


class Connections:
    """Opens, hands out and closes the connections of one file. Thread-safe, and usable in forked children.

    When the path names another file, or none, all connections are opened anew, to the file that it names or that is
    made there.

    Args:
        path: the file; created with its folders, for this user alone, unless `read_only`.
        file_format: what is to be in it.
        busy_timeout_millis: how long a call waits for other processes.
        read_only: never write.
        survives_power_cut: whether a commit waits for the disk.
        attached: another file that its connections have open, too.
        on_loss: called when the path turns out to name another file than the one that is open, or none; the old one
            is still open then, and nobody writes.

    Attributes:
        read_only: True also where the file or its folder cannot be written.

    Raises:
        StoreUnavailableError: the file cannot be opened.
        StoreRejectedError: something else is in it, or what a newer version wrote.
    """

    def __init__(
        self,
        path: Path,
        file_format: FileFormat,
        *,
        busy_timeout_millis: int,
        read_only: bool = False,
        survives_power_cut: bool = False,
        attached: Path | None = None,
        on_loss: Callable[[Path], None] | None = None,
    ) -> None:
        if sqlite3.sqlite_version_info < _MIN_SQLITE:
            raise StoreUnavailableError(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed")
        self.path = path
        self.read_only = read_only
        self._may_write = not read_only
        self._files = (path,) if attached is None else (path, attached)
        self._names = tuple(map(str, self._files))
        self._ids: tuple[FileId | None, ...] | None = None
        self._companions: dict[Path, FileId] = {}
        self._on_loss = on_loss
        self._format = file_format
        self._busy_timeout_s = busy_timeout_millis / 1000
        self._synchronous = "FULL" if survives_power_cut else "NORMAL"
        self._is_closed = False
        self._opened: list[sqlite3.Connection] = []
        self._writer: sqlite3.Connection | None = None
        self._idle: list[Reader] = []
        self._renew()
        tell_about_forks(self)
        # Not at exit: the last spans are written then, by a TracerProvider whose exit handler may run after this one.
        weakref.finalize(self, _close_all, self._opened).atexit = False
        try:
            with mapped_errors(path):
                self._patiently(self._open_file)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def writing(self, on_failure: Callable[[], None] | None = None) -> Iterator[sqlite3.Connection]:
        """The writing connection, in a transaction that commits if the block ends well.

        Args:
            on_failure: called when it does not, before any other thread may write.

        Raises:
            StoreUnavailableError: the file cannot be written, or was taken away meanwhile, and the transaction with it.
        """
        with mapped_errors(self.path):
            deadline = time.monotonic() + self._busy_timeout_s
            while True:
                with fork_gate, self._write_lock:
                    connection = self._begun(is_last=time.monotonic() >= deadline)
                    if connection is not None:
                        with reported(on_failure):
                            with completed(connection):
                                yield connection
                            if self._ids != self._named():
                                raise StoreUnavailableError(f"{self.path} was deleted or replaced meanwhile")
                        return
                time.sleep(_BUSY_PAUSE_S)  # not behind the gate: no fork has to wait for what other processes do

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """A connection that sees one state of the file, whatever is written meanwhile."""
        with mapped_errors(self.path):
            if self._ids != self._named():
                self._patiently(self._change_files)
            with self._reading() as reader:
                yield reader

    @contextmanager
    def _reading(self) -> Iterator[Reader]:
        with fork_gate:
            self._check_open()
            idle = self._idle
            reader = idle.pop() if idle else self._open_reader()
            try:
                self._format.before_reading(reader)
                with snapshot(reader):
                    yield reader
            except sqlite3.Error:
                self._discard(reader)
                raise
            except BaseException:
                self._put_back(reader, idle)
                raise
            self._put_back(reader, idle)

    def survive_power_cuts(self) -> None:
        """From now on, end a transaction only once the disk has confirmed it, and all before it."""
        self._synchronous = "FULL"
        with fork_gate, self._write_lock:
            if self._writer is not None:
                self._writer.execute(f"PRAGMA synchronous = {self._synchronous}")

    def close(self) -> None:
        """Close everything but readers that are in use: those close when they are done."""
        with fork_gate, self._write_lock:
            self._is_closed = True
            for connection in (self._writer, *self._idle):
                if connection is not None:
                    self._discard(connection)
            self._writer = None
            self._idle.clear()

    def before_fork(self) -> None:
        """Let no other thread write meanwhile, and close what is not in use.

        SQLite keeps one state of a file per process. A child that inherits it takes its parent's locks for its own: the
        parent then believes itself alone, and removes the write-ahead log with what the child has written.
        """
        self._is_held = self._write_lock.acquire(timeout=MAX_FORK_DELAY_S)
        if self._is_held and self._writer is not None:
            self._discard(self._writer)
            self._writer = None
        with suppress(IndexError):  # until there is none; another thread may take one meanwhile
            while True:
                self._discard(self._idle.pop())

    def after_fork_in_parent(self) -> None:
        """Let other threads write again."""
        if self._is_held:
            self._write_lock.release()

    def after_fork_in_child(self) -> None:
        """Leave the parent's connections alone: SQLite allows a child to do nothing at all with them."""
        if self._opened:  # somebody was slower than a fork waits
            _inherited.update(self._files)
        _parents.extend(self._opened)
        self._opened.clear()
        self._renew()

    def _renew(self) -> None:
        self._write_lock = threading.Lock()
        self._is_held = False
        self._writer = None
        self._idle = []

    def _begun(self, *, is_last: bool) -> sqlite3.Connection | None:
        """The writing connection, in a transaction; None while another process writes, unless `is_last`."""
        self._check_open()
        is_lost = self._ids != self._named()
        if self.read_only and not (self._may_write and is_lost):
            raise StoreUnavailableError(f"{self.path} is opened read-only")
        try:
            if self._writer is None or is_lost:
                self._open_again()
            if self._writer is None:
                raise StoreUnavailableError(f"{self.path} is opened read-only")
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if is_last or not is_busy(error):
                raise
            return None
        return self._writer

    def _patiently(self, attempt: Callable[[], None]) -> None:
        """Do something once no other process keeps it from being done, or the time is over."""
        deadline = time.monotonic() + self._busy_timeout_s
        while True:
            try:
                with fork_gate:
                    return attempt()
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() >= deadline:
                    raise
            time.sleep(_BUSY_PAUSE_S)

    def _named(self) -> tuple[FileId | None, ...]:
        """Which files the paths name now."""
        return tuple(map(file_id, self._names))

    def _change_files(self) -> None:
        """Open the files that the paths name now, unless another thread has done so."""
        if not self._write_lock.acquire(timeout=self._busy_timeout_s):
            raise StoreUnavailableError(f"{self.path} was deleted or replaced, and the old file is still in use")
        try:
            if not self._is_closed and self._ids != self._named():
                self._open_again()
        finally:
            self._write_lock.release()

    def _open_again(self) -> None:
        self._let_go()
        try:
            self._open_file()
        except (StoreRejectedError, sqlite3.DatabaseError) as error:
            known = error if isinstance(error, StoreRejectedError) else store_error(error, self.path)
            if not isinstance(known, StoreRejectedError):
                raise
            # It is the file that is wrong, not what somebody wants to write.
            raise StoreUnavailableError(str(known)) from error

    def _let_go(self) -> None:
        """Close all connections; those that are in use, when they come back."""
        now = self._named()
        if self._ids is not None and self._ids[0] != now[0]:
            if self._writer is not None:
                clear_away(self._writer, self._companions)
            if self._on_loss is not None:
                self._on_loss(self.path)
        idle, self._idle = self._idle, []
        for connection in (self._writer, *idle):
            if connection is not None:
                self._discard(connection)
        self._writer = self._ids = None

    def _check_open(self) -> None:
        if self._is_closed:
            raise StoreUnavailableError(f"{self.path} is closed")

    def _open_file(self) -> None:
        self._mode = "mode=rw"
        if self._may_write:
            create_file(self.path)
        # Before they are opened: were they replaced meanwhile, that would be noticed.
        ids = self._named()
        if self._may_write:
            self.read_only = not (is_writable(self.path) and is_writable(self.path.parent))
            if ids != self._named():
                raise StoreUnavailableError(f"{self.path} was deleted or replaced meanwhile")
        if self.read_only:
            self._mode = self._readable_mode()
            reader = self._open_reader()
            try:
                self._format.prepare(reader, self.path, read_only=True)
            except BaseException:
                self._discard(reader)
                raise
            self._idle.append(reader)
        else:
            self._writer = self._open_writer()
            found = companions(self._writer, self.path)
            self._companions = found if self._named() == ids else {}  # else they may be another file's
        self._ids = ids

    def _readable_mode(self) -> str:
        """How to open a file that may be on a read-only disk: SQLite reads a WAL file only next to its -shm file."""
        modes = ["mode=rw", "mode=ro"]
        if not self.path.with_name(self.path.name + "-wal").exists():
            modes.append("mode=ro&immutable=1")
        for mode in modes[:-1]:
            with suppress(sqlite3.OperationalError):
                self._try(mode)
                return mode
        self._try(modes[-1])
        return modes[-1]

    def _try(self, mode: str) -> None:
        connection = self._open(mode)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            self._discard(connection)

    def _open_writer(self) -> sqlite3.Connection:
        connection = self._open("mode=rw", busy_timeout_s=_BUSY_PAUSE_S)
        try:
            connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
            # First, so that a file of somebody else's stays as it is.
            self._format.prepare(connection, self.path, read_only=False)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
        except BaseException:
            self._discard(connection)
            raise
        return connection

    def _open_reader(self) -> Reader:
        reader = self._open(self._mode)
        reader.execute("PRAGMA query_only = ON")
        # Notices what a damaged page holds before believing it.
        reader.execute("PRAGMA cell_size_check = ON")
        return reader

    def _open(self, mode: str, busy_timeout_s: float | None = None) -> Reader:
        if self.path in _inherited:
            raise StoreUnavailableError(f"{self.path} was in use when this process was forked; only others can use it")
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?{mode}",
            uri=True,
            timeout=self._busy_timeout_s if busy_timeout_s is None else busy_timeout_s,
            isolation_level=None,
            check_same_thread=False,
            factory=Reader,
        )
        self._opened.append(connection)
        return connection

    def _put_back(self, reader: Reader, idle: list[Reader]) -> None:
        if idle is self._idle and len(idle) < _MAX_IDLE_READERS and not self._is_closed:
            idle.append(reader)
        elif reader in self._opened:  # else it is the parent process's
            self._discard(reader)

    def _discard(self, connection: sqlite3.Connection) -> None:
        with suppress(ValueError):  # a fork was faster
            self._opened.remove(connection)
        connection.close()


def _close_all(connections: list[sqlite3.Connection]) -> None:
    for connection in connections:
        connection.close()
