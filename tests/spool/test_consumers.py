"""All targets of one process: threads, flush, shutdown, room, and forks."""

from __future__ import annotations

import os
import shutil
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.losses import LossLog
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.adoption import adopt
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.consumers import Consumers
from otel_agenttrace.spool.directory import list_logs, log_bytes
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.housekeeping import GIVE_UP_ABOVE
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.names import list_segments
from otel_agenttrace.spool.reader import read
from otel_agenttrace.spool.status import read_status
from otel_agenttrace.spool.target import TAKEN, Delivery
from otel_agenttrace.testing.programs import run_program
from otel_agenttrace.testing.spool_targets import (
    HangingTarget,
    ListTarget,
    append_spans,
    decode,
    names_of,
    serialized,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.target import Item, SpoolTarget


@pytest.fixture
def make(spool_dir: Path) -> Iterator[Callable[..., Consumers]]:
    """Makes consumers with a log of their own, and ends them."""
    made: list[Consumers] = []

    def make_consumers(
        *targets: SpoolTarget, after_delivery: Callable[..., object] | None = None, **settings: Any
    ) -> Consumers:
        losses = LossLog()
        about = About(targets=tuple(target.name for target in targets if target.is_lasting))
        log = SpoolLog(SpoolConfig(spool_dir, **settings), about, losses=losses)
        made.append(Consumers(log, targets, decode, losses, after_delivery=after_delivery))
        return made[-1]

    yield make_consumers
    for consumers in made:
        for target in consumers.targets:
            if isinstance(target, HangingTarget):
                target.released.set()
        consumers.shutdown(1)
        consumers.log.close()


def record(consumers: Consumers, numbers: range) -> None:
    """Append spans as an agent does."""
    for number in numbers:
        consumers.note(consumers.log.append(Kind.SPAN, serialized(number)))


def wait_until(consumers: Consumers, is_true: Callable[[], bool], timeout_s: float = 20.0) -> bool:
    """Wait until something is so, looking whenever a target did something."""
    deadline = time.monotonic() + timeout_s
    while not is_true() and time.monotonic() < deadline:
        consumers.wait_for_progress(0.05)
    return is_true()


def test_nothing_runs_before_the_first_record(make: Callable[..., Consumers], spool_dir: Path) -> None:
    """A process that records nothing has no thread of ours, and no log."""
    before = threading.active_count()
    consumers = make(ListTarget())

    assert consumers.flush(1)
    assert threading.active_count() == before
    assert not spool_dir.exists()


def test_records_are_delivered_without_being_asked_for(make: Callable[..., Consumers]) -> None:
    """What is recorded reaches every target soon, in order."""
    store, forward = ListTarget("store:s", takes_open=True), ListTarget("otlp")
    consumers = make(store, forward)
    record(consumers, range(2000))

    assert wait_until(consumers, lambda: len(store.names) == len(forward.names) == 2000)
    assert store.names == forward.names == names_of(range(2000))


def test_flush_is_true_once_everybody_has_everything(make: Callable[..., Consumers]) -> None:
    """When it returns, what was recorded before is with all targets."""
    store, forward = ListTarget("store:s"), ListTarget("otlp")
    consumers = make(store, forward)
    for start in range(0, 300, 100):
        record(consumers, range(start, start + 100))
        assert consumers.flush(10)
        assert len(store.names) == len(forward.names) == start + 100


def test_flush_does_not_wait_for_a_target_that_is_away(make: Callable[..., Consumers]) -> None:
    """One that does not take what it is offered is tried once more; what the store has counts."""
    store, forward = ListTarget("store:s"), ListTarget("otlp", lambda _: Delivery("away", message="down"))
    consumers = make(store, forward)
    record(consumers, range(10))
    start = time.monotonic()

    assert consumers.flush(30)
    assert time.monotonic() - start < 10
    assert store.names == names_of(range(10))
    forward.answer = lambda _: TAKEN
    assert consumers.flush(30)
    assert forward.names == names_of(range(10))


def test_flush_is_false_while_the_store_is_away(make: Callable[..., Consumers]) -> None:
    """A store is required; the timeout is kept."""
    consumers = make(ListTarget("store:s", lambda _: Delivery("away")), ListTarget("otlp"))
    record(consumers, range(10))
    start = time.monotonic()

    assert not consumers.flush(0.3)
    assert 0.3 <= time.monotonic() - start < 3


def test_flush_without_a_store_needs_every_target(make: Callable[..., Consumers]) -> None:
    """It is not waited for one that is away, but flush is not true either."""
    one, two = ListTarget("otlp"), ListTarget("azure", lambda _: Delivery("away"))
    consumers = make(one, two)
    record(consumers, range(10))
    start = time.monotonic()

    assert not consumers.flush(30)
    assert time.monotonic() - start < 10
    assert one.names == names_of(range(10))
    two.answer = lambda _: TAKEN
    assert consumers.flush(30)


class Stuck(HangingTarget):
    """Is away at first, and hangs when it is asked again."""

    def deliver(self, items: Sequence[Item]) -> Delivery:
        """Be away once."""
        if self.calls:
            return super().deliver(items)
        self.calls += 1
        return Delivery("away", retry_after_s=300)


def test_shutdown_does_not_wait_for_a_target_that_is_known_to_be_away(make: Callable[..., Consumers]) -> None:
    """An exporter whose endpoint is down may need as long as its own timeout to say so again."""
    store, stuck = ListTarget("store:s"), Stuck("otlp")
    consumers = make(store, stuck)
    record(consumers, range(10))
    assert wait_until(consumers, lambda: consumers.workers[1].is_away)
    start = time.monotonic()

    assert consumers.shutdown(30)
    assert time.monotonic() - start < 10
    assert not stuck.is_called.is_set()
    assert stuck.is_closed
    assert store.names == names_of(range(10))


def test_shutdown_tries_a_store_that_is_away_once_more(make: Callable[..., Consumers]) -> None:
    """It may have been locked for a moment; what it does not take waits on disk."""
    answers = [Delivery("away", retry_after_s=300)]
    store = ListTarget("store:s", lambda _: answers.pop() if answers else TAKEN)
    consumers = make(store)
    record(consumers, range(10))
    assert wait_until(consumers, lambda: consumers.workers[0].is_away)

    assert consumers.shutdown(30)
    assert store.names == names_of(range(10))


def test_shutdown_does_not_wait_for_a_store_that_stays_away(make: Callable[..., Consumers]) -> None:
    """It says so, and leaves the records."""
    consumers = make(ListTarget("store:s", lambda _: Delivery("away", retry_after_s=300)))
    record(consumers, range(10))
    assert wait_until(consumers, lambda: consumers.workers[0].is_away)
    start = time.monotonic()

    assert not consumers.shutdown(30)
    assert time.monotonic() - start < 10
    assert consumers.waiting() == {"store:s": 10}


def test_it_says_what_waits(make: Callable[..., Consumers]) -> None:
    """For each target that has not everything; and whether anything is delivered at all."""
    consumers = make(ListTarget("store:s"), ListTarget("otlp", lambda _: Delivery("away")))
    record(consumers, range(10))
    assert consumers.flush(10)

    assert consumers.waiting() == {"otlp": 10}
    assert not consumers.is_stopped
    consumers.shutdown(10)
    assert consumers.is_stopped
    assert consumers.waiting() == {"otlp": 10}


def test_others_are_told_of_what_the_first_target_has(make: Callable[..., Consumers], spool_dir: Path) -> None:
    """Of this process's own records, once each, on that target's thread; whatever they make of it."""
    dead = SpoolLog(SpoolConfig(spool_dir), About(targets=("store:s",)))
    append_spans(dead, range(100, 103))
    dead.release()
    told: list[tuple[str, str]] = []

    def tell(records: Sequence[SpanRecord]) -> None:
        told.extend((record.name, threading.current_thread().name) for record in records)
        raise ZeroDivisionError

    store, second = ListTarget("store:s"), ListTarget("otlp", lambda _: Delivery("away"))
    consumers = make(store, second, after_delivery=tell)
    record(consumers, range(700))

    assert wait_until(consumers, lambda: len(store.names) == 703 and len(told) >= 700)
    assert [name for name, _ in told] == names_of(range(700))
    assert {thread for _, thread in told} == {"agenttrace-store:s"}


def test_a_released_log_is_found_by_others(make: Callable[..., Consumers], spool_dir: Path) -> None:
    """While the process lives; what it records later lies in another log."""
    consumers = make(ListTarget("store:s", lambda _: Delivery("away")))
    record(consumers, range(3))
    consumers.shutdown(5)
    assert list(adopt(spool_dir)) == []
    assert consumers.log.release()
    assert consumers.log.release()
    assert [adopted.path for adopted in adopt(spool_dir)] == list_logs(spool_dir)
    record(consumers, range(3, 4))

    assert len(list_logs(spool_dir)) == 2
    assert len(list(adopt(spool_dir))) == 1


def test_a_target_that_hangs_holds_back_nobody(make: Callable[..., Consumers]) -> None:
    """The others get everything, flush and shutdown keep to their timeouts, and its records stay on disk."""
    store, hangs = ListTarget("store:s"), HangingTarget()
    consumers = make(store, hangs)
    record(consumers, range(10))
    assert hangs.is_called.wait(10)
    record(consumers, range(10, 2000))
    start = time.monotonic()

    consumers.flush(0.3)
    assert wait_until(consumers, lambda: len(store.names) == 2000)
    assert consumers.flush(0.3)
    assert not consumers.shutdown(0.5)
    assert store.names == names_of(range(2000))
    assert time.monotonic() - start < 5
    assert len(list_logs(consumers.log.config.directory)) == 1


def test_a_target_that_tries_again_by_itself_is_not_waited_for(make: Callable[..., Consumers]) -> None:
    """An exporter that goes on asking an endpoint that is down holds up neither a flush nor the end."""
    store, retries = ListTarget("store:s"), HangingTarget()
    consumers = make(store, retries)
    record(consumers, range(10))
    assert retries.is_called.wait(10)
    retries.seems_away = True
    start = time.monotonic()

    assert consumers.flush(600)
    assert consumers.shutdown(600)
    assert time.monotonic() - start < 300
    assert consumers.waiting() == {retries.name: 10}


def test_shutdown_leaves_nothing_behind_that_everybody_has(make: Callable[..., Consumers], spool_dir: Path) -> None:
    """The log of a process that ended well is removed, and its counts stay."""
    store, forward = ListTarget("store:s"), ListTarget("otlp")
    consumers = make(store, forward)
    record(consumers, range(100))

    assert consumers.shutdown(10)
    assert consumers.shutdown(10)
    assert store.is_closed
    assert forward.is_closed
    assert list_logs(spool_dir) == []
    status = read_status(spool_dir)
    assert [(each.name, each.recorded, each.sent) for each in status.targets] == [
        ("otlp", 100, 100),
        ("store:s", 100, 100),
    ]
    assert status.removed == 1


def test_what_could_not_be_sent_waits_on_disk(make: Callable[..., Consumers], spool_dir: Path) -> None:
    """Shutdown in an outage keeps the log, with the place of each target."""
    consumers = make(ListTarget("store:s"), ListTarget("otlp", lambda _: Delivery("away")))
    record(consumers, range(100))
    consumers.shutdown(5)
    status = read_status(spool_dir)

    assert [(each.name, each.sent, each.waiting) for each in status.targets] == [("otlp", 0, 100), ("store:s", 100, 0)]


def test_what_is_recorded_after_shutdown_is_kept(make: Callable[..., Consumers], spool_dir: Path) -> None:
    """It is appended, no thread starts for it, and it is found at the next start."""
    target = ListTarget()
    consumers = make(target)
    record(consumers, range(5))
    consumers.shutdown(10)
    before = threading.active_count()
    record(consumers, range(5, 8))
    (path,) = list_logs(spool_dir)

    start = time.monotonic()
    consumers.flush(20)

    assert time.monotonic() - start < 5
    assert threading.active_count() == before
    assert [decode(entry).name for entry in read(path)] == names_of(range(5, 8))


def test_an_open_span_keeps_the_log(make: Callable[..., Consumers], spool_dir: Path) -> None:
    """A process that ends while a span is open leaves its log, so that it is seen to have been abandoned."""
    consumers = make(ListTarget("store:s", takes_open=True))
    consumers.note(consumers.log.append(Kind.START, serialized(1, end_time_unix_nano=None)))
    assert consumers.shutdown(10)

    assert len(list_logs(spool_dir)) == 1


def test_segments_go_once_all_have_passed_them(make: Callable[..., Consumers]) -> None:
    """Disk room is freed while the process runs; not before the slowest target has passed."""
    slow = ListTarget("otlp", lambda _: Delivery("away"))
    consumers = make(ListTarget("store:s"), slow, segment_bytes=8192)
    record(consumers, range(300))
    assert consumers.flush(10)
    consumers.tidy()
    (path,) = consumers.log.logs
    before = len(list_segments(path))
    slow.answer = lambda _: TAKEN
    assert consumers.flush(10)
    consumers.tidy()

    assert before > 5
    assert len(list_segments(path)) <= 2
    assert slow.names == names_of(range(300))


def test_the_start_of_an_open_span_outlives_its_segment(make: Callable[..., Consumers]) -> None:
    """A start record is written again before its segment goes, as long as the span is open."""
    consumers = make(ListTarget("store:s", takes_open=True), segment_bytes=4096)
    for number in (9001, 9002):
        consumers.note(consumers.log.append(Kind.START, serialized(number, end_time_unix_nano=None)))
    record(consumers, range(9002, 9003))
    for start in range(0, 200, 50):
        record(consumers, range(start, start + 50))
        assert consumers.flush(10)
        consumers.tidy()
    (path,) = consumers.log.logs
    kept = [decode(entry).name for entry in read(path) if entry.kind is Kind.START]

    assert list_segments(path)[0].first_seq > 3
    assert set(kept) == {"span 9001"}


def test_a_target_too_far_behind_gives_up_its_oldest(make: Callable[..., Consumers]) -> None:
    """In a long outage the disk does not fill up: what is dropped is counted, and the store has everything."""
    store, away = ListTarget("store:s"), ListTarget("otlp", lambda _: Delivery("away"))
    consumers = make(store, away, max_bytes=65536, segment_bytes=4096)

    def has_room() -> bool:
        consumers.tidy()
        (path,) = consumers.log.logs
        return log_bytes(path) <= 65536 * GIVE_UP_ABOVE

    for start in range(0, 2000, 50):
        record(consumers, range(start, start + 50))
        assert consumers.flush(10)
        assert wait_until(consumers, has_room)  # another thread may be tidying up right then

    assert consumers.log.counts["refused_quota"] == 0
    assert store.names == names_of(range(2000))
    assert has_room()
    away.answer = lambda _: TAKEN
    assert consumers.flush(10)
    (otlp, _) = read_status(consumers.log.config.directory).targets
    assert otlp.dropped > 1000
    assert otlp.sent + otlp.dropped == 2000
    assert away.names == names_of(range(otlp.dropped, 2000))


def test_what_the_store_has_not_is_never_given_up(make: Callable[..., Consumers]) -> None:
    """While the store is away new spans are refused, and counted; those acknowledged stay."""
    store = ListTarget("store:s", lambda _: Delivery("away"))
    consumers = make(store, ListTarget("otlp"), max_bytes=65536, segment_bytes=4096)
    record(consumers, range(1000))
    consumers.flush(0.2)
    consumers.tidy()
    refused = consumers.log.counts["refused_quota"]
    store.answer = lambda _: TAKEN
    assert consumers.flush(20)

    assert refused > 0
    assert store.names == names_of(range(1000 - refused))


def test_a_forked_child_delivers_its_own(make: Callable[..., Consumers], tmp_path: Path) -> None:
    """The child has a log, threads and targets of its own; what waited in the parent is the parent's."""
    state = {"is_up": False}
    target = ListTarget(answer=lambda _: TAKEN if state["is_up"] else Delivery("away"))
    consumers = make(target)
    record(consumers, range(3))
    consumers.flush(5)
    child = os.fork()
    if child == 0:
        state["is_up"] = True
        record(consumers, range(10, 13))
        is_whole = consumers.shutdown(10)
        (tmp_path / "child").write_text(f"{is_whole} {target.renewals} {target.names}")
        os._exit(0)
    os.waitpid(child, 0)
    state["is_up"] = True
    assert consumers.flush(10)

    assert (tmp_path / "child").read_text() == f"True 1 {names_of(range(10, 13))}"
    assert target.names == names_of(range(3))


def test_it_works_while_the_interpreter_ends(tmp_path: Path) -> None:
    """Spans recorded by an exit handler, with no thread started yet, are delivered by shutdown."""
    done = run_program(
        tmp_path,
        """
        import atexit
        from pathlib import Path
        from otel_agenttrace.losses import LossLog
        from otel_agenttrace.spool.about import About
        from otel_agenttrace.spool.config import SpoolConfig
        from otel_agenttrace.spool.consumers import Consumers
        from otel_agenttrace.spool.log import SpoolLog
        from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode

        target, losses = ListTarget("store:s"), LossLog()
        log = SpoolLog(SpoolConfig(Path("spool")), About(targets=("store:s",)), losses=losses)
        consumers = Consumers(log, [target], decode, losses)

        def end():
            append_spans(log, range(3))
            print(consumers.shutdown(10), target.names)

        atexit.register(end)
        """,
    )

    assert done.stdout.split(maxsplit=1) == ["True", f"{names_of(range(3))}\n"]


def test_signal_handlers_may_wake_the_threads(make: Callable[..., Consumers]) -> None:
    """`note` takes no lock that it could already hold."""
    target = ListTarget()
    consumers = make(target)
    append_spans(consumers.log, range(1))
    consumers.start()
    for seq in range(256, 256 * 200, 256):
        consumers.note(seq)

    assert consumers.flush(10)


def test_a_target_that_hangs_is_told(
    make: Callable[..., Consumers], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody has to know that spans wait for something that does not answer."""
    monkeypatch.setattr("otel_agenttrace.spool.worker._TOLD_AFTER_S", 0.0)
    hangs = HangingTarget("hangs")
    consumers = make(hangs)
    record(consumers, range(1))
    assert hangs.is_called.wait(10)
    consumers.workers[0].tell_if_hanging()

    assert "hangs has not answered for" in caplog.text


def test_a_log_that_is_taken_away_does_not_stop_the_others(make: Callable[..., Consumers]) -> None:
    """Somebody who deletes the spool's directory costs what was in it; what is recorded later is delivered."""
    target = ListTarget()
    consumers = make(target, segment_bytes=4096)
    record(consumers, range(10))
    assert consumers.flush(10)
    shutil.rmtree(consumers.log.config.directory)
    for start in range(10, 60, 10):
        record(consumers, range(start, start + 10))
    consumers.flush(10)

    assert consumers.log.config.directory.exists()
    assert target.names[-1] == "span 59"
