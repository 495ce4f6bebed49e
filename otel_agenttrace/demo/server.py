"""A tool server on loopback, spoken to like an MCP server: JSON-RPC 2.0 over HTTP, method `tools/call`.

See https://modelcontextprotocol.io/specification (the demo needs nothing else of it).
"""

from __future__ import annotations

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any

from otel_agenttrace.demo.tools import InvalidArgumentsError, ToolUnavailableError, demo_tools

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from otel_agenttrace.demo.tools import Tool

PARSE_ERROR, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32601, -32602
"""Error codes of https://www.jsonrpc.org/specification#error_object."""

_MAX_BODY_BYTES = 1_000_000


class ToolServer:
    """Serves the demo's tools while it is entered.

    Args:
        kills: see `demo_tools`.

    Attributes:
        url: where to POST, known once it is entered.
    """

    url: str

    def __init__(self, *, kills: bool = False) -> None:
        self._kills = kills

    def __enter__(self) -> Self:
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.tools = demo_tools(self._closing, kills=self._kills)
        self.url = f"http://127.0.0.1:{self._server.server_port}/mcp"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="agenttrace-demo-tools"
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()  # waits for the threads that still answer


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    tools: dict[str, Tool]

    def server_bind(self) -> None:
        # HTTPServer's own also asks the name service who 127.0.0.1 is, which takes seconds on some machines.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5.0  # seconds that a client may take to send its request

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= _MAX_BODY_BYTES:
            self._answer(HTTPStatus.BAD_REQUEST, {})
            return
        try:
            self._answer(HTTPStatus.OK, _response(self.rfile.read(length), self.server.tools))
        except ToolUnavailableError as error:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, {"error": str(error)})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the client's spans tell."""

    def _answer(self, status: HTTPStatus, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except ConnectionError:
            self.close_connection = True  # the client did not wait that long


def _response(body: bytes, tools: dict[str, Tool]) -> dict[str, Any]:
    try:
        request = json.loads(body)
        method, params = request["method"], request.get("params") or {}
        name, arguments = params.get("name"), params.get("arguments", {})
    except (ValueError, TypeError, KeyError, AttributeError):
        return _error(None, PARSE_ERROR, "not a JSON-RPC request")
    if method != "tools/call":
        return _error(request.get("id"), METHOD_NOT_FOUND, f"unknown method {method}")
    if name not in tools:
        return _error(request.get("id"), INVALID_PARAMS, f"unknown tool {name}")
    try:
        result = tools[name].call(arguments)
    except InvalidArgumentsError as error:
        return _error(request.get("id"), INVALID_PARAMS, str(error))
    content = [{"type": "text", "text": json.dumps(result)}]
    return _message(request.get("id"), result={"content": content, "structuredContent": result})


def _error(request_id: object, code: int, message: str) -> dict[str, Any]:
    return _message(request_id, error={"code": code, "message": message})


def _message(request_id: object, **outcome: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, **outcome}
