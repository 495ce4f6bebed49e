"""How fast what an outage has left in the spool goes out, over the rate of the same exporter called directly.

An OTLP server in another process is down while 100,000 agent spans end; it comes up, and the spool is drained, through
all that `configure_tracing` does: reading, decoding, the contract, the span stages, the exporter. The floor is the same
exporter, called with batches of 512 spans that the SDK's own provider has made beforehand. Both take turns, and the
best round of each counts. Memory is the resident set of the agent's process, over what it was before the outage.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agent_spans import batches
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from otlp_sink import Sink, stop_helpers

from otel_agenttrace.contract.validate import Contract
from otel_agenttrace.exporters.forward import Forward
from otel_agenttrace.losses import LossLog
from otel_agenttrace.model.codec import deserialize, serialize_record
from otel_agenttrace.model.record import with_attributes
from otel_agenttrace.processors.origins import UNKNOWN
from otel_agenttrace.processors.spooled import decode_spooled
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.consumers import Consumers
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otlp_sink import Protocol

    from otel_agenttrace.model.codec import SerializedSpan

ROUNDS = 2
BATCH = 512
PREPARED_BATCHES = 20
"""Exported again and again: a process that held 100,000 prepared spans would be slowed by them."""

LEAST_RATIO = 0.8
MOST_MIB = 20


_CONTRACT = Contract.load()


class Outage(NamedTuple):
    """What was seen of one outage.

    Attributes:
        rate: spans a second, from the first batch that was taken on.
        lost: spans that the server never got.
        grown_mib: by which the process grew.
    """

    rate: float
    lost: int
    grown_mib: float


class Agent:
    """A process with a spool and one exporter."""

    def __init__(self, folder: Path, exporter: SpanExporter) -> None:
        losses = LossLog()
        self.log = SpoolLog(SpoolConfig(folder), about=About(targets=("otlp",)), losses=losses)
        self.consumers = Consumers(self.log, [Forward("otlp", exporter)], decode_spooled, losses)

    def record(self, batch: list[SerializedSpan]) -> None:
        """Let spans end."""
        for span in batch:
            self.consumers.note(self.log.append(Kind.SPAN, span, UNKNOWN))

    @property
    def delivered(self) -> int:
        """How many records the exporter has."""
        (worker,) = self.consumers.workers
        return sum(consumer.cursor.seq for consumer in worker.consumers.values())

    def wait_for(self, delivered: int) -> None:
        """Wait until the exporter has so many records."""
        while self.delivered < delivered:
            self.consumers.wait_for_progress(0.01)


def agent_batches(spans: int, size: int) -> Iterator[list[SerializedSpan]]:
    """Spans that keep the contract, as most do: what is sent is what was recorded, and no events besides."""
    for batch in batches(spans, size):
        yield [_conforming(span) for span in batch]


def _conforming(span: SerializedSpan) -> SerializedSpan:
    record = deserialize(span)
    record = with_attributes(record, {**record.attributes, "task.type": "subtask"})
    objected = {violation.attribute for violation in _CONTRACT.check_record(record)}
    kept = {name: value for name, value in record.attributes.items() if name not in objected}
    return serialize_record(with_attributes(record, kept))


def outage(agent: Agent, sink: Sink, spans: int) -> Outage:
    """Let spans end while the server is down, and drain them."""
    sink.up()
    before = agent.delivered
    first = next(agent_batches(BATCH, BATCH))
    agent.record(first)
    agent.consumers.flush(60)
    sink.down()
    before += len(first)
    gc.collect()
    resident, grown = resident_mib(), 0.0
    for batch in agent_batches(spans, 100):
        agent.record(batch)
        grown = max(grown, resident_mib() - resident)
    sink.up()
    agent.consumers.workers[0].ring(hurry=True)
    agent.wait_for(before + 1)
    began, at = time.perf_counter(), agent.delivered
    agent.wait_for(before + spans)
    seconds = time.perf_counter() - began
    grown = max(grown, resident_mib() - resident)
    agent.consumers.flush(60)
    _, different = sink.taken()
    sink.down()
    return Outage((before + spans - at) / seconds, spans - different, grown)


def direct_rate(exporter: SpanExporter, sink: Sink, prepared: list[list[ReadableSpan]], spans: int) -> float:
    """Return the spans a second of the exporter alone."""
    sink.up()
    while exporter.export(prepared[0]) is not SpanExportResult.SUCCESS:
        pass  # it has not connected yet
    count = 0
    began = time.perf_counter()
    while count < spans:
        for batch in prepared:
            if exporter.export(batch) is not SpanExportResult.SUCCESS:
                raise RuntimeError("the server did not take spans")
            count += len(batch)
    rate = count / (time.perf_counter() - began)
    sink.down()
    return rate


def prepared_batches() -> list[list[ReadableSpan]]:
    """The first of the same spans, as the SDK makes them."""
    return [[_sdk_span(span) for span in batch] for batch in agent_batches(PREPARED_BATCHES * BATCH, BATCH)]


def _sdk_span(serialized: SerializedSpan) -> ReadableSpan:
    record = deserialize(serialized)
    provider = _providers.get(record.resource.service_name)
    if provider is None:
        resource = Resource(record.resource.attributes)
        provider = _providers[record.resource.service_name] = TracerProvider(resource=resource, shutdown_on_exit=False)
    context = None
    if record.parent_span_id is not None:
        parent = trace.SpanContext(int(record.trace_id, 16), int(record.parent_span_id, 16), False, trace.TraceFlags(1))
        context = trace.set_span_in_context(trace.NonRecordingSpan(parent))
    span = provider.get_tracer(record.scope.name).start_span(
        record.name,
        context,
        attributes=record.attributes,
        start_time=record.start_time_unix_nano,
    )
    span.end(record.end_time_unix_nano)
    if not isinstance(span, ReadableSpan):
        raise TypeError("sampled out")
    return span


_providers: dict[str, TracerProvider] = {}


def exporter_to(sink: Sink, protocol: Protocol) -> SpanExporter:
    """The SDK's own exporter."""
    return GrpcExporter(sink.endpoint, insecure=True) if protocol == "grpc" else HttpExporter(sink.endpoint)


