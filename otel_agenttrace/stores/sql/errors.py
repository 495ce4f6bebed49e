"""The driver's exceptions -> ours, in one place."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from otel_agenttrace.errors import (
    DecodeError,
    StoreDamagedError,
    StoreError,
    StoreRejectedError,
    StoreUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OURS_TO_REJECT = (
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.NotSupportedError,
    sqlite3.ProgrammingError,
    OverflowError,
    UnicodeEncodeError,
)
"""What is wrong with the values of a call, not with the file: the same call always fails."""


@contextmanager
def mapped_errors(path: Path) -> Iterator[None]:
    """Turn what goes wrong with the file at `path` into a StoreError that names it."""
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeError, DecodeError) as error:
        raise store_error(error, path) from error


def store_error(error: Exception, path: Path) -> StoreError:
    """The StoreError that says what an exception means for whoever called the store."""
    if isinstance(error, _OURS_TO_REJECT):
        return StoreRejectedError(f"{path}: {error}")
    if is_file_damage(error) or isinstance(error, DecodeError):
        if "not a database" in str(error):
            return StoreRejectedError(f"{path} is not an SQLite database")
        return StoreDamagedError(f"{path} is damaged: {error}")
    if "readonly" in str(error):
        return StoreUnavailableError(f"{path} is read-only")
    return StoreUnavailableError(f"{path}: {error}")


def is_busy(error: sqlite3.OperationalError) -> bool:
    """Whether another process, or another connection, has locked the file for the moment."""
    return "locked" in str(error) or "busy" in str(error)


def is_file_damage(error: BaseException | None) -> bool:
    """Whether the error says that a file is not what SQLite wrote."""
    # Python 3.10 has no `sqlite_errorcode`; corruption is the one thing it raises as a plain DatabaseError. Texts that
    # are no UTF-8 are in damaged files, or in SQLite's words about them.
    return type(error) is sqlite3.DatabaseError or isinstance(error, UnicodeDecodeError)
