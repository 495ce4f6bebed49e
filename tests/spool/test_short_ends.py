"""A span that ended well is not abandoned because the spool had no room for its end."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.losses import LossLog
from otel_agenttrace.model.codec import SerializedSpan
from otel_agenttrace.model.record import ENDED_BY, SpanRecord
from otel_agenttrace.pipeline.failures import classify
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.drained import Drained
from otel_agenttrace.spool.draining import drain
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.ledger import read_ledger
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.open_spans import ids_of
from otel_agenttrace.spool.reader import read
from otel_agenttrace.spool.short_ends import StartedSpans
from otel_agenttrace.spool.target import TAKEN, Delivery
from otel_agenttrace.testing.spans import SECOND, START
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode, serialized

if TYPE_CHECKING:
    from pathlib import Path

QUOTA = 1 << 16
LONG = {"gen_ai.operation.name": "invoke_agent", "gen_ai.output.messages": "a long answer " * 100}


def small_log(spool_dir: Path, now: int = START + 60 * SECOND, **settings: Any) -> SpoolLog:
    """A log with a small quota, by a clock that stands still."""
    return SpoolLog(SpoolConfig(spool_dir, max_bytes=QUOTA, **settings), About(targets=("list",)), clock=lambda: now)


def start(log: SpoolLog, number: int, **fields: Any) -> None:
    """Append the start record of a span."""
    assert log.append(Kind.START, serialized(number, end_time_unix_nano=None, **fields)) is not None


def fill(log: SpoolLog) -> None:
    """Take all room that there is for usual records."""
    for size in (4096, 256, 1):
        number = 1000
        while log.append(Kind.SPAN, serialized(number, attributes={"filling": "x" * size})) is not None:
            number += 1


def records_of(path: Path, number: int) -> list[tuple[Kind, SpanRecord]]:
    """All that a log has of a span."""
    found = [(entry.kind, decode(entry)) for entry in read(path)]
    return [(kind, record) for kind, record in found if record.span_id == f"{number:016x}"]


def adopted(spool_dir: Path, path: Path) -> list[SpanRecord]:
    """Drain, and return what was added to the log for spans that were open."""
    added: list[SpanRecord] = []

    def keep(_: list[str]) -> Delivery:
        added[:] = [decode(entry) for entry in read(path) if ENDED_BY in decode(entry).attributes]
        return TAKEN

    assert drain(spool_dir, [ListTarget(answer=keep)], decode, LossLog(), 20) == Drained(1, 0)
    return added


@pytest.mark.parametrize("status", ["OK", "ERROR"])
def test_a_refused_end_leaves_a_short_one(spool_dir: Path, status: str) -> None:
    """With the span's own end, status and small attributes; it says that it was cut, and is counted as refused."""
    log = small_log(spool_dir)
    start(log, 1)
    fill(log)
    refused = log.counts["refused_quota"]
    end = START + 5 * SECOND
    text = serialized(1, end_time_unix_nano=end, status_code=status, attributes=LONG)
    assert log.append(Kind.SPAN, text, b'{"some":"origin"}') is None
    (path,) = log.logs
    counts = log.counts
    (_, (kind, short)) = records_of(path, 1)
    del log
    gc.collect()

    assert (counts["refused_quota"], counts["unended"]) == (refused + 1, 0)
    assert (kind, short.end_time_unix_nano, short.status_code) == (Kind.SPAN, end, status)
    assert short.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert short.attributes["agenttrace.truncated"] == 1
    assert (failure := classify(short)) is None or failure.type != "abandoned"
    assert adopted(spool_dir, path) == []


def test_what_did_not_start_in_the_log_leaves_nothing(spool_dir: Path) -> None:
    """The room that is kept free is for those who would be taken for abandoned."""
    log = small_log(spool_dir)
    start(log, 1)
    fill(log)
    (path,) = log.logs
    last_seq = log.logs[path]
    assert log.append(Kind.START, serialized(2, end_time_unix_nano=None, name="x" * 2000)) is None
    for number in (2, 3):
        assert log.append(Kind.SPAN, serialized(number, attributes=LONG)) is None

    assert log.logs[path] == last_seq
    assert log.counts["unended"] == 0


