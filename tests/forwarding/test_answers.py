"""Servers that refuse, take a part, or do not answer: what is counted, and who is not held back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import grpc  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from otel_agenttrace import open_store
from otel_agenttrace.testing.collectors import HttpAnswer
from otel_agenttrace.testing.spool_targets import names_of
from tests.forwarding.agents import STORE, Agent, forwarded, start_agent
from tests.forwarding.peers import GrpcPeer, HttpPeer, names_at, wait_until

if TYPE_CHECKING:
    from pathlib import Path

_PARTIAL = ExportTraceServiceResponse(
    partial_success=ExportTracePartialSuccess(rejected_spans=3, error_message="over quota")
)


def counts(folder: Path) -> tuple[int, int, int]:
    """What was sent, what was rejected, and what waits."""
    status = forwarded(folder)
    return status.sent, status.rejected, status.waiting


def test_spans_that_a_server_refuses_are_counted_and_not_sent_again(http: HttpPeer, tmp_path: Path) -> None:
    """400 costs the spans that it is for; they are told with the server's words, and never offered by anybody again."""
    http.refuses = lambda name: name in ("span 33", "span 77")
    with start_agent(tmp_path, http) as agent:
        agent.record(0, 100)
        wait_until(lambda: counts(tmp_path) == (98, 2, 0))
    requests = http.requests
    with start_agent(tmp_path, http) as another:
        another.record(100, 101)
        wait_until(lambda: counts(tmp_path) == (99, 2, 0))

    assert sorted(http.names) == sorted(set(names_of(range(101))) - {"span 33", "span 77"})
    assert "HTTP 400: that span again" in agent.said
    assert http.requests == requests + 1


def test_http_partial_success_is_counted(http: HttpPeer, tmp_path: Path) -> None:
    """The server said how many it will never keep, and why; they are not sent again."""
    http.answers.append(HttpAnswer(200, _PARTIAL.SerializeToString()))
    with start_agent(tmp_path, http) as agent:
        agent.record(0, 10)
        wait_until(lambda: counts(tmp_path) == (7, 3, 0))

    assert "over quota" in agent.said
    assert len(http.names) == 10


def test_grpc_partial_success_is_counted(grpc_peer: GrpcPeer, tmp_path: Path) -> None:
    """The server said how many it will never keep, and why; they are not sent again."""
    grpc_peer.answers.append(_PARTIAL)
    with start_agent(tmp_path, grpc_peer) as agent:
        agent.record(0, 10)
        wait_until(lambda: counts(tmp_path) == (7, 3, 0))

    assert "over quota" in agent.said
    assert len(grpc_peer.names) == 10


def test_grpc_refusals_are_counted(grpc_peer: GrpcPeer, tmp_path: Path) -> None:
    """INVALID_ARGUMENT costs the span that it is for, with the server's words; what follows is sent."""
    grpc_peer.answers.append((grpc.StatusCode.INVALID_ARGUMENT, "not like this"))
    with start_agent(tmp_path, grpc_peer) as agent:
        agent.record(0, 1)
        wait_until(lambda: counts(tmp_path) == (0, 1, 0))
        agent.record(1, 10)
        wait_until(lambda: counts(tmp_path) == (9, 1, 0))

    assert "INVALID_ARGUMENT: not like this" in agent.said
    assert sorted(grpc_peer.names) == names_of(range(1, 10))


def test_what_may_come_right_is_waited_for(http: HttpPeer, tmp_path: Path) -> None:
    """A key that is wrong, a page that is missing, a server that is overloaded: nothing is lost until it is mended."""
    statuses = (401, 403, 404, 408, 429, 500, 502, 503, 504)
    http.answers.extend(HttpAnswer(status, headers={"Retry-After": "0"}) for status in statuses)
    with start_agent(tmp_path, http) as agent:
        agent.record(0, 10)
        while counts(tmp_path)[0] < 10:
            agent.tell("flush")

    assert sorted(http.names) == names_of(range(10))
    assert counts(tmp_path) == (10, 0, 0)


def test_an_exporter_that_hangs_holds_back_nobody(tmp_path: Path) -> None:
    """The store and the other exporter have everything while one server does not answer; it gets its own later."""
    with HttpPeer() as hanging, HttpPeer() as other:
        hanging.answers.append(None)
        with Agent(tmp_path, {"ENDPOINTS": f"{hanging.endpoint} {other.endpoint}"}) as agent:
            agent.record(0, 600)
            wait_until(lambda: len(other.names) == 600)
            with open_store(f"sqlite:///{tmp_path / STORE}") as store:
                wait_until(lambda: store.spans.info().spans == 600)
            taken, sent = list(hanging.names), forwarded(tmp_path, f"OTLPSpanExporter@127.0.0.1:{hanging.port}").sent
            hanging.released.set()
            wait_until(lambda: len(set(hanging.names)) == 600)

    assert (taken, sent) == ([], 0)
    assert sorted(names_at(other)) == sorted(names_of(range(600)))


def test_the_end_does_not_wait_for_an_exporter_that_hangs(tmp_path: Path) -> None:
    """Shutdown keeps to its time, and the next agent sends what the server did not answer to."""
    with HttpPeer() as hanging:
        hanging.answers.append(None)
        agent = Agent(tmp_path, {"ENDPOINTS": hanging.endpoint})
        agent.record(0, 10)
        wait_until(lambda: hanging.requests == 1)
        begun = time.monotonic()
        assert agent.tell("shutdown", 2) == "False"
        taken_s = time.monotonic() - begun
        agent.kill()
        with Agent(tmp_path, {"ENDPOINTS": hanging.endpoint}) as another:
            another.record(10, 11)
            wait_until(lambda: set(hanging.names) == set(names_of(range(11))))

    assert taken_s < 10


def test_spans_that_are_still_open_are_not_forwarded(http: HttpPeer, tmp_path: Path) -> None:
    """The store has the start record of a run, the endpoint hears of it once, when it ends."""
    with start_agent(tmp_path, http) as agent:
        agent.tell("start", "long-run")
        agent.record(0, 1)
        agent.tell("flush")
        wait_until(lambda: http.names == ["span 0"])
        with open_store(f"sqlite:///{tmp_path / STORE}") as store:
            assert store.spans.info().spans == 2
        agent.tell("end", "long-run")
        wait_until(lambda: http.names == ["span 0", "long-run"])

    assert (forwarded(tmp_path).sent, forwarded(tmp_path).passed_over) == (2, 2)
