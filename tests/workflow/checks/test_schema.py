"""Schema validity: documents are what a JSON Schema says, and the schema is one."""

from __future__ import annotations

import inspect
import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.workflow.checks import Bounds, check_document_validity, check_schema_validity

if TYPE_CHECKING:
    from pathlib import Path

    from otel_agenttrace.workflow.outcome import CheckOutcome

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["gaps"],
    "additionalProperties": False,
    "properties": {
        "gaps": {"type": "array", "items": {"$ref": "#/$defs/gap"}},
        "version": {"enum": [1, 2]},
    },
    "$defs": {"gap": {"type": "object", "properties": {"id": {"type": "string", "pattern": "^gap-"}}}},
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with the schema, and a document in each notation that is what it says."""
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "good.json").write_text('{"gaps": [{"id": "gap-a"}], "version": 1}')
    (tmp_path / "good.yaml").write_text("gaps: [{id: gap-a}]\n")
    return tmp_path


def test_documents_that_are_what_the_schema_says_pass(root: Path) -> None:
    """One or many, JSON or YAML, with the schema itself or its file."""
    assert check_schema_validity("good.json", "schema.json", root=root).result == "pass"
    assert check_schema_validity(root / "good.json", SCHEMA).result == "pass"

    outcome = check_schema_validity(["good.json", "good.yaml"], "schema.json", root=root)

    assert outcome.reason == "files that are what schema schema.json says: 2"
    assert [(each.type, each.ref) for each in outcome.evidence] == [("schema", "good.json"), ("schema", "good.yaml")]


@pytest.mark.parametrize(
    ("document", "pointer", "expected", "found"),
    [
        ({}, "/", 'the property "gaps"', "an object with none"),
        ([], "/", "object", "a list of 0 items"),
        ({"gaps": [{}, {"id": 5}]}, "/gaps/1/id", "string", "5"),
        ({"gaps": [{"id": "x"}]}, "/gaps/0/id", 'a text that matches "^gap-"', '"x"'),
        ({"gaps": [], "version": 3}, "/version", "one of 1, 2", "3"),
        ({"gaps": [], "a/b~c": 1}, "/a~1b~0c", "no other property", '"a/b~c"'),
    ],
)
def test_a_broken_rule_names_file_pointer_expected_and_found(
    root: Path, document: Any, pointer: str, expected: str, found: str
) -> None:
    """In words, and the evidence refers to file and pointer."""
    (root / "a.json").write_text(json.dumps(document))

    outcome = check_schema_validity(["a.json"], "schema.json", root=root)

    assert outcome.result == "fail"
    assert outcome.reason == f"a.json at {pointer}: expected {expected}, found {found}"
    assert outcome.next_action == f"correct {pointer} in a.json, or schema schema.json"
    assert outcome.evidence[0].ref == f"a.json#{'' if pointer == '/' else pointer}"


@pytest.mark.parametrize(
    ("schema", "document", "verdict"),
    [
        (False, 1, "expected nothing, found 1"),
        ({"const": "a"}, "b", 'expected "a", found "b"'),
        ({"type": ["string", "null"]}, 1, "expected string or null, found 1"),
        ({"minimum": 5}, 1, "expected minimum 5, found 1"),
        ({"not": {"type": "string"}}, "a", 'expected anything but this, found "a"'),
        ({"oneOf": [{"type": "integer"}, {"minimum": 0}]}, 1, "expected exactly one of 2 forms, found 1"),
        ({"anyOf": [{"properties": {"a": {"type": "string"}}}]}, {"a": 1}, "at /a: expected string, found 1"),
        ({"additionalProperties": {"type": "string"}}, {"a": 1}, "at /a: expected string, found 1"),
        ({"patternProperties": {"^x-": {"type": "string"}}}, {"x-a": 1}, "at /x-a: expected string, found 1"),
        (
            {"patternProperties": {"^x-": {}}, "additionalProperties": False},
            {"x-a": 1, "b": 2},
            'at /b: expected no other property, found "b"',
        ),
    ],
)
def test_every_keyword_has_its_words(schema: Any, document: Any, verdict: str) -> None:
    """Those without words of their own are told with their value."""
    outcome = check_document_validity(document, schema)

    assert outcome.result == "fail"
    assert verdict in outcome.reason


def test_all_that_is_broken_is_told_in_the_order_of_the_document(root: Path) -> None:
    """Of all files; one that cannot be read does not hide the others, nor what is in order."""
    (root / "a.json").write_text('{"gaps": 1, "version": 9}')

    outcome = check_schema_validity(["a.json", "nosuch.json", "good.json"], "schema.json", root=root)

    assert outcome.reason.split("; ") == [
        "a.json at /gaps: expected array, found 1",
        "a.json at /version: expected one of 1, 2, found 9",
        "the file nosuch.json is missing",
    ]
    assert [each.ref for each in outcome.evidence] == ["a.json#/gaps", "a.json#/version", "nosuch.json", "good.json"]


@pytest.mark.parametrize(
    ("draft", "exclusive", "result"),
    [
        ("http://json-schema.org/draft-04/schema#", True, "fail"),
        ("http://json-schema.org/draft-07/schema#", 5, "fail"),
        ("http://json-schema.org/draft-07/schema", 4, "pass"),
        ("https://json-schema.org/draft/2019-09/schema", 5, "fail"),
        (None, 5, "fail"),
    ],
)
def test_the_draft_is_the_one_that_the_schema_names(draft: str | None, exclusive: object, result: str) -> None:
    """`exclusiveMinimum` is a truth value in draft 4 and a number since 6; without `$schema` it is 2020-12."""
    schema = {"minimum": 5, "exclusiveMinimum": exclusive}
    if draft is not None:
        schema["$schema"] = draft

    assert check_document_validity(5, schema).result == result
    wrong = check_document_validity(6, {**schema, "exclusiveMinimum": 5 if exclusive is True else True})
    assert "the schema is not valid at /exclusiveMinimum" in wrong.reason


@pytest.mark.parametrize(
    ("schema", "verdict"),
    [
        ({"type": "obj"}, "the schema is not valid at /type: 'obj' is not valid"),
        ({"properties": {"a": {"minimum": "5"}}}, "the schema is not valid at /properties/a/minimum"),
        ([], "the schema is a list of 0 items, an object or a truth value is expected"),
        (5, "the schema is 5, an object or a truth value is expected"),
        ({"$schema": "https://example.com/mine"}, 'the schema names an unknown draft, "https://example.com/mine"'),
        ({"$schema": 7}, "the schema names an unknown draft, 7"),
        ({"a": object()}, "the schema has"),
        ({"$ref": "#/$defs/nosuch"}, "the schema cannot be followed"),
        ({"$ref": "https://example.com/other.json"}, "the schema cannot be followed: Unresolvable"),
        ({"$ref": "#"}, "its references refer to each other without an end"),
        ({"pattern": "(?=a)"}, 'the pattern "(?=a)" is none of RE2\'s'),
        ({"pattern": "("}, 'the pattern "(" is none of RE2\'s: missing )'),
        (
            {"allOf": [{"patternProperties": {}}], "unevaluatedProperties": False},
            "has both patternProperties and unevaluatedProperties",
        ),
        ({"$defs": {"a": {"$schema": "http://json-schema.org/draft-07/schema"}}}, "has a $schema within"),
    ],
)
def test_a_wrong_schema_is_told_apart(schema: Any, verdict: str) -> None:
    """The verdict is on the schema, not on the document, and says that nothing was held against it."""
    outcome = check_document_validity("a", schema)

    assert outcome.result == "fail"
    assert verdict in outcome.reason
    assert outcome.evidence[0].ref == "the schema"
    assert "correct the schema" in outcome.next_action


def test_a_schema_file_that_is_wrong_is_named(root: Path) -> None:
    """Missing, no JSON, or no schema."""
    (root / "broken.json").write_text("{")
    (root / "wrong.json").write_text('{"type": 5}')

    reasons = [
        check_schema_validity(["good.json"], name, root=root).reason
        for name in ("nosuch.json", "broken.json", "wrong.json", "../schema.json")
    ]

    assert reasons[0] == "the file nosuch.json is missing"
    assert "broken.json:1 is no JSON" in reasons[1]
    assert "schema wrong.json is not valid at /type" in reasons[2]
    assert "leads out of the folder" in reasons[3]


@pytest.mark.parametrize("keyword", [{"pattern": "^(a+)+$"}, {"propertyNames": {"pattern": "^(a+)+$"}}])
def test_no_pattern_takes_for_ever(keyword: dict[str, Any]) -> None:
    """Patterns that Python's `re` would try for years, on texts and on names of properties, also after a reference."""
    evil = "a" * 100 + "!"
    schema = {"$schema": SCHEMA["$schema"], "properties": {"child": {"$ref": "#"}}, **keyword}

    assert check_document_validity(evil if "pattern" in keyword else {evil: 1}, schema).result == "fail"
    assert check_document_validity({"child": {"child": evil}}, {**schema, "pattern": "^(a+)+$"}).result == "fail"
    for rule in ({"type": "string"}, False):
        nested = {"patternProperties": {"^(a+)+$": False}, "additionalProperties": rule}
        assert check_document_validity({evil: 1}, nested).result == "fail"


