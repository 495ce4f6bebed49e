"""One JSON Schema, ready to be held against documents in bounded time."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from otel_agenttrace.model.schema_keywords import BoundedValidator, unbounded_part
from otel_agenttrace.workflow.checks.documents import escaped
from otel_agenttrace.workflow.checks.findings import Finding, FindingError, finding, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MAX_ERRORS = 100
_DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"
_DRAFTS = {
    "http://json-schema.org/draft-03/schema": "Draft3Validator",
    "http://json-schema.org/draft-04/schema": "Draft4Validator",
    "http://json-schema.org/draft-06/schema": "Draft6Validator",
    "http://json-schema.org/draft-07/schema": "Draft7Validator",
    "https://json-schema.org/draft/2019-09/schema": "Draft201909Validator",
    _DRAFT_2020: "Draft202012Validator",
}


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
        self._validator = _validator(schema, name)

    def findings(self, document: Any, name: str) -> list[Finding]:
        """Where a document of plain values breaks the rules, in the order of the document's pointers.

        Raises:
            FindingError: the schema cannot be followed: a reference that leads nowhere, or one too many.
        """
        try:
            errors = list(islice(self._validator.errors(document), _MAX_ERRORS + 1))
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


def _validator(schema: Any, name: str) -> BoundedValidator:
    import jsonschema  # noqa: PLC0415 - it takes long, and only a schema should cost it
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
    problem = unbounded_part(schema)
    if problem is not None:
        raise _wrong(name, problem)
    # A registry of its own, since the default one fetches references from the network.
    return BoundedValidator(library, schema, Registry())


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
