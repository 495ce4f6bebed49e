"""The attribute contract in a terminal, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.contract.describe import LEVEL_WORDS, type_text, values_text
from otel_agenttrace.contract.registry import OPTIONAL, REQUIRED
from otel_agenttrace.views.lines import UNICODE, Glyphs, Segment
from otel_agenttrace.views.table import Cell, Column, format_table
from otel_agenttrace.views.text import wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel_agenttrace.contract.registry import AttributeDefinition, EventDefinition, Registry, Requirement
    from otel_agenttrace.views.lines import Line

_MOST_LINES = 20


def format_contract(
    registry: Registry, name: str | None = None, *, width: int = 80, glyphs: Glyphs = UNICODE
) -> list[Line]:
    """Return everything that is declared, or the attribute, event, phase or group called `name`."""
    if name is None:
        return list(_everything(registry, width, glyphs))
    lines: list[Line] = []
    if name in registry.groups:
        lines += _attribute_table(registry, registry.groups[name].attributes, width, glyphs)
    if name in registry.attributes:
        lines += _attribute(registry, registry.attributes[name], width)
    if name in registry.events:
        lines += _event(registry.events[name], width)
    if name in registry.phases:
        lines += _phase(registry, name, width, glyphs)
    return lines


def contract_json(registry: Registry, name: str | None = None) -> dict[str, Any]:
    """The same as plain JSON values, in mappings by name: `attributes`, `events`, `phases`."""
    group = registry.groups.get(name or "")
    names = {name, *(() if group is None else group.attributes)}
    return {
        "attributes": {
            key: _attribute_json(registry, item)
            for key, item in registry.attributes.items()
            if name is None or key in names
        },
        "events": {key: _event_json(item) for key, item in registry.events.items() if name is None or key == name},
        "phases": {
            key: {item.attribute: LEVEL_WORDS[item.level] for item in row.values()}
            for key, row in registry.phases.items()
            if name is None or key == name
        },
    }


def _everything(registry: Registry, width: int, glyphs: Glyphs) -> Iterator[Line]:
    for group in registry.groups.values():
        if group.attributes:
            for line in wrap(group.brief, width, most=_MOST_LINES):
                yield (Segment(line, "dim"),)
            yield from _attribute_table(registry, group.attributes, width, glyphs)
            yield ()
    events = [(Cell(event.name, "name"), Cell(event.brief)) for event in registry.events.values()]
    yield from format_table((Column("EVENT"), Column("", share=True)), events, width=width, glyphs=glyphs)
    yield ()
    phases = [(Cell(phase, "name"), Cell(registry.phase_brief(phase))) for phase in registry.phases]
    yield from format_table((Column("PHASE"), Column("", share=True)), phases, width=width, glyphs=glyphs)


def _attribute_table(registry: Registry, names: Iterable[str], width: int, glyphs: Glyphs) -> list[Line]:
    columns = (Column("ATTRIBUTE"), Column("TYPE"), Column("VALUES", share=True))
    definitions = [registry.attributes[name] for name in names]
    rows = [
        (Cell(item.name, "name"), Cell(type_text(item)), Cell(values_text(item, registry) or item.brief, "dim"))
        for item in definitions
    ]
    return format_table(columns, rows, width=width, glyphs=glyphs)


def _attribute(registry: Registry, item: AttributeDefinition, width: int) -> Iterator[Line]:
    yield (Segment(item.name, "heading"), Segment(f"  {type_text(item)}", "dim"))
    yield from _indented(f"{item.brief} {item.note}".strip(), width)
    if item.members:
        for member in item.members:
            yield (Segment(f"  {member.value!s:<22}", "name"), Segment(member.brief, "dim"))
    elif values := values_text(item, registry):
        yield from _indented(f"Values: {values}.", width)
    if item.replaced_by:
        yield from _indented(f"Deprecated: {item.replaced_by}", width)
    for span in registry.spans.values():
        yield from _wanted(f"{span.type} span", span.requirements, item.name)
    for event in registry.events.values():
        yield from _wanted(event.name, event.requirements, item.name)
    for phase, row in registry.phases.items():
        yield from _wanted(phase, row.values(), item.name)


def _wanted(by: str, requirements: Iterable[Requirement], name: str) -> Iterator[Line]:
    for item in requirements:
        if item.attribute == name and item.level != OPTIONAL:
            yield (Segment(f"  {by:<22}", "name"), Segment(f"{LEVEL_WORDS[item.level]} {item.condition}".strip()))


def _event(item: EventDefinition, width: int) -> Iterator[Line]:
    yield (Segment(item.name, "heading"), Segment("  event", "dim"))
    yield from _indented(item.brief, width)
    for wanted in item.requirements:
        level = f"{LEVEL_WORDS[wanted.level]} {wanted.condition}".strip()
        yield (Segment(f"  {wanted.attribute:<30}", "name"), Segment(level, "" if wanted.level == REQUIRED else "dim"))


def _phase(registry: Registry, phase: str, width: int, glyphs: Glyphs) -> Iterator[Line]:
    yield (Segment(phase, "heading"), Segment(f"  {registry.phase_brief(phase)}", "dim"))
    rows = [
        (Cell(f"  {item.attribute}", "name"), Cell(LEVEL_WORDS[item.level])) for item in registry.phases[phase].values()
    ]
    yield from format_table((Column("  ATTRIBUTE"), Column("", share=True)), rows, width=width, glyphs=glyphs)


def _indented(text: str, width: int) -> Iterator[Line]:
    for line in wrap(text, width - 2, most=_MOST_LINES):
        yield (Segment(f"  {line}"),)


def _attribute_json(registry: Registry, item: AttributeDefinition) -> dict[str, Any]:
    return {
        "type": type_text(item),
        "values": values_text(item, registry),
        "brief": item.brief,
        "origin": item.origin or None,
        "replaced_by": item.replaced_by or None,
        "planned": item.planned,
    }


def _event_json(item: EventDefinition) -> dict[str, Any]:
    return {
        "brief": item.brief,
        "attributes": {wanted.attribute: LEVEL_WORDS[wanted.level] for wanted in item.requirements},
        "planned": item.planned,
    }
