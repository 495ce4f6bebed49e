"""How far the spans of one session have come."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from otel_agenttrace.losses import LossLog
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.consumer import Consumer, Step
from otel_agenttrace.spool.decoding import Decoder
from otel_agenttrace.spool.draining import drain
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.session_status import SessionStatus, SessionTarget
from otel_agenttrace.spool.target import TAKEN, Delivery
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode, serialized

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TRACE, OTHER = "a" * 32, "b" * 32
SESSION = {"session.id": "s"}


def deliver(log: SpoolLog, target: ListTarget) -> None:
    """Let a target take of a log what it takes."""
    (path,) = log.logs
    losses = LossLog()
    consumer = Consumer(path, target, Decoder(decode, losses), losses)
    while consumer.step() is Step.MOVED:
        pass


def stored(numbers: Iterable[int], *, trace_id: str = TRACE) -> dict[tuple[str, str], bool]:
    """Spans that a store has, all ended."""
    return {(trace_id, f"{number:016x}"): True for number in numbers}


def counts(target: SessionTarget) -> tuple[int | None, ...]:
    """Recorded, sent, waiting, rejected and dropped."""
    return target.recorded, target.sent, target.waiting, target.rejected, target.dropped


def test_each_target_has_what_it_has(spool: SpoolLog, spool_dir: Path) -> None:
    """Spans of other sessions do not count, nor do open ones, as in the status of all."""
    spool.describe(About(targets=("store", "otlp")))
    append_spans(spool, [1, 2], trace_id=TRACE, attributes=SESSION)
    deliver(spool, ListTarget("store", takes_open=True))
    append_spans(spool, [3], trace_id=TRACE)
    append_spans(spool, [4], trace_id=OTHER)
    spool.append(Kind.START, serialized(5, trace_id=TRACE, end_time_unix_nano=None))
    status = SessionStatus([spool_dir], "s", [])
    otlp, store = status.targets("store", stored([1, 2]))

    assert status.trace_ids == {TRACE}
    assert counts(otlp) == (3, 0, 3, 0, 0)
    assert counts(store) == (3, 2, 1, 0, 0)
    assert (store.left_behind, otlp.left_behind) == (0, 0)
    assert store.oldest_waiting_s is not None


def test_what_waits_and_is_stored_already_does_not_wait(spool: SpoolLog, spool_dir: Path) -> None:
    """The cursor of a store may lag behind what it has; nothing is known so of other targets."""
    spool.describe(About(targets=("store", "otlp")))
    append_spans(spool, [1, 2], trace_id=TRACE, attributes=SESSION)
    otlp, store = SessionStatus([spool_dir], "s", [TRACE]).targets("store", stored([1, 2]))

    assert counts(store) == (2, 2, 0, 0, 0)
    assert counts(otlp) == (2, 0, 2, 0, 0)


def test_spans_whose_logs_are_gone_are_known_from_the_store(spool: SpoolLog, spool_dir: Path) -> None:
    """They went to all targets that each log has had; of one that had not all of them, nothing is known."""
    for targets in (("store", "otlp"), ("store",)):
        dead = SpoolLog(spool.config, About(targets=targets))
        append_spans(dead, [1, 2], trace_id=TRACE, attributes=SESSION)
        del dead
        gc.collect()
        drain(spool_dir, [ListTarget("store", takes_open=True), ListTarget("otlp")], decode, LossLog(), 20)
        otlp, store = SessionStatus([spool_dir], "s", [TRACE]).targets("store", stored([1, 2]))

        assert counts(store) == (2, 2, 0, 0, 0)
        assert counts(otlp) == ((2, 2, 0, 0, 0) if len(targets) > 1 else (None, None, 0, 0, 0))


def test_what_may_have_been_rejected_is_not_said_to_be_sent(spool: SpoolLog, spool_dir: Path) -> None:
    """The counts of a log do not tell whose spans those were."""
    spool.describe(About(targets=("store", "otlp")))
    append_spans(spool, [1, 2], trace_id=TRACE, attributes=SESSION)
    deliver(spool, ListTarget("otlp", lambda names: Delivery("refused") if "span 1" in names else TAKEN))
    otlp, _ = SessionStatus([spool_dir], "s", []).targets("store", {})

    assert counts(otlp) == (2, None, 0, None, 0)


def test_without_the_store_only_what_waits_is_known(spool_dir: Path, spool: SpoolLog) -> None:
    """What a dead process left behind is told apart."""
    dead = SpoolLog(spool.config, About(targets=("store",)))
    append_spans(dead, [1, 2], trace_id=TRACE, attributes=SESSION)
    del dead
    gc.collect()
    (store,) = SessionStatus([spool_dir], "s", []).targets("store", None)

    assert counts(store) == (None, None, 2, 0, 0)
    assert store.left_behind == 2


def test_an_unknown_session_has_nothing(spool: SpoolLog, spool_dir: Path) -> None:
    """Neither in the logs nor in the store."""
    append_spans(spool, [1], trace_id=TRACE, attributes=SESSION)

    assert not SessionStatus([spool_dir], "other", []).has_spans
