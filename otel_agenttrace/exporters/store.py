"""StoreSpanExporter: writes spans to a store."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_agenttrace.errors import AgentTraceError, StoreRejectedError, StoreUnavailableError
from otel_agenttrace.losses import LossLog
from otel_agenttrace.processors.intake import Intake

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import SpanStore
    from otel_agenttrace.stores.trace_store import TraceStore

_RETRY_DELAYS_S = (0.1, 0.5)
"""Waits between attempts at a store that is busy or away; a file store has waited by itself before that."""

_SECONDS_BETWEEN_OPENINGS = 5.0


class StoreSpanExporter(SpanExporter):
    """Writes spans to a store, behind any span processor.

    Spans that our own processor recorded have been redacted; others are redacted here, so that it is safe alone.
    A store that is busy or away is tried again briefly; what it then does not take is counted and logged. Never
    raises, and goes on in forked processes.

    Args:
        store: a store, or the URL of one; by default `AGENTTRACE_STORE`, else the default store.
        intake: redaction, limits and stages; by default what a plain `configure_tracing()` does.
        content: False leaves out messages, arguments, results and the like.
        losses: where spans that could not be stored are counted.

    Attributes:
        received_count: spans handed over so far.
        on_record: called with each record before it is written, when set.
        after_export: called with the records of a batch once they have been written, all or some, when set.
    """

    def __init__(
        self,
        store: SpanStore | TraceStore | str | None = None,
        intake: Intake | None = None,
        *,
        content: bool = True,
        losses: LossLog | None = None,
    ) -> None:
        self.losses = losses or LossLog()
        self.received_count = 0
        self._intake = intake or Intake.from_environment()
        self._content = content
        self.on_record: Callable[[SpanRecord], None] | None = None
        self.after_export: Callable[[Sequence[SpanRecord]], None] | None = None
        self._url = store if isinstance(store, str) else os.environ.get("AGENTTRACE_STORE") or "auto"
        self._given = None if isinstance(store, str) else store
        self._store: TraceStore | None = None
        self._next_opening = 0.0
        self._is_shut_down = False

    @property
    def url(self) -> str:
        """The store's URL."""
        store = self._store or self._given
        return self._url if store is None else store.url

    def open(self) -> TraceStore:
        """Open the store now, not with the first span; return it.

        Raises:
            ConfigError: the URL is not accepted.
            StoreError: the store cannot be reached or read. The next export tries again.
        """
        if self._store is None:
            self._next_opening = time.monotonic() + _SECONDS_BETWEEN_OPENINGS
            self._store = _opened(self._given or self._url)
        return self._store

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write the spans; FAILURE when any of them could not be stored."""
        self.received_count += len(spans)
        records = self._intake.records(spans, self.losses, content=self._content)
        if self.on_record is not None:
            for record in records:
                self.on_record(record)
        stored = self._write(records) if records else 0
        if stored and self.after_export is not None:
            self.after_export(records)
        return SpanExportResult.SUCCESS if stored == len(spans) else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Close the store, if it was opened here."""
        self._is_shut_down = True
        if self._store is not None and self._given is None:
            self._store.close()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Return True: what `export` took is stored when it returns."""
        del timeout_millis
        return True

    def _write(self, records: list[SpanRecord]) -> int:
        """Return how many of the records were stored."""
        if self._is_shut_down or (self._store is None and time.monotonic() < self._next_opening):
            self.losses.add("store", len(records), "the store is closed")
            return 0
        try:
            self._write_patiently(self.open(), records)
        except StoreRejectedError as error:
            return self._write_halves(records, error)
        except Exception as error:  # noqa: BLE001 - whatever a driver raises, the agent goes on
            self.losses.add("store", len(records), "spans could not be stored", error)
            return 0
        return len(records)

    def _write_halves(self, records: list[SpanRecord], error: AgentTraceError) -> int:
        """Find the records that a store rejects, so that the others of their batch are kept."""
        if len(records) == 1:
            self.losses.add("store", 1, "a span was rejected by the store", error)
            return 0
        middle = len(records) // 2
        return self._write(records[:middle]) + self._write(records[middle:])

    def _write_patiently(self, store: TraceStore, records: list[SpanRecord]) -> None:
        for delay in _RETRY_DELAYS_S:
            with suppress(StoreUnavailableError):
                return store.write_staged(records)
            time.sleep(delay)
        return store.write_staged(records)


def _opened(store: SpanStore | TraceStore | str) -> TraceStore:
    """The store as one that keeps to its retention by itself."""
    from otel_agenttrace.stores.open import open_store  # noqa: PLC0415 - brings the store's driver
    from otel_agenttrace.stores.trace_store import TraceStore  # noqa: PLC0415 - as above

    if isinstance(store, str):
        return open_store(store)
    return store if isinstance(store, TraceStore) else TraceStore(store)
