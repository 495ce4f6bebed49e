"""The openai SDK with its OpenTelemetry instrumentor, against a loopback server that speaks its protocol."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace import open_store
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.testing.programs import run_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_agenttrace.model.record import SpanRecord

_COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_790_000_000,
    "model": "gpt-4.1-mini-2025-04-14",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "There is a flight at 9:40."},
        }
    ],
    "usage": {"prompt_tokens": 21, "completion_tokens": 9, "total_tokens": 30},
}

_AGENT = """
    import os
    import openai
    from otel_agenttrace import configure_tracing

    configure_tracing()
    client = openai.OpenAI(base_url=os.environ["MODEL_URL"], api_key="sk-proj-" + "a1B2c3D4" * 6)
    answer = client.chat.completions.create(
        model="gpt-4.1-mini", messages=[{"role": "user", "content": "Find me a flight to Oslo"}]
    )
    print(answer.choices[0].message.content)
"""


@pytest.fixture
def model_url() -> Iterator[str]:
    """The base URL of a server that answers each chat completion with the same text."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            answer = json.dumps(_COMPLETION).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


def _model_call(folder: Path) -> SpanRecord:
    with open_store(f"sqlite:///{folder / '.agenttrace' / 'traces.db'}") as store:
        spans = store.spans.find_spans(SpanQuery())
    (call,) = [span for span in spans if canonical(span).is_model_call]
    return call


def test_a_model_call_is_recorded_with_model_tokens_and_messages(tmp_path: Path, model_url: str) -> None:
    """Nothing but configure_tracing() in the program, and the call is there: model, tokens, question and answer."""
    done = run_program(tmp_path, _AGENT, {"MODEL_URL": model_url})
    call = _model_call(tmp_path)
    fields = canonical(call)

    assert done.stdout == "There is a flight at 9:40.\n"
    assert "openai; content on)" in done.stderr
    assert (fields.operation, fields.provider, fields.model) == ("chat", "openai", "gpt-4.1-mini-2025-04-14")
    assert (fields.input_tokens, fields.output_tokens) == (21, 9)
    assert "Find me a flight to Oslo" in str(fields.input)
    assert "There is a flight at 9:40." in str(fields.output)


def test_trace_show_tells_model_and_tokens(tmp_path: Path, model_url: str) -> None:
    """In the terminal the call stands with its model and its tokens."""
    run_program(tmp_path, _AGENT, {"MODEL_URL": model_url})

    shown = run_program(
        tmp_path, "from otel_agenttrace.cli.main import run\nrun(['trace', 'show'])\n", {"COLUMNS": "80"}
    ).stdout

    assert "gpt-4.1-mini-2025-04-14" in shown
    assert "21→9 tok" in shown


def test_content_stays_out_when_the_environment_says_so(tmp_path: Path, model_url: str) -> None:
    """With NO_CONTENT the call keeps its numbers, and neither question nor answer is anywhere in it."""
    variable = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
    done = run_program(tmp_path, _AGENT, {"MODEL_URL": model_url, variable: "NO_CONTENT"})
    call = _model_call(tmp_path)

    assert "content off)" in done.stderr
    assert canonical(call).input_tokens == 21
    assert "Oslo" not in str(call)
    assert "9:40" not in str(call)
