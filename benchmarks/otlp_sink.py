"""An OTLP server in a process of its own for the benchmarks: it keeps what it is sent, and looks at it only when asked.

Whatever a server does with a request, the exporter waits for it, and so would have its share in every rate.
"""

from __future__ import annotations

import multiprocessing
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Literal

import grpc  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Protocol = Literal["grpc", "http"]

_SPAWN = multiprocessing.get_context("spawn")


class Sink:
    """The server, as seen from the process that measures. It listens between `up` and `down`, on one port.

    Attributes:
        endpoint: URL for traces.
    """

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._port = _free_port()
        self._process: Any = None
        self.endpoint = f"http://127.0.0.1:{self._port}" + ("/v1/traces" if protocol == "http" else "")

    def up(self) -> None:
        """Listen."""
        self._connection, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(self._protocol, self._port, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._connection.recv()

    def down(self) -> None:
        """Listen no more, and forget everything."""
        self._process.kill()
        self._process.join()

    def taken(self) -> tuple[int, int]:
        """How many spans came since the last time, and how many different ones."""
        self._connection.send(None)
        counts: tuple[int, int] = self._connection.recv()
        return counts


def stop_helpers() -> None:
    """End the process that `multiprocessing` starts beside, so that none is left behind."""
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined] # noqa: SLF001


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _serve(protocol: Protocol, port: int, connection: Connection) -> None:
    bodies: list[bytes] = []
    server = _serve_grpc(port, bodies) if protocol == "grpc" else _serve_http(port, bodies)
    connection.send(None)
    while server is not None:
        connection.recv()
        spans = [id_ for body in bodies for id_ in _ids_in(body)]
        bodies.clear()
        connection.send((len(spans), len(set(spans))))


def _ids_in(body: bytes) -> list[bytes]:
    request = ExportTraceServiceRequest.FromString(body)
    return [span.span_id for each in request.resource_spans for scope in each.scope_spans for span in scope.spans]


def _serve_grpc(port: int, bodies: list[bytes]) -> object:
    def export(request: bytes, _: object) -> bytes:
        bodies.append(request)
        return b""

    handler = grpc.unary_unary_rpc_method_handler(export)  # bytes in, bytes out
    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(2), options=options)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": handler}),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server


def _serve_http(port: int, bodies: list[bytes]) -> object:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response_only(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
