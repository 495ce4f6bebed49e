"""The syntax of a Weaver registry file, `file_format: definition/2`, as far as this package uses it.

After https://github.com/open-telemetry/weaver/blob/main/schemas/semconv-syntax.v2.md. Metrics, entities and
imports may stand in a file; they are not looked into. What the syntax has no words for stands in the annotation
`agenttrace`, which is checked as strictly as the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from otel_agenttrace.contract.source import Entry, read_yaml
from otel_agenttrace.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PRIMITIVES = ("string", "int", "double", "boolean", "any")
TYPES = (*PRIMITIVES, *(f"{name}[]" for name in PRIMITIVES[:4]))
TEMPLATES = tuple(f"template[{name}]" for name in TYPES)


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping with certain keys."""

    required: Mapping[str, Shape]
    optional: Mapping[str, Shape] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of one kind of item."""

    item: Shape


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of these texts, or, where `entry` is given, such a mapping."""

    texts: tuple[str, ...]
    entry: Fields | None = None


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping with any keys."""

    item: Shape


Shape: TypeAlias = "Fields | ListOf | OneOf | MapOf | type | tuple[type, ...]"
"""What a value must look like; plain types stand for themselves, and `object` for anything."""

_NUMBER = (int, float)
_STABILITY = OneOf(("stable", "release_candidate", "beta", "alpha", "development", "deprecated"))
_DEPRECATED = Fields(
    {"reason": OneOf(("renamed", "obsoleted", "uncategorized", "unspecified"))}, {"note": str, "renamed_to": str}
)
_UNKNOWN_NAMES = OneOf(("violation", "near_miss"))


def _annotated(**ours: Shape) -> MapOf | Fields:
    return Fields({}, {"agenttrace": Fields({}, ours)})


_MEMBER = Fields(
    {"id": str},
    {
        "value": (str, int, bool),
        "brief": str,
        "note": str,
        "stability": _STABILITY,
        "deprecated": _DEPRECATED,
        "annotations": MapOf(object),
    },
)
_COMMON: dict[str, Shape] = {"note": str, "deprecated": _DEPRECATED}
_ATTRIBUTE = Fields(
    {
        "key": str,
        "type": OneOf((*TYPES, *TEMPLATES), Fields({"members": ListOf(_MEMBER)})),
        "brief": str,
        "stability": _STABILITY,
    },
    _COMMON
    | {
        "examples": object,
        "annotations": _annotated(
            minimum=_NUMBER,
            maximum=_NUMBER,
            pattern=str,
            pattern_says=str,
            non_empty=bool,
            closed=bool,
            origin=str,
            planned=bool,
        ),
    },
)
_LEVEL = OneOf(
    ("required", "recommended", "opt_in"),
    Fields({}, {"conditionally_required": str, "recommended": str, "opt_in": str}),
)
_REFERENCE = Fields(
    {},
    _COMMON
    | {
        "ref": str,
        "ref_group": str,
        "brief": str,
        "examples": object,
        "stability": _STABILITY,
        "requirement_level": _LEVEL,
        "sampling_relevant": bool,
        "annotations": _annotated(when=MapOf(ListOf(object)), not_expected=bool),
    },
)
_SIGNAL: dict[str, Shape] = _COMMON | {"attributes": ListOf(_REFERENCE), "entity_associations": ListOf(object)}
_GROUP = Fields(
    {"id": str, "visibility": OneOf(("public", "internal"))},
    _COMMON
    | {
        "brief": str,
        "stability": _STABILITY,
        "attributes": ListOf(_REFERENCE),
        "annotations": _annotated(namespace=str, unknown=_UNKNOWN_NAMES, unknown_event=_UNKNOWN_NAMES),
    },
)
_EVENT = Fields(
    {"name": str, "brief": str, "stability": _STABILITY},
    _SIGNAL | {"requirement_level": object, "annotations": _annotated(origin=str, planned=bool)},
)
_SPAN = Fields(
    {
        "type": str,
        "kind": OneOf(("internal", "client", "server", "producer", "consumer")),
        "name": Fields({"note": str}),
        "brief": str,
        "stability": _STABILITY,
    },
    _SIGNAL | {"requirement_level": object, "annotations": _annotated(identified_by=str)},
)
_REFINEMENT = Fields(
    {"id": str, "ref": str},
    _SIGNAL
    | {
        "brief": str,
        "stability": _STABILITY,
        "name": Fields({"note": str}),
        "annotations": _annotated(phase=str),
    },
)
_UNREAD = ListOf(MapOf(object))
_FILE = Fields(
    {"file_format": OneOf(("definition/2",))},
    {
        "attributes": ListOf(_ATTRIBUTE),
        "attribute_groups": ListOf(_GROUP),
        "events": ListOf(_EVENT),
        "spans": ListOf(_SPAN),
        "span_refinements": ListOf(_REFINEMENT),
        "event_refinements": _UNREAD,
        "metrics": _UNREAD,
        "metric_refinements": _UNREAD,
        "entities": _UNREAD,
        "entity_refinements": _UNREAD,
        "imports": MapOf(ListOf(str)),
    },
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands in a registry file."""

    path: Path
    line: int
    key: str = ""

    def refuse(self, problem: str) -> NoReturn:
        """Raise ConfigError naming file, line and key."""
        key = f"{self.key}: " if self.key else ""
        raise ConfigError(f"{self.path}:{self.line}: {key}{problem}")

    def at(self, entry: Entry, key: str) -> Place:
        """The place of a key in the mapping that stands here."""
        return Place(self.path, entry.lines.get(key, entry.line), f"{self.key}.{key}" if self.key else key)

    def item(self, index: int, value: object) -> Place:
        """The place of an item in the list that stands here."""
        line = value.line if isinstance(value, Entry) else self.line
        return Place(self.path, line, f"{self.key}[{index}]")


