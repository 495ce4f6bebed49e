"""Whether inputs and outputs of a handoff follow their JSON Schemas, where these are known.

Schemas are the agent's own, values come from anywhere. Nothing is fetched: a `$ref` leads to another schema that is
known here, or is a mistake in the settings. Nothing takes for ever, whatever was sent: see `model.schema_keywords`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from otel_agenttrace.errors import ConfigError, HandoffValidationError
from otel_agenttrace.model.handoff import ArtifactIntent
from otel_agenttrace.model.handoff_payload import read_model
from otel_agenttrace.model.schema_keywords import BoundedValidator, UnusableSchemaError, unbounded_part, without_draft

if TYPE_CHECKING:
    from collections.abc import Collection

    from referencing import Resource

    from otel_agenttrace.model.handoff import ExpectedOutput

Schema = Mapping[str, Any]
Schemas = Mapping[str, Schema]
"""JSON Schemas by the names that contracts use for them: a `schema_ref`."""

_MAX_PROBLEMS = 20
_MAX_WORDS = 300
_MAX_EXPECTED = 120

_KINDS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "string": (str,),
    "object": (dict,),
    "array": (list,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def input_problems(
    inputs: dict[str, Any],
    capability_id: str,
    capabilities: Collection[str] | Mapping[str, str | Schema | None] | None,
    schemas: Schemas,
) -> list[str]:
    """What is wrong with the capability and its inputs; nothing where no capabilities are known.

    Raises:
        ConfigError: the schema that is named for the capability is not known, or is none.
    """
    if capabilities is None:
        return []
    if capability_id not in capabilities:
        return ["capability_id: is not one of this agent's"]
    schema = capabilities[capability_id] if isinstance(capabilities, Mapping) else None
    if isinstance(schema, str):
        if schema not in schemas:
            raise ConfigError(f"capabilities: {capability_id} names the schema {schema}, which schemas does not have")
        schema = schemas[schema]
    return [] if schema is None else broken_rules("inputs", inputs, schema, schemas)


def output_problems(output: Any, expected: ExpectedOutput, schemas: Schemas) -> list[str]:
    """What is wrong with an output: of another type than expected, or against its schema, if that is known.

    Raises:
        ConfigError: the schema is none.
    """
    problems = _type_problems(output, expected.type)
    if problems or expected.schema_ref is None or expected.schema_ref not in schemas:
        return problems
    return broken_rules("output", output, schemas[expected.schema_ref], schemas)


def is_checked(expected: ExpectedOutput, schemas: Schemas) -> bool:
    """Whether all that an output has to follow is known here."""
    return expected.schema_ref is None or expected.schema_ref in schemas


def broken_rules(field: str, value: Any, schema: Schema, schemas: Schemas) -> list[str]:
    """The rules of a schema that a value breaks, each with its place, and without anything of the value.

    Raises:
        ConfigError: the schema is none, refers to one that is not known, or cannot be followed in bounded time.
    """
    # Imported here: it takes long, and most agents hand over without schemas.
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415
    from referencing import Registry  # noqa: PLC0415
    from referencing.jsonschema import DRAFT202012, specification_with  # noqa: PLC0415

    def resource(schema: Schema) -> Resource[Any]:
        draft = str(schema.get("$schema")) if isinstance(schema, Mapping) else ""
        return specification_with(draft, default=DRAFT202012).create_resource(_followed(schema))

    kind: Any = validators.validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
        # A registry of its own, since the default one fetches references from the network.
        known = Registry().with_resources((name, resource(one)) for name, one in schemas.items())
        errors = BoundedValidator(kind, _followed(schema), known).errors(value)
        return sorted({_rule(field, error) for error in islice(errors, _MAX_PROBLEMS)})
    except SchemaError as error:
        raise ConfigError(f"the schema of {field} is no JSON Schema: {error.message[:_MAX_WORDS]}") from None
    except Exception as error:
        raise ConfigError(f"the schema of {field} cannot be used: {str(error)[:_MAX_WORDS]}") from error


def _followed(schema: Schema) -> Any:
    problem = unbounded_part(schema)
    if problem is not None:
        raise UnusableSchemaError(f"it, or one that it may refer to, {problem}")
    return without_draft(schema)


def _type_problems(output: Any, type_: str) -> list[str]:
    if type_ == "artifact":
        return _artifact_problems("output", output)
    if type_ == "artifacts":
        if not isinstance(output, list):
            return ["output: expected a list of artifacts"]
        found = [
            problem for number, item in enumerate(output) for problem in _artifact_problems(f"output[{number}]", item)
        ]
        return found[:_MAX_PROBLEMS]
    kinds = _KINDS.get(type_)
    if kinds is None:
        return []
    fits = isinstance(output, kinds) and (bool in kinds or not isinstance(output, bool))
    return [] if fits else [f"output: expected {type_}, as expected_output.type says"]


def _artifact_problems(field: str, value: Any) -> list[str]:
    if not isinstance(value, dict):
        return [f"{field}: expected an artifact, as an object"]
    try:
        read_model(ArtifactIntent, value)
    except HandoffValidationError as error:
        return [f"{field}.{problem}" for problem in error.problems]
    return []


def _rule(field: str, error: Any) -> str:
    """E.g. `inputs.days[0]: type "integer"`: where a schema was broken, and what it says there."""
    path = list(error.absolute_path)
    if error.validator == "additionalProperties":
        path = path[:-1]  # the name of a field that nobody knows may be anything
    place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    expected = error.validator_value
    if error.validator == "required" and isinstance(expected, list):
        names = [str(name) for name in expected if name not in error.instance]
        words = f"{', '.join(names)} missing"
    elif error.validator == "additionalProperties":
        words = "has a field that its schema does not know"
    elif isinstance(expected, (str, int, float, list)):
        words = f"expected {error.validator} {orjson.dumps(expected).decode()[:_MAX_EXPECTED]}"
    else:
        words = f"breaks {error.validator} of its schema"
    return f"{field}{place}: {words}"[:_MAX_WORDS]
