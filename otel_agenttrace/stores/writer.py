"""StoreWriter: what recording needs of a store. Free of pydantic, so that agents start without it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from otel_agenttrace.pipeline.stages import staged
from otel_agenttrace.stores.retention import Retention

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import SpanStore


class StoreWriter:
    """Writes spans to a store, which keeps to its retention by itself.

    Args:
        spans: where the spans are kept.
        now: the time in nanoseconds since the Unix epoch.
    """

    def __init__(self, spans: SpanStore, now: Callable[[], int] = time.time_ns) -> None:
        self.spans = spans
        self._retention = Retention(spans, now)

    @property
    def url(self) -> str:
        """The store's URL."""
        return self.spans.url

    def write_spans(self, spans: Sequence[SpanRecord]) -> None:
        """Store spans that have passed redaction; return only once they are durable.

        They pass the span stages, see `pipeline.stages`; and once a day, what has expired is deleted.

        Raises:
            StoreUnavailableError: transient; the same batch may succeed later.
            StoreRejectedError: permanent; the same batch always fails.
        """
        self.write_staged([staged(span) for span in spans])

    def write_staged(self, spans: Sequence[SpanRecord]) -> None:
        """Do what `write_spans` does, with spans that have passed the span stages.

        Raises:
            StoreUnavailableError: as for `write_spans`.
            StoreRejectedError: as for `write_spans`.
        """
        self.spans.write_spans(spans)
        self._retention.run_if_due()

    def close(self) -> None:
        """Release files and connections; safe twice."""
        self.spans.close()
