"""Disks that are full, read-only, or somebody else's: nothing is raised, all is counted, and what was taken is kept."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.losses import LossLog
from otel_agenttrace.spool.about import About, read_about
from otel_agenttrace.spool.adoption import adopt
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.directory import list_logs, log_bytes
from otel_agenttrace.spool.drained import Drained
from otel_agenttrace.spool.draining import drain
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.history import note_removed
from otel_agenttrace.spool.ledger import read_ledger
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.reader import LogReader, read
from otel_agenttrace.spool.removal import remove_segments
from otel_agenttrace.spool.status import read_status
from otel_agenttrace.testing.programs import run_program
from otel_agenttrace.testing.spool import make_serialized, number_of
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode, names_of, serialized

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_agenttrace.spool.damage import Damage

IS_ROOT = os.geteuid() == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", str(disk)]
    if not IS_ROOT or subprocess.run(mounting, check=False, capture_output=True).returncode:
        pytest.skip("needs to mount a small file system, as root")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def refuse_damage(damage: Damage) -> None:
    """For logs in which nothing is wrong."""
    raise AssertionError(str(damage))


def test_a_full_disk_refuses_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    """Half-written records leave no trace; what was taken before and after is all there, and the rest is counted."""
    spool = SpoolLog(SpoolConfig(small_disk / "spool", segment_bytes=1 << 15))
    hog = small_disk / "hog"
    hog.write_bytes(bytes(60_000))
    taken: list[int] = []
    refused = 0
    for number in range(400):
        if number == 300:
            hog.unlink()
        if spool.append(Kind.SPAN, make_serialized(number, size=1000)) is None:
            refused += 1
        else:
            taken.append(number)
    (log,) = spool.logs
    ledger = read_ledger(log)

    assert refused
    assert taken[-1] > 300
    assert spool.losses.counts["spool"] == refused
    assert ledger is not None
    assert ledger["refused_disk"] == refused
    assert [number_of(entry.span) for entry in read(log, tell=refuse_damage)] == taken


def test_a_disk_that_is_full_from_the_beginning(small_disk: Path) -> None:
    """No log can be made; counts wait in memory until there is room, and nothing half-made stays."""
    (small_disk / "hog").write_bytes(bytes(256 * 1024))
    spool = SpoolLog(SpoolConfig(small_disk / "spool"))
    assert not spool.open()
    assert [spool.append(Kind.SPAN, make_serialized(number)) for number in range(3)] == [None] * 3
    assert spool.counts["refused_disk"] == 3
    (small_disk / "hog").unlink()
    spool._logs[0]._next_opening = 0  # as if a second had passed
    assert spool.append(Kind.SPAN, make_serialized(3)) == 1
    (log,) = (small_disk / "spool").iterdir()

    ledger = read_ledger(log)
    assert ledger is not None
    assert ledger["refused_disk"] == 3


def test_it_is_known_when_records_were_refused(tmp_path: Path) -> None:
    """The first and the last time, by the process's clock: in the status, and in the history once the log is gone."""
    times = iter(range(10**18, 10**18 + 10_000))
    spool = SpoolLog(SpoolConfig(tmp_path, max_bytes=8192), About(targets=()), clock=lambda: next(times))
    assert spool.append(Kind.SPAN, make_serialized(1)) == 1
    assert read_status(tmp_path).refusal_times is None
    refused = [spool.append(Kind.SPAN, make_serialized(2, size=3000)) for _ in range(5)]
    status = read_status(tmp_path)
    (path,) = spool.logs
    note_removed(path)
    spool.retire(path, 1)

    assert refused == [None] * 5
    assert status.refusal_times is not None
    first, last = status.refusal_times
    assert 10**18 < first < last < next(times)
    assert last - first == 4
    assert read_status(tmp_path).refusal_times == (first, last)


def test_times_of_refusals_are_in_order(tmp_path: Path) -> None:
    """Even by a clock that jumps back."""
    times = iter([9000, 8000, 7000, 10_000, *[3000] * 10])
    spool = SpoolLog(SpoolConfig(tmp_path, max_bytes=8192), clock=lambda: next(times))
    assert [spool.append(Kind.SPAN, make_serialized(2, size=3000)) for _ in range(4)] == [None] * 4
    found = read_status(tmp_path).refusal_times

    assert found is not None
    assert found.first_unix_nano <= found.last_unix_nano


def test_times_of_refusals_wait_for_a_disk_with_room(small_disk: Path) -> None:
    """They are written with the first log that can be made."""
    (small_disk / "hog").write_bytes(bytes(256 * 1024))
    spool = SpoolLog(SpoolConfig(small_disk / "spool"))
    assert [spool.append(Kind.SPAN, make_serialized(number)) for number in range(3)] == [None] * 3
    (small_disk / "hog").unlink()
    spool._logs[0]._next_opening = 0  # as if a second had passed
    assert spool.append(Kind.SPAN, make_serialized(3)) == 1
    times = read_status(small_disk / "spool").refusal_times

    assert times is not None
    assert times.first_unix_nano < times.last_unix_nano


