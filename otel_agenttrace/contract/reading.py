"""Registry files -> Registry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from otel_agenttrace.contract.registry import (
    NOT_EXPECTED,
    OPTIONAL,
    PHASE_ATTRIBUTE,
    REQUIRED,
    TASK_SPAN,
    AttributeDefinition,
    EventDefinition,
    Group,
    Member,
    Registry,
    Requirement,
    SpanDefinition,
    ValueRules,
)
from otel_agenttrace.contract.syntax import Place, read_definitions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from otel_agenttrace.contract.source import Entry


def read_registry(paths: Sequence[Path]) -> Registry:
    """Read files in order; references may point to any of them.

    Raises:
        ConfigError: a file is not as it should be; names file, line and key.
    """
    reader = _Reader([(path, read_definitions(path)) for path in paths])
    return reader.read()


class _Reader:
    """Reads attributes first, since everything else refers to them."""

    def __init__(self, files: Sequence[tuple[Path, Entry]]) -> None:
        self._files = files
        self._registry = Registry()
        self._group_requirements: dict[str, tuple[Requirement, ...]] = {}

    def read(self) -> Registry:
        for place, entry in self._entries("attributes"):
            self._add_attribute(entry, place)
        for place, entry in self._entries("attribute_groups"):
            self._add_group(entry, place)
        for place, entry in self._entries("events"):
            self._add_event(entry, place)
        for place, entry in self._entries("spans"):
            self._add_span(entry, place)
        for member in self._registry.attributes[PHASE_ATTRIBUTE].members:
            self._registry.phases[str(member.value)] = {}
        for place, entry in self._entries("span_refinements"):
            self._add_phase(entry, place)
        return self._registry

    def _entries(self, section: str) -> Iterator[tuple[Place, Entry]]:
        for path, document in self._files:
            place = Place(path, 1).at(document, section)
            for index, entry in enumerate(document.get(section, ())):
                yield place.item(index, entry), entry

    def _add_attribute(self, entry: Entry, place: Place) -> None:
        name = entry["key"]
        if name in self._registry.attributes:
            place.at(entry, "key").refuse(f"{name} is there already")
        ours = _annotation(entry)
        definition = AttributeDefinition(
            name=name,
            type=entry["type"] if isinstance(entry["type"], str) else "enum",
            brief=entry["brief"].strip(),
            note=entry.get("note", "").strip(),
            members=_members(entry["type"]),
            examples=_examples(entry.get("examples")),
            replaced_by=_replacement(entry.get("deprecated")),
            rules=ValueRules(**{key: ours[key] for key in ours if key not in ("origin", "planned")}),
            origin=ours.get("origin", ""),
            planned=ours.get("planned", False),
        )
        _check_rules(definition, place.at(entry, "annotations"))
        self._registry.attributes[name] = definition

    def _add_group(self, entry: Entry, place: Place) -> None:
        name = entry["id"]
        if name in self._group_requirements:
            place.at(entry, "id").refuse(f"{name} is there already")
        requirements = self._requirements(entry, place)
        self._group_requirements[name] = requirements
        if entry["visibility"] == "public":
            if "brief" not in entry or "stability" not in entry:
                place.refuse("a public group has brief and stability")
            names = tuple(requirement.attribute for requirement in requirements)
            self._registry.groups[name] = Group(name, entry["brief"].strip(), names, **_annotation(entry))

    def _add_event(self, entry: Entry, place: Place) -> None:
        name = entry["name"]
        if name in self._registry.events:
            place.at(entry, "name").refuse(f"{name} is there already")
        requirements = self._requirements(entry, place)
        self._registry.events[name] = EventDefinition(name, entry["brief"].strip(), requirements, **_annotation(entry))

    def _add_span(self, entry: Entry, place: Place) -> None:
        name, identified_by = entry["type"], _annotation(entry).get("identified_by", "")
        if name in self._registry.spans:
            place.at(entry, "type").refuse(f"{name} is there already")
        if identified_by and identified_by not in self._registry.attributes:
            place.at(entry, "annotations").refuse(f"identified_by: no attribute {identified_by}")
        requirements = self._requirements(entry, place)
        self._registry.spans[name] = SpanDefinition(name, entry["brief"].strip(), identified_by, requirements)

    def _add_phase(self, entry: Entry, place: Place) -> None:
        phase = _annotation(entry).get("phase")
        if entry["ref"] not in self._registry.spans:
            place.at(entry, "ref").refuse(f"no span {entry['ref']}")
        if entry["ref"] != TASK_SPAN or phase is None:
            return  # a refinement for other tools
        row = self._registry.phases.setdefault(phase, {})
        row.update({requirement.attribute: requirement for requirement in self._requirements(entry, place)})

    def _requirements(self, entry: Entry, place: Place) -> tuple[Requirement, ...]:
        found: dict[str, Requirement] = {}
        list_place = place.at(entry, "attributes")
        for index, reference in enumerate(entry.get("attributes", ())):
            item_place = list_place.item(index, reference)
            for requirement in self._resolve(reference, item_place):
                found[requirement.attribute] = requirement
        return tuple(found.values())

    def _resolve(self, reference: Entry, place: Place) -> Iterable[Requirement]:
        if ("ref" in reference) == ("ref_group" in reference):
            place.refuse("either ref or ref_group")
        if "ref_group" in reference:
            name = reference["ref_group"]
            if name not in self._group_requirements:
                place.at(reference, "ref_group").refuse(f"no attribute group {name} above")
            return self._group_requirements[name]
        if reference["ref"] not in self._registry.attributes:
            place.at(reference, "ref").refuse(f"no attribute {reference['ref']}")
        return [self._requirement(reference, place)]

    def _requirement(self, reference: Entry, place: Place) -> Requirement:
        level, condition = reference.get("requirement_level", OPTIONAL), ""
        if not isinstance(level, str):
            ((level, condition),) = level.items() if len(level) == 1 else (("", ""),)
            if not level:
                place.at(reference, "requirement_level").refuse("expected one key")
        ours = _annotation(reference)
        when = ours.get("when")
        for name in when or ():
            if name not in self._registry.attributes:
                place.at(reference, "annotations").refuse(f"when: no attribute {name}")
        return Requirement(
            attribute=reference["ref"],
            level=NOT_EXPECTED if ours.get("not_expected") else level.replace("conditionally_required", REQUIRED),
            condition=condition.strip(),
            when={name: tuple(values) for name, values in when.items()} if when else None,
        )


def _annotation(entry: Entry) -> dict[str, Any]:
    ours: dict[str, Any] = entry.get("annotations", {}).get("agenttrace", {})
    return ours


def _members(type_: Any) -> tuple[Member, ...]:
    if isinstance(type_, str):
        return ()
    return tuple(Member(member.get("value", member["id"]), member.get("brief", "")) for member in type_["members"])


def _examples(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) else (value,)


def _replacement(deprecated: Entry | None) -> str:
    if deprecated is None:
        return ""
    return str(deprecated.get("renamed_to") or deprecated.get("note") or "nothing")


def _check_rules(definition: AttributeDefinition, place: Place) -> None:
    rules, type_ = definition.rules, definition.type.removeprefix("template[").rstrip("[]")
    if (rules.minimum is not None or rules.maximum is not None) and type_ not in ("int", "double"):
        place.refuse("minimum and maximum are for numbers")
    if (rules.pattern or rules.non_empty) and type_ != "string":
        place.refuse("pattern and non_empty are for strings")
    if rules.closed and not definition.members:
        place.refuse("closed is for an enum with members")
    if len({type(member.value) for member in definition.members}) > 1:
        place.refuse("members of one enum have values of one type")
    try:
        re.compile(rules.pattern)
    except re.error as error:
        place.refuse(f"pattern is no regular expression: {error}")
