"""A handoff between two real processes over real HTTP, both of which record into one store."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING

from otel_agenttrace import SpanQuery, open_store
from otel_agenttrace.testing.programs import run_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_agenttrace import SpanRecord

SECRET = "sk-" + "a1b2c3d4" * 6
_TIMEOUT_S = 60

BUILDER = """
    import json, threading
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from otel_agenttrace import HandoffError, TraceContext, configure_tracing, extract_headers, receive_handoff

    SCHEMAS = {"panel.json": {"type": "object", "required": ["features"]}, "count.json": {"required": ["count"]}}

    def build(handoff):
        with TraceContext("build panels"):
            assert handoff.inputs["api_key"] == "%(secret)s"
            if handoff.inputs["hang"]:
                while True:
                    threading.Event().wait(0.02)
                    handoff.check_deadline()
            return {"count": len(handoff.inputs["features"])}

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                with receive_handoff(
                    body, agent="builder", capabilities={"build-panels": "panel.json"}, schemas=SCHEMAS,
                    context=extract_headers(self.headers),
                ) as handoff:
                    answer = handoff.complete(build(handoff))
            except HandoffError as error:
                answer = error.answer
            content = json.dumps(answer).encode()
            try:
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except ConnectionError:
                self.close_connection = True  # the planner did not wait

    with configure_tracing("builder"), HTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_port, flush=True)
        server.handle_request()
"""

PLANNER = """
    import os, sys
    from datetime import datetime, timedelta, timezone
    import httpx
    from otel_agenttrace import (
        ExpectedOutput, HandoffContract, HandoffTimeoutError, TraceContext, configure_tracing, emit_handoff,
        wait_for_handoff_result,
    )

    SCHEMAS = {"count.json": {"required": ["count"]}}
    seconds, hang, features = float(os.environ["SECONDS"]), os.environ["HANG"] == "1", os.environ["FEATURES"]

    def post(timeout_s):
        try:
            return http.post(os.environ["URL"], json=payload, timeout=timeout_s).content
        except httpx.TimeoutException:
            return None

    with configure_tracing("planner"), TraceContext("planner", session_id="s-1"), httpx.Client(trust_env=False) as http:
        contract = HandoffContract(
            from_agent="planner", to_agent="builder", capability_id="build-panels",
            inputs={"api_key": "%(secret)s", "hang": hang, **({"features": features.split()} if features else {})},
            expected_output=ExpectedOutput(type="object", schema_ref="count.json"),
            deadline=datetime.now(timezone.utc) + timedelta(seconds=seconds),
        )
        payload = emit_handoff(contract)
        try:
            result = wait_for_handoff_result(contract, post, schemas=SCHEMAS)
        except HandoffTimeoutError as error:
            print(error.handoff.status)
        else:
            print(result.handoff.status, result.output, result.handoff.error)
"""


@contextmanager
def _builder(folder: Path, store: str) -> Iterator[str]:
    """The URL of a process that takes one handoff; it has ended by the end of the block, and well."""
    folder.mkdir()
    (folder / "builder.py").write_text(textwrap.dedent(BUILDER % {"secret": SECRET}), encoding="utf-8")
    environment = {"HOME": str(folder), "AGENTTRACE_STORE": store, "PATH": ""}
    with subprocess.Popen(
        [sys.executable, "builder.py"], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
            assert process.wait(_TIMEOUT_S) == 0
        finally:
            process.kill()


def _hand_over(
    tmp_path: Path, *, seconds: float, hang: bool = False, features: str = "gap latency"
) -> tuple[str, list[SpanRecord]]:
    """What the planner printed, and every span of both processes."""
    store = f"sqlite:///{tmp_path}/traces.db"
    planner = tmp_path / "planner"
    planner.mkdir()
    with _builder(tmp_path / "builder", store) as url:
        settings = {"SECONDS": str(seconds), "HANG": str(int(hang)), "FEATURES": features}
        environment = {"AGENTTRACE_STORE": store, "URL": url, **settings}
        said = run_program(planner, PLANNER % {"secret": SECRET}, environment).stdout
    with open_store(store, read_only=True) as opened:
        return said, list(opened.spans.find_spans(SpanQuery(order="start_asc")))


def _statuses(spans: list[SpanRecord], name: str) -> list[tuple[str, object]]:
    (span,) = (span for span in spans if span.name == name)
    return [(event.name, event.attributes["handoff.status"]) for event in span.events if event.name != "exception"]


def _trace(spans: list[SpanRecord]) -> dict[str, str]:
    """The name of each span's parent, of one trace."""
    assert len({span.trace_id for span in spans}) == 1
    names = {span.span_id: span.name for span in spans}
    return {span.name: names.get(span.parent_span_id or "", "") for span in spans if span.name != "agenttrace.verdict"}


def test_a_handoff_between_processes_is_one_trace(tmp_path: Path) -> None:
    """Both agents' spans are one tree in one store and session, both checked it, and no secret is in any file."""
    said, spans = _hand_over(tmp_path, seconds=60)

    assert said.splitlines()[-1] == "completed {'count': 2} None"
    assert _trace(spans) == {
        "planner": "",
        "POST": "planner",
        "handoff build-panels": "POST",
        "build panels": "handoff build-panels",
    }
    assert {(span.name, span.resource.attributes["service.name"]) for span in spans} >= {
        ("planner", "planner"),
        ("build panels", "builder"),
    }
    assert _statuses(spans, "planner") == [("handoff.emitted", "pending"), ("handoff.validated", "completed")]
    assert _statuses(spans, "handoff build-panels") == [
        ("handoff.validated", "accepted"),
        ("handoff.validated", "completed"),
    ]
    sessions = {span.name: span.attributes.get("session.id") for span in spans}
    assert {sessions[name] for name in ("planner", "handoff build-panels", "build panels")} == {"s-1"}
    (emitted,) = (event for span in spans for event in span.events if event.name == "handoff.emitted")
    assert isinstance(emitted.attributes["handoff.inputs"], dict)
    assert emitted.attributes["handoff.inputs"]["features"] == ["gap", "latency"]
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".py"]
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


def test_a_handoff_that_is_not_valid_is_refused_by_the_other_process(tmp_path: Path) -> None:
    """The receiver's schema counts: the planner is told why, in the same trace."""
    said, spans = _hand_over(tmp_path, seconds=60, features="")

    assert said.splitlines()[-1] == "rejected None inputs: features missing"
    assert _statuses(spans, "handoff build-panels") == [("handoff.validated", "rejected")]
    assert _statuses(spans, "planner") == [("handoff.emitted", "pending"), ("handoff.validated", "rejected")]
    assert _trace(spans)["handoff build-panels"] == "POST"


def test_a_deadline_passes_in_both_processes(tmp_path: Path) -> None:
    """Neither side waits for the other: the planner stops waiting, the builder stops working, one trace tells both."""
    said, spans = _hand_over(tmp_path, seconds=3, hang=True)

    assert said.splitlines()[-1] == "expired"
    assert _statuses(spans, "planner") == [("handoff.emitted", "pending"), ("handoff.validated", "expired")]
    assert _statuses(spans, "handoff build-panels")[-1] == ("handoff.validated", "expired")
    assert _trace(spans)["build panels"] == "handoff build-panels"
    (failed,) = (span for span in spans if span.name == "handoff build-panels")
    assert failed.status_code == "ERROR"
    assert failed.attributes["error.type"] == "otel_agenttrace.errors.HandoffTimeoutError"
