"""Contract: checks spans against the registry, fast enough for the agent's thread.

Spans from one place in the code have the same attribute names in the same order. What follows from the names alone is
worked out once for each such list of names and kept; what is left for each span is one look-up and the checks of its
values. A span without any name of the contract costs the look-up.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from otel_agenttrace.contract.attributes import AGENTTRACE_ENDED_BY, TASK_PHASE, TASK_STATUS, TASK_TYPE
from otel_agenttrace.contract.plans import NOTHING_TO_DO, Planner, Row
from otel_agenttrace.contract.registry import REQUIRED, load_registry
from otel_agenttrace.contract.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from otel_agenttrace.contract.plans import Plan
    from otel_agenttrace.contract.registry import Registry
    from otel_agenttrace.model.record import SpanRecord

__all__ = ["Contract", "Violation"]

EXCUSED_STATUSES = ("not_started", "blocked", "failed", "cancelled")
"""A task span with one of these did not finish its phase, and owes nothing of what the phase requires."""

EXCUSED_TYPE = "subtask"
"""Does a part of the phase, and owes nothing either."""

MAX_VIOLATIONS = 64
"""How many violations of one span are listed; the last of them says how many more there are."""

_MAX_PLANS = 1024
_MAX_PLAN_CHARS = 8192
_NO_ROW = Row()


class SpanEvent(Protocol):
    """What the SDK's events and EventRecords have in common."""

    @property
    def name(self) -> str:
        """The event's name."""

    @property
    def attributes(self) -> Mapping[str, Any] | None:
        """The event's attributes."""


class Contract:
    """The registry, ready to check with. May be used from several threads.

    Attributes:
        registry: what is declared.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._planner = Planner(registry)
        self._span_plans: dict[tuple[str, ...], Plan] = {}
        self._event_plans: dict[tuple[str, ...], Plan] = {}

    @classmethod
    def load(cls, extra: Path | None = None) -> Contract:
        """Our own contract, with a project's file on top; raises ConfigError, see `load_registry`."""
        return cls(load_registry(extra))

    def check(self, attributes: Mapping[str, Any], events: Sequence[SpanEvent] = ()) -> tuple[Violation, ...]:
        """What an ended span breaks. Give the attributes as a plain dict: it is read fastest.

        The violations have no code locations; `processors.locations` knows those.
        """
        names = tuple(attributes)
        plan = self._span_plans.get(names) or self._span_plan(names)
        if plan is NOTHING_TO_DO and not events:
            return ()
        found = _check_values(plan, attributes)
        if plan.rows is not None:
            found += _check_phase(plan.rows, attributes)
        for event in events:
            event_plan = self._event_plan(event)
            if event_plan is not NOTHING_TO_DO:
                found += _check_values(event_plan, event.attributes or {})
        return _bounded(found)

    def check_values(self, attributes: Mapping[str, Any]) -> tuple[Violation, ...]:
        """What a span that is still open breaks: as `check`, but what is missing may still come."""
        names = tuple(attributes)
        plan = self._span_plans.get(names) or self._span_plan(names)
        return _bounded([violation for violation in _check_values(plan, attributes) if violation.rule != REQUIRED])

    def check_record(self, record: SpanRecord) -> tuple[Violation, ...]:
        """What a record breaks; of an open one only the values are looked at."""
        if record.end_time_unix_nano is None:
            return self.check_values(record.attributes)
        return self.check(record.attributes, record.events)

    def concerns(self, record: SpanRecord) -> bool:
        """Whether the contract has anything to say of a record, be it good or bad."""
        names = tuple(record.attributes)
        plan = self._span_plans.get(names) or self._span_plan(names)
        return plan is not NOTHING_TO_DO or any(self._event_plan(event) is not NOTHING_TO_DO for event in record.events)

    def is_subject(self, name: str) -> bool:
        """Whether an attribute of this name can break the contract: it is checked, or in a namespace of ours."""
        return self._planner.is_subject(name)

    def _span_plan(self, names: tuple[str, ...]) -> Plan:
        return _keep(self._span_plans, names, self._planner.span_plan(names))

    def _event_plan(self, event: SpanEvent) -> Plan:
        key = (event.name, *(event.attributes or ()))
        plan = self._event_plans.get(key)
        return plan or _keep(self._event_plans, key, self._planner.event_plan(event.name, key[1:]))


def _keep(plans: dict[tuple[str, ...], Plan], key: tuple[str, ...], plan: Plan) -> Plan:
    if sum(map(len, key)) <= _MAX_PLAN_CHARS:
        if len(plans) >= _MAX_PLANS:
            plans.clear()
        plans[key] = plan
    return plan


def _check_values(plan: Plan, attributes: Mapping[str, Any]) -> list[Violation]:
    found = list(plan.found)
    for name, check in plan.checks:
        problem = check(attributes[name])
        if problem is not None:
            found.append(Violation(name, problem[0], f"{name} {problem[1]}"))
    for when, violation in plan.conditional:
        if all(attributes.get(name) in values for name, values in when.items()):
            found.append(violation)
    return found


def _bounded(found: list[Violation]) -> tuple[Violation, ...]:
    if len(found) <= MAX_VIOLATIONS:
        return tuple(found)
    last = found[MAX_VIOLATIONS - 1]
    more = len(found) - MAX_VIOLATIONS
    return (*found[: MAX_VIOLATIONS - 1], replace(last, message=f"{last.message} (and {more} more violations)"))


def _check_phase(rows: Mapping[str, Row], attributes: Mapping[str, Any]) -> tuple[Violation, ...]:
    phase = attributes.get(TASK_PHASE)
    row = rows.get(phase, _NO_ROW) if isinstance(phase, str) else _NO_ROW
    return row.not_expected if not row.missing or _is_excused(attributes) else row.missing + row.not_expected


def _is_excused(attributes: Mapping[str, Any]) -> bool:
    return (
        attributes[TASK_STATUS] in EXCUSED_STATUSES
        or attributes.get(TASK_TYPE) == EXCUSED_TYPE
        or AGENTTRACE_ENDED_BY in attributes
    )
