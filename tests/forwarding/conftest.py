"""Peers to forward to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.forwarding.peers import OTELCOL, GrpcPeer, HttpPeer, Otelcol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.forwarding.peers import Peer


@pytest.fixture(params=["grpc", "http/protobuf"])
def peer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """The real Collector where one was built, else a server in this process, by each of OTLP's protocols; it is up."""
    made: Peer
    if OTELCOL.exists():
        made = Otelcol(tmp_path_factory.mktemp("otelcol"), request.param)
    else:
        made = GrpcPeer() if request.param == "grpc" else HttpPeer()
    made.up()
    yield made
    if isinstance(made, (GrpcPeer, HttpPeer)):
        made.__exit__()
    made.down()


@pytest.fixture
def http() -> Iterator[HttpPeer]:
    """A server in this process; it is up."""
    with HttpPeer() as made:
        yield made


@pytest.fixture
def grpc_peer() -> Iterator[GrpcPeer]:
    """A server in this process; it is up."""
    with GrpcPeer() as made:
        yield made
