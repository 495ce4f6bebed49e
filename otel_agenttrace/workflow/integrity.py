"""The integrity of a run: every gate of its pipeline again, on the files as they are now, and what any run owes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from otel_agenttrace.instrument.gates import Gate
from otel_agenttrace.workflow.integrity_folder import RunFolder
from otel_agenttrace.workflow.integrity_gates import (
    check_existing,
    check_recorded,
    check_structure,
    no_coverage,
    not_run,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from otel_agenttrace.model.gate import GateResult
    from otel_agenttrace.workflow.definition import DeclaredPhase, PipelineDefinition, PlacedGate
    from otel_agenttrace.workflow.outcome import CheckOutcome

Question = Literal["contract", "translation", "execution"]
QUESTIONS: tuple[Question, ...] = ("contract", "translation", "execution")
"""In the order in which they are asked: a later one has no answer where an earlier one is answered by no."""

_TIMEOUT_S = 600.0
"""For reading all files of a run, however large they are."""


@dataclass(frozen=True, slots=True)
class IntegrityGate:
    """One gate of a report.

    Attributes:
        part_id: the phase or step whose gate it is, such as `S3-C1`.
        question: that it helps to answer.
        category: what kind of thing it checks, such as `gap-parity`.
        title: in a few words.
        required: whether it has to have something to check.
        result: what it found; its `phase` is the phase's name.
    """

    part_id: str
    question: Question
    category: str
    title: str
    required: bool
    result: GateResult

    @property
    def is_fine(self) -> bool:
        """Whether it passed, or had nothing to check and need not have."""
        return self.result.result == "pass" or (self.result.result == "skipped" and not self.required)


@dataclass(frozen=True, slots=True)
class IntegrityReport:
    """Every gate of a run.

    Attributes:
        pipeline: its id.
        root: the folder.
        gates: in the order in which a run passes them.
    """

    pipeline: str
    root: str
    gates: tuple[IntegrityGate, ...]

    @property
    def status(self) -> Literal["passed", "failed", "skipped"]:
        """`failed` if any gate failed, `skipped` if a required one had nothing to check."""
        if any(gate.result.result == "fail" for gate in self.gates):
            return "failed"
        is_passed = self.gates and all(gate.is_fine for gate in self.gates)
        return "passed" if is_passed else "skipped"

    @property
    def first_problem(self) -> IntegrityGate | None:
        """The first gate that is not fine: what comes after it may follow from it."""
        return next((gate for gate in self.gates if not gate.is_fine), None)


@dataclass(frozen=True, slots=True)
class PlannedGate:
    """A gate that has not been passed yet; `pass_through` reads the files and says what it found."""

    part_id: str
    phase: DeclaredPhase
    category: str
    title: str
    required: bool
    gate: Gate

    @property
    def question(self) -> Question:
        """The question that it helps to answer; the last one where its phase names none."""
        return next((each for each in QUESTIONS if each == self.phase.question), QUESTIONS[-1])

    def pass_through(self) -> IntegrityGate:
        """Make the check; one that raises or hangs has failed."""
        result = self.gate.evaluate(self.phase.name)
        return IntegrityGate(self.part_id, self.question, self.category, self.title, self.required, result)


def check_run(
    root: str | os.PathLike[str],
    definition: PipelineDefinition,
    *,
    min_coverage: float | None = None,
    scan_existing: bool = False,
) -> IntegrityReport:
    """Pass a finished run, or what there is of one, through every gate.

    Args:
        root: its folder.
        definition: its pipeline.
        min_coverage: percent, 0 to 100, that its coverage has to reach, whatever the pipeline asks for.
        scan_existing: whether files that are in no inventory count as wrong.
    """
    plan = plan_gates(root, definition, min_coverage=min_coverage, scan_existing=scan_existing)
    return IntegrityReport(definition.id, str(root), tuple(planned.pass_through() for planned in plan))


def plan_gates(
    root: str | os.PathLike[str],
    definition: PipelineDefinition,
    *,
    min_coverage: float | None = None,
    scan_existing: bool = False,
) -> list[PlannedGate]:
    """The gates of a run by question, then by phase: of each phase its files, then what its pipeline declares.

    At the end stand the gates that look at all files, for what no gate of a phase could know.
    """
    plan = _Plan(RunFolder(root, definition), min_coverage)
    gates = list(plan.of_phases())
    gates += plan.of_all(scan_existing=scan_existing)
    return sorted(gates, key=lambda planned: QUESTIONS.index(planned.question))


class _Plan:
    def __init__(self, folder: RunFolder, min_coverage: float | None) -> None:
        self._folder = folder
        self._min_coverage = min_coverage
        self._definition = folder.definition

    def of_phases(self) -> Iterator[PlannedGate]:
        placed = self._definition.gates()
        for phase in self._definition.phases:
            if self._folder.files_of(phase.id):
                check = self._if_run(phase, partial(check_structure, self._folder, phase.id))
                yield _own(phase.id, phase, "structure", "its files are there", check)
            for each in placed:
                if each.phase.id == phase.id:
                    yield from self._declared(each)

    def of_all(self, *, scan_existing: bool) -> Iterator[PlannedGate]:
        # Who records no checksums has none that could be wrong; a pipeline that wants them has gates that say so.
        check = partial(check_recorded, self._folder)
        yield self._of_all("checksums", "files are what was recorded", check, is_required=False)
        if scan_existing:
            yield self._of_all("existing", "every file is in an inventory", lambda: check_existing(self._folder))
        if self._min_coverage is not None and all(each.gate.check != "coverage" for each in self._definition.gates()):
            yield self._of_all("coverage", "coverage is enough", no_coverage)

    def _of_all(
        self, category: str, title: str, check: Callable[[], CheckOutcome], *, is_required: bool = True
    ) -> PlannedGate:
        return _own(
            "all", self._definition.phases[-1], category, title, self._if_run(None, check), is_required=is_required
        )

    def _declared(self, placed: PlacedGate) -> Iterator[PlannedGate]:
        declared, phase = placed.gate, placed.phase
        required = declared.required

        def planned(gate: Gate, title: str) -> PlannedGate:
            return PlannedGate(placed.part_id, phase, declared.category or declared.check, title, required, gate)

        gate = self._definition.gate(declared, self._folder.root)
        yield planned(replace(gate, check=self._if_run(phase, gate.check)), declared.title)
        if self._min_coverage is not None and declared.check == "coverage":
            given = {"min_percent": self._min_coverage}
            check = self._if_run(phase, self._definition.check(declared, self._folder.root, given))
            title = f"coverage is at least {self._min_coverage:g} %"
            yield planned(replace(gate, id=f"{gate.id}-min", check=check), title)

    def _if_run(self, phase: DeclaredPhase | None, check: Callable[[], Any]) -> Callable[[], Any]:
        """The check, made only where the phase (None: any) has run: else what it reads is not there yet."""

        def checked() -> Any:
            has_run = self._folder.phases_run
            is_due = phase.id in has_run if phase is not None else bool(has_run)
            return check() if is_due else not_run(self._folder, phase)

        return checked


def _own(
    part_id: str,
    phase: DeclaredPhase,
    category: str,
    title: str,
    check: Callable[[], CheckOutcome],
    *,
    is_required: bool = True,
) -> PlannedGate:
    """A gate that every pipeline has."""
    gate = Gate(f"{category}-{part_id.lower()}", check, required=is_required, timeout_s=_TIMEOUT_S)
    return PlannedGate(part_id, phase, category, title, is_required, gate)
