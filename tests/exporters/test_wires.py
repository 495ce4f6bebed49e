"""What the standard exporters send, received by real servers on loopback."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import grpc  # type: ignore[import-untyped]
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from otel_agenttrace.testing.programs import run_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "sk-proj-" + "a1B2c3D4" * 6

_AGENT = f"""
    from opentelemetry import trace
    from otel_agenttrace import configure_tracing

    configure_tracing("booking-agent", store="memory:", instrument=False)
    with trace.get_tracer("agent").start_as_current_span("chat", attributes={{"note": "{SECRET}"}}) as span:
        span.record_exception(TimeoutError("no answer"))
"""


@pytest.fixture
def http_collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """An OTLP/HTTP receiver: its endpoint, and what it was sent."""
    received: list[ExportTraceServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def grpc_collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """An OTLP/gRPC receiver: its endpoint, and what it was sent."""
    received: list[ExportTraceServiceRequest] = []

    class Service(trace_service_pb2_grpc.TraceServiceServicer):
        def Export(  # noqa: N802 - the service's name
            self, request: ExportTraceServiceRequest, context: grpc.ServicerContext
        ) -> ExportTraceServiceResponse:
            del context
            received.append(request)
            return ExportTraceServiceResponse()

    pool = ThreadPoolExecutor(2)
    server = grpc.server(pool)
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Service(), server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"http://127.0.0.1:{port}", received
    server.stop(None).wait()
    pool.shutdown()


def _check(received: list[ExportTraceServiceRequest]) -> None:
    (spans,), (verdicts,) = (request.resource_spans for request in received)
    (span,) = spans.scope_spans[0].spans
    (verdict,) = verdicts.scope_spans[0].spans
    attributes = {item.key: item.value.string_value for item in span.attributes}
    resource = {item.key: item.value.string_value for item in spans.resource.attributes}

    assert resource["service.name"] == "booking-agent"
    assert span.name == "chat"
    assert SECRET not in attributes["note"]
    assert attributes["failure.type"] == "timeout"
    assert (verdict.name, verdict.parent_span_id) == ("agenttrace.verdict", span.span_id)


@pytest.mark.parametrize("exporter", ["otlp", "otlp_proto_http", ""])
def test_otlp_over_http(
    tmp_path: Path, http_collector: tuple[str, list[ExportTraceServiceRequest]], exporter: str
) -> None:
    """Named or implied by an endpoint, OTLP goes over HTTP where the environment says so: redacted and classified."""
    endpoint, received = http_collector
    protocol = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    run_program(
        tmp_path, _AGENT, {"OTEL_TRACES_EXPORTER": exporter, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint} | protocol
    )

    _check(received)


def test_otlp_over_grpc(tmp_path: Path, grpc_collector: tuple[str, list[ExportTraceServiceRequest]]) -> None:
    """Without a protocol in the environment OTLP goes over gRPC, as in the SDK."""
    endpoint, received = grpc_collector
    done = run_program(tmp_path, _AGENT, {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})

    _check(received)
    assert "booking-agent -> memory, otlp (content on)" in done.stderr


def test_an_unsupported_protocol_is_logged(tmp_path: Path) -> None:
    """A protocol that no exporter speaks costs that exporter only."""
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_PROTOCOL": "smoke"}
    done = run_program(tmp_path, _AGENT, environment)

    assert "OTEL_EXPORTER_OTLP_PROTOCOL='smoke' is not accepted; expected grpc, http/protobuf" in done.stderr
    assert "1 of 1 trace failed" in done.stderr


def test_forked_workers_send_over_grpc(
    tmp_path: Path, grpc_collector: tuple[str, list[ExportTraceServiceRequest]]
) -> None:
    """A channel does not survive a fork; each worker gets an exporter of its own."""
    endpoint, received = grpc_collector
    run_program(
        tmp_path,
        """
        import os, sys
        from opentelemetry import trace
        from otel_agenttrace import configure_tracing

        tracing = configure_tracing("web", store="memory:", instrument=False)
        tracer = trace.get_tracer("agent")
        tracer.start_span("before").end()
        tracing.flush()
        workers = []
        for index in range(2):
            worker = os.fork()
            if worker == 0:
                tracer.start_span(f"worker {index}").end()
                sys.exit(0)
            workers.append(worker)
        for worker in workers:
            assert os.waitpid(worker, 0)[1] == 0
        tracer.start_span("after").end()
        """,
        {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint},
    )
    names = [span.name for request in received for span in request.resource_spans[0].scope_spans[0].spans]

    assert sorted(names) == ["after", "before", "worker 0", "worker 1"]
