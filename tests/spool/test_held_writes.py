"""Tests for writes during which a thread keeps the interpreter's lock."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.spool.held_writes import HeldWrites

if TYPE_CHECKING:
    from pathlib import Path

_SLOW_DISK = """
import os, subprocess, threading
from otel_agenttrace.spool.held_writes import HeldWrites

much = b"x" * (1 << 20)
reader = subprocess.Popen(["sh", "-c", "sleep 0.05; cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
writes = HeldWrites()
assert writes.write(reader.stdin.fileno(), much) == len(much)

theirs, ours = os.pipe()
received = []
def receive():
    while sum(received) < len(much):
        received.append(len(os.read(theirs, 1 << 20)))

thread = threading.Thread(target=receive)
thread.start()
assert writes.write(ours, much) == len(much)
thread.join()
reader.stdin.close()
reader.wait()
print("done")
"""


@pytest.fixture(params=["held", "not held"])
def writes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> HeldWrites:
    """Writes as they are everywhere, and as they are where the C library cannot be called."""
    if request.param == "not held":
        monkeypatch.setattr("otel_agenttrace.spool.held_writes._write", None)
        monkeypatch.setattr("otel_agenttrace.spool.held_writes._pwrite", None)
    return HeldWrites()


def test_what_is_written_is_in_the_file(writes: HeldWrites, tmp_path: Path) -> None:
    """All bytes, zeros included, at the end or where they were to be."""
    path = tmp_path / "file"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    pieces = [b"%d\0%b\n" % (number, bytes(number)) for number in range(200)]
    assert [writes.write(fd, piece) for piece in pieces] == [len(piece) for piece in pieces]
    os.close(fd)
    fd = os.open(path, os.O_WRONLY)
    assert writes.pwrite(fd, b"\xff\0", 1) == 2
    os.close(fd)
    whole = b"".join(pieces)

    assert path.read_bytes() == whole[:1] + b"\xff\0" + whole[3:]


def test_what_cannot_be_written_is_an_error(writes: HeldWrites, tmp_path: Path) -> None:
    """It says what is wrong, the first time as later."""
    (tmp_path / "file").touch()
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    for _ in range(3):
        with pytest.raises(OSError, match="Bad file descriptor"):
            writes.write(fd, b"text")
        with pytest.raises(OSError, match="Bad file descriptor"):
            writes.pwrite(fd, b"text", 0)
    os.close(fd)


def test_no_other_thread_runs_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who wait for the interpreter go on waiting, however often something is written."""
    monkeypatch.setattr("otel_agenttrace.spool.held_writes._SLOW_S", 60.0)  # a busy machine may stop us in any write
    fd = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    writes = HeldWrites()
    turns = 0
    is_done = False

    def count() -> None:
        nonlocal turns
        while not is_done:
            turns += 1
            time.sleep(0)

    thread = threading.Thread(target=count)
    interval = sys.getswitchinterval()
    thread.start()
    try:
        sys.setswitchinterval(60)
        seen = turns
        while turns < seen + 2:  # until the other thread waits for so long, too
            time.sleep(0)
        before = turns
        for number in range(500):
            writes.write(fd, b"%d" % number)
            writes.pwrite(fd, b"0", number)
        after = turns
    finally:
        sys.setswitchinterval(interval)
        is_done = True
        thread.join()
        os.close(fd)

    assert after == before


def test_a_slow_disk_is_not_waited_for_with_the_lock() -> None:
    """After one write that took its time, other threads go on while the next ones are under way."""
    done = subprocess.run([sys.executable, "-c", _SLOW_DISK], capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout == "done\n", done.stderr
