"""Room on the disk: what goes, what is given up, and what never is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.losses import LossLog
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.consumer import Consumer, Step
from otel_agenttrace.spool.consumers import Consumers
from otel_agenttrace.spool.decoding import Decoder
from otel_agenttrace.spool.directory import list_logs, log_bytes
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.housekeeping import bytes_elsewhere, make_room, removable_seq
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.names import list_segments
from otel_agenttrace.spool.target import Delivery
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode, serialized

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(spool_dir: Path) -> Path:
    """A dead log of several segments."""
    spool = SpoolLog(SpoolConfig(spool_dir, segment_bytes=4096))
    append_spans(spool, range(100))
    (path,) = spool.logs
    assert len(list_segments(path)) > 5
    return path


def consumer_of(path: Path, name: str) -> Consumer:
    """A target that has nothing yet."""
    return Consumer(path, ListTarget(name), Decoder(decode, LossLog()), LossLog(), last_seq=100)


def test_whole_segments_may_go(path: Path) -> None:
    """Those whose records have all been passed, but never the last one."""
    names = list_segments(path)

    assert removable_seq(path, names[2].first_seq - 2) == names[1].first_seq - 1
    assert removable_seq(path, names[2].first_seq - 1) == names[2].first_seq - 1
    assert removable_seq(path, 100) == names[-1].first_seq - 1
    assert removable_seq(path, 0) == 0


def test_no_more_is_given_up_than_is_needed(path: Path) -> None:
    """The oldest segments, until the room is there; the number of spans is told."""
    names = list_segments(path)
    otlp = consumer_of(path, "otlp")
    first = (path / str(names[0])).stat().st_size

    assert make_room([otlp], path, first + 1) == otlp.cursor.dropped == names[2].first_seq - 1
    assert make_room([otlp], path, first) == 0


def test_what_a_store_has_not_stays(path: Path) -> None:
    """Giving it up for others would free nothing."""
    names = list_segments(path)
    store, otlp = consumer_of(path, "store:s"), consumer_of(path, "otlp")
    assert make_room([store, otlp], path, 1 << 30) == 0
    assert otlp.cursor.seq == 0
    while store.step() is Step.MOVED:
        pass

    assert make_room([store, otlp], path, 1 << 30) == names[-1].first_seq - 1
    assert store.cursor.dropped == 0


def test_the_last_segment_is_never_given_up(spool: SpoolLog) -> None:
    """It could not be removed."""
    append_spans(spool, range(10))
    (path,) = spool.logs
    otlp = consumer_of(path, "otlp")

    assert make_room([otlp], path, 1 << 30) == 0


def test_logs_of_others_take_of_the_same_quota(spool_dir: Path, path: Path) -> None:
    """What waits for a target that is not here leaves less room for new records."""
    (path / "about.json").unlink()
    size = log_bytes(path)
    assert bytes_elsewhere(spool_dir, [path]) == 0
    assert bytes_elsewhere(spool_dir, []) == size
    store = ListTarget("store:s", lambda _: Delivery("away"))
    log = SpoolLog(SpoolConfig(spool_dir, max_bytes=size + 4096), About(targets=("store:s",)))
    consumers = Consumers(log, [store], decode, LossLog())
    consumers.start()
    for number in range(400):
        if log.append(Kind.SPAN, serialized(number, name="x" * 500)) is None:
            break
        consumers.wait_for_progress(0.05)
    consumers.shutdown(1)

    assert log.counts["refused_quota"] > 0
    assert len(list_logs(spool_dir)) == 2
