"""Forwarding through `configure_tracing()`: endpoints that go down and come up, and agents that end in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.testing.spool_targets import names_of
from tests.forwarding.agents import forwarded, run_command, spool_status, start_agent
from tests.forwarding.peers import names_at, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.forwarding.peers import Peer


def wait_for(peer: Peer, end: int) -> None:
    """Wait until all spans below this number have arrived."""
    wait_until(lambda: set(names_at(peer)) == set(names_of(range(end))))


def counts(folder: Path) -> dict[str, int]:
    """The ledger of the forward: every span in it is in one place."""
    status = forwarded(folder)
    found = {name: getattr(status, name) for name in ("sent", "rejected", "dropped", "waiting")}
    assert status.recorded == sum(found.values())
    found["passed_over"] = status.passed_over
    return {name: count for name, count in found.items() if count}


def test_what_is_recorded_is_forwarded_once(peer: Peer, tmp_path: Path) -> None:
    """In the plain case each span arrives once, and its start record is passed over."""
    with start_agent(tmp_path, peer) as agent:
        agent.record(0, 1000)
        wait_for(peer, 1000)
    peer.down()

    assert sorted(names_at(peer)) == sorted(names_of(range(1000)))
    assert counts(tmp_path) == {"sent": 1000, "passed_over": 1000}
    assert not spool_status(tmp_path).living
    assert not spool_status(tmp_path).dead


def test_an_outage_that_outlives_the_agent_loses_nothing(peer: Peer, tmp_path: Path) -> None:
    """Down from the start, through the end of one agent, up for the next: that one sends what both recorded."""
    peer.down()
    with start_agent(tmp_path, peer) as first:
        first.record(0, 600)
    left = counts(tmp_path)
    dead = spool_status(tmp_path).dead
    peer.up()
    with start_agent(tmp_path, peer) as second:
        second.record(600, 700)
        wait_for(peer, 700)

    assert left["waiting"] == 600
    assert len(dead) == 1
    assert "600 spans wait" in first.said
    assert counts(tmp_path) == {"sent": 700, "passed_over": 700}
    assert len(names_at(peer)) == 700
    assert not spool_status(tmp_path).dead


def test_an_outage_in_the_middle_of_a_run_loses_nothing(peer: Peer, tmp_path: Path) -> None:
    """Down and up again, twice, while the agent goes on: flush says that the store has all, and the rest follows."""
    with start_agent(tmp_path, peer) as agent:
        for start in (0, 300):
            agent.record(start, start + 100)
            wait_for(peer, start + 100)
            peer.down()
            agent.record(start + 100, start + 200)
            assert agent.tell("flush") == "True"
            waiting = forwarded(tmp_path).waiting
            peer.up()
            agent.record(start + 200, start + 300)
            wait_for(peer, start + 300)
            assert waiting >= 100

    assert counts(tmp_path) == {"sent": 600, "passed_over": 600}


def test_a_killed_agent_is_forwarded_by_the_next(peer: Peer, tmp_path: Path) -> None:
    """What had ended before kill -9, in an outage, is sent by the next in the same place, whether it records or not."""
    peer.down()
    agent = start_agent(tmp_path, peer)
    agent.record(0, 600)
    agent.kill()
    peer.up()
    with start_agent(tmp_path, peer):
        wait_for(peer, 600)

    assert counts(tmp_path) == {"sent": 600, "passed_over": 600}


def test_a_forked_child_forwards_its_own(peer: Peer, tmp_path: Path) -> None:
    """Parent and child each send what they recorded, over connections of their own."""
    with start_agent(tmp_path, peer) as agent:
        agent.record(0, 100)
        wait_for(peer, 100)
        assert agent.tell("fork", 100, 200) == "0"
        agent.record(200, 300)
        wait_for(peer, 300)

    assert counts(tmp_path) == {"sent": 300, "passed_over": 300}
    assert len(names_at(peer)) == 300


def test_a_child_that_vanishes_is_forwarded_by_others(peer: Peer, tmp_path: Path) -> None:
    """A child that ends without running exit handlers leaves a log, which the next agent sends."""
    with start_agent(tmp_path, peer) as agent:
        assert agent.tell("vanish", 0, 100) == "0"
    with start_agent(tmp_path, peer) as another:
        another.record(100, 200)
        wait_for(peer, 200)

    assert counts(tmp_path) == {"sent": 200, "passed_over": 200}


def test_what_waits_is_shown_and_drained_by_command(peer: Peer, tmp_path: Path) -> None:
    """`agenttrace spool status` says what waits for the endpoint, and `spool drain` sends it once that is up."""
    peer.down()
    with start_agent(tmp_path, peer) as agent:
        agent.record(0, 100)
    left = run_command(tmp_path, peer, "spool", "status", "--json")
    peer.up()
    run_command(tmp_path, peer, "spool", "drain", "--json")
    after = run_command(tmp_path, peer, "spool", "status", "--json")
    peer.down()

    for shown, is_sent in ((left, False), (after, True)):
        (target,) = [each for each in shown["targets"] if each["name"].startswith("otlp@")]
        assert (target["recorded"], target["sent"]) == (100, 100 if is_sent else 0)
        assert target["waiting"] == (0 if is_sent else 100)
        assert (target["oldest_waiting_s"] is None) == is_sent
        assert (target["rejected"], target["dropped"]) == (0, 0)
    assert sorted(names_at(peer)) == sorted(names_of(range(100)))
