"""Who agents forward to: a real OpenTelemetry Collector where one was built, and OTLP servers in this process."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from google.protobuf.json_format import MessageToDict

from otel_agenttrace.testing.collectors import GrpcCollector, HttpCollector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

OTELCOL = Path(__file__).parents[2] / ".collector" / "otelcol"
"""What `make collector` builds."""

_LISTENS = """
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:{grpc_port}
      http:
        endpoint: 127.0.0.1:{http_port}
service:
  telemetry:
    metrics:
      level: none
"""

_WRITES = """
exporters:
  file:
    path: {path}
    append: true
    flush_interval: 20ms
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [file]
"""


class Peer(Protocol):
    """An OTLP endpoint that can be taken down and up, at one address.

    Attributes:
        protocol: as `OTEL_EXPORTER_OTLP_PROTOCOL` calls it.
    """

    protocol: str

    @property
    def endpoint(self) -> str:
        """URL for traces."""
        ...

    def up(self) -> None:
        """Listen."""
        ...

    def down(self) -> None:
        """Listen no more."""
        ...

    def exports(self) -> Iterator[dict[str, Any]]:
        """What arrived: OTLP as JSON, in the collector's or protobuf's spelling of ids."""
        ...


class GrpcPeer(GrpcCollector):
    """A gRPC server in this process."""

    protocol = "grpc"

    def exports(self) -> Iterator[dict[str, Any]]:
        """See Peer."""
        yield from map(MessageToDict, self.exported)


class HttpPeer(HttpCollector):
    """An HTTP server in this process."""

    protocol = "http/protobuf"

    def exports(self) -> Iterator[dict[str, Any]]:
        """See Peer."""
        yield from map(MessageToDict, self.exported)


class Otelcol:
    """The OpenTelemetry Collector, as a process; skips the test where none was built.

    Args:
        folder: where its files are.
        protocol: by which it is sent to.
        config: what it does with spans; else it writes them to a file, which `exports` reads.
        changes: to that, as `path=value`.
    """

    def __init__(self, folder: Path, protocol: str, config: Path | None = None, changes: Sequence[str] = ()) -> None:
        if not OTELCOL.exists():
            pytest.skip("no OpenTelemetry Collector here: make collector")
        self.protocol = protocol
        self._folder = folder
        self._ports = _free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None
        listens, writes = folder / "listens.yaml", folder / "writes.yaml"
        listens.write_text(_LISTENS.format(grpc_port=self._ports[0], http_port=self._ports[1]), encoding="utf-8")
        writes.write_text(_WRITES.format(path=folder / "out.jsonl"), encoding="utf-8")
        files = (config or writes, listens)
        self._arguments = [*(f"--config={file}" for file in files), *(f"--set={change}" for change in changes)]

    @property
    def endpoint(self) -> str:
        """See Peer."""
        is_grpc = self.protocol == "grpc"
        return f"http://127.0.0.1:{self._ports[0]}" if is_grpc else f"http://127.0.0.1:{self._ports[1]}/v1/traces"

    def up(self) -> None:
        """See Peer; returns once it listens."""
        with (self._folder / "otelcol.log").open("ab") as log:
            self._process = subprocess.Popen([OTELCOL, *self._arguments], stdout=log, stderr=log)
        for port in self._ports:
            wait_until(lambda port=port: _listens(port))  # type: ignore[misc]

    def down(self) -> None:
        """See Peer; what it has taken is in its file then."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    def exports(self) -> Iterator[dict[str, Any]]:
        """See Peer; a line that is being written is left for the next time."""
        with suppress(FileNotFoundError):
            *lines, _ = (self._folder / "out.jsonl").read_text(encoding="utf-8").split("\n")
            yield from map(json.loads, lines)


def spans_of(peer: Peer) -> list[dict[str, Any]]:
    """The spans that arrived, each with its `resource` and `scope` and their schemas."""
    return [
        span
        | {
            "resource": [each.get("resource"), each.get("schemaUrl")],
            "scope": [in_scope.get("scope"), in_scope.get("schemaUrl")],
        }
        for export in peer.exports()
        for each in export["resourceSpans"]
        for in_scope in each["scopeSpans"]
        for span in in_scope["spans"]
    ]


def names_at(peer: Peer) -> list[str]:
    """The names of the spans that arrived, in order."""
    return [span["name"] for span in spans_of(peer)]


def wait_until(is_true: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait until something is so that another process does."""
    deadline, pause = time.monotonic() + timeout_s, threading.Event()
    while not is_true():
        assert time.monotonic() < deadline, "it did not come to that in time"
        pause.wait(0.02)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