def test_more_broken_rules_than_are_told_are_said_to_be_more() -> None:
    """A list that is wrong throughout is not told as if it were wrong in 100 places."""
    outcome = check_document_validity(["x"] * 1000, {"items": {"type": "integer"}})

    assert outcome.result == "fail"
    assert outcome.reason.startswith(
        "document breaks the schema in more than 100 places; document at /0: expected integer"
    )


def test_a_large_document_may_need_many_references() -> None:
    """One for each of 20,000 items, and more: their number is held against that of the values."""
    schema = {"items": {"allOf": [{"$ref": "#/$defs/item"}] * 2}, "$defs": {"item": {"type": "integer"}}}

    assert check_document_validity(list(range(20_000)), schema).result == "pass"


@pytest.mark.parametrize(("depth", "verdict"), [(45, "nested too deep to be checked"), (60, "deeper than 100 levels")])
def test_a_schema_that_is_nested_too_deep_is_told_as_such(depth: int, verdict: str) -> None:
    """Near the end of the stack, and beyond the bound."""
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {"allOf": [schema]}

    def near_the_end(frames: int) -> CheckOutcome:
        return near_the_end(frames - 1) if frames else check_document_validity(1, schema)

    used = len(inspect.stack(0))
    assert verdict in near_the_end(sys.getrecursionlimit() - used - 200).reason


