"""Reading a pipeline's YAML file: what is wrong with one is told by file, line and field."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from otel_agenttrace.errors import ConfigError
from otel_agenttrace.workflow.checks import FindingError, read_document
from otel_agenttrace.workflow.checks.documents import escaped
from otel_agenttrace.workflow.checks.places import name_problem
from otel_agenttrace.workflow.checks.schema_rules import SchemaRules
from otel_agenttrace.workflow.declared_checks import CHECKS
from otel_agenttrace.workflow.definition import (
    DeclaredFile,
    DeclaredGate,
    DeclaredPhase,
    DeclaredStep,
    PipelineDefinition,
)
from otel_agenttrace.workflow.references import references_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAX_TOLD = 5


def read_definition(path: Path) -> PipelineDefinition:
    """See `load_definition`."""
    try:
        document = read_document(path)
        rules = SchemaRules(_schema(), "a pipeline's file")
        findings = rules.findings(document, str(path))
    except FindingError as error:
        raise ConfigError(f"pipeline: {error}") from error
    problems = [(each.evidence.ref.partition("#")[2], each.problem.partition(": ")[2]) for each in findings]
    if not problems:
        problems = list(_contradictions(document))
    if problems:
        raise ConfigError(_told(path, problems))
    return _definition(document, str(path))


def _schema() -> Any:
    return json.loads((files("otel_agenttrace") / "schemas" / "pipeline.schema.json").read_text("utf-8"))


def _told(path: Path, problems: list[tuple[str, str]]) -> str:
    lines = _lines(path)
    told = [f"{path}:{_line(lines, pointer)}: {pointer or '/'}: {what}" for pointer, what in problems[:_MAX_TOLD]]
    more = [f"and {len(problems) - _MAX_TOLD} more"] if len(problems) > _MAX_TOLD else []
    return "pipeline: " + "; ".join([*told, *more])


def _line(lines: dict[str, int], pointer: str) -> int:
    """The line of a pointer; of what is not there, that of the nearest above it."""
    while pointer and pointer not in lines:
        pointer = pointer.rpartition("/")[0]
    return lines.get(pointer, 1)


def _lines(path: Path) -> dict[str, int]:
    """The line on which each value of a YAML file begins, by its JSON pointer; of a field, that of its name."""
    import yaml  # noqa: PLC0415 - only what is wrong costs it twice

    found: dict[str, int] = {}
    waiting: list[tuple[str, yaml.Node | None]] = [("", yaml.compose(path.read_text("utf-8"), Loader=yaml.SafeLoader))]
    while waiting:
        pointer, node = waiting.pop()
        if node is None:
            continue
        found.setdefault(pointer, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, below in node.value:
                place = f"{pointer}/{escaped(key.value)}"
                found[place] = key.start_mark.line + 1
                waiting.append((place, below))
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(f"{pointer}/{index}", below) for index, below in enumerate(node.value)]
    return found


def _contradictions(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What no schema can say: names that nothing has, ids that stand twice."""
    yield from _wrong_files(document)
    yield from _wrong_phases(document)
    seen: set[str] = set()
    for where, gate in _gates(document):
        if gate["id"] in seen:
            yield f"{where}/id", f"there is a gate {gate['id']} already"
        seen.add(gate["id"])
        yield from _wrong_inputs(where, gate, document)


def _wrong_files(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    phases = [phase["id"] for phase in document["phases"]]
    for name, file in document.get("files", {}).items():
        problem = name_problem(file["path"])
        if problem is not None:
            yield f"/files/{name}/path", f"the path {problem}"
        if "phase" in file and file["phase"] not in phases:
            yield f"/files/{name}/phase", f"there is no phase {file['phase']}"


def _wrong_phases(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    phases = [phase["id"] for phase in document["phases"]]
    parts: dict[str, str] = {}
    for number, phase in enumerate(document["phases"]):
        place = f"/phases/{number}"
        steps = [(step["id"], f"{place}/steps/{index}/id") for index, step in enumerate(phase.get("steps", []))]
        for part, where in ((phase["id"], f"{place}/id"), *steps):
            if part in parts:
                yield where, f"{part} is the id of {parts[part]} already"
            parts[part] = where
        for index, upstream in enumerate(phase.get("depends_on", [])):
            if upstream not in phases[:number]:
                yield f"{place}/depends_on/{index}", f"{upstream} is no phase before {phase['id']}"


def _gates(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, phase in enumerate(document["phases"]):
        place = f"/phases/{number}"
        lists = [(f"{place}/entry", phase.get("entry", [])), (f"{place}/exit", phase.get("exit", []))]
        for index, step in enumerate(phase.get("steps", [])):
            lists.append((f"{place}/steps/{index}/gates", step.get("gates", [])))
        for where, gates in lists:
            yield from ((f"{where}/{index}", gate) for index, gate in enumerate(gates))


def _wrong_inputs(where: str, gate: dict[str, Any], document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    kind, inputs = CHECKS.get(gate["check"]), gate["inputs"]
    if kind is None:
        yield f"{where}/check", f"there is no check {gate['check']}: expected one of {', '.join(CHECKS)}"
        return
    known = (*kind.required, *kind.optional)
    for name in inputs:
        if name not in known:
            yield f"{where}/inputs/{name}", f"{gate['check']} takes no such input: expected {', '.join(known)}"
    for name in kind.required:
        if name not in inputs:
            yield f"{where}/inputs", f"{gate['check']} needs the input {name}"
    for name, value in inputs.items():
        for file in references_in(value):
            if file not in document.get("files", {}):
                yield f"{where}/inputs/{name}", f"there is no file {file}"
    schema = inputs.get("schema")
    if gate["check"] == "schema_validity" and isinstance(schema, str) and schema not in document.get("schemas", {}):
        yield f"{where}/inputs/schema", f"there is no schema {schema}"


def _definition(document: dict[str, Any], source: str) -> PipelineDefinition:
    about = document["pipeline"]
    return PipelineDefinition(
        id=about["id"],
        title=about["title"],
        source=source,
        project_id=about.get("project"),
        phases=tuple(_phase(each) for each in document["phases"]),
        files={name: DeclaredFile(name, **file) for name, file in document.get("files", {}).items()},
        schemas=document.get("schemas", {}),
    )


def _phase(declared: dict[str, Any]) -> DeclaredPhase:
    upstream = declared.get("depends_on")
    return DeclaredPhase(
        id=declared["id"],
        name=declared["name"],
        title=declared.get("title", ""),
        acceptance=declared.get("acceptance", ""),
        question=declared.get("question", ""),
        depends_on=None if upstream is None else tuple(upstream),
        entry=_declared_gates(declared.get("entry", [])),
        steps=tuple(
            DeclaredStep(step["id"], step.get("title", ""), _declared_gates(step.get("gates", [])))
            for step in declared.get("steps", [])
        ),
        exit=_declared_gates(declared.get("exit", [])),
    )


def _declared_gates(declared: list[dict[str, Any]]) -> tuple[DeclaredGate, ...]:
    return tuple(DeclaredGate(**each) for each in declared)
