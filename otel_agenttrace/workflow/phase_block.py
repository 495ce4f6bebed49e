"""PhaseBlock: a phase of a pipeline as a block, behind its gates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.errors import GateBlockedError
from otel_agenttrace.instrument.tasks import task_span
from otel_agenttrace.workflow.task_block import TaskBlock, TaskResult
from otel_agenttrace.workflow.work import do_work

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from opentelemetry.trace import Span

    from otel_agenttrace.instrument.gates import Gate, Override
    from otel_agenttrace.model.task import TaskStatus
    from otel_agenttrace.workflow.phases import Phase, Step
    from otel_agenttrace.workflow.pipeline import Pipeline, PipelineRun


class PhaseBlock:
    """A phase as a block: `with` passes its entry gates, runs the block, and passes its exit gates.

    Steps and work that the phase declares are run by `Pipeline.run` alone.

    Raises:
        GateBlockedError: a gate blocks, or one in the block did, and whoever called it caught the error; the phase is
            then `blocked`. A gate that passed after all, or was overridden, does not count.
        TaskBlockedError: a task in the block was left blocked; the phase is then `blocked`, too.
        TaskStateError: the phase must not begin; it is not run, and stays `not_started`.
    """

    def __init__(
        self, pipeline: Pipeline, phase: Phase, overrides: Mapping[str, Override], run: PipelineRun | None = None
    ) -> None:
        self.pipeline = pipeline
        self.phase = phase
        self.steps: list[TaskResult] = []
        self.block: TaskBlock
        self._overrides = overrides
        self._run = run

    def __enter__(self) -> Span:
        phase, pipeline = self.phase, self.pipeline
        task = task_span(
            pipeline.task_id(phase.id),
            title=phase.title or None,
            type="task",
            parent=pipeline.id,
            phase=phase.name,
            depends_on=pipeline.upstream_tasks(phase),
            acceptance=phase.acceptance or None,
            project=pipeline.project_id,
            attributes=phase.attributes,
        )
        self.block = TaskBlock(task, None if self._run is None else self._run.block)
        if self._run is not None:
            self._run.begin(self)
        span = self.block.enter()
        try:
            self._pass(self.phase.entry)
        except BaseException as error:
            self.block.leave(error)
            raise
        return span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self.block.leave(error)
            return
        try:
            self.block.check_may_go_on()
            self._pass(self.phase.exit)
        except BaseException as blocking:
            self.block.leave(blocking)
            raise
        self.block.leave(None)

    def step(self, step: Step) -> None:
        """Run a step within the phase; raises what its work or its gates raise."""
        task = task_span(
            self.pipeline.task_id(step.id),
            title=step.title or None,
            type="subtask",
            phase=self.phase.name,
            project=self.pipeline.project_id,
            attributes=step.attributes,
        )
        block = TaskBlock(task, self.block)
        span = block.enter()
        try:
            if step.run is not None:
                do_work(step.run, span)
            block.check_may_go_on()
            self._pass(step.gates)
        except BaseException as error:
            block.leave(error)
            raise
        else:
            block.leave(None)
        finally:
            self.steps.append(_result(step.id, self.phase.name, block))

    @property
    def status(self) -> TaskStatus:
        """Where the phase stands."""
        return self.block.task.status

    @property
    def is_completed(self) -> bool:
        """Whether it has come to a good end."""
        return self.status == "completed"

    def result(self) -> TaskResult:
        """What became of the phase so far."""
        return _result(self.phase.id, self.phase.name, self.block, self.steps)

    def _pass(self, gates: Iterable[Gate]) -> None:
        for each in gates:
            result = each.evaluate(self.phase.name, self._overrides.get(each.id))
            if result.blocks:
                raise GateBlockedError(result)


def _result(part_id: str, phase: str, block: TaskBlock, steps: Iterable[TaskResult] = ()) -> TaskResult:
    return TaskResult(
        id=part_id,
        task_id=block.task.id,
        phase=phase,
        status=block.task.status,
        span_id=block.span_id,
        gates=tuple(block.results),
        steps=tuple(steps),
        reason=block.reason,
        next_action=block.next_action,
        error=block.error,
    )
