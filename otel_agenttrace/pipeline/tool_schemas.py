"""Whether the arguments of a tool call break the tool's JSON Schema, where the trace tells both.

Schemas and arguments come from whoever wrote the trace, so checking them is bounded: nothing is fetched, patterns run
in RE2's linear time, and a schema that is too large, or refers to itself too often, is not used at all.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from otel_agenttrace.contract.attributes import GEN_AI_TOOL_CALL_ARGUMENTS
from otel_agenttrace.model.schema_keywords import check_pattern, without_draft
from otel_agenttrace.pipeline.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel_agenttrace.model.record import SpanRecord

_MAX_BYTES = 64 * 1024
_MAX_REFERENCES = 1000
_MAX_DEPTH = 50
"""References within references: each takes some of the stack, and the library beneath breaks at its end."""
_SCHEMA_KEYS = ("parameters", "inputSchema", "input_schema", "parameters_json_schema")
"""OTel and OpenAI; MCP and the Vercel AI SDK; Anthropic; Pydantic AI."""

_MARKERS = (b"[REDACTED:", b"[TRUNCATED:")
_MAX_RULE = 120
_MAX_RULES = 20
"""Broken rules that are looked at, of which one is told."""

_UNBOUNDED = (b'"patternProperties"', b'"$dynamicRef"')
"""Keywords that jsonschema checks with Python's `re`, or follows in a way that cannot be counted."""


class ToolSchemas:
    """The schemas of the tools that are defined in some spans, the first definition of each; see `tool_definitions`."""

    def __init__(self, spans: Iterable[SpanRecord]) -> None:
        self._schemas: dict[str, Any] = {}
        for span in spans:
            for name, schema in tool_definitions(span):
                self._schemas.setdefault(name, schema)
        self._checks: dict[str, _Check | None] = {}

    def broken_rule(self, record: SpanRecord) -> str | None:
        """Which rule of a tool's schema the span breaks that calls it, in some words without the arguments' values.

        None where it breaks none, or that is not known, as with arguments that were redacted or cut.
        """
        said = canonical(record)
        name = said.tool_name
        if not said.is_tool_call or name not in self._schemas:
            return None
        if name not in self._checks:
            self._checks[name] = _check(self._schemas[name])
        check, arguments = self._checks[name], said.input
        if check is None or arguments is None or not _is_whole(arguments):
            return None
        if isinstance(arguments, dict) or GEN_AI_TOOL_CALL_ARGUMENTS in record.attributes:
            return check.broken_rule(arguments)
        return None  # other emitters hand on one bare argument, too


class _TooManyReferencesError(Exception):
    """A schema refers to itself more often than is followed."""


class _Check:
    def __init__(self, schema: dict[str, Any]) -> None:
        # Imported here: it takes long, and only traces with a failed tool call of known schema need it.
        from jsonschema import Draft202012Validator, validators  # noqa: PLC0415
        from referencing import Registry  # noqa: PLC0415

        self._follow = Draft202012Validator.VALIDATORS["$ref"]
        keywords = {"pattern": check_pattern, "$ref": self._reference}
        # A registry of its own, since the default one fetches references from the network.
        extended: Any = validators.extend(Draft202012Validator, keywords)  # type: ignore[no-untyped-call]
        self._validator = extended(without_draft(schema), registry=Registry())

    def broken_rule(self, arguments: Any) -> str | None:
        self._references_left, self._depth = _MAX_REFERENCES, 0
        rules: list[str] = []
        try:
            for error in islice(self._validator.iter_errors(arguments), _MAX_RULES):
                rules.append(_rule(error))  # noqa: PERF401 - what was found before it goes too far counts
        except Exception:  # noqa: BLE001 - a schema that is none, or goes too far, says nothing of the arguments
            return min(rules, default=None)
        return min(rules, default=None)  # the same one, in whatever order the schema is written

    def _reference(self, validator: Any, reference: Any, instance: Any, schema: Any) -> Iterator[Any]:
        self._references_left -= 1
        if self._references_left < 0 or self._depth == _MAX_DEPTH:
            raise _TooManyReferencesError
        self._depth += 1
        try:
            yield from self._follow(validator, reference, instance, schema) or ()
        finally:
            self._depth -= 1


def _rule(error: Any) -> str:
    """E.g. `date: required`, `days[0]: type "integer"`: where the schema was broken, and what it says there."""
    place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in error.absolute_path).lstrip(".")
    expected = error.validator_value
    if error.validator == "required" and isinstance(expected, list):
        missing = [str(name) for name in expected if name not in error.instance]
        said = f"{', '.join(missing)} required"
    elif isinstance(expected, (str, int, float, list)):
        said = f"{error.validator} {orjson.dumps(expected).decode()}"
    else:
        said = str(error.validator)
    rule = f"{place}: {said}" if place else said
    return rule if len(rule) <= _MAX_RULE else rule[: _MAX_RULE - 1] + "…"


def _check(schema: Any) -> _Check | None:
    if not isinstance(schema, dict) or not _is_small(schema):
        return None
    if any(keyword in orjson.dumps(schema) for keyword in _UNBOUNDED) or _has_schema_within(schema):
        return None
    return _Check(schema)


def _has_schema_within(schema: dict[str, Any]) -> bool:
    """Whether a part says by itself which draft it is of, and would be checked by the library's own class."""
    waiting = list(schema.values())
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if isinstance(each.get("$schema"), str):
                return True
            waiting += each.values()
        elif isinstance(each, (list, tuple)):
            waiting += each
    return False


def _is_small(value: Any) -> bool:
    try:
        return len(orjson.dumps(value)) <= _MAX_BYTES
    except TypeError:  # bytes and the like, which no schema speaks of
        return False


def _is_whole(arguments: Any) -> bool:
    return _is_small(arguments) and not any(marker in orjson.dumps(arguments) for marker in _MARKERS)


def tool_definitions(record: SpanRecord) -> Iterator[tuple[str, Any]]:
    """Names and schemas of the tools that a model was offered, in any emitter's notation.

    https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/ (`gen_ai.tool.definitions`)
    """
    for definition in _items(canonical(record).tool_definitions):
        # OpenAI's requests nest the tool, Google's have many of them in one.
        inner = definition.get("function")
        declared = definition.get("functionDeclarations") or definition.get("function_declarations")
        for tool in _items(declared) or [inner if isinstance(inner, dict) else definition]:
            name = tool.get("name")
            if isinstance(name, str):
                yield name, next((tool[key] for key in _SCHEMA_KEYS if tool.get(key) is not None), None)


def _items(definitions: Any) -> list[dict[str, Any]]:
    """The mappings of a list, those too that are written as JSON text."""
    found = (_parsed(item) for item in definitions) if isinstance(definitions, list) else ()
    return [item for item in found if isinstance(item, dict)]


def _parsed(item: Any) -> Any:
    if not isinstance(item, str):
        return item
    try:
        return orjson.loads(item)
    except ValueError:
        return None
