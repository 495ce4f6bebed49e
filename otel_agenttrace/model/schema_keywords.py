"""JSON Schema in bounded time: RE2's patterns, counted references, items of a list compared by what they say.

The library by itself runs patterns with Python's `re`, follows references without an end, and compares each item of a
list with each other: a small document, or one from a stranger, may take it for ever.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

_MIN_REFERENCES, _REFERENCES_PER_VALUE = 10_000, 20
"""How many references are followed: of rules that multiply, it takes a small document to take for ever."""

_MAX_REFERENCE_DEPTH = 50
"""References within references: each takes some of the stack, and the library beneath breaks at its end."""

_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_MAX_SHOWN = 200


class UnusableSchemaError(ValueError):
    """The schema asks for what is not done, or goes too far."""


class BoundedValidator:
    """A validator of the library with these keywords.

    Args:
        library: its class for the draft of the schema.
        schema: one that is valid, and has no `unbounded_part`.
        registry: of the schemas that references lead to; they are `without_draft`, and have no `unbounded_part` either.
    """

    def __init__(self, library: Any, schema: Any, registry: Any) -> None:
        from jsonschema import validators  # noqa: PLC0415 - it takes long, and only a schema should cost it

        self._references_left = self._depth = 0
        keywords = {
            "pattern": check_pattern,
            "patternProperties": _check_pattern_properties,
            "additionalProperties": _check_additional_properties,
            "uniqueItems": _check_unique_items,
            **{each: self._counted(library.VALIDATORS[each]) for each in _REFERENCES if each in library.VALIDATORS},
        }
        self._validator: Any = validators.extend(library, keywords)(without_draft(schema), registry=registry)  # type: ignore[no-untyped-call]

    def errors(self, document: Any) -> Iterator[Any]:
        """The library's errors for a document of plain values.

        Raises:
            UnusableSchemaError: the schema cannot be followed.
            Exception: whatever the library meets in a schema that its draft allows.
        """
        self._references_left, self._depth = _MIN_REFERENCES + _REFERENCES_PER_VALUE * _count(document), 0
        yield from self._validator.iter_errors(document)

    def _counted(self, follow: Any) -> Any:
        def reference(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
            self._references_left -= 1
            if self._references_left < 0 or self._depth == _MAX_REFERENCE_DEPTH:
                raise UnusableSchemaError("its references refer to each other without an end, or too often")
            self._depth += 1
            try:
                yield from follow(validator, value, instance, schema) or ()
            finally:
                self._depth -= 1

        return reference


def without_draft(schema: Any) -> Any:
    """The schema without `$schema`, by which the library would return to its own keywords at a reference."""
    return {key: value for key, value in schema.items() if key != "$schema"} if isinstance(schema, dict) else schema


def unbounded_part(schema: Any) -> str | None:
    """What a schema has that would be checked with the library's own keywords, in words; None if nothing."""
    waiting = list(schema.values()) if isinstance(schema, dict) else []
    keys = set(schema) if isinstance(schema, dict) else set()
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if isinstance(each.get("$schema"), str):
                return "has a $schema within, which is not followed"
            keys.update(each)
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    if {"patternProperties", "unevaluatedProperties"} <= keys:
        return "has both patternProperties and unevaluatedProperties, which are not checked together"
    return None


def _count(document: Any) -> int:
    """How many values a document has."""
    waiting, count = [document], 0
    while waiting:
        each = waiting.pop()
        count += 1
        if isinstance(each, (dict, list, tuple)):
            waiting += each.values() if isinstance(each, dict) else each
    return count


def check_pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[Any]:
    """The keyword `pattern`, by RE2.

    Raises:
        UnusableSchemaError: the pattern is none of RE2's.
    """
    from jsonschema import ValidationError  # noqa: PLC0415 - as above

    if isinstance(instance, str) and not _is_found(pattern, instance):
        yield ValidationError("does not match")


def _check_pattern_properties(validator: Any, patterns: Any, instance: Any, _: Any) -> Iterator[Any]:
    if isinstance(instance, dict):
        for pattern, schema in patterns.items():
            for key in instance:
                if _is_found(pattern, key):
                    yield from validator.descend(instance[key], schema, path=key, schema_path=pattern)


def _check_additional_properties(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError  # noqa: PLC0415 - as above

    if not isinstance(instance, dict):
        return
    for key in _additional(instance, schema):
        if isinstance(rule, dict):
            yield from validator.descend(instance[key], rule, path=key)
        elif not rule:
            yield ValidationError("", path=[key])


def _additional(instance: dict[str, Any], schema: dict[str, Any]) -> Iterable[str]:
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    return [key for key in instance if key not in known and not any(_is_found(each, key) for each in patterns)]


def _check_unique_items(_: Any, rule: Any, instance: Any, __: Any) -> Iterator[Any]:
    from jsonschema import ValidationError  # noqa: PLC0415 - as above

    if rule and isinstance(instance, list) and len({_same(each) for each in instance}) < len(instance):
        yield ValidationError("has items twice")


def _same(value: Any) -> Hashable:
    """The same for values that are the same in JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, dict):
        return "object", frozenset((key, _same(each)) for key, each in value.items())
    if isinstance(value, list):
        return "array", tuple(map(_same, value))
    return isinstance(value, bool), value


def _is_found(pattern: str, text: str) -> bool:
    import re2  # noqa: PLC0415 - as above

    options = re2.Options()
    options.log_errors = False  # else RE2 writes to stderr
    try:
        # Not kept here: RE2 keeps what it has compiled, and forgets it where a child must not use its parent's.
        return re2.search(pattern, text, options) is not None
    except re2.error as error:
        shown = json.dumps(pattern, ensure_ascii=False)[:_MAX_SHOWN]
        raise UnusableSchemaError(f"the pattern {shown} is none of RE2's: {_message(error)}") from error


def _message(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
