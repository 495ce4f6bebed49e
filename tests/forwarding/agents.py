"""Agents as processes of their own, which record what a test tells them to through `configure_tracing()`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from otel_agenttrace.spool.status import read_status

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

    from otel_agenttrace.spool.status import SpoolStatus, TargetStatus
    from tests.forwarding.peers import Peer

_TIMEOUT_S = 60.0

STORE = "traces.db"

_PROGRAM = """
import os
import sys

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from otel_agenttrace import configure_tracing

endpoints = os.environ.get("ENDPOINTS", "").split()
exporters = [OTLPSpanExporter(endpoint=endpoint, timeout=60) for endpoint in endpoints]
tracing = configure_tracing("booking-agent", exporters=exporters or None, instrument=False)
tracer = trace.get_tracer("tests")
opened = {}


def record(first, end, size="0"):
    parts = [min(500_000, int(size) - at) for at in range(0, int(size), 500_000)]
    attributes = {f"part {index}": "x" * part for index, part in enumerate(parts)}
    for number in range(int(first), int(end)):
        tracer.start_span(f"span {number}", attributes=attributes).end()


def start(name):
    opened[name] = tracer.start_span(name)


def end(name):
    opened.pop(name).end()


def fork(first, end):
    if os.fork() == 0:
        record(first, end)
        os._exit(not tracing.shutdown(20))
    return os.wait()[1]


def vanish(first, end):
    "A child that ends as those of multiprocessing do, without a word to anybody."
    if os.fork() == 0:
        record(first, end)
        os._exit(0)
    return os.wait()[1]


def flush(timeout_s="20"):
    return tracing.flush(float(timeout_s))


def shutdown(timeout_s):
    return tracing.shutdown(float(timeout_s))


commands = {work.__name__: work for work in (record, start, end, fork, vanish, flush, shutdown)}
for line in sys.stdin:
    name, *arguments = line.split()
    print(commands[name](*arguments), flush=True)
"""


class Agent:
    """A process that records into `folder`, and forwards; `with` lets it end as an agent does that has done its work.

    Args:
        folder: where the store and the spool are, and its home.
        environment: variables to set.

    Attributes:
        said: what it had printed to stderr when it ended.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.said = ""
        program = folder / "agent.py"
        program.write_text(textwrap.dedent(_PROGRAM), encoding="utf-8")
        self._errors = (folder / "stderr.txt").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, program.name],
            cwd=folder,
            env=_variables(folder) | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self.stop()
        self.kill()

    def tell(self, *words: object) -> str:
        """Have it do something, and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        assert answer, self._read_errors()
        return answer

    def record(self, first: int, end: int, size: int = 0) -> None:
        """Record spans of these numbers and bytes, each the root of a trace, so that each has a start record, too."""
        self.tell("record", first, end, size)

    def stop(self) -> None:
        """Let it come to its end."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        code = self._process.wait(_TIMEOUT_S)
        assert code == 0, self._read_errors()

    def kill(self) -> None:
        """End it in the middle of what it does; safe twice."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        if not self._errors.closed:
            self.said = self._read_errors()
            self._errors.close()

    def _read_errors(self) -> str:
        self._errors.flush()
        self._errors.seek(0)
        return self._errors.read()


def start_agent(folder: Path, peer: Peer, **environment: str) -> Agent:
    """An agent that forwards to a peer, as the standard variables say."""
    return Agent(folder, _endpoint(peer) | environment)


def run_command(folder: Path, peer: Peer, *arguments: str) -> Any:
    """What `agenttrace` prints as JSON, with the store and the endpoint of the agents."""
    done = subprocess.run(
        [sys.executable, "-m", "otel_agenttrace", *arguments],
        env=_variables(folder) | _endpoint(peer),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def _variables(folder: Path) -> dict[str, str]:
    own = {"HOME": str(folder), "AGENTTRACE_STORE": f"sqlite:///{folder / STORE}", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    return {**os.environ, **own}


def _endpoint(peer: Peer) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": peer.endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": peer.protocol}


def spool_status(folder: Path) -> SpoolStatus:
    """What the spool of the agents in this folder says."""
    return read_status(folder / f"{STORE}.spool")


def forwarded(folder: Path, at: str = "otlp@") -> TargetStatus:
    """What it says of the one target whose name begins so."""
    (status,) = [target for target in spool_status(folder).targets if target.name.startswith(at)]
    return status
