"""Which records of a trace, or of a session, are in a spool, and which of them wait."""

from __future__ import annotations

import gc
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.model.codec import serialize_record
from otel_agenttrace.model.verdicts import VERDICT_SCOPE
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.consumer import Consumer
from otel_agenttrace.spool.decoding import Decoder
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.names import list_segments
from otel_agenttrace.spool.trace_records import SpooledRecord, latest, missing, passed_seq, read_trace_records
from otel_agenttrace.testing.spans import make_span
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode, serialized

LOG = Path("1-1-00000000")
ONE, OTHER, THIRD = ("a" * 32, "b" * 32, "c" * 32)


def span_numbers(records: list[SpooledRecord]) -> list[int]:
    """The numbers of the spans of some records."""
    return [int(record.span_id, 16) for record in records]


def deliver(log: SpoolLog, name: str) -> None:
    """Let a target take what is in a log."""
    (path,) = log.logs
    Consumer(path, ListTarget(name, takes_open=True), Decoder(decode, log.losses), log.losses).step()


def test_the_records_of_a_trace_are_found(spool: SpoolLog, spool_dir: Path) -> None:
    """Of all logs, living and dead, and no others; and whether each has ended."""
    dead = SpoolLog(spool.config)
    append_spans(dead, [1, 2], trace_id=ONE)
    append_spans(spool, [3], trace_id=OTHER)
    spool.append(Kind.START, serialized(4, trace_id=ONE, end_time_unix_nano=None))
    del dead
    gc.collect()
    found = read_trace_records([spool_dir], [ONE])

    assert [(record.trace_id, record.is_ended) for record in found.records] == [(ONE, True), (ONE, True), (ONE, False)]
    assert span_numbers(found.records) == [1, 2, 4]
    assert found.is_complete


def test_no_spool_has_no_records(spool_dir: Path) -> None:
    """Nothing was recorded, and nothing is made by looking."""
    assert read_trace_records([spool_dir], [ONE], session_id="s").records == []
    assert not spool_dir.exists()


def test_what_a_target_has_passed_does_not_wait(spool: SpoolLog, spool_dir: Path) -> None:
    """Only what is behind its place is left, and nothing of logs that it is not to get."""
    spool.describe(About(targets=("store", "otlp")))
    append_spans(spool, [1, 2], trace_id=ONE)
    deliver(spool, "store")
    append_spans(spool, [3], trace_id=ONE)

    assert span_numbers(read_trace_records([spool_dir], [ONE], waiting_for="store").records) == [3]
    assert span_numbers(read_trace_records([spool_dir], [ONE], waiting_for="otlp").records) == [1, 2, 3]
    assert read_trace_records([spool_dir], [ONE], waiting_for="other").records == []


def test_a_log_that_does_not_say_who_is_to_get_it_waits_for_all(spool: SpoolLog) -> None:
    """Whoever adopts it will be given it."""
    append_spans(spool, [1])
    (path,) = spool.logs
    (path / "about.json").write_text("nonsense")

    assert passed_seq(path, "anybody") == 0


def test_the_traces_of_a_session_are_found(spool: SpoolLog, spool_dir: Path) -> None:
    """By a record that names it, also those of their records that came before; not by what only looks like it."""
    append_spans(spool, [1], trace_id=ONE)
    append_spans(spool, [2], trace_id=ONE, attributes={"session.id": 'chat "7"'})
    append_spans(spool, [3], trace_id=OTHER, attributes={"note": 'chat "7"', "session.id": "chat"})
    append_spans(spool, [4], trace_id=THIRD, attributes={"gen_ai.conversation.id": 'chat "7"', "n": float("inf")})
    found = read_trace_records([spool_dir], [], session_id='chat "7"')

    assert found.trace_ids == {ONE, THIRD}
    assert span_numbers(found.records) == [1, 2, 4]


def test_verdicts_are_no_spans_of_a_trace(spool: SpoolLog, spool_dir: Path) -> None:
    """They tell of it."""
    verdict = make_span(name="agenttrace.verdict", scope=VERDICT_SCOPE, trace_id=ONE)
    spool.append(Kind.SPAN, serialize_record(verdict))

    assert read_trace_records([spool_dir], [ONE]).records == []


def test_so_much_is_looked_at_and_no_more(spool: SpoolLog, spool_dir: Path) -> None:
    """What is left out is told."""
    append_spans(spool, range(1, 101), trace_id=ONE)
    found = read_trace_records([spool_dir], [ONE], max_bytes=2000)

    assert 0 < len(found.records) < 100
    assert not found.is_complete


def test_a_log_that_cannot_be_read_is_told(spool: SpoolLog, spool_dir: Path) -> None:
    """The others are read all the same."""
    append_spans(spool, [1], trace_id=ONE)
    unreadable = spool_dir / "2-1-00000000"
    unreadable.mkdir()
    (unreadable / "0000000000000001.seg").symlink_to("nowhere")

    found = read_trace_records([spool_dir], [ONE])

    assert span_numbers(found.records) == [1]
    assert not found.is_complete


def test_a_damaged_record_is_passed_over(spool_dir: Path) -> None:
    """Nothing is raised, and the rest is found."""
    log = SpoolLog(SpoolConfig(spool_dir))
    append_spans(log, [1, 2, 3], trace_id=ONE)
    (path,) = log.logs
    segment = path / str(list_segments(path)[0])
    data = segment.read_bytes()
    at = data.index(b"span 2")
    segment.write_bytes(data[:at] + b"SPAN" + data[at + 4 :])

    assert span_numbers(read_trace_records([spool_dir], [ONE]).records) == [1, 3]


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans())), st.dictionaries(st.integers(0, 3), st.booleans()))
def test_a_span_is_missing_until_all_of_it_is_stored(records: list[tuple[int, bool]], stored: dict[int, bool]) -> None:
    """An open span is missing while nothing of it is stored, an ended one while its end is not."""
    spooled = [SpooledRecord(LOG, seq, ONE, f"{number}", ended) for seq, (number, ended) in enumerate(records)]
    has = {(ONE, f"{number}"): ended for number, ended in stored.items()}

    found = missing(spooled, has)

    assert missing(spooled, has, takes_open=False) == {key for key in found if latest(spooled)[key]}
    for key, is_ended in latest(spooled).items():
        assert (key in found) == (key not in has or (is_ended and not has[key]))
