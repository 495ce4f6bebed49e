"""Reading files: what is wrong with one is a finding, and a change while it is read is seen."""

from __future__ import annotations

import hashlib
import os
import threading
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.workflow.checks import Bounds, FindingError, files, hash_file, list_files
from otel_agenttrace.workflow.checks.checksums import DIGEST_CHARS
from otel_agenttrace.workflow.checks.files import modified_unix_nano, read_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONG_AGO_NS = 10**18


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of 11 bytes that was last written long ago."""
    path = tmp_path / "contract.json"
    path.write_bytes(b'{"gaps": 3}')
    os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))
    return path


@pytest.mark.parametrize("algorithm", DIGEST_CHARS)
def test_a_file_is_hashed_with_each_algorithm(file: Path, algorithm: str) -> None:
    """The checksum is that of the file's bytes, with as many digits as the algorithm has."""
    checksum = hash_file(file, algorithm)

    assert str(checksum) == f"{algorithm}:{hashlib.new(algorithm, file.read_bytes()).hexdigest()}"
    assert len(checksum.digest) == DIGEST_CHARS[algorithm]


def test_a_file_of_many_pieces_is_hashed_whole(tmp_path: Path) -> None:
    """A file larger than one piece has the checksum of all its bytes."""
    path = tmp_path / "large.bin"
    path.write_bytes(b"0123456789abcdef" * 150_000)

    assert hash_file(path).digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_another_algorithm_is_a_mistake_of_the_caller(file: Path) -> None:
    """An algorithm that is not accepted is a ValueError that names those that are."""
    with pytest.raises(ValueError, match="'md5' is not one of sha256, sha384, sha512, blake2b, blake2s"):
        hash_file(file, "md5")


def _folder(path: Path) -> Path:
    (path / "folder").mkdir()
    return path / "folder"


def _pipe(path: Path) -> Path:
    os.mkfifo(path / "pipe")
    return path / "pipe"


def _loop(path: Path) -> Path:
    (path / "loop").symlink_to("loop")
    return path / "loop"


def _below_a_file(path: Path) -> Path:
    (path / "file").write_text("")
    return path / "file" / "below"


ODD_FILES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda path: path / "nosuch", "the file .*nosuch is missing"),
    "below a file": (_below_a_file, "the file .*below is missing"),
    "folder": (_folder, "folder is a folder, a file is expected"),
    "pipe": (_pipe, "pipe is a device, pipe or socket, a file is expected"),
    "loop of links": (_loop, "loop cannot be read: Too many levels of symbolic links"),
    "name too long": (lambda path: path / ("x" * 5000), "cannot be read: File name too long"),
    "no name": (lambda path: path / "a\0b", "cannot be read: embedded null"),
}


@pytest.mark.parametrize(("make", "verdict"), ODD_FILES.values(), ids=ODD_FILES.keys())
@pytest.mark.parametrize("read", [hash_file, read_file])
def test_what_cannot_be_read_is_a_finding(
    tmp_path: Path, read: Callable[[Path], object], make: Callable[[Path], Path], verdict: str
) -> None:
    """A file that is missing, none, or unreadable is named with the reason, and with what to do; a pipe never waits."""
    path = make(tmp_path)

    with pytest.raises(FindingError, match=verdict) as caught:
        read(path)

    assert caught.value.finding.action
    assert caught.value.outcome.result == "fail"
    assert caught.value.outcome.reason == caught.value.finding.problem
    assert caught.value.outcome.evidence[0].type == "file"


@pytest.mark.parametrize("make", [make for make, _ in ODD_FILES.values()])
def test_the_time_of_what_is_no_file_is_a_finding(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    """There is a time of real files only."""
    with pytest.raises(FindingError):
        modified_unix_nano(make(tmp_path))


def test_the_time_of_a_file_is_when_it_was_written(file: Path) -> None:
    """It is told in nanoseconds since the Unix epoch."""
    assert modified_unix_nano(file) == LONG_AGO_NS


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    """A file beyond the bound is refused with its size and the bound, before it is read; both bounds hold."""
    path = tmp_path / "huge.bin"
    with path.open("wb") as stream:
        stream.truncate(2**40)

    with pytest.raises(FindingError, match="has 1099511627776 bytes, more than the 1 GiB that are hashed"):
        hash_file(path)
    with pytest.raises(FindingError, match="has 1099511627776 bytes, more than the 8 MiB that are read as a document"):
        read_file(path)


def test_a_file_may_be_as_large_as_the_bound(file: Path) -> None:
    """The bound itself is within it, one byte more is not."""
    assert hash_file(file, bounds=Bounds(hashed_bytes=11))
    assert read_file(file, bounds=Bounds(document_bytes=11)) == b'{"gaps": 3}'
    with pytest.raises(FindingError, match="has 11 bytes, more than the 10 bytes"):
        hash_file(file, bounds=Bounds(hashed_bytes=10))


def _append(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"more")


def _rewrite(path: Path) -> None:
    path.write_bytes(b'{"gaps": 4}')


def _rewrite_in_secret(path: Path) -> None:
    _rewrite(path)
    os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))