def test_a_schema_may_refer_to_a_draft() -> None:
    """The drafts are known without fetching them."""
    schema = {"$ref": "https://json-schema.org/draft/2020-12/schema"}

    assert check_document_validity({"type": "string"}, schema).result == "pass"
    assert check_document_validity({"minLength": -1}, schema).result == "fail"


def test_references_that_multiply_are_given_up() -> None:
    """Each of 40 definitions refers to the next one twice: 2**40 ways, and a verdict on the schema."""
    definitions: dict[str, Any] = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(40)}
    schema = {"$ref": "#/$defs/d0", "$defs": {**definitions, "d40": {}}}

    outcome = check_document_validity(1, schema)

    assert outcome.result == "fail"
    assert "the schema cannot be followed: its references refer to each other" in outcome.reason


def test_a_document_as_deep_as_is_read_can_be_checked() -> None:
    """Recursive rules follow it as far as references go, beyond that the verdict is on the schema; no stack ends."""
    rule = {"properties": {"a": {"$ref": "#"}}, "type": "object"}
    outcomes = []
    for depth in (40, 99):
        document: dict[str, Any] = {}
        for _ in range(depth):
            document = {"a": document}
        outcomes.append(check_document_validity(document, rule))

    assert outcomes[0].result == "pass"
    assert (outcomes[1].result, "refer to each other" in outcomes[1].reason) == ("fail", True)


@pytest.mark.parametrize("paths", [None, [], ()])
def test_no_files_are_skipped(paths: Any) -> None:
    """Then the schema says nothing about anything, which is no pass."""
    assert check_schema_validity(paths, SCHEMA).result == "skipped"


@pytest.mark.parametrize(
    ("paths", "verdict"), [(5, "not a list of paths"), ([5], "is no text"), ([""], "is a folder, a file is expected")]
)
def test_what_is_no_path_fails(paths: Any, verdict: str) -> None:
    """It is told as such."""
    outcome = check_schema_validity(paths, SCHEMA)

    assert outcome.result == "fail"
    assert verdict in outcome.reason


def test_a_document_beyond_the_bounds_fails(root: Path) -> None:
    """In a file and in memory: a verdict, not half a check."""
    outcome = check_schema_validity(["good.json"], SCHEMA, root=root, bounds=Bounds(document_bytes=10))
    in_memory = check_document_validity([[1]], True, bounds=Bounds(document_depth=1))

    assert "more than the 10 bytes that are read as a document" in outcome.reason
    assert "document is nested deeper than 1 levels" in in_memory.reason


def test_null_is_a_document() -> None:
    """It is JSON's null, not the absence of a document."""
    assert check_document_validity(None, {"type": "null"}).result == "pass"
    assert check_document_validity(None, {"type": "object"}, name="answer").reason == (
        "answer at /: expected object, found null"
    )


def test_a_text_may_have_any_format() -> None:
    """`format` is a comment, as the drafts have it."""
    assert check_document_validity("no date", {"format": "date"}).result == "pass"


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from("abc"), below, max_size=3),
    max_leaves=6,
)
SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.booleans()
    | st.fixed_dictionaries({"type": st.sampled_from(["object", "array", "string", "integer", "null"])})
    | st.fixed_dictionaries({"enum": st.lists(VALUES, min_size=1, max_size=3)})
    | st.fixed_dictionaries({"pattern": st.sampled_from(["a", "^b", "b$", "a+b?"])})
    | st.fixed_dictionaries({"required": st.lists(st.sampled_from("abc"), unique=True)}),
    lambda below: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("abc"), below, max_size=2),
            "patternProperties": st.dictionaries(st.sampled_from(["a", "^[bc]$"]), below, max_size=2),
            "additionalProperties": below,
            "items": below,
            "anyOf": st.lists(below, min_size=1, max_size=2),
            "oneOf": st.lists(below, min_size=1, max_size=2),
            "not": below,
        },
    ),
    max_leaves=6,
)


@given(SCHEMAS, VALUES)
def test_it_passes_exactly_what_the_library_passes(schema: Any, document: Any) -> None:
    """What bounds the time of a check changes nothing in its answer."""
    expected = jsonschema.Draft202012Validator(schema).is_valid(document)

    assert (check_document_validity(document, schema).result == "pass") == expected


@given(VALUES, VALUES)
def test_any_value_as_a_schema_is_a_verdict(schema: Any, document: Any) -> None:
    """No schema and no document raise anything."""
    with suppress(AssertionError):
        assert check_document_validity(document, schema).result == "pass"
