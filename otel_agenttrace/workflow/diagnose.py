"""Diagnosis of a run: three questions in order, up to the first that is answered by no."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from otel_agenttrace.workflow.integrity import QUESTIONS, plan_gates
from otel_agenttrace.workflow.integrity_folder import RunFolder

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from otel_agenttrace.workflow.definition import PipelineDefinition
    from otel_agenttrace.workflow.integrity import IntegrityGate, PlannedGate, Question

Answer = Literal["yes", "no", "not_asked"]

ASKED: Mapping[Question, str] = {
    "contract": "Is the contract complete?",
    "translation": "Was it faithfully translated?",
    "execution": "Was the plan faithfully executed?",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """A question and its answer.

    Attributes:
        question: which one.
        answer: `not_asked` behind a no, where there is nothing to judge, and of a pipeline that has no gate for it.
        gates: those that were passed through for it; of a no, up to the one that says so.
    """

    question: Question
    answer: Answer
    gates: tuple[IntegrityGate, ...] = ()

    @property
    def asked(self) -> str:
        """The question in words."""
        return ASKED[self.question]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong with a run first.

    Attributes:
        pipeline: its id.
        root: the folder.
        answers: to the three questions, in order.
        nothing: why there is nothing to judge; empty where there is.
    """

    pipeline: str
    root: str
    answers: tuple[Answered, ...]
    nothing: str = ""

    @property
    def status(self) -> Literal["clear", "problem", "nothing"]:
        """`clear` only if every question that the pipeline has gates for is answered by yes."""
        if self.nothing:
            return "nothing"
        return "problem" if any(each.answer == "no" for each in self.answers) else "clear"

    @property
    def start_here(self) -> IntegrityGate | None:
        """The gate that says no: where to begin."""
        return next((each.gates[-1] for each in self.answers if each.answer == "no"), None)


def diagnose(root: str | os.PathLike[str], definition: PipelineDefinition) -> Diagnosis:
    """Ask of a run whether its contract is complete, was faithfully translated, and faithfully executed.

    A question is answered by its gates in order, and by no at the first that is not fine; nothing is asked behind that.
    A folder without any file of the pipeline has nothing to judge, and is never clear.

    Args:
        root: the folder of the run.
        definition: its pipeline.
    """
    nothing = _nothing(RunFolder(root, definition))
    if nothing:
        unasked = tuple(Answered(question, "not_asked") for question in QUESTIONS)
        return Diagnosis(definition.id, str(root), unasked, nothing)
    plan = {question: list(each) for question, each in groupby(plan_gates(root, definition), lambda one: one.question)}
    answers: list[Answered] = []
    for question in QUESTIONS:
        is_over = any(each.answer == "no" for each in answers)
        answers.append(Answered(question, "not_asked") if is_over else _answer(question, plan.get(question, ())))
    return Diagnosis(definition.id, str(root), tuple(answers))


def _answer(question: Question, plan: Iterable[PlannedGate]) -> Answered:
    gates = []
    for planned in plan:
        gates.append(planned.pass_through())
        if not gates[-1].is_fine:
            return Answered(question, "no", tuple(gates))
    return Answered(question, "yes" if gates else "not_asked", tuple(gates))


def _nothing(folder: RunFolder) -> str:
    if folder.cannot_be_told is not None:
        return ""  # its gates say why
    if not folder.names:
        return folder.problem.problem if folder.problem is not None else "the folder is empty"
    if not folder.declared:
        return f"none of its files is one of pipeline {folder.definition.id}"
    return ""
