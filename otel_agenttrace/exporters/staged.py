"""StagedSpanExporter: gives any SpanExporter what the pipeline made of the spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_agenttrace.exporters.jsonl import JsonlSpanExporter
from otel_agenttrace.losses import LossLog
from otel_agenttrace.model.readable import to_readable_span
from otel_agenttrace.processors.intake import Intake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan


class StagedSpanExporter(SpanExporter):
    """Passes spans on redacted, checked and classified: `failure.type` and the rest go out too.

    Stands before any exporter, behind any processor; spans that our own processor recorded are not redacted twice.
    Spans that have not ended are kept back: other systems take a span once. Never raises.

    Args:
        exporter: who gets the spans.
        intake: redaction, limits and stages; by default what a plain `configure_tracing()` does.
        content: False leaves out messages, arguments, results and the like.
        losses: where spans that were not delivered are counted.
    """

    def __init__(
        self,
        exporter: SpanExporter,
        intake: Intake | None = None,
        *,
        content: bool = True,
        losses: LossLog | None = None,
    ) -> None:
        self.exporter = exporter
        self.losses = losses or LossLog()
        self._intake = intake or Intake.from_environment()
        self._content = content

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Pass the spans on, and return what the exporter said."""
        records = self._intake.records(spans, self.losses, content=self._content)
        result = SpanExportResult.SUCCESS if len(records) == len(spans) else SpanExportResult.FAILURE
        ended = [to_readable_span(record) for record in records if record.end_time_unix_nano is not None]
        return self._pass_on(ended) if ended else result

    def _pass_on(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        name = type(self.exporter).__name__
        try:
            result = self.exporter.export(spans)
        except Exception as error:  # noqa: BLE001 - somebody else's exporter
            self.losses.add(name, len(spans), f"{name} failed", error)
            return SpanExportResult.FAILURE
        if result is not SpanExportResult.SUCCESS:
            self.losses.add(name, len(spans), f"{name} did not deliver")
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Shut the exporter down."""
        self.exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flush the exporter."""
        return self.exporter.force_flush(timeout_millis) is not False


class StagedJsonlSpanExporter(StagedSpanExporter):
    """`agenttrace_jsonl` of `OTEL_TRACES_EXPORTER`: OTLP JSON lines, redacted whoever's processor stands before it."""

    def __init__(self) -> None:
        super().__init__(JsonlSpanExporter())
