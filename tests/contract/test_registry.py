"""The registry as it ships: its syntax, its names, and the constants that stand for them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from otel_agenttrace.contract import attributes
from otel_agenttrace.contract.attributes import Attribute, EventName
from otel_agenttrace.contract.registry import FILES, FOLDER

if TYPE_CHECKING:
    from otel_agenttrace.contract.registry import Registry

TEXT = {"type": "string", "minLength": 1}
STABILITY = {"enum": ["stable", "release_candidate", "beta", "alpha", "development"]}
ANNOTATIONS = {"type": "object"}
PRIMITIVE = "(string|int|double|boolean)"
ATTRIBUTE_TYPE = {
    "anyOf": [
        {"type": "string", "pattern": rf"^(any|{PRIMITIVE}(\[\])?|template\[(any|{PRIMITIVE}(\[\])?)\])$"},
        {
            "type": "object",
            "required": ["members"],
            "additionalProperties": False,
            "properties": {
                "members": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["id", "value", "stability"],
                        "additionalProperties": False,
                        "properties": {"id": TEXT, "value": {}, "brief": TEXT, "note": TEXT, "stability": STABILITY},
                    },
                }
            },
        },
    ]
}
DEPRECATED = {
    "oneOf": [
        {"properties": {"reason": {"const": "renamed"}, "renamed_to": TEXT}, "required": ["reason", "renamed_to"]},
        {
            "properties": {"reason": {"enum": ["obsoleted", "uncategorized"]}, "note": TEXT},
            "required": ["reason", "note"],
        },
    ]
}
REFERENCES = {
    "type": "array",
    "items": {
        "oneOf": [
            {
                "type": "object",
                "required": ["ref_group"],
                "additionalProperties": False,
                "properties": {"ref_group": TEXT},
            },
            {
                "type": "object",
                "required": ["ref"],
                "additionalProperties": False,
                "properties": {
                    "ref": TEXT,
                    "annotations": ANNOTATIONS,
                    "requirement_level": {
                        "anyOf": [
                            {"enum": ["required", "recommended", "opt_in"]},
                            {
                                "type": "object",
                                "required": ["conditionally_required"],
                                "additionalProperties": False,
                                "properties": {"conditionally_required": TEXT},
                            },
                        ]
                    },
                },
            },
        ]
    },
}


def _list_of(required: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    item = {
        "type": "object",
        "required": list(required),
        "additionalProperties": False,
        "properties": required | optional | {"annotations": ANNOTATIONS},
    }
    return {"type": "array", "items": item}


GROUP = {
    "oneOf": [
        _list_of({"id": TEXT, "visibility": {"const": "internal"}}, {"attributes": REFERENCES})["items"],
        _list_of(
            {"id": TEXT, "visibility": {"const": "public"}, "brief": TEXT, "stability": STABILITY},
            {"attributes": REFERENCES},
        )["items"],
    ]
}
FILE = {
    "type": "object",
    "required": ["file_format"],
    "additionalProperties": False,
    "properties": {
        "file_format": {"const": "definition/2"},
        "attributes": _list_of(
            {"key": TEXT, "type": ATTRIBUTE_TYPE, "brief": TEXT, "stability": STABILITY},
            {"note": TEXT, "examples": {"type": "array", "minItems": 1}, "deprecated": DEPRECATED},
        ),
        "attribute_groups": {"type": "array", "items": GROUP},
        "events": _list_of({"name": TEXT, "brief": TEXT, "stability": STABILITY}, {"attributes": REFERENCES}),
        "spans": _list_of(
            {
                "type": TEXT,
                "kind": {"enum": ["internal", "client", "server", "producer", "consumer"]},
                "name": {"type": "object", "required": ["note"], "properties": {"note": TEXT}},
                "brief": TEXT,
                "stability": STABILITY,
            },
            {"attributes": REFERENCES},
        ),
        "span_refinements": _list_of({"id": TEXT, "ref": TEXT}, {"attributes": REFERENCES}),
    },
}
"""The part of Weaver's `semconv.schema.v2.json` that the registry uses, written down a second time and stricter."""