def test_an_end_that_does_not_fit_waits_for_room(spool_dir: Path) -> None:
    """The ledger says so meanwhile."""
    log = small_log(spool_dir)
    start(log, 1)
    log.set_bytes_elsewhere(QUOTA)
    assert log.append(Kind.SPAN, serialized(1, attributes=LONG)) is None
    (path,) = log.logs
    waiting = read_ledger(path)
    log.set_bytes_elsewhere(0)
    ledger = read_ledger(path)

    assert waiting is not None
    assert ledger is not None
    assert (waiting["unended"], ledger["unended"]) == (1, 0)
    assert [kind for kind, _ in records_of(path, 1)] == [Kind.START, Kind.SPAN]


def test_whatever_may_have_ended_is_not_abandoned(spool_dir: Path) -> None:
    """Killed before there was room, a process leaves open spans of which nobody knows; and some of which one does."""
    log = small_log(spool_dir)
    start(log, 1)
    start(log, 2)
    log.set_bytes_elsewhere(QUOTA)
    assert log.append(Kind.SPAN, serialized(1, attributes=LONG)) is None
    (path,) = log.logs
    log._logs[0].set_bytes_elsewhere(0)
    log._logs[0]._short_ends.waiting.clear()  # as if they found no room
    start(log, 3, start_time_unix_nano=START + 61 * SECOND)
    (path,) = log.logs
    del log
    gc.collect()

    assert [(each.name, each.attributes[ENDED_BY]) for each in adopted(spool_dir, path)] == [("span 3", "spool")]


def test_a_process_that_refused_and_was_killed_has_abandoned_its_spans(spool_dir: Path) -> None:
    """As long as the log tells of every end, those that it does not tell of were not reached."""
    log = small_log(spool_dir)
    start(log, 1)
    start(log, 2)
    fill(log)
    assert log.append(Kind.SPAN, serialized(1, attributes=LONG)) is None
    (path,) = log.logs
    del log
    gc.collect()

    assert [each.name for each in adopted(spool_dir, path)] == ["span 2"]


def test_a_queue_that_is_full_is_no_end_either(spool_dir: Path) -> None:
    """With `batch`, what is refused leaves a short end at once."""
    log = small_log(spool_dir, durability="batch", max_queued_bytes=4096)
    start(log, 1)
    assert log.flush(10)
    assert log.append(Kind.SPAN, serialized(1, attributes={"filling": "x" * 5000})) is None
    (path,) = log.logs

    assert log.counts["refused_queue_full"] == 1
    assert [kind for kind, _ in records_of(path, 1)] == [Kind.START, Kind.SPAN]
    log.close()


def test_a_record_that_is_too_large_leaves_its_end(spool_dir: Path) -> None:
    """There is room enough for that."""
    log = small_log(spool_dir)
    start(log, 1)
    assert log.append(Kind.SPAN, serialized(1, attributes={"filling": "x" * QUOTA})) is None
    (path,) = log.logs

    assert log.counts["refused_too_large"] == 1
    assert [kind for kind, _ in records_of(path, 1)] == [Kind.START, Kind.SPAN]


def test_too_many_started_spans_are_all_taken_for_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that never ends its spans does not fill the memory."""
    monkeypatch.setattr("otel_agenttrace.spool.short_ends._MAX_STARTED", 2)
    started = StartedSpans()
    assert not started
    for number in range(3):
        started.start(serialized(number))

    assert [started.end(ids_of(serialized(number))) for number in (0, 2, 9)] == [True, True, True]


def test_a_fault_in_a_span_reaches_nobody(spool: SpoolLog) -> None:
    """Whatever is handed over while another span is open."""
    start(spool, 1)
    for wrong in (None, SerializedSpan(b"", b"", None)):  # type: ignore[arg-type]
        assert spool.append(Kind.SPAN, wrong) is None  # type: ignore[arg-type]
    append_spans(spool, [1])

    assert spool.counts["unended"] == 0
