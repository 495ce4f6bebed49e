"""The deferred index: full text and attributes of spans, in a file of its own beside the store.

The write path never touches it. A thread of whoever writes, and for a moment whoever searches, take in what has come
since (see `indexing`): rows up to `position` are in, and changes of them up to `change` (see `replaced` in `schema`).
What is not in yet, a search finds without the index. The file may be deleted at any time, and is when it is damaged,
made by another version, or does not belong to the store beside it, as after one of the two was restored from a copy.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from otel_agenttrace.stores.sql.files import file_id
from otel_agenttrace.stores.sql.terms import PAIRS_TOKENIZER, WORDS_TOKENIZER

if TYPE_CHECKING:
    from pathlib import Path

    from otel_agenttrace.stores.sql.connections import Reader

VERSION = 1
"""Of the file, and of what `terms` puts into it: raise it with every change there."""

_SMALL_TAIL = 1_000
"""Spans that are read as quickly as they are indexed."""

_FTS5_OPTIONS = "content = '', detail = none, columnsize = 0"
"""Only which rows a term is in: neither the texts, nor where in them."""

TABLES = (
    "CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    f'CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(text, {_FTS5_OPTIONS}, tokenize = "{WORDS_TOKENIZER}")',
    f'CREATE VIRTUAL TABLE IF NOT EXISTS pairs USING fts5(text, {_FTS5_OPTIONS}, tokenize = "{PAIRS_TOKENIZER}")',
)


class Progress(NamedTuple):
    """How far an index has come: the last row that is in it, and the last change of a row."""

    position: int
    change: int


def index_path(path: Path) -> Path:
    """The file of the index of the store at `path`."""
    return path.with_name(path.name + "-index")


def attach_index(reader: Reader, path: Path | None) -> None:
    """Make the index file at `path`, if there is one, visible to a reader of the store as `idx`."""
    found = None if path is None else file_id(path)
    if reader.attached == found:
        return
    if reader.attached is not None:
        reader.execute("DETACH idx")
        reader.attached = None
    if path is not None and found is not None:
        with suppress(sqlite3.DatabaseError, UnicodeDecodeError):  # searches go without a damaged one, and remove it
            reader.execute("ATTACH ? AS idx", [f"file:{quote(str(path))}?mode=rw"])
            reader.attached = found
            reader.execute("SELECT count(*) FROM idx.sqlite_master").fetchone()


def read_progress(connection: sqlite3.Connection, *, store: str = "main", index: str = "idx") -> Progress | None:
    """How far the index has come; None if there is none that belongs to the store.

    The store is read first, so that whatever is not in the index is still in the store as this transaction sees it.
    """
    state = dict(connection.execute(f"SELECT name, value FROM {store}.state"))
    try:
        kept = dict(connection.execute(f"SELECT name, value FROM {index}.state"))
        progress = Progress(kept["position"], kept["change"])
    except (sqlite3.DatabaseError, UnicodeDecodeError, KeyError):
        return None
    belongs = (
        (kept["version"], kept["index_id"]) == (VERSION, state["index_id"])
        and progress.position < state["next_id"]
        and row_mark(connection, store, progress.position) in (None, kept["mark"])
        and _has_changes_behind(connection, store, progress.change)
    )
    return progress if belongs else None


def row_mark(connection: sqlite3.Connection, store: str, id_: int) -> str | None:
    """What tells a row from another one that has its id in another copy of the store; None if there is none."""
    row = connection.execute(f"SELECT trace_id || span_id FROM {store}.spans WHERE id = ?", [id_]).fetchone()
    return None if row is None else str(row[0])


def _has_changes_behind(connection: sqlite3.Connection, store: str, change: int) -> bool:
    """Whether no change behind that one is missing, as they are when the index is an old copy."""
    row = connection.execute(f"SELECT seq FROM {store}.sqlite_sequence WHERE name = 'replaced'").fetchone()
    last = row[0] if row else 0
    if change >= last:
        return bool(change == last)
    following = connection.execute(f"SELECT 1 FROM {store}.replaced WHERE change = ?", [change + 1])
    return following.fetchone() is not None


def is_far_behind(connection: sqlite3.Connection, progress: Progress | None) -> bool:
    """Whether so much is not in the index that a search had better take it in first."""
    position, change = progress or (0, 0)
    ((found,),) = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM spans WHERE id > ?) OR EXISTS (SELECT 1 FROM replaced WHERE change > ?)",
        [position + _SMALL_TAIL, change + _SMALL_TAIL],
    )
    return bool(found)


def count_behind(connection: sqlite3.Connection, progress: Progress | None) -> int:
    """How many spans the index has not taken in, or not as they are now."""
    ((count,),) = connection.execute(
        "SELECT (SELECT count(*) FROM spans WHERE id > ?) + (SELECT count(DISTINCT id) FROM replaced WHERE change > ?)",
        progress or (0, 0),
    )
    return int(count)
