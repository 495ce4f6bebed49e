"""Which spans of this process are open, and whose start records have to be written again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.model.codec import SerializedSpan
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.open_spans import OpenSpans, ids_of, trace_id_of
from otel_agenttrace.spool.reader import read
from otel_agenttrace.spool.segment_reader import Entry
from otel_agenttrace.testing.spool_targets import serialized

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def start(seq: int, number: int) -> Entry:
    """The start record of a span."""
    return Entry(seq, Kind.START, serialized(number, end_time_unix_nano=None))


def end(seq: int, number: int) -> Entry:
    """The record of a span that has ended."""
    return Entry(seq, Kind.SPAN, serialized(number))


def test_a_span_is_open_from_its_start_to_its_end(tmp_path: Path) -> None:
    """In the log that has its start, wherever its end is."""
    open_spans = OpenSpans()
    open_spans.see(tmp_path, [start(1, 1), start(2, 2), end(3, 1)])
    assert open_spans.is_any_open(tmp_path)
    assert not open_spans.is_any_open(tmp_path / "other")
    open_spans.see(tmp_path / "other", [end(1, 2)])

    assert not open_spans.is_any_open(tmp_path)


def test_what_another_reader_has_shown_is_passed_over(tmp_path: Path) -> None:
    """A target that is behind shows starts of spans that are long ended."""
    open_spans = OpenSpans()
    open_spans.see(tmp_path, [start(1, 1), end(2, 1)])
    open_spans.see(tmp_path, [start(1, 1)])

    assert not open_spans.is_any_open(tmp_path)


def test_too_many_open_spans_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest ones; an agent that never ends its spans does not fill the memory."""
    monkeypatch.setattr("otel_agenttrace.spool.open_spans._MAX_OPEN", 3)
    open_spans = OpenSpans()
    open_spans.see(tmp_path, [start(number, number) for number in range(1, 10)])
    open_spans.see(tmp_path, [end(10 + number, number) for number in range(7, 10)])

    assert not open_spans.is_any_open(tmp_path)


def test_starts_that_would_go_are_written_again(spool: SpoolLog) -> None:
    """Behind all others; those of segments that stay are not."""
    spool.append(Kind.START, serialized(1, end_time_unix_nano=None))
    spool.append(Kind.START, serialized(2, end_time_unix_nano=None))
    (path,) = spool.logs
    open_spans = OpenSpans()
    open_spans.see(path, list(read(path)))
    open_spans.carry(spool, path, 1)
    found = [(entry.seq, ids_of(entry.span)) for entry in read(path)]

    assert found[2:] == [(3, found[0][1])]
    assert open_spans.is_any_open(path)


def test_an_end_in_front_of_a_start_that_was_written_again_counts(spool: SpoolLog) -> None:
    """A span that ends just when its start record is written again is not open for that."""
    spool.append(Kind.START, serialized(1, end_time_unix_nano=None))
    (path,) = spool.logs
    open_spans = OpenSpans()
    open_spans.see(path, list(read(path)))
    spool.append(Kind.SPAN, serialized(1))
    open_spans.carry(spool, path, 1)
    open_spans.see(path, list(read(path)))

    assert [entry.kind for entry in read(path)] == [Kind.START, Kind.SPAN, Kind.START]
    assert not open_spans.is_any_open(path)


def test_a_start_that_is_refused_is_let_go(spool_dir: Path) -> None:
    """The room is needed; the log is not kept for a record that it cannot have."""
    spool = SpoolLog(SpoolConfig(spool_dir, max_bytes=8192))
    spool.append(Kind.START, serialized(1, end_time_unix_nano=None, name="x" * 1500))
    (path,) = spool.logs
    open_spans = OpenSpans()
    open_spans.see(path, list(read(path)))
    spool.set_bytes_elsewhere(8192)
    open_spans.carry(spool, path, 1)

    assert spool.counts["refused_quota"] == 1
    assert [entry.seq for entry in read(path)] == [1]


def test_records_of_one_span_are_told_by_their_ids() -> None:
    """Whatever else they say; what does not begin as ours do is like nothing else."""
    one, other = serialized(1, name="a"), serialized(1, name="b", end_time_unix_nano=None)
    strange = SerializedSpan(b'{"name":"x","trace_id":"1"}', b"{}", b"{}")

    assert ids_of(one) == ids_of(other) != ids_of(serialized(2))
    assert trace_id_of(ids_of(serialized(1, trace_id="ab" * 16))) == b"ab" * 16
    assert ids_of(strange) == strange.span
