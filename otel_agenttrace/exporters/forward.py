"""Forward: any standard SpanExporter as a target of the spool, which thereby loses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import SpanExportResult

from otel_agenttrace.model.readable import to_readable_span
from otel_agenttrace.spool.target import TAKEN, Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace.export import SpanExporter

    from otel_agenttrace.exporters.answers import Answers
    from otel_agenttrace.exporters.encoded import Export
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.target import Item


class Forward:
    """Gives ended spans to an exporter, as it would have got them from the SDK.

    `SUCCESS` means that it has them. `FAILURE` says no more than that it has not, and is tried again, unless the
    exporter is one of OTLP: of those the server's answer is known, see `answers`. Start records are not forwarded,
    since other systems would show the span twice.

    Args:
        name: of the target, without credentials.
        exporter: who gets the spans.
        make_exporter: makes another for a forked child; without it, the same one is used there.
        is_lasting: False for an exporter whose spans end with the process, such as one to the console or to memory.

    Attributes:
        exporter: who gets the spans.
    """

    takes_open = False

    def __init__(
        self,
        name: str,
        exporter: SpanExporter,
        *,
        make_exporter: Callable[[], SpanExporter] | None = None,
        is_lasting: bool = True,
    ) -> None:
        self.name = name
        self.exporter = exporter
        self.is_lasting = is_lasting
        self._make_exporter = make_exporter
        self._begin_anew()

    def deliver(self, items: Sequence[Item]) -> Delivery:
        """Export the spans; whatever the exporter raises is passed on, and dealt with by the spool."""
        answers = self._answers
        if answers is not None:
            answers.forget()
        result = self._export([item.record for item in items])
        if isinstance(result, Delivery):
            return result
        answer = None if answers is None else answers.last
        if answer is not None and (result is SpanExportResult.FAILURE or answer.outcome != "taken" or answer.rejected):
            return answer
        if result is SpanExportResult.SUCCESS:
            return TAKEN
        name = type(self.exporter).__name__
        said = result.name if isinstance(result, SpanExportResult) else type(result).__name__
        return Delivery("failed", message=f"{name} returned {said}")

    @property
    def seems_away(self) -> bool:
        """Whether a server of OTLP could not be reached or asked to be left alone, and the exporter tries it again."""
        last = None if self._answers is None else self._answers.last
        return last is not None and last.outcome == "away"

    def survive_power_cuts(self) -> None:
        """Nothing to do: what a server has taken is the server's."""

    def renew(self) -> None:
        """Take another exporter: connections do not survive a fork."""
        if self._make_exporter is not None:
            self.exporter = self._make_exporter()
            self._begin_anew()

    def close(self) -> None:
        """Shut the exporter down."""
        self.exporter.shutdown()

    def _begin_anew(self) -> None:
        self._answers: Answers | None = None
        self._export: Export = self._export_spans
        if any(kind.__module__.startswith("opentelemetry.exporter.otlp.") for kind in type(self.exporter).__mro__):
            # These bring gRPC and its messages.
            from otel_agenttrace.exporters.answers import watch  # noqa: PLC0415
            from otel_agenttrace.exporters.encoded import encoded_export  # noqa: PLC0415

            self._answers = watch(self.exporter)
            self._export = encoded_export(self.exporter) or self._export_spans

    def _export_spans(self, records: Sequence[SpanRecord]) -> SpanExportResult:
        return self.exporter.export([*map(to_readable_span, records)])
