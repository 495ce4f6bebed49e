"""Which services refused records while something ran."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.losses import LossLog
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.draining import drain
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.refusals import Ran, Refused, find_refused
from otel_agenttrace.testing.spans import SECOND, START
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode, serialized

if TYPE_CHECKING:
    from pathlib import Path


def refusing_log(spool_dir: Path, service: str, times: list[int]) -> SpoolLog:
    """A log whose process refused a record that is too large at each of these times, seconds from START."""
    now = [START]
    log = SpoolLog(
        SpoolConfig(spool_dir, max_bytes=1 << 16), About(service_name=service, targets=("list",)), clock=lambda: now[0]
    )
    append_spans(log, [1])
    for seconds in times:
        now[0] = START + seconds * SECOND
        assert log.append(Kind.SPAN, serialized(2, attributes={"filling": "x" * (1 << 15)})) is None
    return log


def ran(service: str, start: int, end: int) -> Ran:
    """What a service did, from and to so many seconds from START."""
    return Ran(service, START + start * SECOND, START + end * SECOND)


@pytest.mark.parametrize("state", ["living", "dead", "gone"])
def test_refusals_of_the_service_in_that_time_are_found(spool_dir: Path, state: str) -> None:
    """Whatever became of the process since."""
    log = refusing_log(spool_dir, "booking", [10, 20, 30])
    if state != "living":
        del log
        gc.collect()
    if state == "gone":
        assert drain(spool_dir, [ListTarget()], decode, LossLog(), 20).removed == 1

    refused = [Refused("booking", 3, ("too_large",))]
    assert find_refused([spool_dir], [ran("booking", 0, 10)]) == refused
    assert find_refused([spool_dir], [ran("booking", 30, 40)]) == refused
    assert find_refused([spool_dir], [ran("booking", 15, 16), ran("booking", 17, 18)]) == refused
    assert find_refused([spool_dir], [ran("booking", 0, 9)]) == []
    assert find_refused([spool_dir], [ran("booking", 31, 99)]) == []
    assert find_refused([spool_dir], [ran("weather", 0, 99)]) == []


def test_what_has_not_ended_goes_on(spool_dir: Path) -> None:
    """Its own end may be among what was refused."""
    log = refusing_log(spool_dir, "booking", [10, 20])
    refused = [Refused("booking", 2, ("too_large",))]

    assert log.logs
    assert find_refused([spool_dir], [ran("booking", 0, 1)]) == []
    assert find_refused([spool_dir], [ran("booking", 0, 1)._replace(is_open=True)]) == refused
    assert find_refused([spool_dir], [ran("booking", 21, 22)._replace(is_open=True)]) == []


def test_what_was_abandoned_went_on_in_the_processes_of_its_time(spool_dir: Path) -> None:
    """Its last known time lies before the first refusal; what begins later has nothing to do with it."""
    log = refusing_log(spool_dir, "booking", [10, 20])
    abandoned = ran("booking", 0, 1)._replace(is_abandoned=True)
    refused = [Refused("booking", 2, ("too_large",))]

    assert log.logs
    assert find_refused([spool_dir], [abandoned]) == refused
    assert find_refused([spool_dir], [ran("booking", -9, -5)._replace(is_abandoned=True)]) == []


def test_a_span_is_refused_just_behind_its_end(spool_dir: Path) -> None:
    """The last span of a trace is recorded once it has ended."""
    log = refusing_log(spool_dir, "booking", [10])
    end = ran("booking", 0, 10)

    assert log.logs
    assert find_refused([spool_dir], [end._replace(end_unix_nano=end.end_unix_nano - SECOND // 10)])


def test_the_processes_of_a_service_are_added_up(spool_dir: Path) -> None:
    """Each service once, in order; those that refused nothing are not named."""
    logs = [refusing_log(spool_dir, name, times) for name, times in (("b", [1]), ("a", [2]), ("b", [3, 4]), ("c", []))]
    everything = [ran(name, 0, 9) for name in "abc"]

    assert len(logs) == 4
    assert find_refused([spool_dir], everything) == [Refused("a", 1, ("too_large",)), Refused("b", 3, ("too_large",))]


def test_no_spool_refused_nothing(spool_dir: Path) -> None:
    """Nothing was recorded there."""
    assert find_refused([spool_dir], [ran("booking", 0, 9)]) == []
