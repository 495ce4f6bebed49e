"""StoreSpanExporter: writes spans to a store."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_agenttrace.errors import AgentTraceError, StoreRejectedError, StoreUnavailableError
from otel_agenttrace.losses import LossLog
from otel_agenttrace.processors.intake import Intake
from otel_agenttrace.stores.lazy import LazyStore
from otel_agenttrace.switches import quick_switches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import SpanStore
    from otel_agenttrace.stores.trace_store import TraceStore

_RETRY_DELAYS_S = (0.1, 0.5)
"""Waits between attempts at a store that is busy or away; a file store has waited by itself before that."""


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
        store: what it writes to.
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
        self._intake = intake or Intake.from_environment()
        self._content = content
        self.store = LazyStore(store)

    @property
    def url(self) -> str:
        """The store's URL."""
        return self.store.url

    def open(self) -> TraceStore:
        """Open the store now, not with the first span; return it.

        Raises:
            ConfigError: the URL is not accepted.
            StoreError: the store cannot be reached or read. The next export tries again.
        """
        return self.store.open()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write the spans; FAILURE when any of them could not be stored."""
        records = self._intake.records(spans, self.losses, content=self._content)
        stored = self._write(records) if records else 0
        return SpanExportResult.SUCCESS if stored == len(spans) else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Close the store, if it was opened here."""
        self.store.close()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Return True: what `export` took is stored when it returns."""
        del timeout_millis
        return True

    def _write(self, records: list[SpanRecord]) -> int:
        """Return how many of the records were stored."""
        if not self.store.is_due:
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
            with suppress(StoreUnavailableError), quick_switches:
                return store.write_staged(records)
            time.sleep(delay)
        with quick_switches:
            return store.write_staged(records)
