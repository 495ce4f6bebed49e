"""The registry: what attributes, events, span types and phases there are, read from YAML.

Our own part is `registry/*.yaml` in this folder. A project brings one file of the same syntax: its own attributes,
events and span types, and a `span_refinements` entry of the span `task` for each phase of its own. An entry for a phase
of ours adds to that phase's row, or replaces cells of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TASK_SPAN = "task"
PHASE_ATTRIBUTE = "task.phase"

REQUIRED, RECOMMENDED, OPTIONAL, NOT_EXPECTED = "required", "recommended", "opt_in", "not_expected"
NEAR_MISS = "near_miss"


@dataclass(frozen=True, slots=True)
class Member:
    """A value of an enum."""

    value: str | int | bool
    brief: str


@dataclass(frozen=True, slots=True)
class ValueRules:
    """What a value must fulfil beyond its type."""

    minimum: float | None = None
    maximum: float | None = None
    pattern: str = ""
    pattern_says: str = ""
    non_empty: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class AttributeDefinition:
    """An attribute.

    Attributes:
        type: as in the YAML; `enum` for one with members.
        replaced_by: what is used instead of a deprecated attribute, in words or as a name; empty if it is current.
        origin: whose attribute it is if not ours. Such values are not checked.
        planned: nothing in this package uses it yet.
    """

    name: str
    type: str
    brief: str
    note: str = ""
    members: tuple[Member, ...] = ()
    examples: tuple[Any, ...] = ()
    replaced_by: str = ""
    rules: ValueRules = ValueRules()
    origin: str = ""
    planned: bool = False


@dataclass(frozen=True, slots=True)
class Requirement:
    """How much a span type, an event or a phase wants an attribute.

    Attributes:
        level: required, recommended, opt_in or not_expected.
        condition: when it is required, in words; empty for always.
        when: when it is required, as the values of other attributes; None if only the words say it.
    """

    attribute: str
    level: str
    condition: str = ""
    when: Mapping[str, tuple[Any, ...]] | None = None


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """A span event; `origin` and `planned` as for an attribute."""

    name: str
    brief: str
    requirements: tuple[Requirement, ...] = ()
    origin: str = ""
    planned: bool = False


@dataclass(frozen=True, slots=True)
class SpanDefinition:
    """A type of span; the attribute `identified_by` makes a span one of them."""

    type: str
    brief: str
    identified_by: str
    requirements: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Attributes that belong together.

    Attributes:
        namespace: the first part of their names, if the group speaks for all of it.
        unknown: what an unknown attribute in the namespace is: `violation`, or one only as a `near_miss` of a known
            name; nothing, if empty.
        unknown_event: the same for events.
    """

    id: str
    brief: str
    attributes: tuple[str, ...]
    namespace: str = ""
    unknown: str = ""
    unknown_event: str = ""


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything that is declared, by name, in the order of declaration.

    Attributes:
        phases: each phase's row, by attribute.
    """

    attributes: dict[str, AttributeDefinition] = field(default_factory=dict)
    events: dict[str, EventDefinition] = field(default_factory=dict)
    spans: dict[str, SpanDefinition] = field(default_factory=dict)
    phases: dict[str, dict[str, Requirement]] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)

    def phase_brief(self, phase: str) -> str:
        """What a phase of ours is about; empty for a project's own."""
        members = self.attributes[PHASE_ATTRIBUTE].members
        return next((member.brief for member in members if member.value == phase), "")


FOLDER = Path(__file__).with_name("registry")

FILES = (
    *("task", "work", "phases", "gate", "handoff", "run", "failure", "agent", "agenttrace", "verdict"),
    *("general", "gen_ai"),
)
"""The files of our own registry, in the order in which the documentation shows them."""


def load_registry(extra: Path | None = None) -> Registry:
    """Read our registry, and a project's own file on top of it.

    Raises:
        ConfigError: a file is not as it should be; names file, line and key.
    """
    from otel_agenttrace.contract.reading import read_registry  # noqa: PLC0415 - so that constants cost no YAML

    own = [FOLDER / f"{name}.yaml" for name in FILES]
    return read_registry(own if extra is None else [*own, extra])
