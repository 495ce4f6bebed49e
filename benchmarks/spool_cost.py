"""What recording into the spool costs an agent, as a ratio to the SDK's batch processor with an idle exporter.

Ours is all of `configure_tracing` with a store in SQLite: a span is redacted and on its way to the disk when `end()`
returns, and the same process reads it back, checks it, stores it and judges its trace meanwhile. Counted is the CPU
time of the agent's threads (`time.thread_time_ns`) per span, from start to end, with 20 attributes and ten spans a
trace; both take turns, and the best round counts. Latency is the wall clock's, of `end()` alone, while each of 8
threads ends 100 spans a second.

What is above its limit, and why: inheriting, serialising, redacting and writing take about 22 microseconds a span, each
as much as it does alone, and a start record does the last three once more. Threads no longer add to that: neither the
search for secrets nor the write lets go of the interpreter's lock. Tried besides: segments in mapped memory, which cost
as much as the write; consumers that wait for a lull; a shorter switch interval, which keeps the slowest spans fast.
"""

from __future__ import annotations

import gc
import logging
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from span_cost import ATTRIBUTES, NoExporter, set_at_start

from otel_agenttrace import configure_tracing

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Tracer

ROUNDS = 30
SPANS_PER_ROUND = 1040
SPANS_PER_TRACE = 10
THREADS = 8
LATENCY_ROUNDS = 3
LATENCY_S = 5.0
WARM_UP_S = 10.0
SPANS_PER_SECOND = 100
PERCENTILE = 0.99


class Pair(NamedTuple):
    """The SDK's figure and ours, in microseconds."""

    sdk: float
    ours: float

    @property
    def ratio(self) -> float:
        """How many times the SDK's ours is."""
        return self.ours / self.sdk


def cpu_cost(sdk: Tracer, ours: Tracer, threads: int) -> Pair:
    """Return the CPU time of a span on the threads that make it, the best of all rounds."""
    for tracer in (sdk, ours):
        _cpu_round(tracer, threads)
    rounds = [(_cpu_round(sdk, threads), _cpu_round(ours, threads)) for _ in range(ROUNDS)]
    return Pair(min(each for each, _ in rounds), min(each for _, each in rounds))


def _cpu_round(tracer: Tracer, threads: int) -> float:
    gc.collect()
    count = SPANS_PER_ROUND // threads // SPANS_PER_TRACE * SPANS_PER_TRACE

    def work(_: int) -> list[int]:
        start = time.thread_time_ns()
        for _ in range(count // SPANS_PER_TRACE):
            with tracer.start_as_current_span("invoke_agent booking", attributes=ATTRIBUTES):
                set_at_start(tracer, ATTRIBUTES, SPANS_PER_TRACE - 1)
        return [time.thread_time_ns() - start]

    return sum(_on_threads(threads, work)) / (count * threads) / 1000


def latency(sdk: Tracer, ours: Tracer) -> Pair:
    """Return the 99th percentile of `end()` under a steady load, the best of all rounds."""
    time.sleep(WARM_UP_S)  # until what is left of other measurements is stored
    rounds = [(_latency_round(sdk), _latency_round(ours)) for _ in range(LATENCY_ROUNDS)]
    return Pair(min(each for each, _ in rounds), min(each for _, each in rounds))


def _latency_round(tracer: Tracer) -> float:
    began = time.perf_counter()

    def work(number: int) -> list[int]:
        found = []
        for each in range(int(LATENCY_S * SPANS_PER_SECOND)):
            due = began + (each + number / THREADS) / SPANS_PER_SECOND
            time.sleep(max(0.0, due - time.perf_counter()))
            if each % SPANS_PER_TRACE == 0:
                span = tracer.start_span("invoke_agent booking", attributes=ATTRIBUTES)
                context = trace.set_span_in_context(span)
            else:
                span = tracer.start_span("chat gpt-4.1-mini", context, attributes=ATTRIBUTES)
            start = time.perf_counter_ns()
            span.end()
            found.append(time.perf_counter_ns() - start)
        return found

    found = sorted(_on_threads(THREADS, work))
    return found[int(len(found) * PERCENTILE)] / 1000


def _on_threads(count: int, work: Callable[[int], list[int]]) -> list[int]:
    """What all the calls return; each runs on a thread of its own."""
    found: list[int] = []
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait()
        found.extend(work(number))

    threads = [threading.Thread(target=run, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def measure(folder: Path, sdk: Tracer, start_records: Any, figures: Callable[[Tracer, Tracer], None]) -> None:
    """Print figures, with ours set up as asked for."""
    tracing = configure_tracing(
        store=f"sqlite:///{folder}/traces.db", exporters=(), instrument=False, start_records=start_records
    )
    figures(sdk, tracing.tracer_provider.get_tracer("benchmark"))
    tracing.shutdown(60)


def without_start_records(sdk: Tracer, ours: Tracer) -> None:
    """Print what a span costs that is only written when it has ended."""
    _show("1 thread, CPU of a span", cpu_cost(sdk, ours, 1), 2.0)
    _show("8 threads, CPU of a span", cpu_cost(sdk, ours, THREADS), 3.0)
    _show("8 threads x 100 spans/s, p99 of end()", latency(sdk, ours), 25)


def with_start_records(sdk: Tracer, ours: Tracer) -> None:
    """Print what a span costs that is also written when it starts."""
    _show("1 thread, CPU, and a start record", cpu_cost(sdk, ours, 1), 2.5)
    _show("8 threads, CPU, and a start record", cpu_cost(sdk, ours, THREADS), None)
    _show("p99 of end(), and a start record", latency(sdk, ours), None)


def _show(title: str, pair: Pair, limit: float | None) -> None:
    at_most = "" if limit is None else f" (at most {limit})"
    print(f"{title:40} {pair.sdk:7.1f} us {pair.ours:7.1f} us  {pair.ratio:6.2f}{at_most}", flush=True)


def main() -> None:
    """Print the figures."""
    logging.disable(logging.CRITICAL)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(NoExporter()))
    sdk = provider.get_tracer("benchmark")
    print("20 attributes                                SDK       ours      ratio")
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), sdk, "none", without_start_records)
        measure(Path(name), sdk, "all", with_start_records)


if __name__ == "__main__":
    main()
