"""The file that a path names: making it, and telling it from another that has taken its place.

SQLite goes on with the file that it has opened. When somebody deletes that, or moves another one there, all that is
written from then on is in a file without a name, and gone with the process.
"""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, TypeAlias

from otel_agenttrace.errors import StoreUnavailableError
from otel_agenttrace.private import make_private_directory
from otel_agenttrace.stores.sql.errors import is_busy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FileId: TypeAlias = tuple[int, int]
"""Device and inode. No other file has it as long as this one is open, deleted or not."""

_COMPANIONS = ("-wal", "-shm")


def file_id(path: Path | str) -> FileId | None:
    """Which file a path names; None if none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a third quicker, and done for each transaction
    except OSError:
        return None
    return found.st_dev, found.st_ino


def create_file(path: Path) -> None:
    """Make the file and its folder where they are missing; spans are nobody else's business.

    Raises:
        StoreUnavailableError: that cannot be done.
    """
    try:
        make_private_directory(path.parent)
        # One that is there is never opened: closing it would take from SQLite the locks that this process has on it
        # (https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_).
        os.close(os.open(os.path.realpath(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        if not path.is_file():
            raise StoreUnavailableError(f"{path} cannot be created: {error.strerror}") from error


def is_writable(path: Path) -> bool:
    """Whether this process may write to a file, or make files in a folder."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def companions(writer: sqlite3.Connection, path: Path) -> dict[Path, FileId]:
    """The write-ahead log and its index, which SQLite finds by their names, beside the file of a connection."""
    writer.execute("SELECT count(*) FROM sqlite_master").fetchone()  # makes them
    paths = (path.with_name(path.name + suffix) for suffix in _COMPANIONS)
    return {each: found for each in paths if (found := file_id(each)) is not None}


def clear_away(writer: sqlite3.Connection, known: Mapping[Path, FileId]) -> None:
    """Remove the companions that are left of a file which was taken away without them.

    Whoever opened another file of its name would take them for its own. What the log holds is first moved to where
    the file is now: all of it, as a part would leave that file damaged.

    Args:
        writer: a connection to the file, in no transaction.
        known: the companions as they were while the file had its name.

    Raises:
        sqlite3.OperationalError: somebody still reads or writes the file, and `is_busy`.
    """
    if not _left(known):
        return
    try:
        _empty_log(writer)
        # Who comes second finds them removed, or new ones, and leaves those alone.
        writer.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if is_busy(error):
            raise
    try:
        for path in _left(known):
            path.unlink(missing_ok=True)
    finally:
        if writer.in_transaction:
            writer.execute("ROLLBACK")


def _empty_log(writer: sqlite3.Connection) -> None:
    ((is_locked, _, _),) = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if is_locked:
        raise sqlite3.OperationalError("what was in its place before is locked")


def _left(known: Mapping[Path, FileId]) -> list[Path]:
    return [path for path, id_ in known.items() if file_id(path) == id_]
