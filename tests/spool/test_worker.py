"""The thread of one target, and what it does about targets and logs that do not behave."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from otel_agenttrace.losses import LossLog
from otel_agenttrace.spool.backoff import Backoff
from otel_agenttrace.spool.batching import BatchQueue
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.consumer import Consumer, Step
from otel_agenttrace.spool.decoding import Decoder
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.target import Delivery
from otel_agenttrace.spool.worker import Worker
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode, names_of, serialized

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import pytest

    from otel_agenttrace.spool.about import About
    from otel_agenttrace.spool.segment_reader import Entry


def consumer_of(spool: SpoolLog, target: ListTarget) -> Consumer:
    """A consumer of the only log of a process."""
    (path,) = spool.logs
    return Consumer(path, target, Decoder(decode, LossLog()), LossLog())


def test_logs_are_delivered_in_turns(spool_dir: Path) -> None:
    """What a dead process has left does not hold back what this one records."""
    large, small = SpoolLog(SpoolConfig(spool_dir)), SpoolLog(SpoolConfig(spool_dir))
    append_spans(large, range(2000))
    append_spans(small, [7777])
    target = ListTarget()
    worker = Worker(target, LossLog())
    for spool in (large, small):
        worker.add(consumer_of(spool, target))
    worker.round()

    assert len(target.names) < 1000
    assert target.names[-1] == "span 7777"


def test_a_target_that_is_away_is_left_alone(spool: SpoolLog) -> None:
    """Until its time has come, or somebody is in a hurry, which counts as one more failure in the same row."""
    now = [1000.0]
    append_spans(spool, range(3))
    target = ListTarget(answer=lambda _: Delivery("away"))
    worker = Worker(target, LossLog(), backoff=Backoff(lambda: now[0], lambda: 1.0))
    worker.add(consumer_of(spool, target))
    worker.round()
    worker.round()
    assert (target.calls, worker.failures, worker.is_away) == (1, 1, True)
    worker.ring(hurry=True)
    worker.round()
    assert (target.calls, worker.failures) == (2, 2)
    now[0] += 0.15  # the wait has doubled
    worker.round()
    assert target.calls == 2
    now[0] += 0.1
    worker.round()

    assert target.calls == 3


def test_a_target_that_cannot_be_closed_stops_nobody(spool: SpoolLog, caplog: pytest.LogCaptureFixture) -> None:
    """It is told."""

    class Broken(ListTarget):
        def close(self) -> None:
            raise ZeroDivisionError

    worker = Worker(Broken("mine"), LossLog())
    assert spool.open()
    worker.start()
    worker.stop()

    assert worker.join(10)
    assert "mine could not be closed" in caplog.text


def test_a_log_that_cannot_be_read_now_is_read_later(spool: SpoolLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, and loses nothing."""
    append_spans(spool, range(3))
    target = ListTarget()
    consumer = consumer_of(spool, target)

    def fail(*_: object) -> Any:
        raise OSError(23, "too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("otel_agenttrace.spool.reader.list_parts", fail)
        assert consumer.step() is Step.IDLE
        assert consumer.is_unreadable
    assert consumer.step() is Step.MOVED

    assert not consumer.is_unreadable
    assert target.names == names_of(range(3))


def test_a_decoder_keeps_a_few_records(spool: SpoolLog) -> None:
    """For targets that keep up with each other; one far behind has them decoded again."""
    append_spans(spool, range(30))
    (path,) = spool.logs
    decoded: list[int] = []

    def count(entry: Entry, about: About) -> Any:
        decoded.append(entry.seq)
        return decode(entry, about)

    decoder = Decoder(count, LossLog(), max_kept=10)
    for name in ("one", "two"):
        consumer = Consumer(path, ListTarget(name), decoder, LossLog())
        while consumer.step() is Step.MOVED:
            pass
    assert len(decoded) == 60
    nothing_kept = Decoder(count, LossLog(), max_kept=0)
    assert Consumer(path, ListTarget("three"), nothing_kept, LossLog()).step() is Step.MOVED

    assert len(decoded) == 90


def test_a_queue_waits_no_longer_than_it_is_told() -> None:
    """While the disk hangs; later it is all written."""
    is_free, written = threading.Event(), []
    counted: list[None] = []

    def write(_kind: Kind, _span: object, origin: bytes) -> None:
        is_free.wait()
        written.append(origin)

    queue = BatchQueue(write, lambda: counted.append(None), max_records=2, max_bytes=1 << 20)
    taken = [queue.put(Kind.SPAN, serialized(number), b"%d" % number) for number in range(5)]
    assert taken == [True, True, False, False, False]
    assert not queue.flush(0.05)
    assert not queue.close(0.05)
    assert not queue.put(Kind.SPAN, serialized(9), b"9")
    is_free.set()

    assert queue.close(10)
    assert written == [b"0", b"1"]
    assert len(counted) == 2
