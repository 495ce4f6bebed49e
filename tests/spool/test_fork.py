"""Forked and spawned children: each has a log of its own, and none disturbs its parent's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.spool.directory import list_logs
from otel_agenttrace.spool.names import parse_log_name
from otel_agenttrace.spool.reader import LogReader
from otel_agenttrace.testing.programs import run_program
from otel_agenttrace.testing.spool import number_of

if TYPE_CHECKING:
    from pathlib import Path

START = """
import multiprocessing, os, signal, sys, threading
from pathlib import Path
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.testing.spool import make_serialized

def append(number):
    assert log.append(Kind.SPAN, make_serialized(number)) is not None

log = SpoolLog(SpoolConfig(Path("spool"), durability=os.environ.get("DURABILITY", "process")))
"""


def logs_of(folder: Path) -> dict[int, list[int]]:
    """The numbers in each log without any damage, by the process id in its name."""
    found: dict[int, list[int]] = {}
    for log in list_logs(folder / "spool"):
        reader = LogReader(log, is_dead=True)
        name = parse_log_name(log.name)
        assert name is not None
        found.setdefault(name.pid, []).extend(number_of(entry.span) for entry in reader.entries())
        assert reader.damage_count == 0
    return found


def test_a_child_has_its_own_log(tmp_path: Path) -> None:
    """It begins with the child's first record; the parent's goes on."""
    run_program(
        tmp_path,
        START
        + """
append(1)
for child in (10, 20):
    if os.fork() == 0:
        append(child)
        append(child + 1)
        os._exit(0)
os.wait(), os.wait()
if os.fork() == 0:
    os._exit(0)  # appends nothing, and so has no log
os.wait()
append(2)
""",
    )

    assert sorted(logs_of(tmp_path).values()) == [[1, 2], [10, 11], [20, 21]]


def test_grandchildren_too(tmp_path: Path) -> None:
    """Also of a process that was forked before it had ever appended."""
    run_program(
        tmp_path,
        START
        + """
for number in (1, 2, 3):
    pid = os.fork()
    if pid:
        append(number)
        os.waitpid(pid, 0)
        os._exit(0)
append(4)
""",
    )

    assert sorted(logs_of(tmp_path).values()) == [[1], [2], [3], [4]]


def test_forking_in_the_middle_of_other_threads_appends(tmp_path: Path) -> None:
    """Four threads append while a fifth forks a hundred times; all that any process appended is there, once."""
    run_program(
        tmp_path,
        START
        + """
stop = threading.Event()
def work(first):
    for number in range(first, first + 100_000):
        append(number)
        if stop.is_set():
            break
threads = [threading.Thread(target=work, args=(first,)) for first in range(100_000, 500_000, 100_000)]
for thread in threads:
    thread.start()
for child in range(100):
    if os.fork() == 0:
        append(child)
        os._exit(0)
    assert os.wait()[1] == 0
stop.set()
for thread in threads:
    thread.join()
""",
    )
    found = logs_of(tmp_path)
    parent = max(found.values(), key=len)
    starts = [[number for number in parent if number // 100_000 == thread] for thread in range(1, 5)]

    assert len(found) == 101
    assert sorted(numbers for numbers in found.values() if numbers is not parent) == [[child] for child in range(100)]
    assert starts == [list(range(numbers[0], numbers[0] + len(numbers))) for numbers in starts]


def test_forking_in_a_signal_handler_in_the_middle_of_an_append(tmp_path: Path) -> None:
    """The child of an interrupted append comes back into it, and neither process loses or doubles anything."""
    run_program(
        tmp_path,
        START
        + """
children = 0
def fork(*_):
    global children
    children += 1
    if os.fork() == 0:
        append(1_000_000 + children)
        os._exit(0)
    os.wait()
    signal.setitimer(signal.ITIMER_REAL, 0.002)

signal.signal(signal.SIGALRM, fork)
signal.setitimer(signal.ITIMER_REAL, 0.002)
number = 0
while children < 60:
    append(number)
    number += 1
signal.signal(signal.SIGALRM, signal.SIG_IGN)
""",
    )
    found = sorted(logs_of(tmp_path).values())

    assert found[0] == list(range(len(found[0])))
    assert len(found) == 61
    assert found[1:] == [[1_000_001 + child] for child in range(60)]


def test_multiprocessing_spawns_and_forks(tmp_path: Path) -> None:
    """Both ways of starting workers give each of them a log."""
    run_program(
        tmp_path,
        START
        + """
if __name__ == "__main__":
    append(1)
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            pool.map(append, range(100), chunksize=1)
    append(2)
""",
    )
    found = logs_of(tmp_path)
    parent = next(numbers for numbers in found.values() if numbers[0] == 1 and len(numbers) == 2)

    assert parent == [1, 2]
    children = [number for numbers in found.values() if numbers is not parent for number in numbers]
    assert sorted(children) == sorted([*range(100)] * 3)


def test_a_child_has_its_own_queue(tmp_path: Path) -> None:
    """With `batch` what waits at the fork is the parent's; what the child appends is written by a thread of its own."""
    run_program(
        tmp_path,
        START
        + """
for number in range(100):
    append(number)
if os.fork() == 0:
    append(1000)
    sys.exit(0)
os.wait()
""",
        {"DURABILITY": "batch"},
    )

    assert sorted(logs_of(tmp_path).values()) == [list(range(100)), [1000]]
