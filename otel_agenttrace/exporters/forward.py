"""Forward: any standard SpanExporter as a target of the spool, which thereby loses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import SpanExportResult

from otel_agenttrace.model.readable import to_readable_span
from otel_agenttrace.pipeline.content import drop_content
from otel_agenttrace.spool.target import TAKEN, Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace.export import SpanExporter

    from otel_agenttrace.exporters.answers import Answers
    from otel_agenttrace.spool.target import Item


class Forward:
    """Gives ended spans to an exporter, as it would have got them from the SDK.

    `SUCCESS` means that it has them. `FAILURE` says no more than that it has not, and is tried again, unless the
    exporter is one of OTLP: of those the server's answer is known, see `answers`. Start records are not forwarded,
    since other systems would show the span twice.

    Args:
        name: of the target, without credentials.
        exporter: who gets the spans.
        content: False leaves out messages, arguments, results and the like.
        make_exporter: makes another for a forked child; without it, the same one is used there.

    Attributes:
        exporter: who gets the spans.
    """

    takes_open = False

    def __init__(
        self,
        name: str,
        exporter: SpanExporter,
        *,
        content: bool = True,
        make_exporter: Callable[[], SpanExporter] | None = None,
    ) -> None:
        self.name = name
        self.exporter = exporter
        self._content = content
        self._make_exporter = make_exporter
        self._answers = _answers_of(exporter)

    def deliver(self, items: Sequence[Item]) -> Delivery:
        """Export the spans; whatever the exporter raises is passed on, and dealt with by the spool."""
        records = [item.record for item in items]
        if not self._content:
            records = [drop_content(record) for record in records]
        answers = self._answers
        if answers is not None:
            answers.forget()
        result = self.exporter.export([to_readable_span(record) for record in records])
        answer = None if answers is None else answers.last
        if answer is not None and (result is SpanExportResult.FAILURE or answer.outcome != "taken" or answer.rejected):
            return answer
        if result is SpanExportResult.SUCCESS:
            return TAKEN
        name = type(self.exporter).__name__
        said = result.name if isinstance(result, SpanExportResult) else type(result).__name__
        return Delivery("failed", message=f"{name} returned {said}")

    def renew(self) -> None:
        """Take another exporter: connections do not survive a fork."""
        if self._make_exporter is not None:
            self.exporter = self._make_exporter()
            self._answers = _answers_of(self.exporter)

    def close(self) -> None:
        """Shut the exporter down."""
        self.exporter.shutdown()


def _answers_of(exporter: SpanExporter) -> Answers | None:
    """What listens to the server of an OTLP exporter; None for any other exporter."""
    if not any(kind.__module__.startswith("opentelemetry.exporter.otlp.") for kind in type(exporter).__mro__):
        return None
    from otel_agenttrace.exporters.answers import watch  # noqa: PLC0415 - brings gRPC and its messages

    return watch(exporter)
