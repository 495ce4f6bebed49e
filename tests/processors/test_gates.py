"""GateSpanProcessor in front of somebody else's exporter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_agenttrace.processors.gates import MAX_TASKS, GateSpanProcessor

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """Somebody else's exporter."""
    return InMemorySpanExporter()


@pytest.fixture
def processor(exporter: InMemorySpanExporter) -> GateSpanProcessor:
    """The processor in front of it."""
    return GateSpanProcessor(SimpleSpanProcessor(exporter))


@pytest.fixture
def tracer(processor: GateSpanProcessor) -> Tracer:
    """A tracer of a plain OTel set-up."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return provider.get_tracer("t")


def _messages(exporter: InMemorySpanExporter, name: str) -> list[Any]:
    (span,) = (span for span in exporter.get_finished_spans() if span.name == name)
    violations = [event for event in span.events if event.name == "agenttrace.contract.violation"]
    return [(event.attributes or {})["agenttrace.contract.message"] for event in violations]


def _task(name: str, status: str = "completed", **more: Any) -> dict[str, Any]:
    return {"task.id": name, "task.status": status, **{f"task.{key}": value for key, value in more.items()}}


def test_a_gate_that_never_ended_is_exported_as_a_violation(
    tracer: Tracer, exporter: InMemorySpanExporter, processor: GateSpanProcessor
) -> None:
    """Any exporter gets the event, and the processor counts it."""
    with tracer.start_as_current_span("phase") as span:
        span.add_event("gate.check.started", {"gate.id": "g"})

    assert _messages(exporter, "phase") == ["gate 'g' started and never ended: what it checks is not known"]
    assert processor.violation_counts == {"gate.id": 1}


def test_a_blocked_task_that_does_not_say_why_is_one(tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    """It says not what to do, either."""
    with tracer.start_as_current_span("S1", attributes=_task("S1", "blocked")):
        pass

    assert len(_messages(exporter, "S1")) == 2


def test_a_phase_that_began_too_early_is_one(tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    """Whether the one before it still runs, or has ended badly."""
    with tracer.start_as_current_span("PI"):
        with (
            tracer.start_as_current_span("S1", attributes=_task("S1", "in_progress")),
            tracer.start_as_current_span("S2", attributes=_task("S2", depends_on=["S1", "S0"])),
        ):
            pass
        with tracer.start_as_current_span("S3", attributes=_task("S3")):
            pass
        with tracer.start_as_current_span("S4", attributes=_task("S4", depends_on=["S3"])):
            pass

    assert _messages(exporter, "S2") == ["S2 began before S1 had passed its exit criteria: it is in_progress"]
    assert _messages(exporter, "S4") == []


def test_a_span_without_gates_is_handed_on_untouched(tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    """It is the SDK's own object, and costs no second copy."""
    with tracer.start_as_current_span("call", attributes={"task.id": "S1"}):
        pass
    with tracer.start_as_current_span("S1", attributes=_task("S1")):
        pass

    assert [type(span) for span in exporter.get_finished_spans()] == [ReadableSpan, ReadableSpan]


def test_what_is_remembered_is_bounded(tracer: Tracer, processor: GateSpanProcessor) -> None:
    """Tasks without end, and one task started without end, take no more memory than that."""
    for number in range(MAX_TASKS + 100):
        tracer.start_span("T", attributes=_task(f"T{number}")).end()
    with tracer.start_as_current_span("PI"):
        for _ in range(100):
            tracer.start_span("T", attributes=_task("T")).end()

    assert sum(len(spans) for spans in processor._tasks.values()) <= MAX_TASKS + 16


def test_it_ends_and_flushes_what_stands_behind_it(processor: GateSpanProcessor) -> None:
    """As any processor in a chain."""
    assert processor.force_flush()
    processor.shutdown()
