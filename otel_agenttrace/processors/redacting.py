"""RedactingSpanProcessor: redaction in front of any span processor, in anybody's OpenTelemetry set-up."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanProcessor

from otel_agenttrace.model.codec import serialize_readable, serialize_record
from otel_agenttrace.pipeline.counts import Counts
from otel_agenttrace.pipeline.redact import Redactor
from otel_agenttrace.processors.recorded import RecordedSpan

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span

_logger = logging.getLogger(__name__)


class RedactingSpanProcessor(SpanProcessor):
    """Hands ended spans to another processor without the secrets in them.

    ```python
    provider.add_span_processor(RedactingSpanProcessor(BatchSpanProcessor(OTLPSpanExporter())))
    ```

    Redaction runs where the span ends, so nothing behind it ever holds a secret. The span itself is left as it is:
    processors that stand beside this one see all of it.

    Args:
        next_processor: gets every ended span as a `RecordedSpan`, a `ReadableSpan` that any exporter takes.
        redactor: what hides the secrets; the default one unless given.
    """

    def __init__(self, next_processor: SpanProcessor, redactor: Redactor | None = None) -> None:
        self._next = next_processor
        self._redactor = redactor or Redactor()
        self._counts = Counts()

    @property
    def redactor(self) -> Redactor:
        """What hides the secrets; it counts them."""
        return self._redactor

    @property
    def dropped_count(self) -> int:
        """Spans that could not be redacted, and so were not handed on."""
        return self._counts.snapshot().get("dropped", 0)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Tell the next processor of the span as it is; it has not ended, so nobody may export it yet."""
        self._next.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Redact the span and hand it on. A span that cannot be redacted is counted and goes no further."""
        try:
            recorded = self._redacted(span)
        except Exception as error:  # noqa: BLE001  # no fault of ours reaches the agent
            if not self.dropped_count:  # once; an error's message may hold the secret
                _logger.warning("a span could not be redacted (%s); such spans go no further", type(error).__name__)
            self._counts.add(["dropped"])
            return
        self._next.on_end(recorded)

    def _redacted(self, span: ReadableSpan) -> RecordedSpan:
        serialized = serialize_record(span.record) if isinstance(span, RecordedSpan) else serialize_readable(span)
        return RecordedSpan(self._redactor.redact(serialized), span.context)

    def shutdown(self) -> None:
        """Shut the next processor down."""
        self._next.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flush the next processor; False if it did not finish in time."""
        return self._next.force_flush(timeout_millis)
