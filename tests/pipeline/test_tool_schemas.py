"""Tool arguments that break the tool's JSON Schema."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_agenttrace.model.record import EventRecord, SpanRecord
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.pipeline.tool_schemas import ToolSchemas
from otel_agenttrace.testing.spans import START, make_span

_SCHEMA = {"type": "object", "properties": {"date": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}}}
_TOOLS: Any = [{"type": "function", "name": "search_flights", "parameters": _SCHEMA}]


def _defining(definitions: Any) -> SpanRecord:
    return make_span(span_id="1" * 16, attributes={"gen_ai.tool.definitions": definitions})


def _call(arguments: Any, **fields: Any) -> SpanRecord:
    said = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "search_flights",
        "gen_ai.tool.call.arguments": arguments,
    }
    return make_span(**{"span_id": "2" * 16, "parent_span_id": "1" * 16, "attributes": said} | fields)


def _is_broken(definitions: Any, arguments: Any) -> bool:
    return ToolSchemas([_defining(definitions)]).broken_rule(_call(arguments)) is not None


@pytest.mark.parametrize(
    "definitions",
    [
        _TOOLS,
        json.dumps(_TOOLS),
        [{"type": "function", "function": {"name": "search_flights", "parameters": _SCHEMA}}],
        [None, {"name": 5}, *_TOOLS, {"name": "search_flights"}],
        [json.dumps(_TOOLS[0])],
        [{"type": "function", "name": "search_flights", "inputSchema": _SCHEMA}],
        [{"name": "search_flights", "input_schema": _SCHEMA}],
        [{"name": "search_flights", "parameters_json_schema": _SCHEMA}],
        [{"function_declarations": [{"name": "search_flights", "parameters": _SCHEMA}]}],
        [{"functionDeclarations": [{"name": "another"}, {"name": "search_flights", "parameters": _SCHEMA}]}],
    ],
)
def test_arguments_are_held_to_the_schema_of_their_tool(definitions: Any) -> None:
    """As mappings and as JSON text, in the notation of the conventions, OpenAI, MCP, Anthropic, Pydantic and Google."""
    assert _is_broken(definitions, {"date": "15/02/2026"})
    assert _is_broken(definitions, '{"date": 5}')
    assert not _is_broken(definitions, {"date": "2026-02-15"})


@pytest.mark.parametrize(
    "attributes",
    [
        {"openinference.span.kind": "LLM", "llm.tools.0.tool.json_schema": json.dumps(_TOOLS[0])},
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.prompt.tools": [json.dumps({**_TOOLS[0], "inputSchema": _SCHEMA})],
        },
        {
            "model_request_parameters": json.dumps(
                {"function_tools": [{"name": "search_flights", "parameters_json_schema": _SCHEMA}]}
            )
        },
    ],
)
def test_definitions_are_read_in_the_words_of_every_emitter(attributes: dict[str, Any]) -> None:
    """OpenInference's, the Vercel AI SDK's and Pydantic AI's."""
    schemas = ToolSchemas([make_span(attributes=attributes)])

    assert schemas.broken_rule(_call({"date": "15/02/2026"})) is not None
    assert schemas.broken_rule(_call({"date": "2026-02-15"})) is None


@pytest.mark.parametrize(
    ("definitions", "arguments"),
    [
        (_TOOLS, {"date": "[REDACTED:date]"}),
        (_TOOLS, '{"date": "2026[TRUNCATED:90 bytes]'),
        (_TOOLS, None),
        (_TOOLS, {"date": b"\x00"}),
        (_TOOLS, {"date": "x" * 100_000}),
        ("no JSON", {"date": 5}),
        (["no JSON", "5"], {"date": 5}),
        ({"name": "search_flights", "parameters": _SCHEMA}, {"date": 5}),
        ([{"name": "another", "parameters": _SCHEMA}], {"date": 5}),
        ([{"name": "search_flights"}], {"date": 5}),
        ([{"name": "search_flights", "parameters": {"type": "no such type"}}], {"date": 5}),
        ([{"name": "search_flights", "parameters": {"properties": {"date": {"pattern": "("}}}}], {"date": "x"}),
        ([{"name": "search_flights", "parameters": {"$ref": "http://127.0.0.1:9/schema"}}], {"date": 5}),
        ([{"name": "search_flights", "parameters": {"$ref": "#"}}], {"date": 5}),
        ([{"name": "search_flights", "parameters": {"patternProperties": {"(a+)+$": False}}}], {"date": 5}),
        ([{"name": "search_flights", "parameters": {"description": "x" * 100_000, **_SCHEMA}}], {"date": 5}),
        (
            [{"name": "search_flights", "parameters": {"allOf": [{"$schema": "https://a.test", **_SCHEMA}]}}],
            {"date": 5},
        ),
    ],
)
def test_what_cannot_be_checked_is_not_held_against_the_arguments(definitions: Any, arguments: Any) -> None:
    """Unknown, broken, endless and oversized schemas say nothing, and nothing is fetched."""
    assert not _is_broken(definitions, arguments)


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"date": 5}, 'date: type "string"'),
        ({"date": "15/02/2026"}, r'date: pattern "^\\d{4}-\\d{2}-\\d{2}$"'),
        ({"legs": [{"to": "CPH"}]}, "legs[0]: from required"),
        ({"date": "2026-02-15", "seat": "secret"}, "additionalProperties false"),
        ("no JSON", 'type "object"'),
        ([5], 'type "object"'),
    ],
)
def test_the_rule_that_was_broken_is_told(arguments: Any, rule: str) -> None:
    """Where, and what the schema says there; not what the arguments were. Arguments are an object or break it."""
    legs = {"type": "array", "items": {"type": "object", "required": ["from"]}}
    schema = {**_SCHEMA, "properties": {**_SCHEMA["properties"], "legs": legs}, "additionalProperties": False}  # type: ignore[dict-item]
    schemas = ToolSchemas([_defining([{"name": "search_flights", "parameters": schema}])])

    assert schemas.broken_rule(_call(arguments)) == rule


