"""A project's own attributes and phases, and what is said of a file that is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.contract.docs import PROJECT_EXAMPLE
from otel_agenttrace.contract.registry import load_registry
from otel_agenttrace.contract.validate import Contract
from otel_agenttrace.errors import ConfigError
from otel_agenttrace.model.record import EventRecord

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "file_format: definition/2\n"
TASK = {"project.id": "p", "task.id": "T-1", "task.phase": "SECURITY_REVIEW", "task.status": "completed"}
CHECKSUM = "sha256:" + "0f" * 32


def _bomb(first: str, row: str) -> str:
    rows = [f"a{i}: &a{i} {row.format(','.join([f'*a{i - 1}'] * 9))}" for i in range(1, 9)]
    return "\n".join([f"a0: &a0 {first}", *rows])


def load(tmp_path: Path, text: str) -> Contract:
    """The contract with this project file on top."""
    path = tmp_path / "contract.yaml"
    path.write_text(text, encoding="utf-8")
    return Contract(load_registry(path))


def test_the_documented_example_declares_an_attribute_and_a_phase(tmp_path: Path) -> None:
    """The file in the documentation does what it says."""
    contract = load(tmp_path, PROJECT_EXAMPLE)

    assert contract.check(TASK | {"acme.ticket": "ACME-17"}) == ()
    assert [(item.attribute, item.rule) for item in contract.check(TASK)] == [("acme.ticket", "required")]
    (wrong,) = contract.check(TASK | {"acme.ticket": "17"})
    assert wrong.message == "acme.ticket is '17'; expected a ticket, such as ACME-17"
    (extra,) = contract.check(TASK | {"acme.ticket": "ACME-1", "routing.selected_path": "prime"})
    assert extra.rule == "not_expected"


def test_a_phase_of_a_project_is_unknown_without_its_file(contract: Contract) -> None:
    """Phases are a closed set, which a project's file makes larger."""
    assert [item.rule for item in contract.check(TASK)] == ["enum"]


def test_a_project_adds_to_a_phase_of_ours_and_replaces_cells(tmp_path: Path) -> None:
    """Whoever needs more, or less, of one of our phases says so for the cells that differ."""
    contract = load(
        tmp_path,
        HEAD
        + """
span_refinements:
  - id: task.export_contract
    ref: task
    attributes:
      - {ref: input.source_checksum, requirement_level: opt_in}
      - {ref: quality.gap_count, requirement_level: required}
    annotations: {agenttrace: {phase: EXPORT_CONTRACT}}
""",
    )

    found = contract.check(TASK | {"task.phase": "EXPORT_CONTRACT"})

    assert [(item.attribute, item.rule) for item in found] == [("quality.gap_count", "required")]


def test_a_project_declares_span_types_events_and_namespaces(tmp_path: Path) -> None:
    """All that our own registry uses is there for a project too: enums, templates, groups, conditions."""
    contract = load(
        tmp_path,
        HEAD
        + """
attributes:
  - key: acme.deploy.stage
    type: {members: [{id: one, value: 1, stability: stable}, {id: two, value: 2, stability: stable}]}
    brief: Which stage.
    stability: stable
    annotations: {agenttrace: {closed: true}}
  - {key: acme.deploy.label, type: 'template[string]', brief: Labels., stability: stable, examples: [blue]}
  - {key: acme.deploy.approver, type: string, brief: Who., stability: stable, examples: [eve]}
attribute_groups:
  - id: acme
    visibility: public
    brief: Acme.
    stability: stable
    attributes: [{ref: acme.deploy.stage}]
    annotations: {agenttrace: {namespace: acme, unknown: violation, unknown_event: near_miss}}
events:
  - name: acme.deployed
    brief: It is out.
    stability: stable
    attributes: [{ref: acme.deploy.stage, requirement_level: required}]
spans:
  - type: acme.deploy
    kind: internal
    brief: A deployment.
    stability: stable
    name: {note: deploy}
    attributes:
      - ref: acme.deploy.approver
        requirement_level: {conditionally_required: in stage 2}
        annotations: {agenttrace: {when: {acme.deploy.stage: [2]}}}
    annotations: {agenttrace: {identified_by: acme.deploy.stage}}
""",
    )

    assert contract.check({"acme.deploy.stage": 1, "acme.deploy.label.color": "blue"}) == ()
    assert [item.rule for item in contract.check({"acme.deploy.stage": 3})] == ["enum"]
    assert [item.rule for item in contract.check({"acme.deploy.stage": True})] == ["type"]
    assert [item.attribute for item in contract.check({"acme.deploy.stage": 2})] == ["acme.deploy.approver"]
    assert [item.rule for item in contract.check({"acme.deploy.label.color": 1})] == ["type"]
    assert [item.rule for item in contract.check({"acme.x": 1})] == ["unknown"]
    assert [item.rule for item in contract.check({}, [EventRecord("acme.deployed", 0)])] == ["required"]
    assert [item.rule for item in contract.check({}, [EventRecord("acme.deployde", 0)])] == ["unknown"]