def read_definitions(path: Path) -> Entry:
    """Read a registry file and check that it is one.

    Raises:
        ConfigError: it is not; names file, line and key.
    """
    document = read_yaml(path)
    check_shape(document, _FILE, Place(path, 1))
    return document


def check_shape(value: object, shape: Shape, place: Place) -> None:
    """Raise ConfigError unless the value looks like the shape."""
    if isinstance(shape, Fields):
        _check_fields(value, shape, place)
    elif isinstance(shape, ListOf):
        if not isinstance(value, list):
            place.refuse(f"expected a list, not {_named(value)}")
        for index, item in enumerate(value):
            check_shape(item, shape.item, place.item(index, item))
    elif isinstance(shape, MapOf):
        entry = _checked_entry(value, place)
        for key, item in entry.items():
            check_shape(item, shape.item, place.at(entry, key))
    elif isinstance(shape, OneOf):
        _check_choice(value, shape, place)
    elif not isinstance(value, shape) or (isinstance(value, bool) and shape in (_NUMBER, int)):
        place.refuse(f"expected {_type_names(shape)}, not {_named(value)}")


def _check_fields(value: object, shape: Fields, place: Place) -> None:
    entry = _checked_entry(value, place)
    for key in shape.required:
        if key not in entry:
            place.refuse(f"{key} is missing")
    for key, item in entry.items():
        known = shape.required.get(key) or shape.optional.get(key)
        if known is None:
            if place.key.endswith(".annotations"):
                continue  # other tools' annotations are theirs
            place.at(entry, key).refuse(f"no such key here; known are {', '.join([*shape.required, *shape.optional])}")
        check_shape(item, known, place.at(entry, key))


def _check_choice(value: object, shape: OneOf, place: Place) -> None:
    if shape.entry is not None and isinstance(value, Entry):
        _check_fields(value, shape.entry, place)
    elif value not in shape.texts:
        place.refuse(f"expected one of {', '.join(shape.texts)}, not {_named(value)}")


def _checked_entry(value: object, place: Place) -> Entry:
    if not isinstance(value, Entry):
        place.refuse(f"expected keys and values, not {_named(value)}")
    return value


def _named(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return repr(value)[:80]


def _type_names(shape: type | tuple[type, ...]) -> str:
    names = {str: "a text", int: "an integer", float: "a number", bool: "true or false"}
    return " or ".join(names.get(kind, kind.__name__) for kind in (shape if isinstance(shape, tuple) else (shape,)))
