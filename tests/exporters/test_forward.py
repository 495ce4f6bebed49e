"""Standard exporters behind the spool, against real OTLP servers that go down, come up, refuse and hang."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped]
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_agenttrace.exporters.forward import Forward
from otel_agenttrace.losses import LossLog
from otel_agenttrace.model.readable import source_record
from otel_agenttrace.model.record import EventRecord, LinkRecord
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.consumers import Consumers
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.status import read_status
from otel_agenttrace.spool.target import TAKEN, Item
from otel_agenttrace.testing.collectors import GrpcCollector, HttpAnswer, HttpCollector
from otel_agenttrace.testing.programs import run_program
from otel_agenttrace.testing.spans import START, make_span
from otel_agenttrace.testing.spool_targets import append_spans, decode, names_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

    from otel_agenttrace.spool.status import TargetStatus


@pytest.fixture
def http() -> Iterator[HttpCollector]:
    """An OTLP/HTTP server."""
    with HttpCollector() as collector:
        yield collector


@pytest.fixture
def grpc_server() -> Iterator[GrpcCollector]:
    """An OTLP/gRPC server."""
    with GrpcCollector() as collector:
        yield collector


class Listed(SpanExporter):
    """An exporter of somebody's own.

    Attributes:
        results: what it returns, or raises, in turn; then SUCCESS.
        spans: that it was given.
    """

    def __init__(self, *results: Any) -> None:
        self.results = list(results)
        self.spans: list[ReadableSpan] = []
        self.is_shut_down = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Return the next result."""
        self.spans += spans
        result: Any = self.results.pop(0) if self.results else SpanExportResult.SUCCESS
        if isinstance(result, Exception):
            raise result
        return result  # type: ignore[no-any-return]

    def shutdown(self) -> None:
        """Take note."""
        self.is_shut_down = True


def items(*numbers: int) -> list[Item]:
    """Records as targets get them."""
    return [Item(n, Kind.SPAN, make_span(name=f"span {n}", span_id=f"{n:016x}")) for n in numbers]


def spooled(folder: Path, exporter: SpanExporter) -> Consumers:
    """A process with one target."""
    losses = LossLog()
    log = SpoolLog(SpoolConfig(folder / "spool"), About(targets=("otlp",)), losses=losses)
    return Consumers(log, [Forward("otlp", exporter)], decode, losses)


def status_of(consumers: Consumers) -> TargetStatus:
    """What the spool says of the only target."""
    (status,) = read_status(consumers.log.config.directory).targets
    return status


def test_an_exporter_sees_the_span_as_it_was() -> None:
    """Events, links, resource, scope, status, flags and dropped counts are those of the record."""
    record = make_span(
        status_code="ERROR",
        status_message="no",
        events=(EventRecord("e", START + 1, {"a": [1, 2]}, 1),),
        links=(LinkRecord("1" * 32, "2" * 16),),
        attributes={"k": "v"},
        trace_state="a=b",
        flags=0x101,
        dropped_events_count=3,
    )
    exporter = Listed()
    assert Forward("mine", exporter).deliver([Item(1, Kind.SPAN, record)]) == TAKEN
    (span,) = exporter.spans

    assert source_record(span) == record
    assert (span.name, span.status.description, span.dropped_events) == (record.name, "no", 3)
    assert (span.events[0].name, span.links[0].context.span_id) == ("e", 0x2222222222222222)


@pytest.mark.parametrize("result", [SpanExportResult.FAILURE, None, "fine"])
def test_a_failure_without_a_reason_is_doubtful(result: Any) -> None:
    """FAILURE of an exporter that says no more, and anything that is no result, is tried again."""
    delivery = Forward("mine", Listed(result)).deliver(items(1))

    assert delivery.outcome == "failed"
    assert delivery.message.startswith("Listed returned")


def test_another_exporter_is_made_for_a_forked_child() -> None:
    """Where there is a way to make one."""
    made = Listed()
    forward = Forward("mine", Listed(), make_exporter=lambda: made)
    forward.renew()
    forward.deliver(items(1))
    forward.close()

    assert len(made.spans) == 1
    assert made.is_shut_down


