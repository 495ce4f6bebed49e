"""What the spool says of itself, and that it adds up."""

from __future__ import annotations

import gc
import shutil
from typing import TYPE_CHECKING

from otel_agenttrace.losses import LossLog
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.consumer import Consumer, Step
from otel_agenttrace.spool.decoding import Decoder
from otel_agenttrace.spool.draining import drain
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.history import HISTORY, note_removed, read_history
from otel_agenttrace.spool.known_logs import read_known_logs
from otel_agenttrace.spool.locks import is_alive
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.status import ProcessCounts, SpoolStatus, TargetStatus, read_status
from otel_agenttrace.spool.target import TAKEN, Delivery
from otel_agenttrace.spool.waiting import Waiting, WaitingCounter
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode, serialized

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pytest


def adds_up(targets: Iterable[TargetStatus]) -> bool:
    """Whether every span is in one place."""
    return all(each.recorded == each.sent + each.rejected + each.dropped + each.waiting for each in targets)


def consume(spool: SpoolLog, target: ListTarget) -> Consumer:
    """Deliver a log to a target until that takes no more."""
    (path,) = spool.logs
    losses = LossLog()
    consumer = Consumer(path, target, Decoder(decode, losses), losses)
    while consumer.step() is Step.MOVED:
        pass
    return consumer


def test_no_spool_is_empty(spool_dir: Path) -> None:
    """Nothing was recorded, and nothing is made by looking."""
    assert read_status(spool_dir) == SpoolStatus((), ledger={})
    assert not spool_dir.exists()


def test_every_span_is_in_one_place(spool: SpoolLog, spool_dir: Path) -> None:
    """Sent, rejected, dropped and waiting make up what was recorded, for each target; a start is no other span."""
    spool.append(Kind.START, serialized(0))
    append_spans(spool, range(700))
    consume(spool, ListTarget("all", takes_open=True))
    bad = ListTarget("bad", lambda names: Delivery("refused") if "span 5" in names else TAKEN)
    consume(spool, bad)
    slow = ListTarget("slow", lambda names: TAKEN if "span 1" in names else Delivery("away"))
    consume(spool, slow).give_up(600, "too full")
    (all_, bad_, slow_) = read_status(spool_dir, lambda: 4e9).targets

    assert all_ == TargetStatus("all", 700, sent=700)
    assert bad_ == TargetStatus("bad", 700, sent=699, rejected=1, passed_over=1)
    assert (slow_.sent, slow_.dropped, slow_.waiting, slow_.retried) == (511, 88, 101, 1)
    assert slow_.oldest_waiting_s is not None
    assert slow_.oldest_waiting_s > 1e9
    assert adds_up([all_, bad_, slow_])


def test_living_dead_and_gone_logs_are_added_up(spool: SpoolLog, spool_dir: Path) -> None:
    """A log that was drained still counts; looking at them takes no lock."""
    for count in (3, 4):
        dead = SpoolLog(spool.config, About(targets=("list",)))
        append_spans(dead, range(count))
        dead.count("redacted", count)
        del dead
        gc.collect()
        if count == 3:
            drain(spool_dir, [ListTarget()], decode, LossLog(), 20)
    append_spans(spool, range(5))
    spool.describe(About(targets=("list",)))
    status = read_status(spool_dir)

    assert (len(status.living), len(status.dead), status.removed) == (1, 1, 1)
    (target,) = status.targets
    assert (target.recorded, target.sent, target.waiting) == (12, 3, 9)
    assert adds_up(status.targets)
    assert status.ledger is not None
    assert status.ledger["redacted"] == 7
    assert not is_alive(spool_dir / status.dead[0])


def test_a_history_that_was_tampered_with_is_read_as_far_as_it_goes(spool: SpoolLog, spool_dir: Path) -> None:
    """Lines that are no counts are passed over, and values of a wrong type count as nothing."""
    append_spans(spool, range(5))
    (path,) = spool.logs
    note_removed(path)
    note_removed(path)  # as if the remover had been killed in between
    lines = [
        b"nonsense",
        b"[]",
        b'{"log": 3}',
        b'{"log": "x", "targets": {"t": {"sent": "9"}, "u": 1}, "last_seq": null}',
    ]
    with (spool_dir / HISTORY).open("ab") as file:
        file.write(b"\n".join(lines))

    assert [row["log"] for row in read_history(spool_dir)] == [path.name, "x"]
    assert adds_up(read_status(spool_dir).targets)
    assert read_status(spool_dir).removed == 1


