"""OTLP servers on loopback for tests: real ones, which answer what they are told to, and can be taken down and up."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

import grpc  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from typing_extensions import Self


class HttpAnswer(NamedTuple):
    """What an HTTP server answers."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}  # noqa: RUF012 - never written to


class _Collector(ABC):
    """What both servers have in common.

    Attributes:
        names: of the spans that were taken, in order.
        exported: what was taken, whole.
        requests: how many came.
        released: a request that is to hang waits until this is set.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.exported: list[ExportTraceServiceRequest] = []
        self.requests = 0
        self.port = 0
        self.released = threading.Event()
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self.down()

    @abstractmethod
    def up(self) -> None:
        """Listen, on the port of before."""

    @abstractmethod
    def down(self) -> None:
        """Listen no more."""

    def wait_until(self, is_true: Callable[[], bool], timeout_s: float = 20.0) -> bool:
        """Wait until something is so, looking whenever a request came."""
        with self._changed:
            return self._changed.wait_for(is_true, timeout_s)

    def came(self) -> None:
        """Note a request."""
        with self._changed:
            self.requests += 1
            self._changed.notify_all()

    def take(self, request: ExportTraceServiceRequest) -> None:
        """Keep the spans of a request."""
        names = _names_in(request)
        with self._changed:
            self.names += names
            self.exported.append(request)
            self._changed.notify_all()


def _names_in(request: ExportTraceServiceRequest) -> list[str]:
    return [span.name for each in request.resource_spans for scope in each.scope_spans for span in scope.spans]


class HttpCollector(_Collector):
    """OTLP over HTTP.

    Attributes:
        answers: the next answers; spans are taken where the status is 200, as they are without any.
        refuses: a predicate on span names: requests that hold one are answered 400.
    """

    def __init__(self) -> None:
        super().__init__()
        self.answers: deque[HttpAnswer | None] = deque()
        self.refuses: Callable[[str], bool] = lambda _: False
        self._server: ThreadingHTTPServer | None = None

    @property
    def endpoint(self) -> str:
        """URL for traces."""
        return f"http://127.0.0.1:{self.port}/v1/traces"

    def up(self) -> None:
        """Listen, on the port of before."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()

    def down(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def answer(self, body: bytes) -> HttpAnswer | None:
        """What to say to a request; None is no answer until `released`."""
        request = ExportTraceServiceRequest.FromString(body)
        answer = self.answers.popleft() if self.answers else HttpAnswer()
        if answer is not None and any(map(self.refuses, _names_in(request))):
            answer = HttpAnswer(400, b"that span again", {"Content-Type": "text/plain"})
        if answer is not None and answer.status == 200:
            self.take(request)
        self.came()
        return answer


def _handler(collector: HttpCollector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer a request."""
            answer = collector.answer(self.rfile.read(int(self.headers["Content-Length"])))
            if answer is None:
                collector.released.wait()
                return
            self.send_response(answer.status)
            for name, value in ({"Content-Type": "application/x-protobuf"} | answer.headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Keep the test's output clean."""

    return Handler


class GrpcCollector(_Collector):
    """OTLP over gRPC.

    Attributes:
        answers: the next answers: a response, with which the spans are taken, or a status and its details.
    """

    def __init__(self) -> None:
        super().__init__()
        self.answers: deque[ExportTraceServiceResponse | tuple[grpc.StatusCode, str]] = deque()
        self._server: grpc.Server | None = None
        self._pool = ThreadPoolExecutor(4)

    @property
    def endpoint(self) -> str:
        """URL for traces."""
        return f"http://127.0.0.1:{self.port}"

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._pool.shutdown()

    def up(self) -> None:
        """Listen, on the port of before."""
        collector = self

        class Service(trace_service_pb2_grpc.TraceServiceServicer):
            def Export(self, request: ExportTraceServiceRequest, context: Any) -> ExportTraceServiceResponse:  # noqa: N802
                """Answer a request."""
                return collector.answer(request, context)

        self._server = grpc.server(self._pool, options=[("grpc.so_reuseport", 0)])
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Service(), self._server)  # type: ignore[no-untyped-call]
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        self._server.start()

    def down(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.stop(None).wait()
            self._server = None

    def answer(self, request: ExportTraceServiceRequest, context: Any) -> ExportTraceServiceResponse:
        """What to say to a request."""
        answer = self.answers.popleft() if self.answers else ExportTraceServiceResponse()
        if isinstance(answer, tuple):
            self.came()
            context.abort(*answer)
        self.take(request)
        self.came()
        return answer  # type: ignore[return-value] # abort raises
