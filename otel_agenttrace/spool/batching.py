"""BatchQueue: records that wait in memory for a thread that writes them."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.spool.frames import Kind


class _Waiting(NamedTuple):
    kind: Kind
    span: SerializedSpan
    origin: bytes
    size: int


class BatchQueue:
    """A bounded queue in front of `write`, which is called in a thread of its own. Thread-safe.

    Args:
        write: writes one record; does not raise.
        count: called for each record that is taken, before it can be written.
        max_records: how many may wait.
        max_bytes: and of what size together.

    Attributes:
        is_closed: whether nothing is taken any more.

    Raises:
        RuntimeError: no thread can be started, as when the interpreter ends.
    """

    def __init__(
        self,
        write: Callable[[Kind, SerializedSpan, bytes], object],
        count: Callable[[], object],
        max_records: int,
        max_bytes: int,
    ) -> None:
        self._write = write
        self._count = count
        self._max_records = max_records
        self._max_bytes = max_bytes
        # Its `put` may be interrupted by a signal handler that puts, too.
        self._queue: SimpleQueue[_Waiting | threading.Event | None] = SimpleQueue()
        self._lock = threading.RLock()
        self.is_closed = False
        self._records = 0
        self._bytes = 0
        self._thread = threading.Thread(target=self._run, name="agenttrace-spool", daemon=True)
        self._thread.start()

    def put(self, kind: Kind, span: SerializedSpan, origin: bytes) -> bool:
        """Let a record wait; False if there is no room, or the queue is closed."""
        size = len(span.span) + len(span.resource) + len(span.scope)
        with self._lock:
            if self.is_closed or self._records >= self._max_records or self._bytes + size > self._max_bytes:
                return False
            self._count()
            self._records += 1
            self._bytes += size
            self._queue.put(_Waiting(kind, span, origin, size))
        return True

    def flush(self, timeout_s: float) -> bool:
        """Wait until what was put before is written; False if that took longer."""
        written = threading.Event()
        self._queue.put(written)
        return written.wait(timeout_s)

    def close(self, timeout_s: float) -> bool:
        """Take no more, write what waits, and end the thread; False if that took longer. Safe twice."""
        with self._lock:
            if not self.is_closed:
                self.is_closed = True
                self._queue.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (waiting := self._queue.get()) is not None:
            if isinstance(waiting, threading.Event):
                waiting.set()
                continue
            self._write(waiting.kind, waiting.span, waiting.origin)
            with self._lock:
                self._records -= 1
                self._bytes -= waiting.size