def test_a_log_that_cannot_be_read_is_named(spool: SpoolLog, spool_dir: Path) -> None:
    """One log that is broken does not hide the others."""
    append_spans(spool, range(5))
    broken = spool_dir / "1-1-00000000"
    broken.mkdir()
    (broken / "lock").symlink_to("lock")
    status = read_status(spool_dir)

    assert status.unreadable == (broken.name,)
    assert len(status.living) == 1


def test_the_history_has_two_files(spool: SpoolLog, spool_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The older one is replaced, so that it does not grow for ever; the last logs are always there."""
    monkeypatch.setattr("otel_agenttrace.spool.history._MAX_BYTES", 2000)
    assert spool.open()
    (path,) = spool.logs
    for number in range(40):
        other = path.with_name(f"{number + 1}-1-{number:08x}")
        shutil.copytree(path, other)
        note_removed(other)
    names = [row["log"] for row in read_history(spool_dir)]

    assert 0 < len(names) < 40
    assert names[-1] == f"40-1-{39:08x}"
    assert sum(file.stat().st_size for file in spool_dir.glob(f"{HISTORY}*")) < 2 * 4000


def test_starts_and_verdicts_do_not_wait_for_an_exporter(spool: SpoolLog, spool_dir: Path) -> None:
    """Eight spans were made, so eight wait, for the store and for the exporter."""
    spool.describe(About(targets=("store", "otlp")))
    spool.append(Kind.START, serialized(0, end_time_unix_nano=None))
    append_spans(spool, range(8))
    spool.append(Kind.SPAN, serialized(9, name="agenttrace.verdict"))
    spool.count("verdicts")
    for target in read_status(spool_dir).targets:
        assert (target.recorded, target.sent, target.waiting, target.is_waiting_exact) == (8, 0, 8, True)
    consume(spool, ListTarget("store", takes_open=True))
    (otlp, store) = read_status(spool_dir).targets

    assert (otlp.waiting, store.waiting) == (8, 0)
    assert (store.recorded, store.sent) == (8, 8)


def test_what_is_too_much_to_look_at_is_a_bound(spool: SpoolLog, spool_dir: Path) -> None:
    """So many wait at most, starts included, and no more is read than was allowed."""
    spool.describe(About(targets=("otlp",)))
    spool.append(Kind.START, serialized(0, end_time_unix_nano=None))
    append_spans(spool, range(20))
    (log,) = read_known_logs(spool_dir)

    assert WaitingCounter(0).count(log) == {"otlp": Waiting(21, 0, is_exact=False)}
    assert WaitingCounter(len(serialized(0).span) * 5).count(log) == {"otlp": Waiting(20, 1, is_exact=False)}
    assert WaitingCounter().count(log) == {"otlp": Waiting(20, 1)}


def test_only_its_own_program_sends_to_an_exporter_object(spool: SpoolLog, spool_dir: Path) -> None:
    """Of what a dead process left for one, its service is named; of what commands can send, none is."""
    for name in ("Mine@shop", "otlp@host"):
        about = About(service_name="shop", targets=("Mine@shop", "otlp@host"), by_object=("Mine@shop",))
        dead = SpoolLog(spool.config, about)
        append_spans(dead, range(3))
        del dead
        gc.collect()
        assert {each.name: each.only_by for each in read_status(spool_dir).targets}[name] == (
            ("shop",) if name == "Mine@shop" else ()
        )


def test_a_process_with_many_logs_is_one_process(spool: SpoolLog, spool_dir: Path) -> None:
    """Tracing that is stopped and started again makes a log each time, living or gone."""
    for _ in range(3):
        done = SpoolLog(spool.config, About(targets=("list",)))
        append_spans(done, range(2))
        del done
        gc.collect()
        drain(spool_dir, [ListTarget()], decode, LossLog(), 20)
    assert (read_status(spool_dir).removed, read_status(spool_dir).processes) == (3, ProcessCounts(done=1))

    spool.open()
    assert read_status(spool_dir).processes == ProcessCounts(living=1)
