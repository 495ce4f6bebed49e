"""The lock of a store's tasks: who waits for it, and for how long."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.errors import StoreUnavailableError
from otel_agenttrace.spool.places import SpoolPlace
from otel_agenttrace.workflow.task_lock import task_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TIMEOUT_S = 10.0


class Queue:
    """Others who hold the lock one after the other, while somebody waits; time passes only then.

    Args:
        place: whose lock it is.
        turn_s: how long each of them holds it.
        turns: how many there are.
    """

    def __init__(self, place: SpoolPlace, turn_s: float, turns: int) -> None:
        self.now_s = 0.0
        self._place, self._turn_s, self._left = place, turn_s, turns
        self._holder = ExitStack()
        self._next()

    def clock(self) -> float:
        """Seconds."""
        return self.now_s

    def pause(self, _: float) -> None:
        """One turn passes."""
        self.now_s += self._turn_s
        self._holder.close()
        self._next()

    def _next(self) -> None:
        if self._left:
            self._left -= 1
            self._holder.enter_context(task_lock(self._place, TIMEOUT_S))


@pytest.fixture
def wait(tmp_path: Path) -> Callable[[float, int], float]:
    """Wait behind others; for how many seconds."""
    place = SpoolPlace(tmp_path, "sqlite:///tasks.db")

    def wait(turn_s: float, turns: int) -> float:
        queue = Queue(place, turn_s, turns)
        with task_lock(place, TIMEOUT_S, clock=queue.clock, pause=queue.pause):
            return queue.now_s

    return wait


def test_a_lock_that_is_free_is_taken_at_once(wait: Callable[[float, int], float]) -> None:
    """Nobody waits for nobody."""
    assert wait(TIMEOUT_S, 0) == 0


def test_many_who_take_turns_are_waited_for(wait: Callable[[float, int], float]) -> None:
    """The time counts for each of them: a machine that is busy is no reason to give up."""
    assert wait(0.9 * TIMEOUT_S, 20) == pytest.approx(20 * 0.9 * TIMEOUT_S)


def test_one_who_holds_it_for_too_long_is_not_waited_for(tmp_path: Path) -> None:
    """It is a process that hangs."""
    place = SpoolPlace(tmp_path, "sqlite:///tasks.db")
    now_s = [0.0]

    def pause(seconds: float) -> None:
        now_s[0] += seconds

    with (
        task_lock(place, TIMEOUT_S),
        pytest.raises(StoreUnavailableError, match="being changed by somebody else for 10 s"),
        task_lock(place, TIMEOUT_S, clock=lambda: now_s[0], pause=pause),
    ):
        pytest.fail("it was taken")

    assert now_s[0] == pytest.approx(TIMEOUT_S, abs=0.1)


def test_nobody_waits_for_ever(wait: Callable[[float, int], float]) -> None:
    """However many come before."""
    with pytest.raises(StoreUnavailableError):
        wait(0.9 * TIMEOUT_S, 1000)


@pytest.mark.parametrize("content", [b"", b"x", b"\xff" * 100])
def test_what_stands_in_the_file_does_not_matter(tmp_path: Path, content: bytes) -> None:
    """It is a number that counts on, whatever it was."""
    place = SpoolPlace(tmp_path, "sqlite:///tasks.db")
    with task_lock(place, TIMEOUT_S):
        (path,) = tmp_path.iterdir()
    path.write_bytes(content)

    for _ in range(2):
        before = path.read_bytes()
        with task_lock(place, TIMEOUT_S):
            assert path.read_bytes() != before