def test_a_disk_that_becomes_read_only(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    """New records are refused; those that are there can be read, if not removed."""
    spool = SpoolLog(SpoolConfig(small_disk))
    spool.append(Kind.SPAN, make_serialized(1))
    (log,) = spool.logs
    del spool  # a file that is open for writing would hold up the change
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    later = SpoolLog(SpoolConfig(small_disk))

    assert later.append(Kind.SPAN, make_serialized(2)) is None
    assert f"no log can be made in {small_disk}: Read-only file system" in caplog.text
    assert list(adopt(small_disk)) == []
    assert "cannot be adopted" in caplog.text
    assert [entry.seq for entry in read(log)] == [1]


def test_a_full_disk_is_emptied_by_delivering(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not even the places of the targets can be written; a dead log is delivered and goes all the same."""
    spool = SpoolLog(SpoolConfig(small_disk / "spool"), About(targets=("store:s",)))
    append_spans(spool, range(20))
    del spool
    with suppress(OSError):
        (small_disk / "hog").write_bytes(bytes(1 << 20))
    store = ListTarget("store:s")

    assert drain(small_disk / "spool", [store], decode, LossLog(), 20) == Drained(1, 0)
    assert store.names == names_of(range(20))
    assert list_logs(small_disk / "spool") == []
    assert "No space left on device" in caplog.text


def test_spans_are_not_ended_by_halves(small_disk: Path) -> None:
    """Where the disk has no room for the ends of open spans nothing is added, and the log waits for another time."""
    spool = SpoolLog(SpoolConfig(small_disk / "spool"), About(targets=("list",)))
    for number in range(50):
        spool.append(Kind.START, serialized(number, end_time_unix_nano=None))
    del spool
    with suppress(OSError):
        (small_disk / "hog").write_bytes(bytes(1 << 20))
    target = ListTarget()
    assert drain(small_disk / "spool", [target], decode, LossLog(), 20) == Drained(0, 1)
    assert target.names == []
    (small_disk / "hog").unlink()

    assert drain(small_disk / "spool", [target], decode, LossLog(), 20) == Drained(1, 0)
    assert target.names == names_of(range(50))


def test_an_about_that_cannot_be_written_leaves_the_old_one(small_disk: Path) -> None:
    """It is written as a whole or not at all, and told."""
    spool = SpoolLog(SpoolConfig(small_disk / "spool"), About(service_name="old"))
    assert spool.open()
    (path,) = spool.logs
    with suppress(OSError):
        (small_disk / "hog").write_bytes(bytes(1 << 20))
    spool.describe(About(service_name="new" * 2000))
    about = read_about(path)

    assert about is not None
    assert about.service_name == "old"
    assert not (path / "about.json.new").exists()


def test_writes_that_are_cut_short(tmp_path: Path) -> None:
    """A limit on file sizes makes writes short, then fail; each record is whole or not there."""
    run_program(
        tmp_path,
        """
        import resource
        from pathlib import Path
        from otel_agenttrace.spool.config import SpoolConfig
        from otel_agenttrace.spool.frames import Kind
        from otel_agenttrace.spool.log import SpoolLog
        from otel_agenttrace.spool.reader import read
        from otel_agenttrace.testing.spool import make_serialized, number_of

        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
        log = SpoolLog(SpoolConfig(Path("spool")))
        sizes = [900] * 60 + [10] * 20
        taken = [n for n, size in enumerate(sizes) if log.append(Kind.SPAN, make_serialized(n, size=size)) is not None]
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        taken += [n for n in range(100, 110) if log.append(Kind.SPAN, make_serialized(n)) is not None]

        def refuse(damage):
            raise AssertionError(str(damage))

        (path,) = log.logs
        assert [number_of(entry.span) for entry in read(path, tell=refuse)] == taken
        assert taken[-10:] == list(range(100, 110))
        assert 30 < len(taken) < 80
        assert log.counts["refused_disk"] == 90 - len(taken)
        """,
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


@pytest.fixture
def not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have records written by `os.write`, which a test may replace."""
    monkeypatch.setattr("otel_agenttrace.spool.held_writes._write", None)


@pytest.mark.usefixtures("not_held")
def test_what_cannot_be_cut_back_is_left_behind(spool_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next record begins a new segment, also where the torn one has none at all."""
    write, real = os.write, os.ftruncate

    def refuse(*_: int) -> None:
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr(os, "ftruncate", refuse)
    spool = SpoolLog(SpoolConfig(spool_dir))
    assert spool.open()
    for number in range(6):
        if number % 3 == 0:
            monkeypatch.setattr(
                os, "write", lambda fd, data: write(fd, data[:50]) if len(data) > 100 else write(fd, data)
            )
        spool.append(Kind.SPAN, make_serialized(number, size=200))
        monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "ftruncate", real)
    (log,) = spool.logs
    reader = LogReader(log, is_dead=True)

    assert [number_of(entry.span) for entry in reader.entries()] == [1, 2, 4, 5]
    assert reader.missing_count == 0
    assert len(list(log.glob("*.seg"))) == 3


@pytest.mark.usefixtures("not_held")
def test_a_disk_that_hangs_holds_up_all_threads(spool: SpoolLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that come while a record is being written wait for as long as that takes, and then write theirs."""
    spool.append(Kind.SPAN, make_serialized(0))
    write, hangs, goes_on = os.write, threading.Event(), threading.Event()

    def hang(fd: int, data: bytes) -> int:
        hangs.set()
        goes_on.wait()
        return write(fd, data)

    monkeypatch.setattr(os, "write", hang)
    threads = [
        threading.Thread(target=spool.append, args=(Kind.SPAN, make_serialized(number))) for number in range(1, 4)
    ]
    threads[0].start()
    hangs.wait()
    for thread in threads[1:]:
        thread.start()
    threads[1].join(0.05)
    assert all(thread.is_alive() for thread in threads)
    goes_on.set()
    for thread in threads:
        thread.join()
    monkeypatch.setattr(os, "write", write)
    (log,) = spool.logs

    assert sorted(number_of(entry.span) for entry in read(log, tell=refuse_damage)) == [0, 1, 2, 3]


@pytest.mark.usefixtures("not_held")
def test_a_write_that_fails_after_all_was_written(spool: SpoolLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number is not given to another record, which a reader would then pass over."""
    write = os.write

    def write_and_fail(fd: int, data: bytes) -> int:
        write(fd, data)
        raise OSError(errno.EIO, "too late")

    spool.append(Kind.SPAN, make_serialized(0))
    monkeypatch.setattr(os, "write", write_and_fail)
    assert spool.append(Kind.SPAN, make_serialized(1)) is None
    monkeypatch.setattr(os, "write", write)
    spool.append(Kind.SPAN, make_serialized(2))
    (log,) = spool.logs

    assert [number_of(entry.span) for entry in read(log, tell=refuse_damage)] == [0, 1, 2]


def test_a_file_in_the_directorys_place(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is told what is wrong, once, and every record is counted."""
    (tmp_path / "spool").write_text("")
    spool = SpoolLog(SpoolConfig(tmp_path / "spool"))
    assert [spool.append(Kind.SPAN, make_serialized(number)) for number in range(5)] == [None] * 5

    assert spool.counts["refused_disk"] == 5
    assert caplog.text.count("no log can be made in") == 1
    assert not spool.logs


@pytest.mark.skipif(not IS_ROOT, reason="only root can be somebody else")
@pytest.mark.parametrize("mode", [0o500, 0o755])
def test_another_users_directory(tmp_path_factory: pytest.TempPathFactory, mode: int) -> None:
    """A directory that we may not write, or not even look into, refuses everything, and adopts nothing."""
    folder = tmp_path_factory.mktemp("users")
    spool_dir = folder / "spool"
    dead = SpoolLog(SpoolConfig(spool_dir))
    dead.open()
    del dead
    spool_dir.chmod(mode)
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(parent.stat().st_mode | 0o055)
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        spool = SpoolLog(SpoolConfig(spool_dir))
        is_right = spool.append(Kind.SPAN, make_serialized(1)) is None and spool.counts["refused_disk"] == 1
        try:
            is_right = is_right and list(adopt(spool_dir)) == []
        except PermissionError:
            is_right = mode == 0o500
        os._exit(0 if is_right else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(IS_ROOT, reason="root may write everywhere")
def test_a_read_only_directory(spool_dir: Path) -> None:
    """Everything is refused and counted."""
    spool_dir.mkdir(parents=True, mode=0o500)
    spool = SpoolLog(SpoolConfig(spool_dir))

    assert spool.append(Kind.SPAN, make_serialized(1)) is None
    assert spool.counts["refused_disk"] == 1


def test_a_reader_beside_a_disk_that_is_full_now_and_then(small_disk: Path) -> None:
    """Whoever reads while records are cut back and others take their place sees each one whole, in order, once."""
    spool = SpoolLog(SpoolConfig(small_disk / "spool", max_bytes=1 << 20, segment_bytes=1 << 15))
    assert spool.open()
    (log,) = spool.logs
    taken: list[int] = []
    is_done = threading.Event()

    def append_many() -> None:
        hog = small_disk / "hog"
        for number in range(3000):
            if number % 100 == 0:
                with suppress(OSError):
                    hog.write_bytes(bytes(1 << 18))
            elif number % 100 == 50:
                hog.unlink()
            if spool.append(Kind.SPAN, make_serialized(number, size=number * 37 % 3000)) is not None:
                taken.append(number)
        is_done.set()

    writer = threading.Thread(target=append_many)
    writer.start()
    reader = LogReader(log, tell=refuse_damage)
    found: list[int] = []
    while not is_done.is_set() or len(found) < len(taken):
        found += [number_of(entry.span) for entry in reader.batch(50)]
        if log_bytes(log) > 1 << 17:
            remove_segments(log, reader.last_seq)
    writer.join()

    assert found == taken
    assert 500 < len(taken) < 3000
