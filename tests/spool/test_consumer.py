"""One target in one log, whatever the target does."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_agenttrace.losses import LossLog
from otel_agenttrace.model.codec import SerializedSpan
from otel_agenttrace.spool.backoff import Backoff
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.consumer import Consumer, Step
from otel_agenttrace.spool.cursor import Cursor, CursorFile
from otel_agenttrace.spool.decoding import Decoder
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.target import TAKEN, Delivery
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode, names_of, serialized

if TYPE_CHECKING:
    from otel_agenttrace.spool.about import About
    from otel_agenttrace.spool.segment_reader import Entry
    from otel_agenttrace.spool.target import SpoolTarget


def consumer_of(
    spool: SpoolLog, target: SpoolTarget, losses: LossLog | None = None, last_seq: int | None = None
) -> Consumer:
    """A consumer of the only log of a process."""
    losses = losses or LossLog()
    (path,) = spool.logs
    return Consumer(path, target, Decoder(decode, losses), losses, last_seq=last_seq)


def step_until(consumer: Consumer, wanted: Step, at_most: int = 10_000) -> None:
    """Step until that is the result."""
    assert any(consumer.step() is wanted for _ in range(at_most))


def test_records_come_in_order_and_once(spool: SpoolLog) -> None:
    """A target that takes everything gets each record once, in the order of the log."""
    append_spans(spool, range(1500))
    target = ListTarget()
    consumer = consumer_of(spool, target)
    step_until(consumer, Step.IDLE)

    assert target.names == names_of(range(1500))
    assert consumer.cursor == Cursor(1500, sent=1500)
    assert target.calls == 3


def test_what_comes_later_is_delivered_later(spool: SpoolLog) -> None:
    """A consumer goes on with a log that goes on."""
    append_spans(spool, [1])
    target = ListTarget()
    consumer = consumer_of(spool, target)
    step_until(consumer, Step.IDLE)
    append_spans(spool, [2])
    step_until(consumer, Step.IDLE)

    assert target.names == names_of([1, 2])


def test_another_consumer_goes_on_from_the_cursor(spool: SpoolLog) -> None:
    """What was delivered before a restart is not delivered again, and its counts go on."""
    append_spans(spool, range(3))
    step_until(consumer_of(spool, ListTarget()), Step.IDLE)
    append_spans(spool, [3])
    target = ListTarget()
    consumer = consumer_of(spool, target)
    step_until(consumer, Step.IDLE)

    assert target.names == names_of([3])
    assert consumer.cursor == Cursor(4, sent=4)


def test_start_records_are_for_those_who_want_them(spool: SpoolLog) -> None:
    """Who takes no open spans is not given them, and passes them."""
    spool.append(Kind.START, serialized(1, end_time_unix_nano=None))
    spool.append(Kind.SPAN, serialized(1))
    spool.append(Kind.START, serialized(2, end_time_unix_nano=None))
    everything, ended = ListTarget("store:all", takes_open=True), ListTarget("ended")
    cursors = []
    for target in (everything, ended):
        consumer = consumer_of(spool, target)
        step_until(consumer, Step.IDLE)
        cursors.append(consumer.cursor)

    assert (everything.names, ended.names) == (names_of([1, 1, 2]), names_of([1]))
    assert cursors == [Cursor(3, sent=3), Cursor(3, sent=1)]


def test_a_refused_record_does_not_take_its_batch_with_it(spool: SpoolLog, caplog: pytest.LogCaptureFixture) -> None:
    """The records that a target refuses are found, counted with its words, and never offered again."""
    append_spans(spool, range(100))
    bad = set(names_of([17, 18, 80]))
    target = ListTarget(answer=lambda names: Delivery("refused", message="too odd") if bad & set(names) else TAKEN)
    losses = LossLog()
    consumer = consumer_of(spool, target, losses)
    step_until(consumer, Step.IDLE)

    assert target.names == [name for name in names_of(range(100)) if name not in bad]
    assert consumer.cursor == Cursor(100, sent=97, rejected=3)
    assert losses.counts == {"list": 3}
    assert "list rejected spans: too odd" in caplog.text


def test_a_partial_success_is_counted(spool: SpoolLog) -> None:
    """What a target rejects of the records that it takes is counted, and not offered again."""
    append_spans(spool, range(10))
    losses = LossLog()
    consumer = consumer_of(spool, ListTarget(answer=lambda _: Delivery("taken", 2, "quota")), losses)
    step_until(consumer, Step.IDLE)

    assert consumer.cursor == Cursor(10, sent=8, rejected=2)
    assert losses.counts == {"list": 2}


@pytest.mark.parametrize("answer", [Delivery("away"), Delivery("failed"), None, True, "yes", 503])
def test_an_outage_costs_nothing(spool: SpoolLog, answer: Any) -> None:
    """Whatever a target answers but that it has the records: it gets them all once it is back."""
    append_spans(spool, range(600))
    state = {"is_up": False}
    target = ListTarget(answer=lambda _: TAKEN if state["is_up"] else answer)
    consumer = consumer_of(spool, target)
    steps = {consumer.step() for _ in range(100)}
    state["is_up"] = True
    step_until(consumer, Step.IDLE)

    assert steps == {Step.AWAY}
    assert target.names == names_of(range(600))
    assert consumer.cursor == Cursor(600, sent=600, retried=100)


def test_a_target_that_raises_is_tried_again(spool: SpoolLog) -> None:
    """Even one that wants to end the process."""
    append_spans(spool, range(3))
    errors: list[BaseException] = [ZeroDivisionError("oh"), SystemExit(1), OSError("no")]

    def answer(_: list[str]) -> Delivery:
        if errors:
            raise errors.pop()
        return TAKEN

    target = ListTarget(answer=answer)
    consumer = consumer_of(spool, target)

    assert [consumer.step() for _ in range(4)] == [Step.AWAY] * 3 + [Step.MOVED]
    assert target.names == names_of(range(3))
    assert consumer.cursor.retried == 3


@settings(max_examples=20)
@given(bad=st.sets(st.integers(0, 699), min_size=1, max_size=4))
def test_a_record_that_fails_for_ever_is_found(bad: set[int]) -> None:
    """A target that only says FAILURE loses the records that it fails on, and no others."""
    with tempfile.TemporaryDirectory() as folder:
        spool = SpoolLog(SpoolConfig(Path(folder)))
        append_spans(spool, range(702))  # something good comes behind
        names = set(names_of(bad))
        target = ListTarget(answer=lambda asked: Delivery("failed") if names & set(asked) else TAKEN)
        consumer = consumer_of(spool, target)
        step_until(consumer, Step.IDLE)

        assert set(names_of(range(702))) - set(target.names) == names
        assert consumer.cursor[:3] == (702, 702 - len(bad), len(bad))


def test_a_record_that_fails_alone_waits_for_another_to_compare(spool: SpoolLog) -> None:
    """The last record of a log is not given up as long as it may be the target's fault."""
    append_spans(spool, [1])
    target = ListTarget(answer=lambda names: Delivery("failed") if "span 1" in names else TAKEN)
    consumer = consumer_of(spool, target)
    steps = {consumer.step() for _ in range(50)}
    append_spans(spool, [2])
    step_until(consumer, Step.IDLE)

    assert steps == {Step.AWAY}
    assert target.names[-1] == "span 2"
    assert consumer.cursor[:3] == (2, 1, 1)


