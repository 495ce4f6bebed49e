"""Files, read so that what is wrong with one is a finding: missing, no file, too large, changing while it is read."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from otel_agenttrace.workflow.checks.bounds import DEFAULT_BOUNDS, Bounds, in_words
from otel_agenttrace.workflow.checks.checksums import Checksum, new_hash
from otel_agenttrace.workflow.checks.findings import Finding, FindingError, finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")

_CHUNK_BYTES = 1024 * 1024
_LABEL_CHARS = 300
_CLOCK_STEP_NS = 2 * 10**9
"""The coarsest clock of a file system, FAT's. A change within one step of it may leave no trace in the times."""

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def hash_file(
    path: str | os.PathLike[str],
    algorithm: str = "sha256",
    *,
    name: str | None = None,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> Checksum:
    """The checksum of a file as it is now, read piece by piece.

    Args:
        path: the file.
        algorithm: one of `DIGEST_CHARS`.
        name: what verdicts call the file; its path if not given.
        bounds: `hashed_bytes` is the largest file that is read.

    Raises:
        FindingError: it is missing, no file, unreadable, too large, or changed while it was read.
        ValueError: the algorithm is not accepted.
    """
    new_hash(algorithm)

    def digest(chunks: Iterator[bytes]) -> str:
        hasher = new_hash(algorithm)
        for chunk in chunks:
            hasher.update(chunk)
        return hasher.hexdigest()

    return Checksum(algorithm, _read_steadily(Path(path), name, bounds.hashed_bytes, "hashed", digest))


def read_file(path: str | os.PathLike[str], *, name: str | None = None, bounds: Bounds = DEFAULT_BOUNDS) -> bytes:
    """The bytes of a document, at most `document_bytes`.

    Raises:
        FindingError: it is missing, no file, unreadable, too large, or changed while it was read.
    """
    return _read_steadily(Path(path), name, bounds.document_bytes, "read as a document", b"".join)


def modified_unix_nano(path: str | os.PathLike[str], *, name: str | None = None) -> int:
    """When a file was last written, in nanoseconds since the Unix epoch.

    Raises:
        FindingError: it is missing, no file, or cannot be looked at.
    """
    label = _label(path, name)
    try:
        found = Path(path).stat()
    except (OSError, ValueError) as error:
        raise _unreadable(label, error) from error
    _demand_file(found, label)
    return found.st_mtime_ns


def list_files(root: str | os.PathLike[str], *, bounds: Bounds = DEFAULT_BOUNDS) -> list[str]:
    """The names of all files below a folder, sorted, with `/` between their parts; links to folders are not entered.

    Whatever is no folder counts as a file, a broken link too: it lies there.

    Raises:
        FindingError: the folder, or one below it, is missing or cannot be read; or there are more than `files` in it.
    """
    folder = Path(root)
    found: list[str] = []
    waiting = [""]
    while waiting:
        below = waiting.pop()
        try:
            with os.scandir(folder / below) as entries:
                for entry in entries:
                    name = f"{below}/{entry.name}" if below else entry.name
                    (waiting if entry.is_dir(follow_symlinks=False) else found).append(name)
                    if len(found) + len(waiting) > bounds.files:
                        raise FindingError(_too_many(folder, bounds.files))
        except (OSError, ValueError) as error:
            raise _unreadable(str(folder / below), error, "folder") from error
    return sorted(found)


def _read_steadily(path: Path, name: str | None, limit: int, use: str, consume: Callable[[Iterator[bytes]], _T]) -> _T:
    """What `consume` makes of a file, if that is the same before, while and after it was read."""
    label = _label(path, name)
    result, seen = _read_once(path, label, limit, use, consume)
    if max(seen.st_mtime_ns, seen.st_ctime_ns) > time.time_ns() - _CLOCK_STEP_NS:
        # Written just now: another write within the same step of the clock shows in the bytes alone.
        again, seen_again = _read_once(path, label, limit, use, consume)
        if again != result or _identity(seen_again) != _identity(seen):
            raise _changed(label)
    return result


def _read_once(
    path: Path, label: str, limit: int, use: str, consume: Callable[[Iterator[bytes]], _T]
) -> tuple[_T, os.stat_result]:
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise _unreadable(label, error) from error
    try:
        before = os.fstat(descriptor)
        _demand_file(before, label)
        if before.st_size > limit:
            raise _too_large(label, before.st_size, limit, use)
        result = consume(_chunks(descriptor, before.st_size))
        after = os.fstat(descriptor)
    except OSError as error:
        raise _unreadable(label, error) from error
    finally:
        os.close(descriptor)
    try:
        now = path.stat()
    except OSError as error:  # removed, or moved away
        raise _changed(label) from error
    if not _identity(before) == _identity(after) == _identity(now):
        raise _changed(label)
    return result, before


def _chunks(descriptor: int, size_bytes: int) -> Iterator[bytes]:
    """All of a file; of one that grows no more than one piece beyond its size, or its end might never come."""
    read_bytes = 0
    while read_bytes <= size_bytes and (chunk := _read(descriptor, _CHUNK_BYTES)):
        read_bytes += len(chunk)
        yield chunk


def _read(descriptor: int, size_bytes: int) -> bytes:
    return os.read(descriptor, size_bytes)


def _label(path: str | os.PathLike[str], name: str | None) -> str:
    """What verdicts call a file; of a very long name its end, which tells files apart."""
    label = name or os.fspath(path)
    return label if len(label) <= _LABEL_CHARS else f"…{label[1 - _LABEL_CHARS :]}"


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _demand_file(found: os.stat_result, label: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a device, pipe or socket"
        problem = f"{label} is {kind}, a file is expected"
        raise FindingError(finding(problem, f"put a file at {label}, or correct the path", "file", label))


def _unreadable(label: str, error: Exception, kind: str = "file") -> FindingError:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        problem, action = f"the {kind} {label} is missing", f"make or restore {label}, or correct the path"
    else:
        why = getattr(error, "strerror", None) or str(error)
        problem, action = f"the {kind} {label} cannot be read: {why}", f"make {label} readable, or correct the path"
    return FindingError(finding(problem, action, "file", label))


def _changed(label: str) -> FindingError:
    problem = f"the file {label} changed while it was read"
    return FindingError(finding(problem, f"check again when nothing writes to {label} any more", "file", label))


def _too_large(label: str, size_bytes: int, limit: int, use: str) -> FindingError:
    problem = f"the file {label} has {size_bytes} bytes, more than the {in_words(limit)} that are {use}"
    return FindingError(finding(problem, f"make {label} smaller, or check it with wider bounds", "file", label))


def _too_many(folder: Path, limit: int) -> Finding:
    problem = f"the folder {folder} has more than the {limit} files that are looked at"
    return finding(problem, f"check a folder below {folder}, or with wider bounds", "count", str(folder))
