"""What is known of each log, whatever became of it."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.losses import LossLog
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.draining import drain
from otel_agenttrace.spool.known_logs import read_known_logs
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.names import list_segments
from otel_agenttrace.spool.removal import remove_segments
from otel_agenttrace.spool.status import sum_up
from otel_agenttrace.testing.spans import SECOND, START
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode

if TYPE_CHECKING:
    from pathlib import Path


def make_log(spool_dir: Path, count: int, started: int = START) -> SpoolLog:
    """A log with some spans, and a target that is to get them."""
    config = SpoolConfig(spool_dir, segment_bytes=4096)
    log = SpoolLog(config, About(service_name="booking", targets=("list",)), clock=lambda: started)
    append_spans(log, range(count))
    return log


@pytest.mark.parametrize("state", ["living", "dead", "gone"])
def test_a_log_is_known_by_what_became_of_it(spool_dir: Path, state: str) -> None:
    """Its counts are the same, and what waits is told apart by who is to deliver it."""
    log = make_log(spool_dir, 100)
    log.count("queued", 105)
    if state != "living":
        del log
        gc.collect()
    if state == "gone":
        assert drain(spool_dir, [ListTarget()], decode, LossLog(), 20).removed == 1
    (known,) = read_known_logs(spool_dir)
    status = sum_up([known])
    waiting = 0 if state == "gone" else 100

    assert (known.state, known.counts.last_seq, known.counts.about.service_name) == (state, 100, "booking")
    assert (known.waiting("list"), known.waiting("other")) == (waiting, 0)
    assert known.removed_count == (100 if state == "gone" else 0)
    assert [target.left_behind for target in status.targets] == [100 if state == "dead" else 0]
    assert status.lost_in_queue == (0 if state == "living" else 5)


def test_logs_of_processes_that_started_before_are_left_out(spool_dir: Path) -> None:
    """Those that are gone, too."""
    for seconds in (0, 10):
        make_log(spool_dir, 1, START + seconds * SECOND)
    gc.collect()
    drain(spool_dir, [ListTarget()], decode, LossLog(), 20)
    logs = [make_log(spool_dir, 1, START + seconds * SECOND) for seconds in (5, 15)]

    assert len(logs) == 2
    assert [log.state for log in read_known_logs(spool_dir)] == ["living", "living", "gone", "gone"]
    assert [log.state for log in read_known_logs(spool_dir, START + 10 * SECOND)] == ["living", "gone"]
    assert read_known_logs(spool_dir, START + 60 * SECOND) == []


def test_records_that_everybody_has_passed_are_counted(spool_dir: Path) -> None:
    """Those of segments that were removed."""
    log = make_log(spool_dir, 100)
    (path,) = log.logs
    second = list_segments(path)[1]
    remove_segments(path, second.first_seq - 1)
    (known,) = read_known_logs(spool_dir)

    assert known.removed_count == second.first_seq - 1 > 0
    assert known.counts.last_seq == 100
