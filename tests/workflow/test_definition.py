"""A pipeline's YAML file: what it may say, and how it says what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml

import otel_agenttrace
from otel_agenttrace.errors import ConfigError
from otel_agenttrace.workflow.checks import FindingError
from otel_agenttrace.workflow.declared_checks import CHECKS
from otel_agenttrace.workflow.definition import SHIPPED, load_definition
from otel_agenttrace.workflow.references import FolderReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.workflow.definition import PipelineDefinition
    from otel_agenttrace.workflow.outcome import CheckOutcome

OWN = """
pipeline: {id: REL-1, title: A release, project: shop}
files:
  plan: {path: plan.json}
  notes: {path: notes/*.json, phase: build}
schemas:
  plan: {type: object, required: [items]}
phases:
  - id: plan
    name: PLANNING
    exit:
      - id: plan-schema
        check: schema_validity
        inputs: {files: {paths: plan}, schema: plan}
  - id: build
    name: BUILDING
    steps:
      - id: build-notes
        gates:
          - id: notes-whole
            check: mapping_completeness
            inputs: {sources: plan#/items/*/id, mapping: {keys: notes#/item, values: notes#/text}}
            severity: critical
            next_action: write a note for each item
    exit:
      - {id: half, check: coverage, inputs: {covered: notes#/item, total: plan#/items/*/id, min_percent: 50}}
"""


@pytest.fixture
def declare(tmp_path: Path) -> Callable[[str], PipelineDefinition]:
    """Load a pipeline from a text."""

    def declare(text: str) -> PipelineDefinition:
        path = tmp_path / "own.yaml"
        path.write_text(text, "utf-8")
        return load_definition(path)

    return declare


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of a run of OWN, in order."""
    root = tmp_path / "run"
    (root / "notes").mkdir(parents=True)
    (root / "plan.json").write_text(json.dumps({"items": [{"id": "a"}, {"id": "b"}]}), "utf-8")
    for item in "ab":
        (root / "notes" / f"{item}.json").write_text(json.dumps({"item": item, "text": f"note {item}"}), "utf-8")
    return root


def _outcomes(definition: PipelineDefinition, folder: Path) -> dict[str, CheckOutcome]:
    return {placed.gate.id: definition.check(placed, folder)() for placed in definition.gates()}


def test_the_shipped_pipeline_has_ten_phases_and_seven_steps() -> None:
    """They are those of PI-101-002, in order, each gate with a category, each phase with a question of diagnosis."""
    definition = load_definition()

    assert definition.id == "PI-101-002"
    assert [phase.id for phase in definition.phases] == [f"S{number}" for number in range(1, 11)]
    assert [phase.name for phase in definition.phases][:4] == [
        "INIT_BASELINE",
        "EXPORT_CONTRACT",
        "CONTRACT_INTEGRITY",
        "INGEST_PARSE_ASSESS",
    ]
    steps = [step.id for phase in definition.phases for step in phase.steps]
    assert steps == ["S2-C1", "S3-C1", "S3-C2", "S4-C1", "S6-C1", "S7-C1", "S10-C1"]
    assert all(placed.gate.category for placed in definition.gates())
    assert [phase.question for phase in definition.phases] == ["contract"] * 3 + ["translation"] * 3 + ["execution"] * 4


def test_the_shipped_pipeline_is_what_the_shipped_schema_says() -> None:
    """Editors that know JSON Schema can help with such a file."""
    schema = Path(otel_agenttrace.__file__).parent / "schemas" / "pipeline.schema.json"

    jsonschema.Draft202012Validator(json.loads(schema.read_text("utf-8"))).validate(
        yaml.safe_load(SHIPPED.read_text("utf-8"))
    )


def test_a_project_brings_its_own_pipeline(declare: Callable[[str], PipelineDefinition], folder: Path) -> None:
    """Phases, steps, gates and files are those of its file, and the gates read the files."""
    definition = declare(OWN)

    assert (definition.id, definition.project_id) == ("REL-1", "shop")
    assert [(placed.phase.id, placed.part_id, placed.gate.id) for placed in definition.gates()] == [
        ("plan", "plan", "plan-schema"),
        ("build", "build-notes", "notes-whole"),
        ("build", "build", "half"),
    ]
    assert {outcome.result for outcome in _outcomes(definition, folder).values()} == {"pass"}
    result = definition.pipeline(folder).run()
    assert result.status == "completed"
    assert [gate.severity for gate in result.gates] == ["error", "critical", "error"]


def test_a_gate_blocks_with_the_next_action_of_the_file(
    declare: Callable[[str], PipelineDefinition], folder: Path
) -> None:
    """What a project says of its gate goes before what the check says."""
    (folder / "notes" / "b.json").unlink()
    definition = declare(OWN)

    result = definition.pipeline(folder).run()

    assert result.blocked_at is not None
    assert result.blocked_at.id == "build"
    assert result.reason == 'source item "b" has no target'
    assert result.next_action == "write a note for each item"


def test_what_cannot_be_read_is_a_failed_outcome(declare: Callable[[str], PipelineDefinition], folder: Path) -> None:
    """A missing file, a broken one, a place that is not there: none raises."""
    definition = declare(OWN)
    (folder / "notes" / "b.json").write_text('{"text": "no item"}', "utf-8")
    (folder / "plan.json").write_text("{}", "utf-8")
    broken = _outcomes(definition, folder)
    (folder / "plan.json").unlink()
    missing = _outcomes(definition, folder)

    assert broken["plan-schema"].reason == ('plan.json at /: expected the property "items", found an object with none')
    assert broken["half"].reason == "plan.json at /items: expected a list"
    assert {outcome.reason for outcome in missing.values()} == {"the file plan.json is missing"}
    assert all(outcome.result == "fail" and outcome.next_action for outcome in (*broken.values(), *missing.values()))


def test_given_inputs_count_instead_of_those_declared(
    declare: Callable[[str], PipelineDefinition], folder: Path
) -> None:
    """A threshold can be set for one time."""
    (folder / "notes" / "b.json").unlink()
    definition = declare(OWN)
    half = definition.gates()[-1]

    assert definition.check(half, folder)().result == "pass"
    assert definition.check(half, folder, {"min_percent": 80})().result == "fail"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("title: A release", "titel: A release, title: x", "own.yaml:2: /pipeline/titel: expected no other property"),
        (
            "    name: BUILDING",
            "    name: BUILDING\n    colour: red",
            "own.yaml:17: /phases/1/colour: expected no other property",
        ),
        ("severity: critical", "severity: awful", "own.yaml:23: /phases/1/steps/0/gates/0/severity: "),
        ("check: coverage", "check: nosuch", "own.yaml:26: /phases/1/exit/0/check: there is no check nosuch"),
        ("min_percent: 50", "least: 50", "own.yaml:26: /phases/1/exit/0/inputs/least: coverage takes no such input"),
        (
            "sources: plan#",
            "sources: plans#",
            "own.yaml:22: /phases/1/steps/0/gates/0/inputs/sources: there is no file",
        ),
        (
            "sources: plan#/items/*/id, ",
            "",
            "own.yaml:22: /phases/1/steps/0/gates/0/inputs: mapping_completeness needs",
        ),
        ("schema: plan}", "schema: plans}", "own.yaml:14: /phases/0/exit/0/inputs/schema: there is no schema plans"),
        ("{paths: plan}", "{paths: nosuch}", "own.yaml:14: /phases/0/exit/0/inputs/files: there is no file nosuch"),
        ("phase: build}", "phase: nosuch}", "own.yaml:5: /files/notes/phase: there is no phase nosuch"),
        ("path: plan.json", "path: ../plan.json", "own.yaml:4: /files/plan/path: the path leads out of the folder"),
        ("id: build-notes", "id: plan", "own.yaml:18: /phases/1/steps/0/id: plan is the id of"),
        ("{id: half,", "{id: plan-schema,", "own.yaml:26: /phases/1/exit/0/id: there is a gate plan-schema already"),
        (
            "name: PLANNING",
            "name: X\n    depends_on: [build]",
            "own.yaml:11: /phases/0/depends_on/0: build is no phase",
        ),
        ("phases:", "phases: []\nphasen:", "own.yaml:"),
    ],
)
def test_what_is_wrong_is_told_by_file_line_and_field(
    old: str, new: str, told: str, declare: Callable[[str], PipelineDefinition]
) -> None:
    """An unknown field, a name that nothing has, an id that stands twice: each is an error."""
    assert old in OWN

    with pytest.raises(ConfigError, match=r"own\.yaml") as raised:
        declare(OWN.replace(old, new, 1))

    assert told in str(raised.value)


@pytest.mark.parametrize("text", ["", "[]", "pipeline: [", "a: 1\na: 2\n", "phases: !!python/name:os.system x"])
def test_a_file_that_is_no_pipeline_is_an_error(text: str, declare: Callable[[str], PipelineDefinition]) -> None:
    """It is told as one of configuration, with the file."""
    with pytest.raises(ConfigError, match=r"own\.yaml"):
        declare(text)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """By its name."""
    with pytest.raises(ConfigError, match=r"nosuch\.yaml is missing"):
        load_definition(tmp_path / "nosuch.yaml")


def test_work_for_what_is_not_there_is_refused(declare: Callable[[str], PipelineDefinition], folder: Path) -> None:
    """A misspelt id would leave a phase without its work."""
    with pytest.raises(KeyError, match="no phase or step bild"):
        declare(OWN).pipeline(folder, {"bild": lambda _: None})


def test_every_check_that_a_file_may_name_is_documented() -> None:
    """The page about pipelines has each of them with its inputs."""
    page = (Path(__file__).parents[2] / "docs" / "pipelines.md").read_text("utf-8")

    for name, kind in CHECKS.items():
        row = next((line for line in page.splitlines() if line.startswith(f"| `{name}`")), "")
        assert all(f"`{each}`" in row for each in (*kind.required, *kind.optional)), name


def test_references_lead_to_values(tmp_path: Path) -> None:
    """A pointer to one value, to that of every item, to the names of fields; over several files; as a mapping."""
    (tmp_path / "a.json").write_text(
        '{"items": [{"id": "x", "kind": "k"}, {"id": "y"}], "kinds": {"k": {"low": 1, "high": 2}}, "a/b": 1}', "utf-8"
    )
    (tmp_path / "b1.json").write_text('{"id": "p", "of": ["x"]}', "utf-8")
    (tmp_path / "b2.json").write_text('{"id": "q", "of": ["y", "z"]}', "utf-8")
    reader = FolderReader(tmp_path, {"a": "a.json", "b": "b*.json"})

    assert reader.value("a#/items/*/id") == ["x", "y"]
    assert reader.value("a#/items/*/kind") == ["k", None]
    assert reader.value("a#/kinds/k/low") == 1
    assert reader.value("a#/kinds/~keys") == ["k"]
    assert reader.value("a#/a~1b") == 1
    assert reader.value("a#/nosuch") is None
    assert reader.value("b#/id") == ["p", "q"]
    assert reader.value("b#/of/*") == ["x", "y", "z"]
    assert reader.value("no reference") == "no reference"
    assert reader.value({"value": "a#/items"}) == "a#/items"
    assert reader.value({"path": "a"}) == "a.json"
    assert reader.value({"paths": "b"}) == ["b1.json", "b2.json"]
    assert list(reader.value({"checksums": "b"})) == ["b1.json", "b2.json"]
    assert reader.value({"keys": "a#/items/*/id", "values": "a#/items/*/kind"}) == {"x": "k", "y": None}
    assert reader.value(
        {
            "keys": "a#/items/*/id",
            "values": "a#/items/*/kind",
            "through": "a#/kinds",
            "field": ["low", "high"],
        }
    ) == {"x": [1, 2], "y": None}
    assert reader.value([{"deep": "a#/kinds/k/high"}]) == [{"deep": 2}]


def test_references_that_lead_nowhere_are_findings(tmp_path: Path) -> None:
    """Ids that stand twice or are none, lists that do not belong together, a list that is none."""
    (tmp_path / "a.json").write_text('{"items": [{"id": "x"}, {"id": "x"}], "ids": ["x", 5], "n": 1}', "utf-8")
    reader = FolderReader(tmp_path, {"a": "a.json"})

    for declared, problem in (
        ({"keys": "a#/items/*/id", "values": "a#/items/*/id"}, '"x" stands twice'),
        ({"keys": "a#/ids/*", "values": "a#/ids/*"}, "an item has no id"),
        ({"keys": "a#/ids/*", "values": "a#/n"}, "do not belong together"),
        ("a#/nosuch/*", "a.json at /nosuch: expected a list"),
        ("a#/n/deeper", 'a.json at /n: expected an object with "deeper"'),
    ):
        with pytest.raises(FindingError, match=problem):
            reader.value(declared)
