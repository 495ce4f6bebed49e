"""Verdicts of the traces of dead logs: made once their store has everything, and given to all their targets."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from otel_agenttrace.errors import StoreUnavailableError
from otel_agenttrace.losses import LossLog
from otel_agenttrace.model.codec import deserialize
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.adoption import adopt
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.consumers import Consumers
from otel_agenttrace.spool.directory import list_logs
from otel_agenttrace.spool.drained import Drained
from otel_agenttrace.spool.draining import drain
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.history import read_history
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.target import TAKEN, Delivery
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode, names_of, serialized

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pytest

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.target import SpoolTarget


class ListJudge:
    """Makes one verdict of each log.

    Attributes:
        noted: names of the records that it was told of.
        asked: how often it was asked for verdicts.
    """

    def __init__(self) -> None:
        self.noted: list[str] = []
        self.asked = 0

    def note(self, records: Sequence[SpanRecord]) -> None:
        """Be told."""
        self.noted += [record.name for record in records]

    def verdicts(self) -> Sequence[SpanRecord]:
        """One."""
        self.asked += 1
        return [deserialize(serialized(7777, name=f"verdict of {len(self.noted)}"))]


class Judges:
    """Makes judges, and knows them all."""

    def __init__(self) -> None:
        self.made: list[ListJudge] = []

    def __call__(self) -> ListJudge:
        """Make one."""
        self.made.append(ListJudge())
        return self.made[-1]


def dead_log(spool_dir: Path, numbers: Sequence[int], targets: tuple[str, ...] = ("store:s", "otlp")) -> Path:
    """The log of a process that is gone, as far as its lock tells."""
    log = SpoolLog(SpoolConfig(spool_dir), About(targets=targets))
    append_spans(log, numbers)
    (path,) = log.logs
    del log
    gc.collect()
    return path


def drained(spool_dir: Path, judge: Callable[[], ListJudge], *targets: SpoolTarget) -> Drained:
    """Drain, with plenty of time."""
    return drain(spool_dir, targets, decode, LossLog(), 20, judge=judge)


def test_each_log_is_judged_by_what_its_store_got(spool_dir: Path) -> None:
    """One judge for one log, told of all its records, and its verdicts reach every target behind them."""
    dead_log(spool_dir, range(1000))
    dead_log(spool_dir, range(1000, 1003))
    judges, store, otlp = Judges(), ListTarget("store:s"), ListTarget("otlp")

    assert drained(spool_dir, judges, store, otlp) == Drained(2, 0)
    expected = [*names_of(range(1000)), "verdict of 1000", *names_of(range(1000, 1003)), "verdict of 3"]
    assert store.names == otlp.names == expected
    assert [judge.noted for judge in judges.made] == [names_of(range(1000)), names_of(range(1000, 1003))]
    assert [row["verdicts"] for row in read_history(spool_dir)] == [1, 1]


def test_spans_that_are_ended_for_their_process_count(spool_dir: Path) -> None:
    """The judge is told of them, too."""
    log = SpoolLog(SpoolConfig(spool_dir), About(targets=("store:s",)))
    log.append(Kind.START, serialized(1, end_time_unix_nano=None))
    del log
    gc.collect()
    judges, store = Judges(), ListTarget("store:s", takes_open=True)

    assert drained(spool_dir, judges, store) == Drained(1, 0)
    assert judges.made[0].noted == ["span 1", "span 1"]


def test_a_log_is_judged_once(spool_dir: Path) -> None:
    """A log that waits for a target has its verdicts, and gets them no second time."""
    dead_log(spool_dir, range(3))
    judges, store, otlp = Judges(), ListTarget("store:s"), ListTarget("otlp", lambda _: Delivery("away"))
    for _ in range(3):
        assert drained(spool_dir, judges, store, otlp) == Drained(0, 1)
    otlp.answer = lambda _: TAKEN

    assert drained(spool_dir, judges, store, otlp) == Drained(1, 0)
    assert store.names == otlp.names == [*names_of(range(3)), "verdict of 3"]
    assert sum(judge.asked for judge in judges.made) == 1


def test_nothing_is_judged_before_the_store_has_it(spool_dir: Path) -> None:
    """A verdict of half a trace would be wrong; who adopts the log next judges what earlier ones delivered, too."""
    dead_log(spool_dir, range(700))
    judges, otlp = Judges(), ListTarget("otlp")
    half = ListTarget("store:s", lambda names: TAKEN if "span 0" in names else Delivery("away"))
    assert drained(spool_dir, judges, half, otlp) == Drained(0, 1)
    assert judges.made[0].asked == 0
    store = ListTarget("store:s")

    assert drained(spool_dir, judges, store, otlp) == Drained(1, 0)
    assert sorted(judges.made[1].noted) == sorted(names_of(range(700)))
    assert otlp.names[-1] == store.names[-1] == "verdict of 700"


def test_what_the_store_had_before_the_process_died_is_judged(spool_dir: Path) -> None:
    """Its last traces had not settled by then."""
    log = SpoolLog(SpoolConfig(spool_dir), About(targets=("store:s", "otlp")))
    append_spans(log, range(5))
    consumers = Consumers(
        log, [ListTarget("store:s"), ListTarget("otlp", lambda _: Delivery("away"))], decode, LossLog()
    )
    assert consumers.flush(10)
    consumers.shutdown(10)
    log.release()
    judges, store, otlp = Judges(), ListTarget("store:s"), ListTarget("otlp")

    assert drained(spool_dir, judges, store, otlp) == Drained(1, 0)
    assert store.names == ["verdict of 5"]
    assert otlp.names == [*names_of(range(5)), "verdict of 5"]


def test_a_log_without_a_store_is_not_judged(spool_dir: Path) -> None:
    """Nobody could say what there is of its traces."""
    dead_log(spool_dir, range(3), ("otlp",))
    judges, otlp = Judges(), ListTarget("otlp")

    assert drained(spool_dir, judges, otlp, ListTarget("store:s")) == Drained(1, 0)
    assert judges.made == []
    assert otlp.names == names_of(range(3))


def test_a_judge_that_raises_holds_back_nothing(spool_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log is delivered; what the judge does is told."""

    class Broken(ListJudge):
        def verdicts(self) -> Sequence[SpanRecord]:
            raise ZeroDivisionError

    dead_log(spool_dir, range(3))
    store, otlp, losses = ListTarget("store:s"), ListTarget("otlp"), LossLog()

    assert drain(spool_dir, [store, otlp], decode, losses, 20, judge=Broken) == Drained(1, 0)
    assert store.names == otlp.names == names_of(range(3))
    assert "could not be judged: ZeroDivisionError" in caplog.text