CONTRACT_NAMES = """
project.id task.id task.parent_id task.phase task.status task.title task.type task.acceptance task.timeout_ms
task.depends_on task.blocked_reason task.next_action task.blocked_on_span_id input.source_checksum
input.artifact_manifest_checksum input.project_context_checksum quality.coverage_percent quality.gap_count
quality.feature_count routing.complexity_score routing.selected_path output.path_count output.artifact_count
output.finalize_status output.artifact_checksums session.id gate.id gate.result gate.severity gate.blocking gate.reason
gate.next_action gate.evidence gate.overridden_by gate.override_reason run.id trial.index scenario.name scenario.hash
failure.id failure.type failure.subject failure.origin_span_id failure.recovered
"""

EVENT_NAMES = """
gate.check.started gate.check.passed gate.check.failed gate.check.skipped gate.check.overridden handoff.emitted
handoff.validated gen_ai.evaluation.result agent.state_change agent.plan_created agent.step_started agent.step_completed
agent.tool_called agent.tool_result agent.message agent.error agent.budget_warning agent.budget_exceeded
agent.iteration_limit agent.completed agent.cancelled agent.model_selected agent.model_switched agent.trace_started
agent.trace_ended agenttrace.contract.violation
"""


@pytest.mark.parametrize("name", FILES)
def test_a_registry_file_has_the_syntax_of_weaver(name: str) -> None:
    """Each file of the registry is what Weaver calls `definition/2`."""
    document = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator(FILE).validate(document)


def test_the_manifest_names_the_registry_and_its_version() -> None:
    """Weaver finds the registry by a manifest whose schema URL ends in a version."""
    manifest = yaml.safe_load((FOLDER / "manifest.yaml").read_text(encoding="utf-8"))

    assert manifest["name"] == "agenttrace"
    assert manifest["schema_url"].startswith("https://")
    assert manifest["schema_url"].endswith("/1.0.0")


def test_every_file_in_the_folder_is_read() -> None:
    """A file that is put beside the others and not listed would be ignored."""
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {*FILES, "manifest"}


def test_every_string_attribute_has_an_example(registry: Registry) -> None:
    """Weaver requires examples for strings and lists of strings."""
    without = [item.name for item in registry.attributes.values() if "string" in item.type and not item.examples]

    assert without == []


def test_constants_and_registry_name_the_same_attributes(registry: Registry) -> None:
    """A constant without a definition, or a definition without a constant, is a mistake."""
    constants = {value for value in vars(attributes).values() if isinstance(value, Attribute)}

    assert constants == set(registry.attributes)


def test_constants_and_registry_name_the_same_events(registry: Registry) -> None:
    """As for attributes."""
    constants = {value for value in vars(attributes).values() if isinstance(value, EventName)}

    assert constants == set(registry.events)


def test_a_constant_is_called_as_its_name_is_spelled() -> None:
    """Who knows the wire name can write the constant without looking it up."""
    for constant, value in vars(attributes).items():
        if isinstance(value, Attribute):
            assert constant == value.upper().replace(".", "_")
        if isinstance(value, EventName) and not value.startswith(("gen_ai.", "agenttrace.")):
            assert constant == f"EVENT_{value.upper().replace('.', '_')}"


def test_the_names_of_the_contract_are_these(registry: Registry) -> None:
    """The wire names, spelled a second time: renaming one breaks people's queries and has to be deliberate."""
    assert set(CONTRACT_NAMES.split()) <= set(registry.attributes)
    assert set(EVENT_NAMES.split()) <= set(registry.events)


def test_importing_the_constants_reads_no_yaml() -> None:
    """Agents import the constants, so nothing else may come with them."""
    program = (
        "import sys, otel_agenttrace.contract.attributes, otel_agenttrace.contract.registry\n"
        "print([name for name in ('yaml', 'pydantic', 'jsonschema', 'opentelemetry') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