def _replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(LONG_AGO_NS, LONG_AGO_NS))
    other.replace(path)


@pytest.mark.parametrize("change", [_append, _rewrite, _rewrite_in_secret, _replace, os.unlink])
@pytest.mark.parametrize("read", [hash_file, read_file])
def test_a_change_while_a_file_is_read_is_seen(
    file: Path, monkeypatch: pytest.MonkeyPatch, read: Callable[[Path], object], change: Callable[[Path], None]
) -> None:
    """A file that grows, is written, replaced or removed between two reads is not told as if it had been one file."""
    changes = [change]

    def read_then_change(descriptor: int, size_bytes: int) -> bytes:
        chunk = os.read(descriptor, size_bytes)
        if changes:
            changes.pop()(file)
        return chunk

    monkeypatch.setattr(files, "_read", read_then_change)

    with pytest.raises(FindingError, match=r"contract\.json changed while it was read") as caught:
        read(file)

    assert "check again when nothing writes to" in caught.value.finding.action


def test_a_file_that_was_just_written_is_read_twice(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within one step of the clock two writes have the same time, so bytes are compared with bytes."""
    found = file.stat()
    reads = iter([b"first", b"", b"other", b""])
    monkeypatch.setattr(files, "_read", lambda *_: next(reads))
    monkeypatch.setattr("time.time_ns", lambda: max(found.st_mtime_ns, found.st_ctime_ns) + 1)

    with pytest.raises(FindingError, match="changed while it was read"):
        read_file(file)


def test_a_file_that_was_written_long_ago_is_read_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then its times would show any change, and reading it again would cost as much as reading it."""
    found = file.stat()
    reads = iter([b"first", b""])
    monkeypatch.setattr(files, "_read", lambda *_: next(reads))
    monkeypatch.setattr("time.time_ns", lambda: found.st_ctime_ns + 10 * 10**9)

    assert read_file(file) == b"first"


def test_a_file_that_never_ends_is_given_up(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that is faster than the reader does not keep it for ever."""

    def append_then_read(descriptor: int, size_bytes: int) -> bytes:
        _append(file)
        return os.read(descriptor, size_bytes)

    monkeypatch.setattr(files, "_read", append_then_read)
    monkeypatch.setattr(files, "_CHUNK_BYTES", 4)

    with pytest.raises(FindingError, match="changed while it was read"):
        hash_file(file)


def test_a_real_writer_beside_a_real_reader_is_seen(tmp_path: Path) -> None:
    """A thread that goes on writing while the file is hashed fails the reading, without any staging."""
    path = tmp_path / "log.bin"
    with path.open("wb") as stream:
        stream.truncate(32 * 1024 * 1024)
    is_over, has_written = threading.Event(), threading.Event()

    def write() -> None:
        with path.open("r+b", buffering=0) as stream:
            while not is_over.is_set():
                stream.seek(0)
                stream.write(os.urandom(8))
                has_written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert has_written.wait(10)
        with pytest.raises(FindingError, match="changed while it was read"):
            hash_file(path)
    finally:
        is_over.set()
        writer.join()


def test_all_files_of_a_folder_are_listed(tmp_path: Path) -> None:
    """Names are relative, sorted, with slashes; links to folders are not entered, and broken ones are listed."""
    (tmp_path / "b" / "deep").mkdir(parents=True)
    for name in ("b/deep/x", "a", "b/y"):
        (tmp_path / name).write_text(name)
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / "broken").symlink_to("nosuch")

    assert list_files(tmp_path) == ["a", "b/deep/x", "b/y", "broken", "up"]


def test_a_folder_that_cannot_be_listed_is_a_finding(tmp_path: Path) -> None:
    """A folder that is missing or a file is named, and one with too many files is not listed in part."""
    (tmp_path / "a").write_text("")
    (tmp_path / "b").write_text("")

    with pytest.raises(FindingError, match=r"the folder .*nosuch is missing"):
        list_files(tmp_path / "nosuch")
    with pytest.raises(FindingError, match=r"the folder .*a is missing"):
        list_files(tmp_path / "a")
    with pytest.raises(FindingError, match="more than the 1 files that are looked at"):
        list_files(tmp_path, bounds=Bounds(files=1))
