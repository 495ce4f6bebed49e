"""The outside log: what agents say of their spans through a pipe, and what was heard of it in the process that kills.

Each saying is a line of one length, far below PIPE_BUF, so that the lines of many threads and processes never mix, and
a killed writer leaves whole lines or none. A line about a span is written after the call returned that it tells of.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

LANE, BEGUN, ENDED, REFUSED, DIED, HEARD = b"L", b"B", b"E", b"R", b"D", b"H"
"""A lane begins, with its process id; a span's start returned, its end returned, or was refused; a child has died; all
that was said before has been heard."""

LANE_CHARS = 12
_LINE_BYTES = 1 + LANE_CHARS + 32 + 16 + 1

_SECONDS_TO_END = 60.0

SpanKey = str
"""Trace id and span id, in hex, together."""


class Mouth:
    """The agent's end of the pipe; used by all threads of a process, and by its forked children.

    Raises:
        OSError: nobody listens.
    """

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        os.set_blocking(self._fd, True)

    def say(self, mark: bytes, lane: str = "", key: SpanKey = "") -> None:
        """Write one line; end the process if nobody listens any more."""
        try:
            os.write(self._fd, mark + f"{lane:>{LANE_CHARS}}{key:>48}\n".encode())
        except BrokenPipeError:
            os._exit(1)

    def close(self) -> None:
        """Let go of the pipe."""
        os.close(self._fd)


@dataclass
class Lane:
    """One thread or task of an agent, which makes one span after the other, some within others.

    Attributes:
        name: unique among all lanes.
        pid: its process.
        begun: spans whose start had returned.
        ended: spans whose end had returned: the acknowledged ones.
        refused: spans whose end had returned after the spool had told that it refuses.
    """

    name: str
    pid: int
    begun: set[SpanKey] = field(default_factory=set)
    ended: set[SpanKey] = field(default_factory=set)
    refused: set[SpanKey] = field(default_factory=set)


class Ear:
    """The listening end, with a thread that reads as fast as is written, so that no agent ever waits for it.

    Args:
        path: where the pipe is made.

    Attributes:
        lanes: by their names.
        dead: processes whose death was told.
        is_open: whether somebody may say something yet.
    """

    def __init__(self, path: Path) -> None:
        self.lanes: dict[str, Lane] = {}
        self.dead: set[int] = set()
        self.is_open = True
        self._changed = threading.Condition()
        self._spans_ended: dict[int, int] = {}
        self._heard = 0
        os.mkfifo(path, 0o600)
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._own = Mouth(str(path))  # the pipe does not end while agents come and go
        os.set_blocking(self._fd, True)
        self._thread = threading.Thread(target=self._listen, name=f"ear {path.name}", daemon=True)
        self._thread.start()

    def pids(self) -> list[int]:
        """The processes that have begun to record, those excepted whose death was told."""
        with self._changed:
            return sorted({lane.pid for lane in self.lanes.values()} - self.dead)

    def ended_in(self, pids: Iterable[int]) -> int:
        """How many spans these processes have ended."""
        with self._changed:
            return sum(self._spans_ended.get(pid, 0) for pid in pids)

    def wait_until(self, is_true: Callable[[], bool], timeout_s: float = 60.0) -> bool:
        """Wait until something is so, looking whenever a line came."""
        with self._changed:
            return self._changed.wait_for(is_true, timeout_s)

    def hear_out(self) -> None:
        """Return when all that has been said until now has been heard."""
        with self._changed:
            wanted = self._heard + 1
        self._own.say(HEARD)
        assert self.wait_until(lambda: self._heard >= wanted)

    def close(self) -> None:
        """Listen to the end, which comes when the last process that had the pipe open is gone."""
        self._own.close()
        self._thread.join(_SECONDS_TO_END)
        assert not self._thread.is_alive(), "a killed process goes on"
        os.close(self._fd)
        self.is_open = False

    def lanes_of(self, pids: Iterable[int]) -> list[Lane]:
        """The lanes of some processes."""
        wanted = set(pids)
        with self._changed:
            return [lane for lane in self.lanes.values() if lane.pid in wanted]

    def _listen(self) -> None:
        rest = b""
        while said := os.read(self._fd, 1 << 16):
            rest += said
            whole = len(rest) - len(rest) % _LINE_BYTES
            with self._changed:
                for at in range(0, whole, _LINE_BYTES):
                    self._take(rest[at : at + 1], rest[at + 1 : at + _LINE_BYTES - 1].decode())
                self._changed.notify_all()
            rest = rest[whole:]

    def _take(self, mark: bytes, text: str) -> None:
        name, key = text[:LANE_CHARS].strip(), text[LANE_CHARS:].strip()
        if mark == LANE:
            self.lanes[name] = Lane(name, int(key))
        elif mark == BEGUN:
            self.lanes[name].begun.add(key)
        elif mark in {ENDED, REFUSED}:
            lane = self.lanes[name]
            (lane.ended if mark == ENDED else lane.refused).add(key)
            self._spans_ended[lane.pid] = self._spans_ended.get(lane.pid, 0) + 1
        elif mark == DIED:
            self.dead.add(int(key))
        else:
            self._heard += 1