def test_a_store_that_cannot_be_asked_now_is_asked_again(spool_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log waits for its verdicts."""

    class Away(ListJudge):
        def verdicts(self) -> Sequence[SpanRecord]:
            raise StoreUnavailableError("locked")

    dead_log(spool_dir, range(3), ("store:s",))
    store, judges = ListTarget("store:s"), Judges()

    assert drained(spool_dir, Away, store) == Drained(0, 1)
    assert drained(spool_dir, judges, store) == Drained(1, 0)
    assert store.names == [*names_of(range(3)), "verdict of 3"]
    assert "cannot be drained: locked" in caplog.text


def test_it_happens_in_the_background_of_a_process_too(spool_dir: Path) -> None:
    """The keeper of a living process judges the logs that it finds."""
    dead_log(spool_dir, range(3), ("store:s",))
    judges, store = Judges(), ListTarget("store:s")
    log = SpoolLog(SpoolConfig(spool_dir), About(targets=("store:s",)))
    consumers = Consumers(log, [store], decode, LossLog(), judge=judges)
    consumers.start()
    for _ in range(400):
        if not list_logs(spool_dir):
            break
        consumers.wait_for_progress(0.05)
    consumers.shutdown(10)

    assert store.names == [*names_of(range(3)), "verdict of 3"]
    assert list(adopt(spool_dir)) == []
