"""What a span costs the agent's thread, as a ratio to the SDK's own batch processor with an exporter that does nothing.

Counted is the CPU time of the agent's thread alone (`time.thread_time_ns`), per span, from start to end, with 20
attributes of the contract and of the GenAI conventions. Both set-ups run in turns in one process, and the best of many
short rounds counts, since everything that disturbs only adds. Ours has everything on that `configure_tracing` turns
on: inheritance, code locations, contract, redaction, limits, and the hand-over to a queue of its own.
"""

from __future__ import annotations

import gc
import json
import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from otel_agenttrace.instrument.collect import SpanCollector
from otel_agenttrace.processors.intake import Intake
from otel_agenttrace.processors.recording import RecordingSpanProcessor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Tracer

ROUNDS = 40
SPANS_PER_ROUND = 1000
LARGE_SPANS_PER_ROUND = 100
WARM_UP = 100

CHECKSUM = "sha256:" + "%064x"
ATTRIBUTES: dict[str, Any] = {
    "project.id": "travel",
    "task.id": "T-7-S4",
    "task.parent_id": "T-7",
    "task.phase": "ROUTING_DECISION",
    "task.status": "completed",
    "input.source_checksum": CHECKSUM % 97,
    "input.artifact_manifest_checksum": CHECKSUM % 89,
    "input.project_context_checksum": CHECKSUM % 83,
    "quality.coverage_percent": 93.25,
    "quality.gap_count": 2,
    "quality.feature_count": 17,
    "routing.complexity_score": 38.5,
    "routing.selected_path": "artisan",
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4.1-mini",
    "gen_ai.usage.input_tokens": 1312,
    "gen_ai.usage.output_tokens": 288,
    "gen_ai.agent.name": "booking",
    "session.id": "sess-12",
}
VIOLATING = {**ATTRIBUTES, "task.phase": "EXPORT_CONTRACT", "task.status": "done", "quality.gap_count": -1}
MESSAGE = ('She said: "two \u20ac a night".\n' * 4096)[:65_536]
LARGE = {**ATTRIBUTES, "gen_ai.input.messages": MESSAGE}


class NoExporter(SpanExporter):
    """Does nothing."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Take the spans and forget them."""
        del spans
        return SpanExportResult.SUCCESS


class Cost(NamedTuple):
    """Microseconds of thread CPU time per span."""

    sdk: float
    ours: float

    @property
    def ratio(self) -> float:
        """How many times the SDK's cost ours is."""
        return self.ours / self.sdk


def set_at_start(tracer: Tracer, attributes: Mapping[str, Any], count: int) -> None:
    """Make spans that get their attributes when they start."""
    for _ in range(count):
        with tracer.start_as_current_span("chat gpt-4.1-mini", attributes=attributes):
            pass


def set_below_a_task(tracer: Tracer, attributes: Mapping[str, Any], count: int) -> None:
    """Make children of a task, whose attributes ours looks at for each of them."""
    with tracer.start_as_current_span("task", attributes=attributes):
        set_at_start(tracer, attributes, count)


def set_one_by_one(tracer: Tracer, attributes: Mapping[str, Any], count: int) -> None:
    """Make spans that get each attribute by a call of its own."""
    items = list(attributes.items())
    for _ in range(count):
        with tracer.start_as_current_span("chat gpt-4.1-mini") as span:
            for key, value in items:
                span.set_attribute(key, value)


def measure(
    work: Callable[[Tracer, Mapping[str, Any], int], None], attributes: Mapping[str, Any], count: int = SPANS_PER_ROUND
) -> Cost:
    """Return what a span costs, the best of all rounds."""
    sdk = _tracer(_queue())
    ours = _tracer(RecordingSpanProcessor(_queue(), SpanCollector(), intake=Intake.from_environment()))
    for _ in range(WARM_UP):
        work(sdk, attributes, 2)
        work(ours, attributes, 2)
    rounds = [Cost(_round(work, sdk, attributes, count), _round(work, ours, attributes, count)) for _ in range(ROUNDS)]
    return Cost(min(cost.sdk for cost in rounds), min(cost.ours for cost in rounds))


def _round(
    work: Callable[[Tracer, Mapping[str, Any], int], None], tracer: Tracer, attributes: Mapping[str, Any], count: int
) -> float:
    gc.collect()
    start = time.thread_time_ns()
    work(tracer, attributes, count)
    return (time.thread_time_ns() - start) / count / 1000


def dumps_cost() -> float:
    """Return the microseconds that one `json.dumps` of the large message takes, the best of many."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.thread_time_ns()
        for _ in range(10):
            json.dumps(MESSAGE)
        best = min(best, (time.thread_time_ns() - start) / 10 / 1000)
    return best


def _queue() -> BatchSpanProcessor:
    return BatchSpanProcessor(NoExporter())


def _tracer(processor: SpanProcessor) -> Tracer:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return provider.get_tracer("benchmark")


def main() -> None:
    """Print the figures."""
    print("thread CPU time per span, 20 attributes          SDK      ours    ratio")
    for title, work, attributes in (
        ("attributes= at the start", set_at_start, ATTRIBUTES),
        ("20 x set_attribute", set_one_by_one, ATTRIBUTES),
        ("attributes= of children of a task", set_below_a_task, ATTRIBUTES),
        ("attributes= that break the contract", set_at_start, VIOLATING),
        ("20 x set_attribute that break the contract", set_one_by_one, VIOLATING),
    ):
        cost = measure(work, attributes)
        print(f"{title:44} {cost.sdk:6.1f} us {cost.ours:6.1f} us   {cost.ratio:5.2f} (at most 2.0)")
    plain, large = (
        measure(set_at_start, ATTRIBUTES, LARGE_SPANS_PER_ROUND),
        measure(set_at_start, LARGE, LARGE_SPANS_PER_ROUND),
    )
    dumps, added = dumps_cost(), (large.ours - large.sdk) - (plain.ours - plain.sdk)
    print(f"with one 64 KiB message: {added:.0f} us more than without, json.dumps of it takes {dumps:.0f} us")
    print(f"ratio to json.dumps                                               {added / dumps:5.2f} (at most 3.0)")


if __name__ == "__main__":
    main()
    os._exit(0)  # what is left in the queues is nobody's