def test_a_bare_argument_of_other_emitters_is_not_held_against_them() -> None:
    """They hand on the only argument of a tool as it is."""
    said = {"openinference.span.kind": "TOOL", "tool.name": "search_flights", "input.value": "Oslo"}

    assert ToolSchemas([_defining(_TOOLS)]).broken_rule(make_span(span_id="2" * 16, attributes=said)) is None


def test_a_schema_that_doubles_with_each_reference_is_given_up() -> None:
    """Following it to its end would take longer than the universe has."""
    levels = {f"l{n}": {"anyOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(100)}
    schema = {"$ref": "#/$defs/l0", "$defs": levels | {"l100": False}}

    assert not _is_broken([{"name": "search_flights", "parameters": schema}], {})


def test_a_pattern_takes_linear_time() -> None:
    """An expression that Python's `re` would never finish with is decided at once."""
    schema = {"properties": {"date": {"pattern": "^(a+)+$"}}}

    assert _is_broken([{"name": "search_flights", "parameters": schema}], {"date": "a" * 50 + "b"})


@pytest.mark.parametrize(
    "draft", ["https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#"]
)
def test_a_schema_that_names_its_draft_is_bounded_behind_references_to_it(draft: str) -> None:
    """Patterns take linear time there, and references are counted."""
    levels: Any = {f"l{n}": {"anyOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(100)}
    date, deep = {"pattern": "^(a+)+$"}, {"$ref": "#/$defs/l0"}
    properties = {"date": date, "deep": deep, "again": {"$ref": "#"}}
    schema = {"$schema": draft, "properties": properties, "$defs": levels | {"l100": False}}
    tools = [{"name": "search_flights", "parameters": schema}]

    assert _is_broken(tools, {"again": {"date": "a" * 50 + "b"}})
    assert not _is_broken(tools, {"again": {"date": "a" * 50, "deep": 5}})


def test_a_property_may_have_the_name_of_a_keyword() -> None:
    """`$schema` as the name of an argument says nothing of a draft."""
    properties = {"$schema": {"type": "string"}, "date": {"type": "string"}}

    assert _is_broken([{"name": "search_flights", "parameters": {"properties": properties}}], {"date": 5})


def test_a_failed_call_with_wrong_arguments_is_a_validation_error() -> None:
    """Whatever the tool raised; a call that went well is none, and neither is one that was cancelled."""
    error: Any = {"exception.type": "ToolError", "exception.message": "no such day"}
    failed: Any = {"status_code": "ERROR", "events": (EventRecord("exception", START, error),)}
    cancelled: Any = {
        "status_code": "ERROR",
        "events": (EventRecord("exception", START, {"exception.type": "CancelledError"}),),
    }
    wrong, right = {"date": "15/02/2026"}, {"date": "2026-02-15"}

    def types(*spans: SpanRecord) -> list[str]:
        return [failure.type for failure in find_failures([_defining(_TOOLS), *spans])]

    assert types(_call(wrong, **failed)) == ["validation_error"]
    (told,) = find_failures([_defining(_TOOLS), _call(wrong, **failed)])
    assert told.error.message == (
        "arguments break the tool's schema: date: pattern "
        r'"^\\d{4}-\\d{2}-\\d{2}$" (no such day)'
    )
    assert types(_call(right, **failed)) == ["exception"]
    assert types(_call(wrong)) == []
    assert types(_call(wrong, **cancelled)) == ["exception"]
    request = make_span(
        span_id="3" * 16,
        parent_span_id="2" * 16,
        kind="CLIENT",
        status_code="ERROR",
        attributes={"http.response.status_code": 400},
    )
    assert types(_call(wrong, **failed), request) == ["validation_error"]
