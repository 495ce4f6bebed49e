"""Transactions of one connection, as blocks that end them in any case."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Keep others from writing; commit if the block ends well, else roll back."""
    connection.execute("BEGIN IMMEDIATE")
    with completed(connection):
        yield


@contextmanager
def completed(connection: sqlite3.Connection) -> Iterator[None]:
    """End the transaction that has begun: commit if the block ends well, else roll back."""
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """See one state of the file in the block."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextmanager
def reported(on_failure: Callable[[], None] | None) -> Iterator[None]:
    """Call something if the block does not end well."""
    try:
        yield
    except BaseException:
        if on_failure is not None:
            on_failure()
        raise
