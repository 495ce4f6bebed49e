"""Backoff: how long a target that is away is left alone."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_S = 0.1
LONGEST_S = 30.0
_LONGEST_ASKED_S = 300.0
"""A target that asks for more is asked again before."""


class Backoff:
    """Doubles the wait with every failure, from 0.1 to 30 seconds, with jitter, so that agents do not come together.

    Args:
        clock: seconds that never jump.
        spread: from 0 to 1, at random.

    Attributes:
        failures: how many there were since the last success.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self.failures = 0
        self._clock = clock
        self._spread = spread
        self._until = 0.0

    @property
    def remaining_s(self) -> float:
        """How long it is still to be left alone."""
        return max(0.0, self._until - self._clock()) if self.failures else 0.0

    def fail(self, retry_after_s: float | None = None) -> None:
        """Note a failure; wait at least as long as the target asks for."""
        longest = min(LONGEST_S, FIRST_S * 2.0 ** min(self.failures, 16))
        wait = longest * (0.5 + self._spread() / 2)
        if retry_after_s is not None:
            wait = max(wait, min(retry_after_s, _LONGEST_ASKED_S))
        self.failures += 1
        self._until = self._clock() + wait

    def succeed(self) -> None:
        """Note a success."""
        self.failures = 0

    def hurry(self) -> None:
        """Let the next attempt be made at once; it counts as one more in the same row."""
        self._until = 0.0
