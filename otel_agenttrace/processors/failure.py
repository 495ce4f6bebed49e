"""FailureSpanProcessor: failure detection in front of any span processor, in anybody's OpenTelemetry set-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanProcessor

from otel_agenttrace.contract.attributes import FAILURE_TYPE
from otel_agenttrace.instrument.faults import note_fault
from otel_agenttrace.model.codec import deserialize, serialize_readable, serialize_record
from otel_agenttrace.pipeline.counts import Counts
from otel_agenttrace.pipeline.failures import failure_stage
from otel_agenttrace.processors.recorded import RecordedSpan

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span


class FailureSpanProcessor(SpanProcessor):
    """Hands ended spans on, those that failed with `failure.type`.

    ```python
    provider.add_span_processor(FailureSpanProcessor(BatchSpanProcessor(OTLPSpanExporter())))
    ```

    The span itself is left as it is: processors that stand beside this one see it without the attribute. It finds
    what one span tells by itself; the root cause of a trace needs the trace, see `find_failures`.

    Args:
        next_processor: gets every span; one that did not fail as it is.
    """

    def __init__(self, next_processor: SpanProcessor) -> None:
        self._next = next_processor
        self._counts = Counts()

    @property
    def failure_counts(self) -> dict[str, int]:
        """How many spans failed so far, by `failure.type`."""
        return self._counts.snapshot()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Tell the next processor."""
        self._next.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Classify the span and hand it on."""
        self._next.on_end(self._classified(span))

    def shutdown(self) -> None:
        """Shut the next processor down."""
        self._next.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flush the next processor; False if it did not finish in time."""
        return self._next.force_flush(timeout_millis)

    def _classified(self, span: ReadableSpan) -> ReadableSpan:
        try:
            record = span.record if isinstance(span, RecordedSpan) else deserialize(serialize_readable(span))
            stamped = failure_stage(record)
            if FAILURE_TYPE in stamped.attributes:
                self._counts.add([str(stamped.attributes[FAILURE_TYPE])])
            return span if stamped is record else RecordedSpan(serialize_record(stamped), span.context)
        except Exception:  # noqa: BLE001 - a span that cannot be classified goes on as it is
            note_fault("look for a failure in a span")
            return span
