"""Where in the code a record comes from goes with it, whatever is made of its log."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from otel_agenttrace.losses import LossLog
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.consumers import Consumers
from otel_agenttrace.spool.draining import drain
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.names import list_segments
from otel_agenttrace.spool.reader import read
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode, serialized

if TYPE_CHECKING:
    from pathlib import Path

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.segment_reader import Entry

HERE = b'{"": ["agent.py", 7]}'


def test_a_record_has_its_origin_in_every_segment(spool_dir: Path) -> None:
    """It is kept once a segment, however many records have it; none is none."""
    spool = SpoolLog(SpoolConfig(spool_dir, segment_bytes=8192))
    for number in range(90):
        spool.append(Kind.SPAN, serialized(number), HERE if number % 3 else b"")
    (path,) = spool.logs
    segments = list_segments(path)

    assert len(segments) > 1
    assert [entry.origin for entry in read(path)] == [HERE if number % 3 else b"" for number in range(90)]
    assert {(path / str(name)).read_bytes().count(HERE) for name in segments} == {2}


def test_a_batch_keeps_origins(spool_dir: Path) -> None:
    """What waits in memory waits with its origin."""
    spool = SpoolLog(SpoolConfig(spool_dir, durability="batch"))
    spool.append(Kind.SPAN, serialized(1), HERE)
    assert spool.close()
    (path,) = spool.logs

    assert [entry.origin for entry in read(path)] == [HERE]


def test_an_origin_that_is_lost_is_not_taken_for_none(spool: SpoolLog) -> None:
    """A record whose origin is damaged on disk still says that it had one."""
    spool.append(Kind.SPAN, serialized(1), HERE)
    (path,) = spool.logs
    (segment,) = [path / str(name) for name in list_segments(path)]
    segment.write_bytes(segment.read_bytes().replace(HERE, b"X" * len(HERE)))

    assert [entry.origin for entry in read(path)] == [b"{}"]


def test_it_is_given_to_whoever_decodes(spool: SpoolLog) -> None:
    """With what is known of the process that wrote the log."""
    seen: list[tuple[bytes, str]] = []

    def look(entry: Entry, about: About) -> SpanRecord:
        seen.append((entry.origin, about.contract_file))
        return decode(entry)

    spool.describe(About(contract_file="/registry.yaml"))
    spool.append(Kind.SPAN, serialized(1), HERE)
    consumers = Consumers(spool, [ListTarget()], look, LossLog())
    assert consumers.flush(10)
    consumers.shutdown(10)

    assert seen == [(HERE, "/registry.yaml")]


def test_a_start_record_that_is_written_again_keeps_it(spool_dir: Path) -> None:
    """As its segment goes while the span is open."""
    spool = SpoolLog(SpoolConfig(spool_dir, segment_bytes=4096), About(targets=("list",)))
    spool.append(Kind.START, serialized(9001, end_time_unix_nano=None), HERE)
    consumers = Consumers(spool, [ListTarget()], decode, LossLog())
    for start in range(0, 200, 50):
        append_spans(spool, range(start, start + 50))
        assert consumers.flush(10)
        consumers.tidy()
    (path,) = spool.logs
    found = [entry for entry in read(path) if entry.kind is Kind.START]
    consumers.shutdown(10)

    assert found
    assert {(entry.seq > 1, entry.origin) for entry in found} == {(True, HERE)}


def test_a_span_that_is_ended_on_behalf_of_its_process_keeps_it(spool_dir: Path) -> None:
    """It ends where it was started."""
    spool = SpoolLog(SpoolConfig(spool_dir), About(targets=("list",)))
    spool.append(Kind.START, serialized(1, end_time_unix_nano=None), HERE)
    del spool
    gc.collect()
    seen: list[tuple[Kind, bytes]] = []

    def look(entry: Entry, _: About) -> SpanRecord:
        seen.append((entry.kind, entry.origin))
        return decode(entry)

    drain(spool_dir, [ListTarget()], look, LossLog(), 10)

    assert seen == [(Kind.SPAN, HERE)]
