"""FailureSpanProcessor in front of somebody else's exporter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from otel_agenttrace.instrument.faults import fault_counts
from otel_agenttrace.processors.failure import FailureSpanProcessor

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """Somebody else's exporter."""
    return InMemorySpanExporter()


@pytest.fixture
def processor(exporter: InMemorySpanExporter) -> FailureSpanProcessor:
    """The processor in front of it."""
    return FailureSpanProcessor(SimpleSpanProcessor(exporter))


@pytest.fixture
def tracer(processor: FailureSpanProcessor) -> Tracer:
    """A tracer of a plain OTel set-up."""
    provider = TracerProvider()
    provider.add_span_processor(processor)
    return provider.get_tracer("t")


def _attributes(exporter: InMemorySpanExporter) -> list[dict[str, Any]]:
    return [dict(span.attributes or {}) for span in exporter.get_finished_spans()]


def test_a_failed_span_is_exported_with_its_type(tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    """Any exporter gets `failure.type`, and everything else of the span as it was."""
    with pytest.raises(TimeoutError), tracer.start_as_current_span("call", attributes={"n": (1, 2)}):
        raise TimeoutError("too late")
    (span,) = exporter.get_finished_spans()

    assert _attributes(exporter) == [{"n": (1, 2), "failure.type": "timeout"}]
    assert (span.name, span.status.status_code, span.events[0].name) == ("call", StatusCode.ERROR, "exception")


def test_a_span_that_did_not_fail_is_handed_on_untouched(tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    """It is the SDK's own object, and costs no second copy."""
    with tracer.start_as_current_span("call"):
        pass

    assert _attributes(exporter) == [{}]
    assert type(exporter.get_finished_spans()[0]) is ReadableSpan


def test_it_counts_what_failed(tracer: Tracer, processor: FailureSpanProcessor) -> None:
    """By type."""
    tracer.start_span("fine").end()
    for error_type in ("timeout", "ValidationError", "KeyError", "OSError"):
        tracer.start_span("failed", attributes={"error.type": error_type}).end()

    assert processor.failure_counts == {"timeout": 1, "validation_error": 1, "exception": 2}


def test_two_in_a_row_do_what_one_does(exporter: InMemorySpanExporter) -> None:
    """A span that was classified already passes as it is."""
    provider = TracerProvider()
    provider.add_span_processor(FailureSpanProcessor(FailureSpanProcessor(SimpleSpanProcessor(exporter))))
    provider.get_tracer("t").start_span("failed", attributes={"error.type": "timeout"}).end()

    assert _attributes(exporter) == [{"error.type": "timeout", "failure.type": "timeout"}]


def test_a_span_that_cannot_be_classified_goes_on_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """The fault is counted and logged; the agent never sees it."""
    ended: list[ReadableSpan] = []

    class Next(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            ended.append(span)

    broken = ReadableSpan("without a context")
    before = fault_counts["look for a failure in a span"]
    FailureSpanProcessor(Next()).on_end(broken)

    assert ended == [broken]
    assert fault_counts["look for a failure in a span"] == before + 1
    assert "look for a failure" in caplog.text


def test_it_passes_on_flush_and_shutdown() -> None:
    """The processor behind it is flushed and shut down with it."""
    calls: list[str] = []

    class Next(SimpleSpanProcessor):
        def force_flush(self, timeout_millis: int = 30000) -> bool:
            calls.append(f"flush {timeout_millis}")
            return False

        def shutdown(self) -> None:
            calls.append("shutdown")

    processor = FailureSpanProcessor(Next(InMemorySpanExporter()))

    assert processor.force_flush(5) is False
    processor.shutdown()
    assert calls == ["flush 5", "shutdown"]