@pytest.mark.parametrize(
    ("answer", "outcome", "retry_after_s"),
    [
        (HttpAnswer(), "taken", None),
        (HttpAnswer(202), "taken", None),
        (HttpAnswer(400), "refused", None),
        (HttpAnswer(413), "refused", None),
        (HttpAnswer(401), "away", None),
        (HttpAnswer(404), "away", None),
        (HttpAnswer(302, headers={"Location": "/login"}), "away", None),
        (HttpAnswer(500), "away", None),
        (HttpAnswer(503, headers={"Retry-After": "120"}), "away", 120),
        (HttpAnswer(429, headers={"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}), "away", 1e6),
        (HttpAnswer(200, b"\xff not a message"), "taken", None),
    ],
)
def test_what_http_answers_mean(
    http: HttpCollector, answer: HttpAnswer, outcome: str, retry_after_s: float | None
) -> None:
    """Data that is refused is not tried again; everything else is waited for, as long as the server asks."""
    http.answers.append(answer)
    forward = Forward("otlp", HttpExporter(endpoint=http.endpoint, timeout=0.5))
    delivery = forward.deliver(items(1))
    forward.close()

    assert delivery.outcome == outcome
    if retry_after_s is not None:
        assert delivery.retry_after_s is not None
        assert delivery.retry_after_s >= retry_after_s


def test_http_partial_success_is_told(http: HttpCollector) -> None:
    """The exporter says nothing of it; the number and the server's words are known all the same."""
    partial = ExportTracePartialSuccess(rejected_spans=2, error_message="over quota")
    http.answers.append(HttpAnswer(200, ExportTraceServiceResponse(partial_success=partial).SerializeToString()))
    forward = Forward("otlp", HttpExporter(endpoint=http.endpoint))
    delivery = forward.deliver(items(1, 2, 3))
    forward.close()

    assert (delivery.outcome, delivery.rejected, delivery.message) == ("taken", 2, "over quota")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (ExportTraceServiceResponse(), "taken"),
        ((grpc.StatusCode.INVALID_ARGUMENT, "bad span"), "refused"),
        ((grpc.StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max (5 vs. 4)"), "refused"),
        ((grpc.StatusCode.UNAUTHENTICATED, "who?"), "away"),
        ((grpc.StatusCode.UNAVAILABLE, "later"), "away"),
        ((grpc.StatusCode.INTERNAL, "oh"), "failed"),
    ],
)
def test_what_grpc_answers_mean(grpc_server: GrpcCollector, answer: Any, outcome: str) -> None:
    """As for HTTP; what servers say of data that they cannot cope with, and of much else, stays in doubt."""
    grpc_server.answers.extend([answer] * 2)
    forward = Forward("otlp", GrpcExporter(endpoint=grpc_server.endpoint, timeout=0.5))
    delivery = forward.deliver(items(1))
    forward.close()

    assert delivery.outcome == outcome
    if isinstance(answer, tuple):
        assert answer[1] in delivery.message


def test_grpc_partial_success_is_told(grpc_server: GrpcCollector) -> None:
    """The exporter says nothing of it; the number and the server's words are known all the same."""
    partial = ExportTracePartialSuccess(rejected_spans=1, error_message="over quota")
    grpc_server.answers.append(ExportTraceServiceResponse(partial_success=partial))
    forward = Forward("otlp", GrpcExporter(endpoint=grpc_server.endpoint))
    delivery = forward.deliver(items(1, 2))
    forward.close()

    assert (delivery.outcome, delivery.rejected, delivery.message) == ("taken", 1, "over quota")


def test_the_span_that_a_server_refuses_is_found(http: HttpCollector, tmp_path: Path) -> None:
    """400 costs the span that it is for; it is counted with the server's words, and the others are there."""
    http.refuses = lambda name: name == "span 33"
    consumers = spooled(tmp_path, HttpExporter(endpoint=http.endpoint))
    append_spans(consumers.log, range(100))
    assert consumers.flush(20)
    status = status_of(consumers)
    consumers.shutdown(10)

    assert sorted(http.names) == sorted(set(names_of(range(100))) - {"span 33"})
    assert (status.sent, status.rejected, status.waiting) == (99, 1, 0)
    assert consumers.losses.counts["otlp"] == 1


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_an_outage_and_a_restart_lose_nothing(tmp_path: Path, protocol: str) -> None:
    """Down from the start, through the end of the agent, up for the next one: nothing is lost, the ledger adds up."""
    collector: HttpCollector | GrpcCollector = HttpCollector() if protocol == "http" else GrpcCollector()
    collector.up()
    collector.down()

    def begin() -> Consumers:
        if protocol == "http":
            return spooled(tmp_path, HttpExporter(endpoint=collector.endpoint, timeout=0.5))
        return spooled(tmp_path, GrpcExporter(endpoint=collector.endpoint, timeout=0.5))

    first = begin()
    append_spans(first.log, range(1000))
    first.flush(5)
    first.shutdown(5)
    waiting = status_of(first).waiting
    del first
    gc.collect()  # as the end of its process would, this lets go of the log
    with collector:
        second = begin()
        append_spans(second.log, range(1000, 1500))
        assert second.flush(20)
        assert collector.wait_until(lambda: len(set(collector.names)) == 1500)
        second.shutdown(10)
    (status,) = read_status(tmp_path / "spool").targets

    assert waiting == 1000
    assert set(collector.names) == set(names_of(range(1500)))
    assert (status.recorded, status.sent, status.rejected, status.dropped, status.waiting) == (1500, 1500, 0, 0, 0)
    assert status.retried > 0


@pytest.mark.parametrize("exporter", [HttpExporter, GrpcExporter])
def test_an_endpoint_that_is_down_is_told_of_at_once(exporter: Any, tmp_path: Path) -> None:
    """The exporter goes on trying; a flush does not wait for it, as the spans are safe."""
    with HttpCollector() as gone:
        endpoint = gone.endpoint
    consumers = spooled(tmp_path, exporter(endpoint=endpoint, timeout=600))
    forward = consumers.targets[0]
    append_spans(consumers.log, range(10))
    start = time.monotonic()

    assert not consumers.flush(600)
    assert forward.seems_away
    assert time.monotonic() - start < 300
    forward.close()  # ends what it is at
    consumers.shutdown(10)


def test_a_server_that_hangs_does_not_hold_back_the_agent(http: HttpCollector, tmp_path: Path) -> None:
    """A request that is never answered is given up by the exporter, and made again."""
    http.answers.append(None)
    consumers = spooled(tmp_path, HttpExporter(endpoint=http.endpoint, timeout=0.3))
    append_spans(consumers.log, range(10))
    consumers.start()
    assert http.wait_until(lambda: len(http.names) == 10)
    assert consumers.flush(20)
    consumers.shutdown(10)

    assert http.names == names_of(range(10))


def test_a_killed_agent_is_forwarded_by_the_next(http: HttpCollector, tmp_path: Path) -> None:
    """Spans that were acknowledged in an outage survive kill -9, and are sent once somebody starts again."""
    http.answers.extend([HttpAnswer(503)] * 1000)
    source = f"""
        import os, signal
        from pathlib import Path
        from otel_agenttrace.spool.log import SpoolLog
        from otel_agenttrace.spool.about import About
        from otel_agenttrace.spool.config import SpoolConfig
        from otel_agenttrace.testing.spool_targets import append_spans, decode
        from otel_agenttrace.exporters.forward import Forward
        from otel_agenttrace.losses import LossLog
        from otel_agenttrace.spool.consumers import Consumers
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        losses = LossLog()
        log = SpoolLog(SpoolConfig(Path("spool")), About(targets=("otlp",)), losses=losses)
        consumers = Consumers(log, [Forward("otlp", OTLPSpanExporter(endpoint="{http.endpoint}"))], decode, losses)
        consumers.start()
        append_spans(log, range(700))
        os.kill(os.getpid(), signal.SIGKILL)
        """
    with pytest.raises(AssertionError, match="ended with -9"):
        run_program(tmp_path, source)
    http.answers.clear()
    consumers = spooled(tmp_path, HttpExporter(endpoint=http.endpoint))
    consumers.start()

    assert http.wait_until(lambda: len(set(http.names)) == 700)
    consumers.shutdown(10)
    assert set(http.names) == set(names_of(range(700)))
