"""One JSON Schema, ready to be held against documents in bounded time: RE2's patterns, counted references."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from otel_agenttrace.workflow.checks.documents import escaped
from otel_agenttrace.workflow.checks.findings import Finding, FindingError, finding, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_MAX_ERRORS = 100
_MIN_REFERENCES, _REFERENCES_PER_VALUE = 10_000, 20
"""How many references are followed: of rules that multiply, it takes a small document to take for ever."""

_MAX_REFERENCE_DEPTH = 50
"""References within references: each takes some of the stack, and the library beneath breaks at its end."""

_DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"
_DRAFTS = {
    "http://json-schema.org/draft-03/schema": "Draft3Validator",
    "http://json-schema.org/draft-04/schema": "Draft4Validator",
    "http://json-schema.org/draft-06/schema": "Draft6Validator",
    "http://json-schema.org/draft-07/schema": "Draft7Validator",
    "https://json-schema.org/draft/2019-09/schema": "Draft201909Validator",
    _DRAFT_2020: "Draft202012Validator",
}
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


class _UnusableError(Exception):
    """The schema asks for what is not done, or goes too far."""


class SchemaRules:
    """A schema that has been found to be one.

    Args:
        schema: plain values.
        name: what verdicts call it.

    Raises:
        FindingError: it is no valid schema of its draft, or of an unknown draft.
    """

    def __init__(self, schema: Any, name: str) -> None:
        self.name = name
        self._validator = _validator(schema, name, self._counted)
        self._references_left = self._depth = 0

    def findings(self, document: Any, name: str) -> list[Finding]:
        """Where a document of plain values breaks the rules, in the order of the document's pointers.

        Raises:
            FindingError: the schema cannot be followed: a reference that leads nowhere, or one too many.
        """
        self._references_left, self._depth = _MIN_REFERENCES + _REFERENCES_PER_VALUE * _count(document), 0
        try:
            errors = list(islice(self._validator.iter_errors(document), _MAX_ERRORS + 1))
            found = [_finding(error, name, self.name) for error in errors[:_MAX_ERRORS]]
        except RecursionError as error:
            raise _wrong(self.name, "refers to itself without an end, or is nested too deep") from error
        except Exception as error:  # whatever else the library meets in a schema that its draft allows
            raise _wrong(self.name, f"cannot be followed: {error}") from error
        told = list(dict.fromkeys(sorted(found, key=lambda each: (each.evidence.ref, each.problem))))
        if len(errors) > _MAX_ERRORS:
            problem = f"{name} breaks {self.name} in more than {_MAX_ERRORS} places"
            told.insert(0, finding(problem, f"correct {name}, or {self.name}", "schema", name))
        return told

    def _counted(self, follow: Any) -> Any:
        def reference(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
            self._references_left -= 1
            if self._references_left < 0 or self._depth == _MAX_REFERENCE_DEPTH:
                raise _UnusableError("its references refer to each other without an end, or too often")
            self._depth += 1
            try:
                yield from follow(validator, value, instance, schema) or ()
            finally:
                self._depth -= 1

        return reference


def _validator(schema: Any, name: str, counted: Any) -> Any:
    import jsonschema  # noqa: PLC0415 - it takes long, and only a schema should cost it
    from jsonschema import validators  # noqa: PLC0415
    from referencing import Registry  # noqa: PLC0415

    if not isinstance(schema, (dict, bool)):
        raise _wrong(name, f"is {shown(schema)}, an object or a truth value is expected")
    draft = schema.get("$schema", _DRAFT_2020) if isinstance(schema, dict) else _DRAFT_2020
    kind = _DRAFTS.get(draft.removesuffix("#")) if isinstance(draft, str) else None
    if kind is None:
        raise _wrong(name, f"names an unknown draft, {shown(draft)}: expected one of {', '.join(_DRAFTS)}")
    library: Any = getattr(jsonschema, kind)
    try:
        library.check_schema(schema, format_checker=None)
    except jsonschema.SchemaError as error:
        raise _wrong(name, f"is not valid at {_pointer(error.absolute_path)}: {_cut(error.message)}") from error
    except RecursionError as error:
        raise _wrong(name, "is nested too deep to be checked") from error
    except Exception as error:  # whatever else the library meets in it
        raise _wrong(name, f"cannot be checked: {error}") from error
    _demand_known(schema, name)
    keywords = {
        "pattern": _check_pattern,
        "patternProperties": _check_pattern_properties,
        "additionalProperties": _check_additional_properties,
        **{each: counted(library.VALIDATORS[each]) for each in _REFERENCES if each in library.VALIDATORS},
    }
    extended = validators.extend(library, keywords)  # type: ignore[no-untyped-call]
    # Without `$schema`, by which the library would return to its own class, and with it to `re`, at a reference.
    own = {key: value for key, value in schema.items() if key != "$schema"} if isinstance(schema, dict) else schema
    # A registry of its own, since the default one fetches references from the network.
    return extended(own, registry=Registry())


def _demand_known(schema: Any, name: str) -> None:
    """Refuse what would be checked with Python's `re`, whose time has no bound."""
    has_patterns = has_unevaluated = False
    waiting = list(schema.values()) if isinstance(schema, dict) else []
    keys = set(schema) if isinstance(schema, dict) else set()
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if isinstance(each.get("$schema"), str):
                raise _wrong(name, "has a $schema within, which is not followed")
            keys.update(each)
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    has_patterns, has_unevaluated = "patternProperties" in keys, "unevaluatedProperties" in keys
    if has_patterns and has_unevaluated:
        raise _wrong(name, "has both patternProperties and unevaluatedProperties, which are not checked together")


