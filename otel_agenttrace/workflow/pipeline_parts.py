"""Whether the parts of a pipeline make one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.instrument.gates import Gate
from otel_agenttrace.workflow.phases import Phase, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def gates_of(phase: Phase) -> Iterator[Gate]:
    """The gates that a phase and its steps declare."""
    yield from phase.entry
    for step in phase.steps:
        yield from step.gates
    yield from phase.exit


def check_parts(pipeline_id: str, phases: Sequence[Phase]) -> None:
    """Refuse what is no pipeline.

    Raises:
        ValueError: the pipeline has no id or no phases.
        TypeError: a part is of another kind than it is to be.
    """
    if not isinstance(pipeline_id, str) or not pipeline_id.strip():
        raise ValueError(f"pipeline: the id has to be a text that says something, not {pipeline_id!r}")
    if not phases:
        raise ValueError(f"pipeline {pipeline_id}: there is no phase in it")
    for phase in phases:
        _check_is(phase, Phase, "phases")
        for step in phase.steps:
            _check_is(step, Step, f"steps of {phase.id}")
        for gate in gates_of(phase):
            _check_is(gate, Gate, f"gates of {phase.id}")
        for work in (phase.run, *(step.run for step in phase.steps)):
            if work is not None and not callable(work):
                raise TypeError(f"pipeline: run of {phase.id} has to be callable, not {work!r}")


def _check_is(value: object, kind: type, what: str) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"pipeline: {what} are {kind.__name__} objects, not {value!r}")


def upstream_of(phases: Sequence[Phase]) -> dict[str, tuple[str, ...]]:
    """Which phases each one depends on.

    Raises:
        ValueError: an id is empty or there twice, or a phase depends on what does not come before it.
    """
    upstream: dict[str, tuple[str, ...]] = {}
    steps: set[str] = set()
    for index, phase in enumerate(phases):
        depends_on = phase.depends_on
        if depends_on is None:
            depends_on = (phases[index - 1].id,) if index else ()
        for part_id in (phase.id, *(step.id for step in phase.steps)):
            if not isinstance(part_id, str) or not part_id.strip():
                raise ValueError(f"pipeline: an id has to be a text that says something, not {part_id!r}")
            if part_id in upstream or part_id in steps:
                raise ValueError(f"pipeline: {part_id} is there twice")
            steps.add(part_id)
        unknown = [each for each in depends_on if each not in upstream]
        if unknown:
            raise ValueError(f"pipeline: {phase.id} depends on {unknown[0]}, which is no phase before it")
        upstream[phase.id] = tuple(depends_on)
    return upstream