def test_what_other_tools_annotate_is_left_alone(tmp_path: Path) -> None:
    """Weaver lets anybody annotate; so do we, outside of `agenttrace`."""
    text = """
attributes:
  - {key: acme.x, type: int, brief: X., stability: stable, annotations: {code_generation: {exclude: true}}}
metrics:
  - {name: acme.count, instrument: counter, unit: "1", brief: Count., stability: stable}
imports: {events: ["gen_ai.*"]}
span_refinements:
  - {id: task.other_tool, ref: task}
"""
    assert load(tmp_path, HEAD + text).check({"acme.x": 1}) == ()


ATTRIBUTE = "attributes:\n  - key: acme.x\n    type: {type}\n    brief: X.\n    stability: stable\n"


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("", "1", "not a mapping"),
        ("- a", "1", "not a mapping"),
        ("attributes: []", "1", "file_format is missing"),
        ("file_format: definition/1", "1: file_format", "expected one of definition/2, not 'definition/1'"),
        (HEAD + "atributes: []", "2: atributes", "no such key here"),
        (HEAD + "attributes: {}", "2: attributes", "expected a list, not a mapping"),
        (HEAD + "attributes:\n  - acme", "2: attributes[0]", "expected keys and values, not 'acme'"),
        (HEAD + "attributes:\n  - key: a.b\n", "3: attributes[0]", "type is missing"),
        (HEAD + ATTRIBUTE.format(type="strnig"), "4: attributes[0].type", "expected one of string"),
        (HEAD + ATTRIBUTE.format(type="{members: [{value: 1}]}"), "4: attributes[0].type.members[0]", "id is missing"),
        (HEAD + ATTRIBUTE.format(type="int") + "    note: 5\n", "7: attributes[0].note", "expected a text, not 5"),
        (HEAD + ATTRIBUTE.format(type="int") + "    note: a\n    note: b\n", "8", "key note stands twice"),
        (HEAD + "1: 2", "2", "key 1 is no text"),
        (HEAD + "attributes: ]", "2", "expected"),
        (HEAD + "a: &x [*x, *y]", "2", "undefined alias"),
        (HEAD + ATTRIBUTE.format(type="int").replace("acme.x", "task.id"), "3: attributes[0].key", "is there already"),
        (
            HEAD + ATTRIBUTE.format(type="int") + "    annotations: {agenttrace: {minimun: 1}}",
            "7: attributes[0].annotations.agenttrace.minimun",
            "no such key here; known are minimum",
        ),
        (
            HEAD + ATTRIBUTE.format(type="string") + "    annotations: {agenttrace: {minimum: 1}}",
            "7: attributes[0].annotations",
            "minimum and maximum are for numbers",
        ),
        (
            HEAD + ATTRIBUTE.format(type="string") + "    annotations: {agenttrace: {minimum: true}}",
            "7: attributes[0].annotations.agenttrace.minimum",
            "expected an integer or a number, not True",
        ),
        (
            HEAD + ATTRIBUTE.format(type="string") + "    annotations: {agenttrace: {pattern: '('}}",
            "7: attributes[0].annotations",
            "pattern is no regular expression",
        ),
        (
            HEAD + ATTRIBUTE.format(type="int") + "    annotations: {agenttrace: {pattern: 'a'}}",
            "7: attributes[0].annotations",
            "are for strings",
        ),
        (
            HEAD + ATTRIBUTE.format(type="string") + "    annotations: {agenttrace: {closed: true}}",
            "7: attributes[0].annotations",
            "closed is for an enum",
        ),
        (
            HEAD + ATTRIBUTE.format(type="{members: [{id: a}, {id: b, value: 2}]}"),
            "3: attributes[0].annotations",
            "values of one type",
        ),
        (
            HEAD + "span_refinements:\n  - id: a\n    ref: tsk\n",
            "4: span_refinements[0].ref",
            "no span tsk",
        ),
        (
            HEAD + "span_refinements:\n  - id: a\n    ref: task\n    annotations: {agenttrace: {phase: A}}\n"
            "    attributes:\n      - ref: acme.y\n",
            "7: span_refinements[0].attributes[0].ref",
            "no attribute acme.y",
        ),
        (
            HEAD
            + "events:\n  - name: acme.e\n    brief: E.\n    stability: stable\n    attributes: [{ref_group: g}]\n",
            "6: events[0].attributes[0].ref_group",
            "no attribute group g above",
        ),
        (
            HEAD + "events:\n  - name: acme.e\n    brief: E.\n    stability: stable\n    attributes: [{brief: g}]\n",
            "6: events[0].attributes[0]",
            "either ref or ref_group",
        ),
        (
            HEAD + "events:\n  - {name: agent.error, brief: E., stability: stable}\n",
            "3: events[0].name",
            "agent.error is there already",
        ),
        (
            HEAD + "attribute_groups:\n  - {id: task, visibility: internal}\n",
            "3: attribute_groups[0].id",
            "task is there already",
        ),
        (
            HEAD + "attribute_groups:\n  - {id: g, visibility: public}\n",
            "3: attribute_groups[0]",
            "a public group has brief and stability",
        ),
    ],
)
def test_an_error_names_file_line_and_key(tmp_path: Path, text: str, place: str, problem: str) -> None:
    """Whoever wrote the file finds the place without searching."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)

    assert str(caught.value).startswith(f"{tmp_path / 'contract.yaml'}:{place}: ")
    assert problem in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file, a folder and bytes that are no text are errors of the setting, not of the program."""
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read"):
        load_registry(tmp_path / "nowhere.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_registry(tmp_path)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"bytes\.yaml"):
        load_registry(tmp_path / "bytes.yaml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" * 100_000, r"contract\.yaml:1: is nested deeper than 100 levels"),
        (HEAD + "a: " + "{a: " * 100_000, r"contract\.yaml:2: is nested deeper than 100 levels"),
        ("".join(f"{' ' * depth}a:\n" for depth in range(120)), r"contract\.yaml:101: is nested deeper than 100"),
        (_bomb("{a: 1}", "{{<<: [{}]}}"), r"contract\.yaml: has more than the 1000000 values"),
        (_bomb("[1]", "[{}]"), r"contract\.yaml: has more than the 1000000 values"),
        ("a: &a [*a]", r"contract\.yaml: has an alias to what it is a part of, at line 1"),
        ("", r"contract\.yaml:1: not a mapping"),
    ],
)
def test_a_file_that_would_take_the_process_with_it_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    """Nesting, and what aliases repeat, are bounded before anything is made of them."""
    with pytest.raises(ConfigError, match=problem):
        load(tmp_path, text)
