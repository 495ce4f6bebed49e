"""SIGKILL at any moment: every record whose append had returned is there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.spool.adoption import adopt
from otel_agenttrace.spool.directory import list_logs
from otel_agenttrace.spool.reader import read
from otel_agenttrace.spool.status import read_status
from otel_agenttrace.testing.spool import number_of

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 36
THREADS = 4

AGENT = """
import os, sys, threading
from pathlib import Path
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.testing.spool import make_serialized

THREADS = 4
spool_dir, durability, pipe = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
log = SpoolLog(SpoolConfig(spool_dir, durability, segment_bytes=1 << 16))

def work(number):
    while True:
        if log.append(Kind.SPAN, make_serialized(number, size=number % 3000)) is not None:
            os.write(pipe, b"%d\\n" % number)  # the record outside: only after append has returned
        number += THREADS

if sys.argv[4] == "forked":
    for child in range(THREADS - 1):
        if os.fork() == 0:
            work(child + 1)
    work(0)
for thread in range(THREADS):
    threading.Thread(target=work, args=(thread,)).start()
"""


def reported_until_killed(spool_dir: Path, durability: str, workers: str, reports: int) -> set[int]:
    """Run an agent until it has reported so many records, and kill it with all its children; what it reported."""
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", AGENT, str(spool_dir), durability, str(writer), workers],
        pass_fds=[writer],
        start_new_session=True,
    )
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        reported = [pipe.readline() for _ in range(reports)]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        reported += pipe.readlines()
    return {int(line) for line in reported if line.endswith(b"\n")}


def recovered(spool_dir: Path) -> list[int]:
    """The numbers of all records in the logs of the dead, which are removed."""
    found: list[int] = []
    while list_logs(spool_dir):  # a worker that was killed may take its time to end
        for adopted in adopt(spool_dir):
            adopted.repair()
            found += [number_of(entry.span) for entry in read(adopted.path, is_dead=True)]
            assert adopted.remove()
    return found


@pytest.mark.parametrize(("durability", "kills"), [("process", KILLS), ("power", 6)])
def test_no_kill_costs_an_acknowledged_record(spool_dir: Path, durability: str, kills: int) -> None:
    """Agents of four threads are killed again and again, anywhere in their first thousands of records."""
    chance = random.Random(20)  # noqa: S311 - any moments will do
    acknowledged = 0
    for _ in range(kills):
        reported = reported_until_killed(spool_dir, durability, "threads", chance.randrange(1, 2500))
        found = recovered(spool_dir)
        assert reported <= set(found)
        assert len(found) == len(set(found))
        acknowledged += len(reported)
    assert acknowledged > kills * 100


def test_forked_workers_are_killed_too(spool_dir: Path) -> None:
    """As a pre-forking server is: each worker has a log, and all of them are whole."""
    chance = random.Random(21)  # noqa: S311 - as above
    for _ in range(8):
        reported = reported_until_killed(spool_dir, "process", "forked", chance.randrange(1, 2500))
        found = recovered(spool_dir)
        assert reported <= set(found)
        assert len(found) == len(set(found))


def test_the_harness_can_fail(spool_dir: Path) -> None:
    """With `batch` the same kills lose records, so that the tests above mean something."""
    lost = 0
    for reports in range(1000, 1010):
        lost += len(reported_until_killed(spool_dir, "batch", "threads", reports) - set(recovered(spool_dir)))
    assert lost > 0


def test_what_a_queue_loses_is_counted(spool_dir: Path) -> None:
    """With `batch` the status says after each kill how many records went with the memory, to the last one."""
    lost = 0
    for reports in range(1000, 1006):
        reported = reported_until_killed(spool_dir, "batch", "threads", reports)
        while (status := read_status(spool_dir)).living:
            pass  # a process that was killed may take its time to end
        missing = len(reported - set(recovered(spool_dir)))
        assert missing <= status.lost_in_queue <= missing + THREADS  # each may have been about to report one more
        lost += missing
    assert lost > 0
