"""Checksum chain: every stage worked from what the stage before it produced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from otel_agenttrace.workflow.checks.bounds import DEFAULT_BOUNDS, Bounds
from otel_agenttrace.workflow.checks.checksums import Checksum, parse_checksum
from otel_agenttrace.workflow.checks.files import hash_file
from otel_agenttrace.workflow.checks.findings import (
    Finding,
    FindingError,
    conclude,
    evidence,
    finding,
    items_in,
    printable,
    shown,
)
from otel_agenttrace.workflow.checks.places import resolve
from otel_agenttrace.workflow.outcome import skipped

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from otel_agenttrace.model.gate import Evidence
    from otel_agenttrace.workflow.outcome import CheckOutcome


@dataclass(frozen=True, slots=True)
class ChainStage:
    """A stage, and the checksums that it declares by the name of what they are of.

    Attributes:
        name: the stage, such as `S3`.
        inputs: what it says it worked from, such as `{"source": "sha256:..."}`.
        outputs: what it says it made.
        files: where inputs and outputs lie, by the same names.
    """

    name: str
    inputs: Mapping[str, object] = field(default_factory=dict)
    outputs: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, str | os.PathLike[str]] = field(default_factory=dict)


_FIELDS = frozenset(each.name for each in fields(ChainStage))


def check_checksum_chain(
    stages: Sequence[ChainStage | Mapping[str, Any]] | None,
    *,
    root: str | os.PathLike[str] | None = None,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> CheckOutcome:
    """Whether each input that a stage declares is what the nearest stage before it produced under that name.

    Where a file is given for a name, by the stage that declares it or by the one that made it, the checksum is computed
    from the file, with the algorithm that was declared. An input with neither a producer nor a file fails: nothing
    vouches for it. So do checksums that are missing, empty or malformed, and two of different algorithms.

    Args:
        stages: in the order of the work; objects with the fields of a ChainStage do as well. With no input, and no
            output with a file, there is nothing to check: skipped.
        root: the folder that files are relative to, and must not lead out of; any path will do if not given.
        bounds: of what is hashed and told.
    """
    chain = _Chain(root, bounds)
    for stage in chain.read(stages):
        chain.check_inputs(stage)
        chain.check_outputs(stage)
    if not chain.is_checked:
        return skipped("no stage declares an input or a file of its output", "declare the checksums of the stages")
    return conclude(chain.findings, chain.looked_at, f"checksums that agree: {len(chain.looked_at)}", bounds)


@dataclass(frozen=True, slots=True)
class _Produced:
    stage: str
    value: object
    file: object


class _Chain:
    def __init__(self, root: str | os.PathLike[str] | None, bounds: Bounds) -> None:
        self.findings: list[Finding] = []
        self.looked_at: list[Evidence] = []
        self.is_checked = False
        self._root, self._bounds = root, bounds
        self._produced: dict[str, _Produced] = {}

    def read(self, stages: object) -> list[ChainStage]:
        """The stages in what came from outside; what is none is a finding."""
        listed = [] if stages is None else items_in(stages)
        if listed is None:
            self._refuse(f"the stages are {shown(stages)}, not a list", "give the stages as a list", "stages")
            return []
        found = []
        for position, each in enumerate(listed, start=1):
            stage = _stage_of(each)
            if stage is not None:
                found.append(stage)
            else:
                problem = f"stage {position} is {shown(each)}, not an object with a name"
                self._refuse(problem, "give each stage as an object with name, inputs and outputs", f"stage {position}")
        return found

    def _refuse(self, problem: str, action: str, ref: str) -> None:
        self.is_checked = True
        self.findings.append(finding(problem, action, "checksum", ref))

    def check_inputs(self, stage: ChainStage) -> None:
        for name, value in self._entries(stage, "inputs"):
            self.is_checked = True
            ref = f"{name} declared by {stage.name}"
            source = self._produced.get(name)
            file = _file(stage, name) or (source.file if source is not None else None)
            rerun = f"run {stage.name} again on the {name} that is there now"
            self._compare(ref, value, source, file, rerun)

    def check_outputs(self, stage: ChainStage) -> None:
        for name, value in self._entries(stage, "outputs"):
            file = _file(stage, name)
            self._produced[name] = _Produced(stage.name, value, file)
            if file is not None:
                self.is_checked = True
                rerun = f"run {stage.name} again, or restore the {name} that it made"
                self._compare(f"{name} produced by {stage.name}", value, None, file, rerun)

    def _compare(self, ref: str, value: object, source: _Produced | None, file: object, rerun: str) -> None:
        """Hold a declared checksum against what was produced, then against the file."""
        try:
            declared = parse_checksum(value, ref)
        except FindingError as error:
            self.findings.append(_with_expected(error.finding, source))
            return
        if source is None and file is None:
            problem = f"nothing vouches for {ref}: no stage before it produced that, and no file is given"
            action = f"give the file, or an earlier stage with that output, for {ref}"
            self.findings.append(finding(problem, action, "checksum", ref))
            return
        agreeing = []
        try:
            if source is not None:
                origin = f"what {source.stage} produced"
                _demand_same(ref, declared, parse_checksum(source.value, f"{origin}, for {ref},"), origin, rerun)
                agreeing.append(origin)
            if file is not None:
                path, name = resolve(self._root, file)
                now = hash_file(path, declared.algorithm, name=name, bounds=self._bounds)
                _demand_same(ref, declared, now, f"the file {name}", rerun)
                agreeing.append(f"the file {name}")
        except FindingError as error:
            self.findings.append(error.finding)
            return
        self.looked_at.append(evidence("checksum", ref, f"{declared}, as {' and '.join(agreeing)}"))

    def _entries(self, stage: ChainStage, side: str) -> list[tuple[str, object]]:
        declared: object = getattr(stage, side)
        if isinstance(declared, Mapping):
            return [(str(name), value) for name, value in declared.items()]
        if declared is not None:
            problem = f"the {side} of {stage.name} are {shown(declared)}, not checksums by name"
            action = f"declare the {side} of {stage.name} as an object of checksums"
            self._refuse(problem, action, f"{stage.name}.{side}")
        return []


def _stage_of(value: object) -> ChainStage | None:
    if isinstance(value, Mapping) and isinstance(value.get("name"), str):
        return ChainStage(**{name: value[name] for name in _FIELDS if name in value})
    return value if isinstance(value, ChainStage) else None


def _file(stage: ChainStage, name: str) -> object:
    return stage.files.get(name) if isinstance(stage.files, Mapping) else None


def _with_expected(found: Finding, source: _Produced | None) -> Finding:
    """The finding on a checksum that is none, with the one that is due there if that is known."""
    if source is None or not source.value:
        return found
    problem = f"{found.problem}; expected {str(source.value)[:200]}, which {source.stage} produced"
    return Finding(problem, found.action, found.evidence.model_copy(update={"description": printable(problem)}))


def _demand_same(ref: str, declared: Checksum, other: Checksum, origin: str, action: str) -> None:
    if declared == other:
        return
    problem = f"{ref} is not {origin}: expected {other}, found {declared}"
    if declared.algorithm != other.algorithm:
        problem = f"{ref} cannot be compared with {origin}: expected {other.algorithm}, found {declared.algorithm}"
        action = f"use one algorithm for {ref} and for {origin}"
    raise FindingError(finding(problem, action, "checksum", ref))
