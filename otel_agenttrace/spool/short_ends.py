"""Short ends: what is kept of a span whose start is in the log, and whose end there was no room for.

Else a span that ended would count as abandoned by its process. A record of it in a few hundred bytes, with its status,
its times and its small attributes, takes a part of the quota that is kept free for it; where even that cannot be
written, it waits in memory, and the ledger says that the log does not know of all ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.errors import DecodeError
from otel_agenttrace.model.record import OUTLIVES_PROCESS
from otel_agenttrace.pipeline.limit import ValueLimiter
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.ledger import UNENDED
from otel_agenttrace.spool.open_spans import ids_of
from otel_agenttrace.spool.refusal import RefusedError

if TYPE_CHECKING:
    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.spool.open_spans import SpanId
    from otel_agenttrace.spool.writer import LogWriter

_MAX_VALUE_BYTES = 256
_MAX_SPAN_BYTES = 1024
_MAX_WAITING = 1000
_MAX_STARTED = 10_000
_OUTLIVES = b'"%b":true' % OUTLIVES_PROCESS.encode()


class StartedSpans:
    """Which spans a process has told the start of, and not the end; for any thread. Without those that outlive it.

    Should there be too many, every span counts as one of them from then on.

    Attributes:
        ids: of those spans.
        is_complete: whether those are all.
    """

    def __init__(self) -> None:
        self.ids: set[SpanId] = set()
        self.is_complete = True

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.ids) or not self.is_complete

    def start(self, span: SerializedSpan) -> None:
        """The log has the start of a span."""
        if _OUTLIVES in span.span:
            return
        if len(self.ids) < _MAX_STARTED:
            self.ids.add(ids_of(span))
        else:
            self.is_complete = False

    def end(self, ids: SpanId) -> bool:
        """A span has ended; whether the log has its start, or may have it."""
        if ids in self.ids:
            self.ids.discard(ids)
            return True
        return not self.is_complete

    def clear(self) -> None:
        """The log was left to others: what is open in it does not end here."""
        self.ids.clear()
        self.is_complete = True


class ShortEnds:
    """Writes short ends, now or when there is room. Not thread-safe.

    Attributes:
        waiting: those that could not be written yet.
    """

    def __init__(self) -> None:
        self.waiting: list[SerializedSpan] = []
        self._limiter = ValueLimiter(_MAX_VALUE_BYTES, _MAX_SPAN_BYTES)
        self._lost = 0

    def add(self, span: SerializedSpan, writer: LogWriter | None) -> None:
        """Write what is kept of the record of a span that was refused."""
        try:
            short = span._replace(span=self._limiter.limit(span).span)  # the resource and the scope are there already
        except DecodeError:
            self._lost += 1
        else:
            self.waiting.append(short)
            if len(self.waiting) > _MAX_WAITING:
                del self.waiting[0]
                self._lost += 1
        self.write(writer)

    def write(self, writer: LogWriter | None) -> None:
        """Write those that wait, as far as there is room; and say in the ledger how many there are."""
        if writer is None:
            return
        while self.waiting:
            try:
                writer.append(Kind.SPAN, self.waiting[0], is_last_resort=True)
            except RefusedError:
                break
            del self.waiting[0]
        writer.ledger.set(UNENDED, len(self.waiting) + self._lost)
