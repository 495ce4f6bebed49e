"""A model server on loopback that speaks several vendors' protocols and remembers what it answered."""

from __future__ import annotations

import itertools
import json
import re
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.frameworks.protocols import anthropic_messages, chat_completions, gemini, responses
from tests.frameworks.script import Answer, Question, Refusal, Usage, reply

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType, TracebackType

    from typing_extensions import Self

_PROTOCOLS: tuple[tuple[str, ModuleType], ...] = (
    ("/v1/chat/completions", chat_completions),
    ("/v1/responses", responses),
    ("/v1/messages", anthropic_messages),
    ("/v1/models/", gemini),
)
_EMBEDDING = [0.25, -0.5, 0.125]
EMBEDDING_USAGE = Usage(input=5, output=0)


class Exchange(NamedTuple):
    """One call that the server answered."""

    question: Question
    answer: Answer | Refusal


class ModelServer:
    """Answers model calls while it is entered.

    Attributes:
        url: what to put before a protocol's own path (`/v1/...`), known once it is entered.
        exchanges: the calls answered, in order.
    """

    url: str

    def __enter__(self) -> Self:
        self.exchanges: list[Exchange] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.exchanges = self.exchanges
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    exchanges: list[Exchange]

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._numbers = itertools.count(1)

    def next_number(self) -> int:
        return next(self._numbers)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 30.0  # seconds that a client may take to send its request

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0].replace("/v1beta/", "/v1/")
        if path == "/v1/embeddings":
            self._answer_embeddings(json.loads(content))
            return
        protocol = next((module for prefix, module in _PROTOCOLS if path.startswith(prefix)), None)
        if protocol is None:
            self._write(404, {"error": {"message": f"there is no {path}"}})
            return
        body = json.loads(content) | (_in_path(path) if protocol is gemini else {})
        question = replace(protocol.read(body), number=self.server.next_number())
        answer = reply(question, writes_cache=protocol is anthropic_messages)
        self.server.exchanges.append(Exchange(question, answer))
        if isinstance(answer, Refusal):
            self._write(answer.status, protocol.write_error(answer))
        elif question.is_stream:
            self._write_events(protocol.stream(question, answer))
        else:
            self._write(200, protocol.write(question, answer))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the spans tell."""

    def _answer_embeddings(self, body: dict[str, Any]) -> None:
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        data = [{"object": "embedding", "index": index, "embedding": _EMBEDDING} for index in range(len(texts))]
        tokens = EMBEDDING_USAGE.input
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        question = Question(body["model"], str(texts[0]), number=self.server.next_number())
        self.server.exchanges.append(Exchange(question, Answer("", EMBEDDING_USAGE)))
        self._write(200, {"object": "list", "data": data, "model": body["model"], "usage": usage})

    def _write(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _write_events(self, events: Iterable[tuple[str, str]]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for name, data in events:
            head = f"event: {name}\n" if name else ""
            self.wfile.write(f"{head}data: {data}\n\n".encode())


def _in_path(path: str) -> dict[str, Any]:
    """What Google's protocol says in the path: `/v1/models/MODEL:METHOD`."""
    match = re.fullmatch(r"/v1/models/([^:]+):(\w+)", path)
    model, method = match.groups() if match else ("", "")
    return {"model": model, "stream": method == "streamGenerateContent"}