def resident_mib() -> float:
    """The memory of this process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(protocol: Protocol, folder: Path, spans: int) -> None:
    """Print the figures of one protocol."""
    sink = Sink(protocol)
    agent = Agent(folder / protocol, exporter_to(sink, protocol))
    outages = [outage(agent, sink, spans)]
    prepared = prepared_batches()
    exporter = exporter_to(sink, protocol)
    direct = [direct_rate(exporter, sink, prepared, spans)]
    for _ in range(ROUNDS - 1):
        outages.append(outage(agent, sink, spans))
        direct.append(direct_rate(exporter, sink, prepared, spans))
    agent.consumers.shutdown(10)
    exporter.shutdown()
    ours, floor = max(each.rate for each in outages), max(direct)
    lost = sum(each.lost for each in outages)
    print(f"OTLP over {protocol}, {ROUNDS} outages of {spans:,} spans each")
    print(f"  the exporter called directly          {floor:9,.0f} spans/s")
    print(
        f"  the spool drains                      {ours:9,.0f} spans/s   {ours / floor:.2f}x (at least {LEAST_RATIO}x)"
    )
    print(f"  spans lost                            {lost:9,} (0)")
    print(f"  memory grows during the first by      {outages[0].grown_mib:9.1f} MiB (at most {MOST_MIB})")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=100_000)
    spans = parser.parse_args().spans
    logging.disable(logging.CRITICAL)  # exporters say much of an outage
    with tempfile.TemporaryDirectory() as name:
        for protocol in ("grpc", "http"):
            measure(protocol, Path(name), spans)
    stop_helpers()


if __name__ == "__main__":
    main()
