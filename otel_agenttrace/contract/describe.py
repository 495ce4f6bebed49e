"""The registry in words: what the documentation and the command line say of an attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.contract.registry import NOT_EXPECTED, OPTIONAL, RECOMMENDED, REQUIRED
from otel_agenttrace.contract.rules import range_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_agenttrace.contract.registry import AttributeDefinition, Registry, Requirement

LEVEL_WORDS = {REQUIRED: "required", RECOMMENDED: "recommended", OPTIONAL: "optional", NOT_EXPECTED: "not expected"}


def type_text(definition: AttributeDefinition) -> str:
    """The type of an attribute; for an enum that of its values."""
    if not definition.members:
        return definition.type
    return {str: "string", int: "int", bool: "boolean"}[type(definition.members[0].value)]


def values_text(definition: AttributeDefinition, registry: Registry) -> str:
    """Which values an attribute takes, beyond its type; empty if any will do."""
    if definition.members:
        values = dict.fromkeys(str(member.value) for member in definition.members)
        if definition.name == "task.phase":
            values |= dict.fromkeys(registry.phases)
        return ", ".join(values) + ("" if definition.rules.closed or definition.origin else ", or others")
    rules = definition.rules
    parts = []
    if rules.minimum is not None or rules.maximum is not None:
        parts.append(range_text(rules))
    if rules.pattern:
        parts.append(rules.pattern_says or f"the form {rules.pattern}")
    if rules.non_empty:
        parts.append("not empty")
    return "; ".join(parts)


def requirement_text(requirements: Iterable[Requirement], level: str) -> str:
    """The attributes that are wanted at this level, with conditions."""
    return ", ".join(
        f"{item.attribute} ({item.condition})" if item.condition else item.attribute
        for item in requirements
        if item.level == level
    )
