"""PipelineDefinition: a pipeline as its YAML file declares it, with its phases, gates and files."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otel_agenttrace.instrument.gates import DEFAULT_TIMEOUT_S, Gate
from otel_agenttrace.workflow.checks import FindingError
from otel_agenttrace.workflow.declared_checks import CHECKS
from otel_agenttrace.workflow.phases import Phase, Step
from otel_agenttrace.workflow.pipeline import Pipeline
from otel_agenttrace.workflow.references import FolderReader

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

    from otel_agenttrace.model.gate import Severity
    from otel_agenttrace.workflow.outcome import CheckOutcome
    from otel_agenttrace.workflow.phases import Work

SHIPPED = Path(__file__).with_name("pi-101-002.yaml")
"""The pipeline that ships as an example, and that the pilot runs."""


@dataclass(frozen=True, slots=True)
class DeclaredFile:
    """A file of a run.

    Attributes:
        name: what gates call it.
        path: relative to the run's folder; of several files, a pattern.
        phase: the phase that writes it; None for what is there before.
        required: whether it has to be there once its phase is done.
    """

    name: str
    path: str
    phase: str | None = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class DeclaredGate:
    """A gate: which check it makes, of what.

    Attributes:
        check: the name of a built-in check.
        inputs: of the check, as declared: with references to what the files have.
        category: what it is about, in a word, to group gates by; empty if not given.
        next_action: what makes it pass, said instead of what the check itself says.
    """

    id: str
    check: str
    inputs: Mapping[str, Any]
    title: str = ""
    category: str = ""
    severity: Severity = "error"
    blocking: bool = True
    required: bool = True
    next_action: str | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class DeclaredStep:
    """A part of a phase."""

    id: str
    title: str = ""
    gates: tuple[DeclaredGate, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredPhase:
    """A phase; see `workflow.phases.Phase`.

    Attributes:
        question: the question of diagnosis that it belongs to: contract, translation or execution; empty for none.
    """

    id: str
    name: str
    title: str = ""
    acceptance: str = ""
    question: str = ""
    depends_on: tuple[str, ...] | None = None
    entry: tuple[DeclaredGate, ...] = ()
    steps: tuple[DeclaredStep, ...] = ()
    exit: tuple[DeclaredGate, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacedGate:
    """A gate where it stands.

    Attributes:
        part_id: the phase or the step that it belongs to, such as `S3` or `S3-C1`.
    """

    phase: DeclaredPhase
    part_id: str
    gate: DeclaredGate


@dataclass(frozen=True, slots=True)
class PipelineDefinition:
    """A pipeline as declared; see `load_definition`.

    Attributes:
        source: the file that declares it.
        files: by the names that gates have for them.
        schemas: JSON Schemas, likewise.
    """

    id: str
    title: str
    source: str
    phases: tuple[DeclaredPhase, ...]
    project_id: str | None = None
    files: Mapping[str, DeclaredFile] = field(default_factory=dict)
    schemas: Mapping[str, Any] = field(default_factory=dict)

    def gates(self) -> list[PlacedGate]:
        """All gates, in the order in which they are passed."""
        return [
            PlacedGate(phase, part_id, gate)
            for phase in self.phases
            for part_id, gates in (
                (phase.id, phase.entry),
                *((step.id, step.gates) for step in phase.steps),
                (phase.id, phase.exit),
            )
            for gate in gates
        ]

    def check(
        self,
        gate: DeclaredGate | PlacedGate,
        root: str | os.PathLike[str],
        given: Mapping[str, object] | None = None,
    ) -> Callable[[], CheckOutcome]:
        """The check of a gate over a run's folder, which is read when the check is made.

        A file that is missing, or has no such place, is an outcome like any other: a failed one.

        Args:
            gate: one of this pipeline's.
            root: the run's folder.
            given: inputs that count instead of those declared, such as `{"min_percent": 80}`.
        """
        declared = gate.gate if isinstance(gate, PlacedGate) else gate
        return partial(_make, self, declared, Path(root), dict(given or {}))

    def gate(self, declared: DeclaredGate, root: str | os.PathLike[str]) -> Gate:
        """The gate itself, over a run's folder."""
        return Gate(
            declared.id,
            self.check(declared, root),
            severity=declared.severity,
            blocking=declared.blocking,
            required=declared.required,
            next_action=declared.next_action,
            timeout_s=declared.timeout_s,
        )

    def pipeline(self, root: str | os.PathLike[str], work: Mapping[str, Work] | None = None) -> Pipeline:
        """The pipeline itself, over a run's folder.

        Args:
            root: the run's folder.
            work: what is done in phases and steps, by their ids; the others pass their gates alone.

        Raises:
            KeyError: there is work for what the pipeline does not have.
        """
        todo = dict(work or {})

        def gates(declared: Iterable[DeclaredGate]) -> list[Gate]:
            return [self.gate(each, root) for each in declared]

        phases = [
            Phase(
                id=phase.id,
                name=phase.name,
                title=phase.title,
                acceptance=phase.acceptance,
                depends_on=phase.depends_on,
                entry=gates(phase.entry),
                steps=[
                    Step(step.id, todo.pop(step.id, None), title=step.title, gates=gates(step.gates))
                    for step in phase.steps
                ],
                run=todo.pop(phase.id, None),
                exit=gates(phase.exit),
            )
            for phase in self.phases
        ]
        if todo:
            raise KeyError(f"pipeline {self.id} has no phase or step {next(iter(todo))}")
        return Pipeline(self.id, self.title, phases, project_id=self.project_id)

    def reader(self, root: str | os.PathLike[str]) -> FolderReader:
        """Reads values of a run's files by the references that gates use."""
        return FolderReader(root, {name: file.path for name, file in self.files.items()})


def load_definition(path: str | os.PathLike[str] | None = None) -> PipelineDefinition:
    """Read a pipeline's file; the one that ships, PI-101-002, if none is given.

    Raises:
        ConfigError: it cannot be read, or is not what `schemas/pipeline.schema.json` says, or names a file, schema,
            check or phase that is not there; says which file, line and field.
    """
    return _shipped() if path is None else _read(Path(path))


@lru_cache(maxsize=1)
def _shipped() -> PipelineDefinition:
    return _read(SHIPPED)


def _read(path: Path) -> PipelineDefinition:
    from otel_agenttrace.workflow.definition_file import read_definition  # noqa: PLC0415 - jsonschema takes long

    return read_definition(path)


def _make(definition: PipelineDefinition, gate: DeclaredGate, root: Path, given: Mapping[str, object]) -> CheckOutcome:
    reader = definition.reader(root)
    try:
        inputs = {name: reader.value(value) for name, value in {**gate.inputs, **given}.items()}
    except FindingError as error:
        outcome = error.outcome
    else:
        if gate.check == "schema_validity" and isinstance(inputs["schema"], str):
            inputs["schema"] = definition.schemas[inputs["schema"]]
        outcome = CHECKS[gate.check].make(inputs, root)
    if outcome.result == "pass" or gate.next_action is None:
        return outcome
    return replace(outcome, next_action=gate.next_action)
