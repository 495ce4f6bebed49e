"""The spool directory: making a log in it, and finding those that are there."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from otel_agenttrace.private import make_private_directory
from otel_agenttrace.spool.about import About, write_about
from otel_agenttrace.spool.ledger import Ledger
from otel_agenttrace.spool.locks import LogLock, is_alive
from otel_agenttrace.spool.nameless import segment_bytes
from otel_agenttrace.spool.names import UNFINISHED_PREFIX, LogName, parse_log_name, parse_segment_name


class NewLog(NamedTuple):
    """A log that was just made, and whose lock is held."""

    path: Path
    name: LogName
    lock: LogLock
    ledger: Ledger


def create_log(spool_dir: Path, about: About, started_unix_nano: int, *, sync: bool = False) -> NewLog:
    """Make the log of this process; nobody sees it before it is whole and locked.

    Raises:
        OSError: it cannot be made.
    """
    make_private_directory(spool_dir)
    name = LogName(max(started_unix_nano, 0), os.getpid(), secrets.token_hex(4))
    draft = spool_dir / f"{UNFINISHED_PREFIX}{name}"
    draft.mkdir(mode=0o700)
    try:
        lock = LogLock.take(draft)
        if lock is None:
            raise FileExistsError(f"{draft} is in use")
        ledger = Ledger(draft)
        write_about(draft, about, sync=sync)
        path = spool_dir / str(name)
        draft.rename(path)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    if sync:
        sync_directory(path)
        sync_directory(spool_dir)
    return NewLog(path, name, lock, ledger)


def sync_directory(path: Path) -> None:
    """Make the entries of a directory survive a power cut.

    Raises:
        OSError: the disk does not promise it.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def list_logs(spool_dir: Path) -> list[Path]:
    """Return the directories of all logs, the earliest started first; none if there is no spool.

    Raises:
        OSError: the directory cannot be read.
    """
    try:
        with os.scandir(spool_dir) as entries:
            found = [
                (name, entry.path)
                for entry in entries
                if (name := parse_log_name(entry.name)) is not None and entry.is_dir(follow_symlinks=False)
            ]
    except FileNotFoundError:
        return []
    return [Path(path) for _, path in sorted(found)]


def has_dead_logs(spool_dir: Path) -> bool:
    """Whether there is the log of a dead process; costs next to nothing where there is none.

    Raises:
        OSError: the directory cannot be read.
    """
    for path in list_logs(spool_dir):
        with suppress(OSError):  # another user's
            if not is_alive(path):
                return True
    return False


def log_bytes(log_dir: Path) -> int:
    """What the segments of a log take of the disk, in bytes."""
    total = 0
    with suppress(OSError), os.scandir(log_dir) as entries:
        for entry in entries:
            if parse_segment_name(entry.name) is not None:
                with suppress(OSError):  # just removed
                    total += segment_bytes(entry.path)
    return total
