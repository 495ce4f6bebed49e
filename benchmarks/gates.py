"""What gates and pipelines cost, on the wall clock: a gate has its check made on another thread, and waits for it.

A passing gate is measured within a span that is recorded as `configure_tracing` records it, with what its two events
add to the end of that span; its check does nothing. What a bare hand-over to a thread that waits takes on this
machine, and back, is shown beside it: with a time limit, no gate costs less. The pipeline has 1,000 phases with three
gates each, and runs under `configure_tracing` into a SQLite store, until all is stored. The floor is the same spans,
with the same attributes, events and links, made with nothing but OTel's own API and stored likewise. Each alternates
with its floor in one process; the best of many rounds counts.
"""

from __future__ import annotations

import gc
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_agenttrace import configure_tracing
from otel_agenttrace.instrument.collect import SpanCollector
from otel_agenttrace.instrument.gates import Gate, gate
from otel_agenttrace.instrument.spans import with_provider
from otel_agenttrace.processors.intake import Intake
from otel_agenttrace.processors.recording import RecordingSpanProcessor
from otel_agenttrace.workflow.pipeline import Phase, Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Tracer

    from otel_agenttrace.tracing import Tracing

ROUNDS = 300
PIPELINE_ROUNDS = 8
GATES_PER_SPAN = 20
PHASES = 1000


def passes() -> bool:
    """Check nothing."""
    return True


def recorded_provider() -> TracerProvider:
    """Return a provider that records as `configure_tracing` does, up to the hand-over."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(RecordingSpanProcessor(SpanCollector(), intake=Intake.from_environment()))
    return provider


def seconds(work: Callable[[], object]) -> float:
    """Return how long it takes, on the wall clock."""
    gc.collect()
    gc.disable()
    start = time.perf_counter()
    work()
    took = time.perf_counter() - start
    gc.enable()
    return took


def gate_cost(tracer: Tracer, timeout_s: float | None) -> float:
    """Return the microseconds that a passing gate adds to its check."""

    def with_gates() -> None:
        with tracer.start_as_current_span("phase"):
            for _ in range(GATES_PER_SPAN):
                gate("checksum-chain", passes, timeout_s=timeout_s)

    def with_checks() -> None:
        with tracer.start_as_current_span("phase"):
            for _ in range(GATES_PER_SPAN):
                passes()

    rounds = [(seconds(with_gates), seconds(with_checks)) for _ in range(ROUNDS)]
    return (min(took for took, _ in rounds) - min(took for _, took in rounds)) / GATES_PER_SPAN * 1e6


def hand_over_cost() -> float:
    """Return the microseconds that it takes to wake a thread that waits, and be woken by it."""
    given, returned = threading.Lock(), threading.Lock()
    is_over = False

    def hand_back() -> None:
        while given.acquire() and not is_over:
            returned.release()

    def with_thread() -> None:
        for _ in range(GATES_PER_SPAN):
            given.release()
            returned.acquire()

    given.acquire()
    returned.acquire()
    thread = threading.Thread(target=hand_back)
    thread.start()
    best = min(seconds(with_thread) for _ in range(ROUNDS))
    is_over = True
    given.release()
    thread.join()
    return best / GATES_PER_SPAN * 1e6


def pipeline() -> Pipeline:
    """Return a pipeline whose phases do nothing but pass their gates."""
    gates = [Gate(f"gate-{number}", passes) for number in range(3)]
    phases = [Phase(f"S{number}", entry=gates[:1], exit=gates[1:]) for number in range(PHASES)]
    return Pipeline("PI-1", "nothing", phases, project_id="bench")


def emitted_by(measured: Pipeline) -> list[ReadableSpan]:
    """Return the spans that one run emits, parents last."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    token = context_api.attach(with_provider(provider))
    try:
        measured.run().raise_unless_completed()
    finally:
        context_api.detach(token)
    return list(exporter.get_finished_spans())


def emit_bare(tracer: Tracer, spans: Sequence[ReadableSpan]) -> None:
    """Emit the same spans with OTel's API alone."""
    *phases, root = spans
    with tracer.start_as_current_span(root.name, attributes=root.attributes):
        for span in phases:
            links = [trace.Link(link.context, link.attributes) for link in span.links]
            with tracer.start_as_current_span(span.name, attributes=span.attributes, links=links) as bare:
                for event in span.events:
                    bare.add_event(event.name, event.attributes)


def pipeline_rates(tracing: Tracing) -> tuple[float, float]:
    """Return spans per second until they are stored: those of a pipeline, and the same made bare."""
    measured = pipeline()
    spans = emitted_by(measured)
    tracer = tracing.tracer_provider.get_tracer("benchmark")

    def run() -> None:
        measured.run().raise_unless_completed()
        tracing.flush(60.0)

    def run_bare() -> None:
        emit_bare(tracer, spans)
        tracing.flush(60.0)

    rounds = [(seconds(run), seconds(run_bare)) for _ in range(PIPELINE_ROUNDS)]
    ours, bare = (min(took) for took in zip(*rounds, strict=True))
    return len(spans) / ours, len(spans) / bare


def main() -> None:
    """Print the figures."""
    tracer = recorded_provider().get_tracer("benchmark")
    print("a passing gate, apart from its check")
    print(f"  with a time limit                          {gate_cost(tracer, 30.0):6.1f} us (at most 50)")
    print(f"  without one, on the caller's thread        {gate_cost(tracer, None):6.1f} us")
    print(f"  a bare hand-over to a thread, and back     {hand_over_cost():6.1f} us")
    with (
        tempfile.TemporaryDirectory() as folder,
        configure_tracing(store=f"sqlite:///{Path(folder) / 'traces.db'}") as tracing,
    ):
        ours, bare = pipeline_rates(tracing)
    print(f"a pipeline of {PHASES:,} phases with three gates each, until it is stored")
    print(f"  the spans it emits, made bare              {bare:6.0f} spans/s")
    print(f"  the pipeline                               {ours:6.0f} spans/s")
    print(f"  ratio                                      {ours / bare:6.2f} (at least 0.5)")


if __name__ == "__main__":
    main()
