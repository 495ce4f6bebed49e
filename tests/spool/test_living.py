"""A log that its process has left to others, while the process lives."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from otel_agenttrace.losses import LossLog
from otel_agenttrace.model.record import ENDED_BY, OUTLIVES_PROCESS
from otel_agenttrace.spool import living
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.drained import Drained
from otel_agenttrace.spool.draining import drain
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.living import is_process_living, live_on
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.status import read_status
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.testing.programs import run_program
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode, serialized

if TYPE_CHECKING:
    from pathlib import Path


def log_in(spool_dir: Path) -> SpoolLog:
    """A log of this process."""
    return SpoolLog(SpoolConfig(spool_dir), About(targets=("list",)))


def drained(spool_dir: Path) -> tuple[Drained, list[str]]:
    """Drain, and return what a target got that takes no open spans."""
    target = ListTarget()
    return drain(spool_dir, [target], decode, LossLog(), 20), target.names


def test_spans_that_are_open_are_not_ended_while_their_process_lives(spool_dir: Path) -> None:
    """The log is delivered; its open spans are ended once the process is gone."""
    log = log_in(spool_dir)
    log.append(Kind.START, serialized(1, end_time_unix_nano=None))
    append_spans(log, [2])
    log.release()

    assert drained(spool_dir) == (Drained(0, 1), ["span 2"])
    assert drained(spool_dir) == (Drained(0, 1), [])
    living._left.begin_anew()  # as if the process had ended
    assert drained(spool_dir) == (Drained(1, 0), ["span 1"])
    assert read_status(spool_dir).abandoned == 1


def test_a_log_without_open_spans_is_held_by_nobody(spool_dir: Path) -> None:
    """Nor one whose open spans outlive their process."""
    log = log_in(spool_dir)
    log.append(Kind.START, serialized(1, end_time_unix_nano=None))
    append_spans(log, [1])
    log.append(Kind.START, serialized(2, end_time_unix_nano=None, attributes={OUTLIVES_PROCESS: True}))
    log.release()

    assert drained(spool_dir) == (Drained(1, 0), ["span 1"])


def test_a_forked_child_does_not_stand_in_for_its_parent(spool_dir: Path) -> None:
    """It ends no spans of the parent."""
    log = log_in(spool_dir)
    log.append(Kind.START, serialized(1, end_time_unix_nano=None))
    (path,) = log.logs
    log.release()
    is_forked, says_so = os.pipe()
    may_end, lets_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(says_so, b"x")
        os.close(lets_end)
        os.read(may_end, 1)
        os._exit(0)
    os.read(is_forked, 1)
    assert is_process_living(path)
    living._left.begin_anew()
    lives = is_process_living(path)
    os.close(lets_end)
    os.waitpid(child, 0)
    for each in (is_forked, says_so, may_end):
        os.close(each)

    assert not lives


def test_an_end_in_a_log_that_is_gone_is_remembered(spool_dir: Path) -> None:
    """The other log is delivered, and removed, while the first one still waits for another span."""
    log, second = log_in(spool_dir), log_in(spool_dir)
    for number in (1, 2):
        log.append(Kind.START, serialized(number, end_time_unix_nano=None))
    log.release()
    append_spans(second, [1])
    (path,) = second.logs
    assert second.retire(path, 1)
    assert drained(spool_dir) == (Drained(0, 1), [])
    living._left.begin_anew()

    assert drained(spool_dir) == (Drained(1, 0), ["span 2"])


def test_a_log_is_let_go_once_all_its_spans_have_ended(spool_dir: Path) -> None:
    """A program that starts and stops recording a thousand times has not a thousand files open."""
    for number in range(20):
        log = log_in(spool_dir)
        log.append(Kind.START, serialized(number, end_time_unix_nano=None))
        (path,) = log.logs
        log.release()
        assert is_process_living(path)
        log.append(Kind.SPAN, serialized(number))
        assert not is_process_living(path)
        log.release()
        assert drained(spool_dir) == (Drained(2, 0), [f"span {number}"])
    live_on(path, [])  # not there any more

    assert not any(each.is_held for each in living._left.logs)


def test_recording_that_is_stopped_and_started_again_abandons_nothing(tmp_path: Path) -> None:
    """A span that goes on meanwhile ends once, when it does."""
    done = run_program(
        tmp_path,
        """
        from opentelemetry import trace
        from otel_agenttrace import configure_tracing
        from otel_agenttrace.delivering import deliver_dead_logs

        tracing = configure_tracing("agent", instrument=False)
        span = trace.get_tracer("agent").start_span("long")
        with trace.get_tracer("agent").start_as_current_span("short"):
            pass
        tracing.shutdown()
        tracing = configure_tracing("agent", instrument=False)
        with trace.get_tracer("agent").start_as_current_span("second"):
            pass
        tracing.flush()
        print(deliver_dead_logs(None, 20.0).removed)
        span.end()
        """,
    )
    delivering = "from otel_agenttrace.delivering import deliver_dead_logs\nprint(deliver_dead_logs(None, 20.0).left)\n"
    left = run_program(tmp_path, delivering)
    with open_store(f"sqlite:///{tmp_path / '.agenttrace' / 'traces.db'}") as store:
        spans = {span.name: span for span in store.spans.find_spans(SpanQuery()) if span.scope.name == "agent"}
    status = read_status(tmp_path / ".agenttrace" / "traces.db.spool")

    assert (done.stdout, left.stdout) == ("0\n", "0\n")
    assert set(spans) == {"long", "short", "second"}
    assert spans["long"].end_time_unix_nano is not None
    assert ENDED_BY not in spans["long"].attributes
    assert status.abandoned == 0