def _count(document: Any) -> int:
    """How many values a document has."""
    waiting, count = [document], 0
    while waiting:
        each = waiting.pop()
        count += 1
        if isinstance(each, (dict, list, tuple)):
            waiting += each.values() if isinstance(each, dict) else each
    return count


def _check_pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[Any]:
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


def _is_found(pattern: str, text: str) -> bool:
    return _compiled(pattern).search(text) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    import re2  # noqa: PLC0415 - as above

    options = re2.Options()
    options.log_errors = False  # else RE2 writes to stderr
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise _UnusableError(f"the pattern {shown(pattern)} is none of RE2's: {_message(error)}") from error


def _message(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _finding(error: Any, name: str, schema_name: str) -> Finding:
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - as above

    error = best_match([error]) or error  # of alternatives, the one that comes nearest
    pointer = _pointer(error.absolute_path)
    expected, found = _expected(error), shown(error.instance)
    if error.validator == "additionalProperties":
        found = f"{shown(error.path[-1])}" if error.path else found
    elif error.validator == "required":
        found = f"an object with {', '.join(map(shown, list(error.instance)[:5])) or 'none'}"
    problem = f"{name} at {pointer}: expected {expected}, found {found}"
    action = f"correct {pointer} in {name}, or {schema_name}"
    return finding(problem, action, "schema", f"{name}#{'' if pointer == '/' else pointer}")


def _expected(error: Any) -> str:
    """What the broken keyword asks for, in words where it has some."""
    words = _WORDS.get(error.validator)
    if words is not None:
        return words(error.validator_value)
    value = error.validator_value
    if error.validator == "required" and isinstance(value, list):
        return f"the property {', '.join(shown(each) for each in value if each not in error.instance)}"
    return f"{error.validator} {shown(value)}"


_WORDS: dict[str | None, Callable[[Any], str]] = {
    None: lambda _: "nothing",  # where the schema is just false
    "additionalProperties": lambda _: "no other property",
    "unevaluatedProperties": lambda _: "no other property",
    "anyOf": lambda forms: f"one of {len(forms)} forms",
    "oneOf": lambda forms: f"exactly one of {len(forms)} forms",
    "not": lambda _: "anything but this",
    "const": shown,
    "enum": lambda values: f"one of {', '.join(map(shown, values[:10]))}{', …' if len(values) > 10 else ''}",
    "type": lambda types: " or ".join(map(str, types)) if isinstance(types, list) else str(types),
    "pattern": lambda pattern: f"a text that matches {shown(pattern)}",
}


def _pointer(path: Iterable[Any]) -> str:
    """A JSON pointer; `/` stands for the whole document, whose pointer is the empty text."""
    return "".join(f"/{escaped(each)}" for each in path) or "/"


def _cut(text: str) -> str:
    return text if len(text) <= 200 else text[:199] + "…"


def _wrong(name: str, problem: str) -> FindingError:
    return FindingError(finding(f"{name} {problem}", f"correct {name}; nothing was held against it", "schema", name))
