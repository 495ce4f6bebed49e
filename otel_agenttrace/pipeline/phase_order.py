"""Phases that began before what they depend on had passed its exit criteria, whoever emitted them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import (
    EVENT_TASK_STATUS_CHANGED,
    TASK_BLOCKED_REASON,
    TASK_DEPENDS_ON,
    TASK_ID,
    TASK_PARENT_ID,
    TASK_PHASE,
    TASK_STATUS,
    TASK_TYPE,
)
from otel_agenttrace.contract.phases import PHASES
from otel_agenttrace.contract.violation import Violation
from otel_agenttrace.model.plain import plain_text
from otel_agenttrace.pipeline.contract import PROTOCOL
from otel_agenttrace.pipeline.flag import Flag
from otel_agenttrace.pipeline.gates import blocking_gates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from otel_agenttrace.model.record import AnyValue, SpanRecord
    from otel_agenttrace.model.tree import SpanTree

_STATUS = str(TASK_STATUS)  # dictionaries are slower on the constants' class
_NOT_BEGUN = ("not_started", "blocked", "cancelled")
"""A task that ended like this may never have begun, unless its events say so."""

_CLOCK_SLACK_NANO = 1_000_000_000
"""By how much the clocks of two processes may differ."""

_MAX_CHARS = 120
_MAX_UPSTREAM = 100
_PLACE = {phase: index for index, phase in enumerate(PHASES)}


@dataclass(frozen=True, slots=True)
class EarlyStart:
    """A phase that began too early.

    Attributes:
        record: its span.
        attribute: that names what it depends on.
        task_id: the phase's task.
        upstream_id: the task that it should have waited for.
        problem: how that stood.
    """

    record: SpanRecord
    attribute: str
    task_id: str
    upstream_id: str
    problem: str

    @property
    def message(self) -> str:
        """In one sentence."""
        return f"{self.task_id} began before {self.upstream_id} had passed its exit criteria: {self.problem}"

    def violation(self) -> Violation:
        """As a violation of the protocol."""
        return Violation(self.attribute, PROTOCOL, self.message)

    def flag(self) -> Flag:
        """As something remarkable about the trace."""
        evidence: dict[str, AnyValue] = {"task": self.task_id, "upstream": self.upstream_id}
        return Flag("out_of_order", self.record.span_id, self.message, evidence)


def early_starts(tree: SpanTree) -> tuple[EarlyStart, ...]:
    """The phases of a trace that began too early, in the order of its nodes.

    A task waits for those that its `task.depends_on` names. Where no task below one parent says what it depends on, and
    each is of another of the phases S1 to S10, each waits for the phase before it. A task that is not in the trace is
    not judged.
    """
    tasks = [node.record for node in tree.nodes if _STATUS in node.record.attributes]
    if len(tasks) < 2:
        return ()
    by_id: dict[str, list[SpanRecord]] = {}
    for task in tasks:
        by_id.setdefault(_id(task), []).append(task)
    implied = _implied(tasks)
    found: list[EarlyStart] = []
    for task in tasks:
        depends_on = _depends_on(task)
        if depends_on:
            upstream = [(each, by_id[each]) for each in depends_on if each in by_id]
            found += check_start(task, upstream)
        elif task.identity in implied:
            before = implied[task.identity]
            found += check_start(task, [(_id(before), [before])], TASK_PHASE)
    return tuple(found)


def check_start(
    task: SpanRecord, upstream: Iterable[tuple[str, Sequence[SpanRecord]]], attribute: str = TASK_DEPENDS_ON
) -> Iterator[EarlyStart]:
    """Hold the beginning of a task against the tasks that it depends on.

    Args:
        task: the task's span.
        upstream: the id of each task that it depends on, and the spans of that: one has to be in order.
        attribute: that says so.
    """
    begun = _begun_unix_nano(task)
    if begun is None:
        return
    for upstream_id, spans in upstream:
        problems = [_problem(span, begun, task) for span in spans if span is not task]
        if problems and all(problems):
            yield EarlyStart(task, attribute, _name(_id(task)), _name(upstream_id), problems[-1])


def _problem(before: SpanRecord, begun: int, task: SpanRecord) -> str:
    """What is wrong with going on after `before`; empty if nothing is."""
    status = before.attributes.get(_STATUS)
    end = before.end_time_unix_nano
    if status != "completed":
        reason = before.attributes.get(TASK_BLOCKED_REASON)
        why = f" ({_name(reason)})" if isinstance(reason, str) and reason else ""
        return f"it is {_name(status) if isinstance(status, str) else 'in no known state'}{why}"
    if end is None:
        return "it is still running"
    slack = 0 if before.resource == task.resource else _CLOCK_SLACK_NANO
    if end > begun + slack:
        return f"it was completed {(end - begun) / 1e6:.0f} ms later"
    blocking = blocking_gates(before.events)
    return f"its gate {_name(blocking[0])} blocks" if blocking else ""


def _begun_unix_nano(task: SpanRecord) -> int | None:
    """When the task began, None if it did not, as far as is known."""
    for event in task.events:
        if event.name == EVENT_TASK_STATUS_CHANGED:
            status = event.attributes.get(_STATUS)
            if status == "in_progress":
                return event.time_unix_nano
            if status != "blocked":
                break  # it began as in_progress
    return None if task.attributes.get(_STATUS) in _NOT_BEGUN else task.start_time_unix_nano


def _implied(tasks: Sequence[SpanRecord]) -> dict[tuple[str, str, int], SpanRecord]:
    """The phase before each phase of a pipeline that says nothing of what depends on what, by identity."""
    groups: dict[tuple[AnyValue, str | None], list[SpanRecord]] = {}
    for task in tasks:
        if task.attributes.get(TASK_TYPE) not in ("subtask", "gate"):
            parent_id = task.attributes.get(TASK_PARENT_ID)
            key = parent_id if isinstance(parent_id, str) else "", task.parent_span_id
            groups.setdefault(key, []).append(task)
    implied: dict[tuple[str, str, int], SpanRecord] = {}
    for group in groups.values():
        places = [_place(task) for task in group]
        if None in places or len(set(places)) < len(group) or any(map(_depends_on, group)):
            continue
        ordered = sorted(group, key=lambda task: _place(task) or 0)
        implied.update({task.identity: before for before, task in pairwise(ordered)})
    return implied


def _place(task: SpanRecord) -> int | None:
    phase = task.attributes.get(TASK_PHASE)
    return _PLACE.get(phase) if isinstance(phase, str) else None


def _depends_on(task: SpanRecord) -> list[str]:
    value = task.attributes.get(TASK_DEPENDS_ON)
    return [each for each in value[:_MAX_UPSTREAM] if isinstance(each, str)] if isinstance(value, list) else []


def _id(task: SpanRecord) -> str:
    value = task.attributes.get(TASK_ID)
    return value if isinstance(value, str) and value else task.name


def _name(text: str) -> str:
    line = " ".join(plain_text(text).split())
    return line if len(line) <= _MAX_CHARS else line[: _MAX_CHARS - 1] + "…"