def test_a_record_that_cannot_be_read_is_counted(spool: SpoolLog) -> None:
    """It counts as rejected, and those around it are delivered."""
    append_spans(spool, [1])
    spool.append(Kind.SPAN, SerializedSpan(b"nonsense", b"{}", b"{}"))
    append_spans(spool, [2])
    losses, target = LossLog(), ListTarget()
    consumer = consumer_of(spool, target, losses)
    step_until(consumer, Step.IDLE)

    assert target.names == names_of([1, 2])
    assert consumer.cursor == Cursor(3, sent=2, rejected=1)
    assert losses.counts == {"pipeline": 1}


def test_targets_share_what_was_decoded(spool: SpoolLog) -> None:
    """A record is decoded once, however many get it."""
    append_spans(spool, range(20))
    (path,) = spool.logs
    losses, decoded = LossLog(), []

    def count(entry: Entry, about: About) -> Any:
        decoded.append(entry)
        return decode(entry, about)

    decoder = Decoder(count, losses)
    for name in ("one", "two"):
        step_until(Consumer(path, ListTarget(name), decoder, losses), Step.IDLE)

    assert len(decoded) == 20


def test_what_is_given_up_is_counted(spool: SpoolLog, caplog: pytest.LogCaptureFixture) -> None:
    """A consumer that gives up its oldest records goes on behind them."""
    append_spans(spool, range(10))
    spool.append(Kind.START, serialized(99))
    target = ListTarget(answer=lambda _: Delivery("away"))
    consumer = consumer_of(spool, target)
    consumer.step()

    assert consumer.give_up(4, "too full") == 4
    target.answer = lambda _: TAKEN
    step_until(consumer, Step.IDLE)

    assert target.names == names_of(range(4, 10))
    assert consumer.cursor == Cursor(11, sent=6, dropped=4, retried=1)
    assert "spans for list were dropped: too full" in caplog.text


