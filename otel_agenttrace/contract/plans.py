"""What follows from the names of a span's attributes alone: which checks to run, what is missing, what is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from otel_agenttrace.contract.registry import NEAR_MISS, NOT_EXPECTED, PHASE_ATTRIBUTE, REQUIRED, TASK_SPAN
from otel_agenttrace.contract.rules import build_check, closest, cut_name
from otel_agenttrace.contract.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from otel_agenttrace.contract.registry import Group, Registry, Requirement
    from otel_agenttrace.contract.rules import Check


class Conditional(NamedTuple):
    """An attribute that is missing, and required while others have certain values."""

    when: Mapping[str, tuple[Any, ...]]
    violation: Violation


class Row(NamedTuple):
    """What one phase finds fault with."""

    missing: tuple[Violation, ...] = ()
    not_expected: tuple[Violation, ...] = ()


class Plan(NamedTuple):
    """What is left to do for each span with the same attribute names.

    Attributes:
        found: violations that the names alone make.
        rows: for a task span, what each phase finds fault with.
    """

    checks: tuple[tuple[str, Check], ...] = ()
    found: tuple[Violation, ...] = ()
    conditional: tuple[Conditional, ...] = ()
    rows: dict[str, Row] | None = None


NOTHING_TO_DO = Plan()


class Planner:
    """Makes plans for spans and events out of a registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._checks = _build_checks(registry)
        self._templates = tuple(
            f"{name}." for name, item in registry.attributes.items() if item.type.startswith("template")
        )
        self._own_names = tuple(name for name, item in registry.attributes.items() if not item.origin)
        self._namespaces = {group.namespace: group for group in registry.groups.values() if group.namespace}

    def span_plan(self, names: tuple[str, ...]) -> Plan:
        """The plan of an ended span with these attributes."""
        checks, found = self._classify(names)
        conditional: list[Conditional] = []
        rows = None
        for span in self._registry.spans.values():
            if not span.identified_by or span.identified_by not in names:
                continue
            found += _missing(span.requirements, names, f"required on every {span.type} span")
            conditional += _conditionally_missing(span.requirements, names)
            if span.type == TASK_SPAN:
                rows = {phase: _row(phase, row, names) for phase, row in self._registry.phases.items()}
        return _plan(checks, found, conditional, rows)

    def event_plan(self, name: str, names: tuple[str, ...]) -> Plan:
        """The plan of an event of this name with these attributes."""
        definition = self._registry.events.get(name)
        if definition is not None and definition.origin:
            return NOTHING_TO_DO
        checks, found = self._classify(names)
        if definition is None:
            found += self._unknown(name, tuple(self._registry.events), "event")
            return _plan(checks, found, [], None)
        found += _missing(definition.requirements, names, f"required on {name}")
        return _plan(checks, found, _conditionally_missing(definition.requirements, names), None)

    def is_subject(self, name: str) -> bool:
        """Whether an attribute of this name can break the contract."""
        return self._check_for(name) is not None or self._group_of(name) is not None

    def _classify(self, names: Iterable[str]) -> tuple[list[tuple[str, Check]], list[Violation]]:
        checks: list[tuple[str, Check]] = []
        found: list[Violation] = []
        for name in names:
            check = self._check_for(name)
            if check is not None:
                checks.append((name, check))
            elif name not in self._registry.attributes and not name.startswith(self._templates):
                found += self._unknown(name, self._own_names, "attribute")
        return checks, found

    def _check_for(self, name: str) -> Check | None:
        check = self._checks.get(name)
        if check is None and name.startswith(self._templates):
            template = next(prefix for prefix in self._templates if name.startswith(prefix))
            check = self._checks.get(template[:-1])
        return check

    def _group_of(self, name: str) -> Group | None:
        namespace, dot, _ = name.partition(".")
        return self._namespaces.get(namespace) if dot else None

    def _unknown(self, name: str, known: tuple[str, ...], kind: str) -> list[Violation]:
        group = self._group_of(name)
        policy = "" if group is None else group.unknown if kind == "attribute" else group.unknown_event
        if not policy:
            return []
        cut = cut_name(name)
        meant = closest(cut, known)
        if not meant and policy == NEAR_MISS:
            return []
        tail = f"; did you mean {meant}?" if meant else ""
        return [Violation(cut, "unknown", f"{cut} is no {kind} of the contract{tail}")]


def _build_checks(registry: Registry) -> dict[str, Check]:
    checks: dict[str, Check] = {}
    for name, definition in registry.attributes.items():
        values = [member.value for member in definition.members]
        if name == PHASE_ATTRIBUTE:
            values += [phase for phase in registry.phases if phase not in values]
        check = None if definition.origin else build_check(definition, values)
        if check is not None:
            checks[name] = check
    return checks


def _plan(
    checks: Sequence[tuple[str, Check]],
    found: Sequence[Violation],
    conditional: Sequence[Conditional],
    rows: dict[str, Row] | None,
) -> Plan:
    if not checks and not found and not conditional and rows is None:
        return NOTHING_TO_DO
    return Plan(tuple(checks), tuple(found), tuple(conditional), rows)


def _missing(requirements: Iterable[Requirement], names: tuple[str, ...], reason: str) -> list[Violation]:
    return [
        Violation(item.attribute, REQUIRED, f"{item.attribute} is missing: {reason}")
        for item in requirements
        if item.level == REQUIRED and not item.condition and item.attribute not in names
    ]


def _conditionally_missing(requirements: Iterable[Requirement], names: tuple[str, ...]) -> list[Conditional]:
    return [
        Conditional(
            item.when, Violation(item.attribute, REQUIRED, f"{item.attribute} is missing: required {item.condition}")
        )
        for item in requirements
        if item.when is not None and item.attribute not in names
    ]


def _row(phase: str, row: Mapping[str, Requirement], names: tuple[str, ...]) -> Row:
    not_expected = [
        Violation(item.attribute, NOT_EXPECTED, f"{item.attribute} is not expected in phase {phase}")
        for item in row.values()
        if item.level == NOT_EXPECTED and item.attribute in names
    ]
    return Row(tuple(_missing(row.values(), names, f"required in phase {phase}")), tuple(not_expected))
