"""A span whose start and end lie in two logs of one process has not been abandoned."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import orjson
import pytest

from otel_agenttrace.losses import LossLog
from otel_agenttrace.spool import living
from otel_agenttrace.spool.about import About, read_about
from otel_agenttrace.spool.adoption import adopt
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.directory import list_logs
from otel_agenttrace.spool.drained import Drained
from otel_agenttrace.spool.draining import drain
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.siblings import Siblings, this_process
from otel_agenttrace.spool.status import read_status
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode, serialized

if TYPE_CHECKING:
    from pathlib import Path


def log_in(spool_dir: Path) -> SpoolLog:
    """A log of this process."""
    return SpoolLog(SpoolConfig(spool_dir), About(targets=("list",)))


def start(log: SpoolLog, number: int) -> None:
    """Append the start record of a span."""
    assert log.append(Kind.START, serialized(number, end_time_unix_nano=None))


def die(*logs: SpoolLog) -> None:
    """Leave the logs as their process does when it ends."""
    for log in logs:
        log.release()
    living._left.begin_anew()


def drained(spool_dir: Path) -> tuple[Drained, list[str]]:
    """Drain, and return what a target got that takes no open spans."""
    target = ListTarget()
    return drain(spool_dir, [target], decode, LossLog(), 20), target.names


@pytest.mark.parametrize("is_earlier", [True, False])
def test_a_span_that_ended_in_another_log_is_not_ended_again(spool_dir: Path, *, is_earlier: bool) -> None:
    """Whichever of the logs comes first; one that ended in none of them is."""
    one, two = log_in(spool_dir), log_in(spool_dir)
    append_spans(one, [100])
    append_spans(two, [200])
    begun, ended = (one, two) if is_earlier else (two, one)
    start(begun, 1)
    start(begun, 2)
    append_spans(ended, [1])
    die(one, two)
    found, names = drained(spool_dir)

    assert found == Drained(2, 0)
    assert sorted(names) == ["span 1", "span 100", "span 2", "span 200"]
    assert read_status(spool_dir).abandoned == 1


def test_a_span_whose_process_lives_may_still_end(spool_dir: Path) -> None:
    """After its process has left the log to others; these deliver it, and wait for the end."""
    log = log_in(spool_dir)
    start(log, 1)
    append_spans(log, [2])
    log.release()
    append_spans(log, [3])
    assert drained(spool_dir) == (Drained(0, 1), ["span 2"])
    append_spans(log, [1])
    assert drained(spool_dir) == (Drained(1, 0), [])
    log.release()

    assert drained(spool_dir) == (Drained(1, 0), ["span 3", "span 1"])
    assert read_status(spool_dir).abandoned == 0


def test_a_span_ends_with_the_last_log_of_its_process(spool_dir: Path) -> None:
    """Nobody is left then who could end it."""
    log = log_in(spool_dir)
    start(log, 1)
    log.release()
    append_spans(log, [3])
    assert drained(spool_dir) == (Drained(0, 1), [])
    die(log)

    assert drained(spool_dir) == (Drained(2, 0), ["span 1", "span 3"])
    assert read_status(spool_dir).abandoned == 1


def test_another_process_of_the_same_id_is_another(spool_dir: Path) -> None:
    """As the first one of a container has the same id after every restart."""
    one, two = log_in(spool_dir), log_in(spool_dir)
    start(one, 1)
    append_spans(two, [1])
    (path,) = two.logs
    about = orjson.loads((path / "about.json").read_bytes())
    (path / "about.json").write_bytes(orjson.dumps(about | {"process": "another"}))
    die(one, two)

    assert drained(spool_dir) == (Drained(2, 0), ["span 1", "span 1"])


def test_a_log_that_does_not_say_whose_it_is_has_no_siblings(spool_dir: Path) -> None:
    """An unreadable about.json ties it to nobody."""
    logs = [log_in(spool_dir) for _ in range(3)]
    for log in logs:
        assert log.open()
    one, two, three = list_logs(spool_dir)
    (two / "about.json").write_text("nonsense")
    siblings = Siblings(spool_dir)

    assert [siblings.of(path) for path in (one, two, three)] == [[three], [], [one]]


def test_a_sibling_that_somebody_else_drains_counts_as_alive(spool_dir: Path) -> None:
    """Whoever has it may be removing the end of the span; it is looked at again later."""
    one, two = log_in(spool_dir), log_in(spool_dir)
    start(one, 1)
    append_spans(two, [2])
    (path,) = two.logs
    die(one, two)
    taken = [adopted for adopted in adopt(spool_dir) if adopted.path == path]
    assert drained(spool_dir) == (Drained(0, 1), [])
    del taken

    assert drained(spool_dir) == (Drained(2, 0), ["span 1", "span 2"])


def test_every_process_says_which_it_is(spool_dir: Path) -> None:
    """A forked child is another one than its parent."""
    log = log_in(spool_dir)
    assert log.open()
    child = os.fork()
    if child == 0:
        log.open()
        os._exit(0)
    os.waitpid(child, 0)
    found = {about.process for path in list_logs(spool_dir) if (about := read_about(path)) is not None}

    assert len(found) == 2
    assert this_process() in found
