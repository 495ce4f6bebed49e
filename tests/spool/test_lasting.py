"""Targets that end with their process, such as a console: nothing on disk is for them."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from otel_agenttrace.losses import LossLog
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.consumers import Consumers
from otel_agenttrace.spool.directory import list_logs
from otel_agenttrace.spool.drained import Drained
from otel_agenttrace.spool.draining import drain
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.status import read_status
from otel_agenttrace.spool.target import Delivery
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode, names_of, serialized

if TYPE_CHECKING:
    from pathlib import Path

    from otel_agenttrace.spool.target import SpoolTarget


def process(spool_dir: Path, *targets: SpoolTarget) -> Consumers:
    """A process with some targets, whose log names those that last."""
    lasting = tuple(target.name for target in targets if target.is_lasting)
    return Consumers(SpoolLog(SpoolConfig(spool_dir), About(targets=lasting)), targets, decode, LossLog())


def console(name: str = "console", **settings: object) -> ListTarget:
    """A target that ends with its process."""
    target = ListTarget(name)
    target.is_lasting = False
    target.answer = settings.get("answer", target.answer)  # type: ignore[assignment]
    return target


def test_it_gets_everything_and_leaves_no_place_on_disk(spool_dir: Path) -> None:
    """While the process lives it is a target like any other."""
    store, shown = ListTarget("store:s"), console()
    consumers = process(spool_dir, store, shown)
    append_spans(consumers.log, range(700))
    assert consumers.flush(10)
    (path,) = list_logs(spool_dir)

    assert shown.names == store.names == names_of(range(700))
    assert [each.name for each in path.glob("*.cursor")] == ["store%3As.cursor"]
    assert [target.name for target in read_status(spool_dir).targets] == ["store:s"]
    consumers.shutdown(10)


def test_a_log_does_not_wait_for_it(spool_dir: Path) -> None:
    """At the end of the process the log goes once those have it that last."""
    consumers = process(spool_dir, ListTarget("store:s"), console(answer=lambda _: Delivery("away")))
    append_spans(consumers.log, range(3))
    consumers.shutdown(5)

    assert list_logs(spool_dir) == []


def test_a_process_with_nothing_else_leaves_nothing(spool_dir: Path) -> None:
    """Not even for a span that is open: nobody would be told that it was abandoned."""
    consumers = process(spool_dir, console())
    consumers.log.append(Kind.START, serialized(1, end_time_unix_nano=None))
    consumers.shutdown(10)

    assert list_logs(spool_dir) == []


def test_the_log_of_a_dead_process_with_nothing_else_goes(spool_dir: Path) -> None:
    """Nobody gets it, whoever adopts it."""
    spool = SpoolLog(SpoolConfig(spool_dir), About(targets=()))
    append_spans(spool, range(3))
    del spool
    gc.collect()
    store = ListTarget("store:s")

    assert drain(spool_dir, [store, console()], decode, LossLog(), 10) == Drained(1, 0)
    assert store.names == []


def test_it_gets_nothing_of_other_processes(spool_dir: Path) -> None:
    """Not even where a log does not say whom it is for."""
    spool = SpoolLog(SpoolConfig(spool_dir), About(targets=("store:s",)))
    append_spans(spool, range(3))
    (path,) = spool.logs
    (path / "about.json").unlink()
    del spool
    gc.collect()
    shown, store = console(), ListTarget("store:s")

    assert drain(spool_dir, [shown], decode, LossLog(), 10) == Drained(0, 1)
    assert drain(spool_dir, [shown, store], decode, LossLog(), 10) == Drained(1, 0)
    assert (shown.names, store.names) == ([], names_of(range(3)))


def test_what_is_read_of_it_is_held_back_in_no_room(spool_dir: Path) -> None:
    """A forked child and its parent have a place each, in memory."""
    shown = console("store")
    consumers = process(spool_dir, shown)
    append_spans(consumers.log, range(3))

    assert consumers.flush(10)  # a store in memory is a store
    assert consumers.waiting() == {}
    consumers.shutdown(10)
