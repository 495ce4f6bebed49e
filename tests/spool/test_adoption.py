"""Whose log is alive, and who takes over the dead."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.spool.adoption import adopt
from otel_agenttrace.spool.directory import list_logs
from otel_agenttrace.spool.locks import is_alive
from otel_agenttrace.spool.reader import read
from otel_agenttrace.testing.programs import run_program
from otel_agenttrace.testing.spool import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_agenttrace.spool.log import SpoolLog

AGENT = """
import sys
from pathlib import Path
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.testing.spool import make_serialized

log = SpoolLog(SpoolConfig(Path(sys.argv[1])))
for number in range(1, 4):
    log.append(Kind.SPAN, make_serialized(number))
print("ready", flush=True)
sys.stdin.readline()
"""


@contextmanager
def agent(spool_dir: Path, program: str = AGENT) -> Iterator[subprocess.Popen[str]]:
    """A process that has appended three records, and waits."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(spool_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def dead(spool_dir: Path) -> Path:
    """The log of a process that was killed."""
    with agent(spool_dir) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    (log,) = list_logs(spool_dir)
    return log


def test_a_living_log_is_nobody_elses(spool_dir: Path) -> None:
    """Whoever asks, in whatever process, until the process is dead."""
    with agent(spool_dir) as process:
        (log,) = list_logs(spool_dir)
        assert is_alive(log)
        assert list(adopt(spool_dir)) == []
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not is_alive(log)
        assert [adopted.path for adopted in adopt(spool_dir)] == [log]


def test_its_own_log_is_alive(spool: SpoolLog, spool_dir: Path) -> None:
    """A process does not adopt what it writes itself."""
    spool.open()

    assert list(adopt(spool_dir)) == []
    assert [is_alive(log) for log in spool.logs] == [True]


def test_two_adopters_never_take_the_same(spool_dir: Path, dead: Path) -> None:
    """One log has one adopter at a time; released, it can be adopted again."""
    with next(adopt(spool_dir)) as adopted:
        assert adopted.path == dead
        assert is_alive(dead)
        assert list(adopt(spool_dir)) == []
    assert [log.path for log in adopt(spool_dir)] == [dead]


def test_many_adopters_share_many_logs(spool_dir: Path, dead: Path) -> None:
    """Each log is read and removed by exactly one of eight who all want it."""
    for number in range(30):
        shutil.copytree(dead, spool_dir / f"{number}-1-{number:08x}")
    taken: list[Path] = []

    def take() -> None:
        for adopted in adopt(spool_dir):
            assert [number_of(entry.span) for entry in read(adopted.path, is_dead=True)] == [1, 2, 3]
            assert adopted.remove()
            taken.append(adopted.path)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(taken) == len(set(taken)) == 31
    assert list(spool_dir.iterdir()) == []


def test_what_a_killed_process_wrote_is_adopted_whole(spool_dir: Path, dead: Path) -> None:
    """Its end is known, its records are read, and nothing of it stays."""
    with next(adopt(spool_dir)) as adopted:
        assert adopted.repair() == (3, 0)
        assert [number_of(entry.span) for entry in read(adopted.path, is_dead=True)] == [1, 2, 3]
        assert adopted.remove()
    assert not dead.exists()


def test_half_removed_logs_can_be_adopted_and_removed(spool_dir: Path, dead: Path) -> None:
    """An adopter may be killed in the middle, too."""
    for name in ("ledger", "about.json", "lock"):
        (dead / name).unlink()
    (adopted,) = adopt(spool_dir)

    assert adopted.remove()
    assert list_logs(spool_dir) == []


def test_a_log_with_something_strange_stays(spool_dir: Path, dead: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What is not ours is never deleted; told once, however often somebody looks."""
    (dead / "notes.txt").write_text("mine")
    for _ in range(3):
        (adopted,) = adopt(spool_dir)
        assert not adopted.remove()

    assert (dead / "notes.txt").read_text() == "mine"
    assert caplog.text.count("notes.txt") == 1


def test_what_is_no_log_is_passed_over(spool_dir: Path, dead: Path) -> None:
    """Files, links and directories of other names are left alone."""
    (spool_dir / "5-5-00000005").write_text("a file")
    (spool_dir / "6-6-00000006").symlink_to(dead)
    (spool_dir / "something").mkdir()

    assert [adopted.path for adopted in adopt(spool_dir)] == [dead]
    assert len(list(spool_dir.iterdir())) == 4


def test_what_was_not_made_or_removed_to_the_end_is_swept(spool_dir: Path) -> None:
    """Its process was killed meanwhile; one that is being made has an hour."""
    spool_dir.mkdir(parents=True)
    old, new = spool_dir / ".new-1-1-00000001", spool_dir / ".new-2-2-00000002"
    for draft in (old, new, spool_dir / ".old-3-3-00000003"):
        draft.mkdir()
        (draft / "lock").touch()
    os.utime(old, (1, 1))
    assert list(adopt(spool_dir)) == []

    assert list(spool_dir.iterdir()) == [new]


def test_no_spool_has_no_logs(tmp_path: Path) -> None:
    """There is nothing to adopt where nothing ever was."""
    assert list(adopt(tmp_path / "nowhere")) == []
    assert not is_alive(tmp_path / "nowhere")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_another_users_log_is_left_alone(spool_dir: Path, dead: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Even by root: what it says is somebody else's."""
    os.chown(dead, 65534, 65534)

    assert list(adopt(spool_dir)) == []
    assert "belongs to another user" in caplog.text


def test_a_forked_child_does_not_keep_its_parents_log_alive(spool_dir: Path) -> None:
    """The parent is killed while a child that has appended nothing goes on."""
    program = AGENT.replace(
        'print("ready", flush=True)',
        """
import os, signal
if os.fork() == 0:
    os.write(1, b"%d\\n" % os.getpid())
    signal.pause()
""",
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(spool_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    child = int(process.stdout.readline())
    try:
        (log,) = list_logs(spool_dir)
        assert is_alive(log)
        process.kill()
        process.wait()
        assert not is_alive(log)
        os.kill(child, 0)
    finally:
        os.kill(child, signal.SIGKILL)
        process.communicate()


OPENING = """
import sys
from pathlib import Path
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.testing.spool import make_serialized

calls = []
sys.addaudithook(lambda event, arguments: calls.append(event) if "spool" in str(arguments[:1]) else None)
SpoolLog(SpoolConfig(Path("spool"))).append(Kind.SPAN, make_serialized(1))
print(len(calls))
"""


def test_a_spool_of_many_dead_logs_opens_at_once(tmp_path: Path) -> None:
    """Opening does not look at what is there: it makes as many calls for hundreds of logs as for one."""
    few = run_program(tmp_path, OPENING).stdout
    (dead,) = list_logs(tmp_path / "spool")
    for number in range(300):
        shutil.copytree(dead, tmp_path / "spool" / f"{number}-1-{number:08x}")

    assert run_program(tmp_path, OPENING).stdout == few
    assert 0 < int(few) < 20


def test_an_adopters_child_does_not_keep_what_it_adopted(spool_dir: Path, dead: Path) -> None:
    """Released by the adopter, the log is free, whatever the adopter has forked meanwhile."""
    reader, writer = os.pipe()
    with next(adopt(spool_dir)):
        child = os.fork()
        if child == 0:
            os.write(writer, b"x")
            signal.pause()
        os.read(reader, 1)
        assert is_alive(dead)
    try:
        assert not is_alive(dead)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)
