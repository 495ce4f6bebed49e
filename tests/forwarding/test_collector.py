"""The files for `docker compose up`, in the real Collector."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from otel_agenttrace.testing.spool_targets import names_of
from tests.forwarding.agents import forwarded, start_agent
from tests.forwarding.peers import OTELCOL, GrpcPeer, Otelcol, names_at, wait_until

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]
TO_JAEGER = ROOT / "collector-config" / "collector-to-jaeger.yaml"


def test_the_collector_of_the_tests_is_the_one_that_users_get(tmp_path: Path) -> None:
    """What is built here has the version of the image in docker-compose.yml."""
    Otelcol(tmp_path, "grpc")
    said = subprocess.run([OTELCOL, "--version"], capture_output=True, text=True, check=True).stdout
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    manifest = yaml.safe_load((ROOT / "collector-config" / "builder.yaml").read_text(encoding="utf-8"))
    version = manifest["dist"]["version"]

    assert said.split()[-1] == version
    assert compose["services"]["collector"]["image"].rpartition(":")[2] == version


def test_requests_are_as_small_as_the_collector_wants_them(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A batch of more than the 4 MiB that it takes is sent in parts; a span of more was cut when it was recorded."""
    collector = Otelcol(tmp_path_factory.mktemp("otelcol"), "grpc")
    with start_agent(tmp_path, collector) as agent:
        agent.record(0, 60, 200_000)
        agent.record(60, 61, 5_000_000)
        agent.record(61, 100, 200_000)
        collector.up()
        try:
            wait_until(lambda: forwarded(tmp_path).waiting == 0)
        finally:
            collector.down()

    assert sorted(names_at(collector)) == sorted(names_of(range(100)))
    assert (forwarded(tmp_path).sent, forwarded(tmp_path).rejected) == (100, 0)


def test_spans_reach_a_jaeger_that_is_down_at_first(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, grpc_peer: GrpcPeer
) -> None:
    """Agent, Collector, Jaeger: with the file that is shipped, what the Collector took waits there for the last."""
    jaeger = f"exporters.otlp_grpc/jaeger.endpoint=127.0.0.1:{grpc_peer.port}"
    soon = "exporters.otlp_grpc/jaeger.retry_on_failure.initial_interval=100ms"
    collector = Otelcol(tmp_path_factory.mktemp("otelcol"), "grpc", TO_JAEGER, [jaeger, soon])
    grpc_peer.down()
    collector.up()
    try:
        with start_agent(tmp_path, collector) as agent:
            agent.record(0, 100)
            wait_until(lambda: forwarded(tmp_path).sent == 100)
        grpc_peer.up()
        wait_until(lambda: sorted(grpc_peer.names) == sorted(names_of(range(100))))
    finally:
        collector.down()
