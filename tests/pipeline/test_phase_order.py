"""Phases that began too early, as far as the spans of a trace tell."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agenttrace.model.record import EventRecord, ResourceRecord, SpanRecord
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.flags import find_flags
from otel_agenttrace.pipeline.phase_order import early_starts
from otel_agenttrace.pipeline.trace_stages import judged
from otel_agenttrace.testing.spans import SECOND, SPAN_ID, START, make_span

ROOT = make_span(
    attributes={"task.id": "PI", "task.status": "completed", "task.phase": "OTHER", "task.type": "story"},
    end_time_unix_nano=START + 100 * SECOND,
)
MS = SECOND // 1000


def _task(number: int, begin: int, end: int | None, status: str = "completed", **more: Any) -> SpanRecord:
    """A task below the root, `begin` and `end` in seconds of the trace."""
    depends_on = more.pop("depends_on", [f"S{number - 1}"] if number > 1 else [])
    said = more.pop("said", {})
    return make_span(
        span_id=f"{number:016x}",
        parent_span_id=SPAN_ID,
        name=f"S{number}",
        start_time_unix_nano=START + begin * SECOND,
        end_time_unix_nano=None if end is None else START + end * SECOND,
        attributes={
            "task.id": f"S{number}",
            "task.parent_id": "PI",
            "task.status": status,
            **({"task.depends_on": depends_on} if depends_on else {}),
            **said,
        },
        **more,
    )


def _found(*tasks: SpanRecord) -> list[str]:
    found = early_starts(SpanTree([ROOT, *tasks]))
    assert found == early_starts(SpanTree([*reversed(tasks), ROOT]))
    return [each.message for each in found]


def test_phases_one_after_the_other_are_in_order() -> None:
    """Each began when the one before it had been completed."""
    assert _found(_task(1, 0, 1), _task(2, 1, 2), _task(3, 2, 3)) == []


@pytest.mark.parametrize(
    ("before", "problem"),
    [
        (_task(1, 0, 5), "it was completed 4000 ms later"),
        (_task(1, 0, None, "in_progress"), "it is in_progress"),
        (_task(1, 0, None), "it is still running"),
        (_task(1, 0, 1, "failed"), "it is failed"),
        (_task(1, 0, 1, "blocked", said={"task.blocked_reason": "stale"}), "it is blocked (stale)"),
        (
            _task(1, 0, 1, events=(EventRecord("gate.check.failed", START, {"gate.id": "g", "gate.blocking": True}),)),
            "its gate g blocks",
        ),
    ],
)
def test_a_phase_that_began_before_its_upstream_had_passed(before: SpanRecord, problem: str) -> None:
    """However that stood."""
    assert _found(before, _task(2, 1, 2)) == [f"S2 began before S1 had passed its exit criteria: {problem}"]


@pytest.mark.parametrize("status", ["not_started", "blocked", "cancelled"])
def test_what_did_not_begin_began_not_too_early(status: str) -> None:
    """Such a span may stand there from the beginning."""
    assert _found(_task(1, 0, 5, "blocked"), _task(2, 1, 1, status)) == []


def test_a_task_begins_when_its_events_say_so() -> None:
    """One that was written down first and begun later waits as long as it has to."""
    began = EventRecord("task.status_changed", START + 5 * SECOND, {"task.status": "in_progress"})

    assert _found(_task(1, 0, 5), _task(2, 0, 6, events=(began,))) == []
    assert len(_found(_task(1, 0, 7), _task(2, 0, 8, "blocked", events=(began,)))) == 1


def test_one_try_that_was_completed_is_enough() -> None:
    """A phase that was blocked and run again has passed in the end."""
    again = _task(1, 1, 2)
    blocked = _task(9, 0, 1, "blocked", depends_on=(), said={"task.id": "S1"})

    assert _found(blocked, again, _task(2, 2, 3)) == []


def test_clocks_of_two_processes_may_differ() -> None:
    """By a second; those of one process do not."""
    other = ResourceRecord({"service.name": "elsewhere"})
    before = make_span(
        **{
            **{name: getattr(_task(1, 0, 1), name) for name in ("span_id", "attributes", "parent_span_id")},
            "end_time_unix_nano": START + SECOND + 500 * MS,
        }
    )

    assert len(_found(before, _task(2, 1, 2))) == 1
    assert _found(before, _task(2, 1, 2, resource=other)) == []


def test_a_task_that_is_not_in_the_trace_is_not_judged() -> None:
    """What is not known is neither good nor bad."""
    assert _found(_task(3, 0, 1), _task(5, 0, 1)) == []


def _phase(number: int, begin: int, end: int, phase: str, **said: Any) -> SpanRecord:
    return _task(number, begin, end, depends_on=(), said={"task.phase": phase, **said})


def test_phases_that_say_nothing_wait_for_the_one_before() -> None:
    """In the order of the registry, whatever their ids."""
    export, check = _phase(1, 0, 5, "EXPORT_CONTRACT"), _phase(2, 1, 6, "INGEST_PARSE_ASSESS")

    assert _found(export, check) == ["S2 began before S1 had passed its exit criteria: it was completed 4000 ms later"]
    assert _found(_phase(1, 5, 6, "INGEST_PARSE_ASSESS"), _phase(2, 0, 5, "EXPORT_CONTRACT")) == []


@pytest.mark.parametrize(
    "second",
    [
        _phase(2, 1, 6, "EXPORT_CONTRACT"),
        _phase(2, 1, 6, "OTHER"),
        _phase(2, 1, 6, "MY_OWN"),
        _phase(2, 1, 6, "INGEST_PARSE_ASSESS", **{"task.type": "subtask"}),
        _phase(2, 1, 6, "INGEST_PARSE_ASSESS", **{"task.parent_id": "PI-2"}),
    ],
)
def test_tasks_that_are_no_such_phases_wait_for_nobody(second: SpanRecord) -> None:
    """Two tasks of one phase, phases of a project's own, parts of a phase, and those of another pipeline."""
    assert _found(_phase(1, 0, 5, "EXPORT_CONTRACT"), second) == []


def test_it_is_a_flag_of_the_trace() -> None:
    """In the tree, and on the verdict, for whoever sees only that."""
    tree = SpanTree([ROOT, _task(1, 0, 5), _task(2, 1, 2)])
    verdict = judged(tree)

    (flag,) = find_flags(tree)
    assert (flag.kind, flag.span_id) == ("out_of_order", f"{2:016x}")
    assert flag.evidence == {"task": "S2", "upstream": "S1"}
    assert verdict is not None
    assert verdict.attributes["agenttrace.verdict.flags"] == ["out_of_order"]
