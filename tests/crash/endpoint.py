"""An OTLP server to be taken down and up, as a process: `python -m tests.crash.endpoint http|grpc FILE`.

It says its URL, then does what it is told by lines, and says each back when it is done. The ids of the spans that it
takes are in FILE before it answers.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from otel_agenttrace.testing.collectors import GrpcCollector, HttpAnswer, HttpCollector

if TYPE_CHECKING:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KEY_BYTES = 16 + 8


class _Keeps:
    """What both servers do with spans."""

    fd: int

    def take(self, request: ExportTraceServiceRequest) -> None:
        """Write down the ids of the spans of a request."""
        spans = (span for each in request.resource_spans for scope in each.scope_spans for span in scope.spans)
        os.write(self.fd, b"".join(span.trace_id + span.span_id for span in spans))


class _Http(_Keeps, HttpCollector):
    """OTLP over HTTP."""


class _Grpc(_Keeps, GrpcCollector):
    """OTLP over gRPC."""


def main(protocol: str, path: str) -> None:
    """Serve until there is nothing more to read."""
    server: _Http | _Grpc = _Grpc() if protocol == "grpc" else _Http()
    server.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with server:
        print(server.endpoint, flush=True)  # noqa: T201 - read by whoever started this
        for line in sys.stdin:
            if line == "down\n":
                server.down()
            elif line == "up\n":
                server.up()
            elif isinstance(server, _Http):
                server.answers.extend([HttpAnswer(503)] * 3)
            print(line, end="", flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    main(*sys.argv[1:])