def test_what_is_given_up_and_yet_delivered_is_counted_once(spool: SpoolLog) -> None:
    """A delivery that was under way when its records were given up is not both sent and dropped."""
    append_spans(spool, range(10))
    consumers: list[Consumer] = []

    def answer(_: list[str]) -> Delivery:
        if consumers[0].cursor.seq == 0:
            consumers[0].give_up(6, "too full")
        return TAKEN

    consumers.append(consumer_of(spool, ListTarget(answer=answer)))
    step_until(consumers[0], Step.IDLE)

    assert consumers[0].cursor == Cursor(10, sent=10)


@pytest.mark.parametrize("last_seq", [None, 3])
def test_a_damaged_cursor_begins_at_the_beginning(
    spool: SpoolLog, last_seq: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    """At least once: what was delivered already may come again, and it is told."""
    append_spans(spool, range(3))
    step_until(consumer_of(spool, ListTarget()), Step.IDLE)
    (path,) = spool.logs
    (path / "list.cursor").write_bytes(b"\xff" * 1024)
    target = ListTarget()
    step_until(consumer_of(spool, target, last_seq=last_seq), Step.IDLE)

    assert target.names == names_of(range(3))
    assert "list.cursor is damaged" in caplog.text


def test_a_cursor_beyond_the_end_is_told(spool: SpoolLog, caplog: pytest.LogCaptureFixture) -> None:
    """A dead log that has lost its end is taken to have been delivered to it."""
    append_spans(spool, range(3))
    (path,) = spool.logs
    CursorFile(path, "list").save(Cursor(90, sent=90))
    consumer = consumer_of(spool, ListTarget(), last_seq=3)

    assert consumer.step() is Step.IDLE
    assert consumer.cursor.seq == 3
    assert "beyond the log's end" in caplog.text


@pytest.mark.parametrize("is_abandoned", [False, True])
def test_what_a_delivery_under_way_comes_to_is_written(spool: SpoolLog, *, is_abandoned: bool) -> None:
    """Though the consumer is closed meanwhile; not if it was abandoned: others may have gone on by then."""
    append_spans(spool, range(3))
    (path,) = spool.logs
    consumers: list[Consumer] = []
    told: list[int] = []

    def saved() -> int:
        return (CursorFile(path, "list").load() or Cursor()).seq

    def answer(_: list[str]) -> Delivery:
        if is_abandoned:
            consumers[0].abandon()
        consumers[0].close(lambda: told.append(saved()))
        return TAKEN

    consumers.append(consumer_of(spool, ListTarget(answer=answer)))
    consumers[0].step()
    append_spans(spool, range(3, 6))

    assert saved() == (0 if is_abandoned else 3)
    assert told == [saved()]
    assert consumers[0].step() is Step.IDLE


def test_a_dead_log_is_begun_with_a_few_records(spool: SpoolLog) -> None:
    """Each batch that is taken makes the next one larger, so that little time is enough for some of them."""
    append_spans(spool, range(1000))
    sizes: list[int] = []

    def answer(names: list[str]) -> Delivery:
        sizes.append(len(names))
        return TAKEN

    target = ListTarget(answer=answer)
    step_until(consumer_of(spool, target, last_seq=1000), Step.IDLE)

    assert sizes == [32, 64, 128, 256, 512, 8]
    assert target.names == names_of(range(1000))


@given(failures=st.integers(1, 40), spread=st.floats(0, 1), asked=st.none() | st.floats(0, 1e6))
def test_the_wait_grows_within_bounds(failures: int, spread: float, asked: float | None) -> None:
    """From a tenth of a second it doubles up to half a minute, longer only where the target asks for it."""
    now = [1000.0]
    backoff = Backoff(lambda: now[0], lambda: spread)
    for _ in range(failures):
        backoff.fail(asked)
    wait = backoff.remaining_s
    longest = min(30.0, 0.1 * 2 ** (failures - 1))

    assert max(longest / 2, min(asked or 0, 300)) - 1e-6 <= wait <= max(longest, min(asked or 0, 300)) + 1e-6
    now[0] += wait
    assert backoff.remaining_s == 0
    backoff.succeed()
    assert backoff.remaining_s == 0
