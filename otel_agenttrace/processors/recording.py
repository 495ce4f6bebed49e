"""RecordingSpanProcessor: what runs on the agent's thread, from the start of a span to its place in the spool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import TraceFlags

from otel_agenttrace.contract.attributes import TASK_STATUS, TASK_TIMEOUT_MS
from otel_agenttrace.instrument.faults import contained, note_fault
from otel_agenttrace.instrument.watchdog import Watchdog
from otel_agenttrace.losses import LossLog
from otel_agenttrace.processors.inherit import inherit
from otel_agenttrace.processors.intake import Intake
from otel_agenttrace.processors.open_again import let_record_again

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span

    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.model.record import Attributes
    from otel_agenttrace.processors.recorded import RecordedSpan


# Dictionaries are slower on the constants' class.
_TASK_STATUS, _TASK_TIMEOUT_MS = str(TASK_STATUS), str(TASK_TIMEOUT_MS)
_SAMPLED = TraceFlags.SAMPLED


class Spool(Protocol):
    """Where recorded spans are safe, such as `spooling.SpoolWriter`. Never raises."""

    def record_open(self, span: SerializedSpan) -> None:
        """Take a span that has not ended."""

    def record(self, span: RecordedSpan) -> None:
        """Take a span that has ended."""

    def flush(self, timeout_s: float) -> bool:
        """Hand on what was taken before; whether that was done in time."""


class RecordingSpanProcessor(SpanProcessor):
    """Records every sampled span: inherits, checks, serialises, redacts and cuts it, and hands the result over.

    What is handed over is a `RecordedSpan`, which holds nothing that redaction has hidden. Whatever goes wrong costs
    at most that span, which is then counted: nothing is raised into the agent.

    Args:
        downstream: processors that are told of ended spans.
        intake: redaction, limits and contract; by default what a plain `configure_tracing()` does.
        spool: takes what has ended, and what is open and past its `task.timeout_ms`; first, and after a shutdown too.
        starts: whether the spool takes a span with these attributes when it starts, see `starts.start_rule`.
        losses: where spans that could not be recorded are counted.

    Attributes:
        unsampled_count: spans that ended without being sampled.
        is_stopped: whether it was shut down. The spool still takes what ends; nobody else does.
        before_shutdown: called once recording has stopped, and before the processors downstream are shut down, when
            set; not by `stop`.
    """

    def __init__(
        self,
        *downstream: SpanProcessor,
        intake: Intake | None = None,
        spool: Spool | None = None,
        starts: Callable[[Span, Attributes], bool] | None = None,
        losses: LossLog | None = None,
    ) -> None:
        self.unsampled_count = 0
        self.losses = losses or LossLog()
        self._downstream = downstream
        self._intake = intake or Intake.from_environment()
        self._spool = spool
        self._starts = None if spool is None else starts
        self._watchdog = Watchdog(self._report_overdue)
        self.is_stopped = False
        self.before_shutdown: Callable[[], object] | None = None

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Let the span inherit, note where its attributes are set, and watch its time limit."""
        if self.is_stopped and self._spool is None:
            return
        try:
            attributes = inherit(span, parent_context, self._intake.project)
            self._intake.note_start(span)
            if _TASK_TIMEOUT_MS in attributes and not self.is_stopped:
                self._watchdog.start(span)
            if self._starts is not None and span.context.trace_flags & _SAMPLED and self._starts(span, attributes):
                self._record_open(span, attributes)
                if _TASK_STATUS in attributes:
                    let_record_again(span, self._record_open)
        except Exception:  # noqa: BLE001 - no fault of ours reaches the agent
            note_fault("prepare a started span")

    def on_end(self, span: ReadableSpan) -> None:
        """Record the span and hand it over."""
        if self.is_stopped and self._spool is None:
            return
        self._watchdog.end(span)
        if not span.context.trace_flags & _SAMPLED:
            self.unsampled_count += 1
            self._intake.forget(span)
            return
        try:
            recorded = self._intake.recorded(span)
        except Exception as error:  # noqa: BLE001 - as above
            # Without the error's text, which may quote what redaction was to hide.
            self.losses.add("recorder", 1, f"a span could not be recorded ({type(error).__name__})")
            return
        try:
            if self._spool is not None:
                self._spool.record(recorded)
            if not self.is_stopped:
                for processor in self._downstream:
                    processor.on_end(recorded)
        except Exception:  # noqa: BLE001 - as above, and a processor may be anybody's
            note_fault("hand over a span")

    def stop(self) -> None:
        """Record nothing more but into the spool. The processors downstream keep what they have."""
        self.is_stopped = True
        self._watchdog.shutdown()

    def detach(self) -> None:
        """Record nothing at all any more, since somebody else does."""
        self.stop()
        self._spool = self._starts = None

    def shutdown(self) -> None:
        """Stop, and shut down the processors downstream; safe twice."""
        is_first, before_shutdown = not self.is_stopped, self.before_shutdown
        self.stop()
        if is_first and before_shutdown is not None:
            with contained("prepare the shutdown"):
                before_shutdown()
        for processor in self._downstream:
            with contained("shut down a span processor"):
                processor.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flush the spool and the processors downstream."""
        flushed = [True if self._spool is None else self._spool.flush(timeout_millis / 1000)]
        flushed += [processor.force_flush(timeout_millis) for processor in self._downstream]
        return all(result is not False for result in flushed)

    def _report_overdue(self, span: ReadableSpan) -> None:
        if span.context.trace_flags & _SAMPLED:
            self._record_open(span)

    def _record_open(self, span: ReadableSpan, attributes: Attributes | None = None) -> None:
        if self._spool is not None:
            self._spool.record_open(self._intake.opened(span, attributes))
