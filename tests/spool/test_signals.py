"""Signal handlers that append in the middle of an append, or break it off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.spool.directory import list_logs
from otel_agenttrace.spool.reader import read
from otel_agenttrace.testing.programs import run_program
from otel_agenttrace.testing.spool import number_of

if TYPE_CHECKING:
    from pathlib import Path

    from otel_agenttrace.spool.damage import Damage

START = """
import os, signal, sys, threading
from pathlib import Path
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.testing.spool import make_serialized

sizes = {"segment_bytes": 1 << 14, "max_queued": 1 << 20, "max_queued_bytes": 1 << 30}
log = SpoolLog(SpoolConfig(Path("spool"), os.environ["DURABILITY"], **sizes))

def append(number):
    assert log.append(Kind.SPAN, make_serialized(number, size=200)) is not None

def every(seconds, handler):
    # once the one before is done with: handlers may take longer than that
    def handle(*_):
        try:
            handler()
        finally:
            signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, seconds)
"""

RAISING = """
class Stop(BaseException):
    pass

def handler():
    global is_running
    if is_running:
        is_running = False  # here: the next signal may come before anything else is done
        raise Stop
"""


def numbers_in(folder: Path) -> list[int]:
    """The numbers in all logs, of which nothing is damaged or missing."""
    found: list[int] = []
    for log in list_logs(folder / "spool"):
        told: list[Damage] = []
        found += [number_of(entry.span) for entry in read(log, is_dead=True, tell=told.append)]
        assert told == []
    return found


@pytest.mark.parametrize("durability", ["process", "power", "batch"])
def test_a_handler_appends_in_the_middle_of_an_append(tmp_path: Path, durability: str) -> None:
    """Thousands of times, anywhere, beside another thread: every record is there once, and nobody waits for ever."""
    done = run_program(
        tmp_path,
        START
        + """
handled = 0
def handler():
    global handled
    handled += 1
    append(10_000_000 + handled)

def work():
    for number in range(5_000_000, 5_002_000):
        append(number)

thread = threading.Thread(target=work)
thread.start()
every(0.0003, handler)
number = 0
while handled < (200 if os.environ["DURABILITY"] == "power" else 1500):
    append(number)
    number += 1
signal.signal(signal.SIGALRM, signal.SIG_IGN)
thread.join()
log.flush(30)
print(number, handled, len(log.logs))
""",
        {"DURABILITY": durability},
    )
    count, handled, logs = map(int, done.stdout.split())

    assert sorted(numbers_in(tmp_path)) == [
        *range(count),
        *range(5_000_000, 5_002_000),
        *range(10_000_001, 10_000_001 + handled),
    ]
    if durability == "process":
        assert logs > 1  # it did happen in the middle of an append


def test_a_handler_that_raises_breaks_an_append_off(tmp_path: Path) -> None:
    """As Ctrl-C does: what had returned is there, what was broken off is there once or not at all, the rest goes on."""
    done = run_program(
        tmp_path,
        START
        + RAISING
        + """
is_running = False
every(0.0003, handler)
broken = set()
number = 0
while len(broken) < 1500:
    try:
        is_running = True
        append(number)
        is_running = False
    except Stop:
        broken.add(number)
    number += 1
signal.signal(signal.SIGALRM, signal.SIG_IGN)
append(number)
print(number + 1, *broken)
""",
        {"DURABILITY": "process"},
    )
    count, *broken = map(int, done.stdout.split())
    found = numbers_in(tmp_path)

    assert len(found) == len(set(found))
    assert set(range(count)) - set(found) <= set(broken)
    assert any(number in found for number in broken)
    assert any(number not in found for number in broken)


def test_a_handler_that_raises_holds_nobody_up(tmp_path: Path) -> None:
    """Other threads go on, wherever in the middle of an append it raised."""
    run_program(
        tmp_path,
        START
        + RAISING
        + """
def work(lane):
    while not is_done:
        append(1_000_000 * lane + counts[lane])
        counts[lane] += 1

is_running = is_done = False
counts = [0] * 4
threads = [threading.Thread(target=work, args=[lane]) for lane in range(1, 4)]
for thread in threads:
    thread.start()
every(0.0003, handler)
broken = 0
while broken < 1500:
    try:
        is_running = True
        append(counts[0])
        counts[0] += 1
        is_running = False
    except Stop:
        broken += 1
signal.signal(signal.SIGALRM, signal.SIG_IGN)
before = list(counts)
while any(now == then for now, then in zip(counts[1:], before[1:])):
    threads[0].join(0.01)
is_done = True
for thread in threads:
    thread.join()
""",
        {"DURABILITY": "process"},
    )


def test_a_handler_that_appends_and_exits(tmp_path: Path) -> None:
    """A SIGTERM handler that ends its span and leaves at once has both its record and those before it on disk."""
    for _ in range(10):
        done = run_program(
            tmp_path,
            START
            + """
def handler():
    append(10_000_000)
    print(number, flush=True)
    os._exit(0)

number = -1
every(0.001, handler)
while True:
    append(number + 1)
    number += 1
""",
            {"DURABILITY": "process"},
        )
        found = numbers_in(tmp_path)
        count = int(re.findall(r"-?\d+", done.stdout)[0]) + 1
        assert 10_000_000 in found
        assert set(range(count)) <= set(found)
        for log in list_logs(tmp_path / "spool"):
            for path in log.iterdir():
                path.unlink()
            log.rmdir()
