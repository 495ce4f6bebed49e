"""SpoolWriter: puts recorded spans into the spool, where they are safe, before `span.end()` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.spool.frames import SPAN, START

if TYPE_CHECKING:
    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.processors.recorded import RecordedSpan
    from otel_agenttrace.spool.consumers import Consumers
    from otel_agenttrace.spool.log import SpoolLog


class SpoolWriter:
    """The end of what runs on the agent's thread. Goes on after the consumers were shut down, for whoever starts next.

    Args:
        log: this process's log.
        consumers: who gets its records.
    """

    def __init__(self, log: SpoolLog, consumers: Consumers) -> None:
        self._log = log
        self._consumers = consumers
        self._outlives = any(target.is_lasting for target in consumers.targets)

    def record_open(self, span: SerializedSpan) -> None:
        """Put in a span that has started and not ended, as it is now."""
        if not self._consumers.is_stopped:
            self._consumers.note(self._log.append(START, span))

    def record(self, span: RecordedSpan) -> None:
        """Put in a span that has ended."""
        if self._outlives or not self._consumers.is_stopped:
            self._consumers.note(self._log.append(SPAN, span.serialized, span.origin))

    def flush(self, timeout_s: float) -> bool:
        """See `Consumers.flush`."""
        return self._consumers.flush(timeout_s)
