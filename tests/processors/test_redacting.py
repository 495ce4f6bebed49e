"""RedactingSpanProcessor in somebody else's OpenTelemetry set-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_agenttrace.pipeline.redact import RedactConfig, Redactor
from otel_agenttrace.processors.redacting import RedactingSpanProcessor

if TYPE_CHECKING:
    import pytest
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan

SECRET = "sk-" + "proj-abcdefgh12345678"


class _Next(SpanProcessor):
    def __init__(self) -> None:
        self.calls: list[str] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        span.set_attribute("next", parent_context is None)
        self.calls.append("start")

    def on_end(self, span: ReadableSpan) -> None:
        self.calls.append(f"end {span.name}")

    def shutdown(self) -> None:
        self.calls.append("shutdown")

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        self.calls.append(f"flush {timeout_millis}")
        return False


def provider_with(*processors: SpanProcessor) -> TracerProvider:
    """Somebody else's provider."""
    provider = TracerProvider(resource=Resource({"service.name": "x", "db.password": "hunter2"}))
    for processor in processors:
        provider.add_span_processor(processor)
    return provider


def test_an_exporter_behind_it_gets_spans_without_secrets() -> None:
    """The whole span is redacted; processors beside this one still see all of it."""
    clean, raw = InMemorySpanExporter(), InMemorySpanExporter()
    redacting = RedactingSpanProcessor(BatchSpanProcessor(clean))
    provider = provider_with(redacting, SimpleSpanProcessor(raw))
    with provider.get_tracer("t").start_as_current_span("call", attributes={"prompt": f"use {SECRET}"}) as span:
        span.add_event("note", {"password": "hunter2"})
    provider.shutdown()
    (seen,) = clean.get_finished_spans()
    assert seen.attributes == {"prompt": "use [REDACTED:openai-key]", "agenttrace.redacted": 2}
    assert seen.events[0].attributes == {"password": "[REDACTED:password]"}
    assert seen.resource.attributes["db.password"] == "[REDACTED:password]"
    assert "hunter2" not in seen.to_json()
    assert raw.get_finished_spans()[0].attributes == {"prompt": f"use {SECRET}"}
    assert redacting.redactor.counts == {"openai-key": 1, "password": 2}


def test_the_next_processor_is_told_everything_a_processor_is_told() -> None:
    """Start, end, flush and shutdown are passed on, answers too."""
    following = _Next()
    redacting = RedactingSpanProcessor(following, Redactor(RedactConfig(emails=True)))
    tracer = provider_with(redacting).get_tracer("t")
    tracer.start_span("to a@example.com").end()
    assert redacting.force_flush(5) is False
    redacting.shutdown()
    assert following.calls == ["start", "end to [REDACTED:email]", "flush 5", "shutdown"]


def test_two_in_a_row_do_the_work_of_both() -> None:
    """A span that was recorded already is redacted again, as it was recorded."""
    exporter = InMemorySpanExporter()
    second = RedactingSpanProcessor(SimpleSpanProcessor(exporter), Redactor(RedactConfig(emails=True)))
    tracer = provider_with(RedactingSpanProcessor(second)).get_tracer("t")
    tracer.start_span("call", attributes={"a": f"{SECRET} a@example.com"}).end()
    assert exporter.get_finished_spans()[0].attributes == {
        "a": "[REDACTED:openai-key] [REDACTED:email]",
        "agenttrace.redacted": 2,
    }


def test_a_span_that_cannot_be_redacted_goes_no_further(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is counted and logged once, and the agent goes on."""

    def fail(*_: object) -> None:
        raise MemoryError(SECRET)

    monkeypatch.setattr(Redactor, "redact", fail)
    exporter = InMemorySpanExporter()
    redacting = RedactingSpanProcessor(SimpleSpanProcessor(exporter))
    tracer = provider_with(redacting).get_tracer("t")
    for _ in range(3):
        tracer.start_span("call").end()
    assert exporter.get_finished_spans() == ()
    assert redacting.dropped_count == 3
    assert len(caplog.records) == 1
    assert SECRET not in caplog.text
