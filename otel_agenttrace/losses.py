"""Spans that could not be recorded: always counted, logged now and then, never raised."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from otel_agenttrace.errors import AgentTraceError
from otel_agenttrace.forks import call_in_children

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOG = logging.getLogger("otel_agenttrace")
_SECONDS_BETWEEN_LOGS = 60.0


class LossLog:
    """Counts lost spans by cause; logs the first loss of a cause at once, then at most one a minute.

    Causes are a few fixed words of ours. Safe in threads and signal handlers; a forked child counts from zero.
    """

    def __init__(self) -> None:
        self._begin()
        call_in_children(self._begin)

    @property
    def counts(self) -> Mapping[str, int]:
        """Spans lost so far, by cause."""
        return dict(self._counts)

    @property
    def total(self) -> int:
        """Spans lost so far."""
        return sum(self._counts.values())

    def add(self, cause: str, count: int, message: str, error: BaseException | None = None) -> None:
        """Count `count` spans as lost; `message` says what is lost, `error` why. With 0 it is only told."""
        with self._lock:
            self._counts[cause] = total = self._counts.get(cause, 0) + count
            now = time.monotonic()
            due = now >= self._next_log.get(cause, now)
            if due:
                self._next_log[cause] = now + _SECONDS_BETWEEN_LOGS
        if due:
            reason = "" if error is None else f": {type(error).__name__}: {error}"
            # What we raise on purpose explains itself; a surprise needs its traceback.
            surprise = None if isinstance(error, AgentTraceError) else error
            sum_up = f" ({total} spans so far)" if total else ""
            _LOG.log(logging.ERROR if count else logging.WARNING, "%s%s%s", message, reason, sum_up, exc_info=surprise)

    def _begin(self) -> None:
        self._lock = threading.RLock()  # reentrant: a signal handler may end a span while a loss is being counted
        self._counts: dict[str, int] = {}
        self._next_log: dict[str, float] = {}
