"""What `power` and `batch` do otherwise than `process`."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from otel_agenttrace.spool import syncing
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.ledger import read_ledger
from otel_agenttrace.spool.log import QUEUED, SpoolLog
from otel_agenttrace.spool.reader import read
from otel_agenttrace.testing.programs import run_program
from otel_agenttrace.testing.spool import make_serialized, number_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def numbers(spool: SpoolLog) -> list[int]:
    """The numbers of all spans in the logs of this process."""
    return [number_of(entry.span) for log in spool.logs for entry in read(log)]


def test_power_syncs_before_it_returns(spool_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each append returns after a sync that began when its record was written; segments left behind are synced too."""
    synced: dict[int, int] = {}
    syncs = []

    def sync(fd: int) -> None:
        size = os.fstat(fd).st_size
        os.fsync(fd)
        synced[os.fstat(fd).st_ino] = size
        syncs.append(fd)

    monkeypatch.setattr(syncing, "_sync", sync)
    spool = SpoolLog(SpoolConfig(spool_dir, durability="power", segment_bytes=4096))
    unsynced = []

    def append_many(first: int) -> None:
        for number in range(first, first + 20):
            seq = spool.append(Kind.SPAN, make_serialized(number, size=400)) or 0
            (log,) = spool.logs
            within = sum(synced.get(path.stat().st_ino, 0) for path in log.glob("*.seg"))
            unsynced.extend([seq] if within < seq * 400 else [])

    threads = [threading.Thread(target=append_many, args=(first,)) for first in range(0, 160, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert unsynced == []
    assert sorted(numbers(spool)) == list(range(160))
    writer = spool._logs[0].writer
    assert writer is not None
    assert len(writer.unsynced) == 1


def test_a_disk_that_does_not_promise_is_counted(spool_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record is there and will be delivered; that a power cut may take it is counted and told."""

    def fail(fd: int) -> None:
        raise OSError(5, f"no sync of {fd}")

    monkeypatch.setattr(syncing, "_sync", fail)
    spool = SpoolLog(SpoolConfig(spool_dir, durability="power"))

    assert spool.append(Kind.SPAN, make_serialized(1)) == 1
    assert spool.counts["unsynced"] == 1
    assert spool.losses.total == 0
    assert numbers(spool) == [1]


def test_batch_writes_in_the_background(spool_dir: Path) -> None:
    """Records have no number yet; flush waits for them, close too, and what comes later is written at once."""
    spool = SpoolLog(SpoolConfig(spool_dir, durability="batch"))
    assert [spool.append(Kind.SPAN, make_serialized(number)) for number in range(100)] == [QUEUED] * 100
    assert spool.flush(10)
    assert numbers(spool) == list(range(100))
    spool.append(Kind.SPAN, make_serialized(100))
    assert spool.close(10)
    assert spool.append(Kind.SPAN, make_serialized(101)) == 102
    assert numbers(spool) == list(range(102))
    assert spool.counts["queued"] == 102


def test_a_full_queue_refuses(spool_dir: Path) -> None:
    """What finds no room is counted; it never waits."""
    spool = SpoolLog(SpoolConfig(spool_dir, durability="batch", max_queued=5))
    with spool._lock:  # as if the disk hung
        taken = [spool.append(Kind.SPAN, make_serialized(number)) for number in range(1, 10)]
    assert spool.flush(10)
    assert spool.close(10)

    refused = taken.count(None)
    assert refused in (3, 4)  # one may be on its way
    assert spool.counts["refused_queue_full"] == spool.losses.counts["spool"] == refused
    assert len(numbers(spool)) == 9 - refused


def test_a_queue_is_bounded_in_bytes(spool_dir: Path) -> None:
    """Large spans wait in smaller numbers."""
    spool = SpoolLog(SpoolConfig(spool_dir, durability="batch", max_queued_bytes=1 << 16))
    with spool._lock:
        taken = [spool.append(Kind.SPAN, make_serialized(number, size=1 << 14)) for number in range(10)]
    assert spool.close(10)

    assert taken.count(None) > 5


def test_batch_is_written_at_exit(tmp_path: Path) -> None:
    """A process that ends by itself loses nothing, and needs to call nothing."""
    run_program(
        tmp_path,
        """
        from pathlib import Path
        from otel_agenttrace.spool.config import SpoolConfig
        from otel_agenttrace.spool.frames import Kind
        from otel_agenttrace.spool.log import SpoolLog
        from otel_agenttrace.testing.spool import make_serialized

        class Late:
            def __del__(self):
                log.append(Kind.SPAN, make_serialized(2000))

        log = SpoolLog(SpoolConfig(Path("spool"), durability="batch"))
        late = Late()
        for number in range(2000):
            log.append(Kind.SPAN, make_serialized(number))
        """,
    )
    (log,) = (tmp_path / "spool").iterdir()

    assert [number_of(entry.span) for entry in read(log)] == list(range(2001))
    ledger = read_ledger(log)
    assert ledger is not None
    assert ledger["queued"] == 2001
