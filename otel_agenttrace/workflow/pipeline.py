"""Pipeline: phases that run in order as task spans, each behind gates that really block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context as context_api
from opentelemetry.trace import format_span_id, format_trace_id

from otel_agenttrace.contract.attributes import (
    PROJECT_ID,
    TASK_ACCEPTANCE,
    TASK_DEPENDS_ON,
    TASK_ID,
    TASK_PARENT_ID,
    TASK_PHASE,
    TASK_STATUS,
    TASK_TITLE,
    TASK_TYPE,
)
from otel_agenttrace.errors import TaskStateError
from otel_agenttrace.instrument.spans import start_span
from otel_agenttrace.instrument.tasks import task_span
from otel_agenttrace.model.task import OTHER_PHASE
from otel_agenttrace.workflow.phase_block import PhaseBlock
from otel_agenttrace.workflow.phases import Phase, PipelineResult, Step
from otel_agenttrace.workflow.task_block import TaskBlock, TaskResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context import Context
    from typing_extensions import Self

    from otel_agenttrace.instrument.gates import Override

__all__ = ["Phase", "Pipeline", "PipelineResult", "PipelineRun", "Step", "TaskResult"]

_RUN_KEY = context_api.create_key("agenttrace-pipeline-run")


class Pipeline:
    """Phases in order, each of which runs only if what it depends on is completed.

    A pipeline may run many times, but in one process not twice at once: its tasks would have the same ids.

    Args:
        id: `task.id` of the pipeline's span; those of phases and steps are `<pipeline id>-<their id>`.
        title: in a few words.
        phases: in the order in which they run.
        project_id: `project.id` of all spans; that of the span around, or as configured, unless given.

    Raises:
        ValueError: an id is empty or there twice, or a phase depends on one that does not come before it.
    """

    def __init__(self, id: str, title: str, phases: Sequence[Phase], *, project_id: str | None = None) -> None:  # noqa: A002
        self.id = id
        self.title = title
        self.phases = tuple(phases)
        self.project_id = project_id
        self._upstream = _upstream(self.phases)

    def run(self, *, overrides: Mapping[str, Override] | None = None) -> PipelineResult:
        """Run the phases in order, up to the first that is not completed.

        The phase that a gate blocks becomes `blocked`, and so does the pipeline; one whose work raises becomes `failed`
        likewise. The phases after it stay `not_started`. What is raised stands in the result, and is not raised here.

        Args:
            overrides: by gate id; lets the work go on where that gate blocks.
        """
        run = self.start(overrides=overrides)
        try:
            with run:
                for phase in self.phases:
                    run.pass_phase(phase)
        except Exception as error:  # noqa: BLE001 - it is in the result
            return run.result(error)
        return run.result()

    def start(self, *, overrides: Mapping[str, Override] | None = None) -> PipelineRun:
        """A run whose phases you run yourself, with `with pipeline.start() as run:` and `with run.phase("S1"):`."""
        return PipelineRun(self, overrides or {})

    def phase(self, phase_id: str) -> PhaseBlock:
        """The phase as a block, in the current run; see `PipelineRun.phase`.

        Where no run of this pipeline is current, as in another process than that of the phases before it, the phase
        runs by itself, below the current span: its own gates block it, those before it cannot.

        Raises:
            KeyError: there is no such phase.
        """
        run = context_api.get_value(_RUN_KEY)
        if isinstance(run, PipelineRun) and run.pipeline is self:
            return run.phase(phase_id)
        return PhaseBlock(self, self.find(phase_id), {})

    def find(self, phase_id: str) -> Phase:
        """The phase of that id.

        Raises:
            KeyError: there is none.
        """
        for phase in self.phases:
            if phase.id == phase_id:
                return phase
        raise KeyError(f"pipeline {self.id} has no phase {phase_id}")

    def upstream_of(self, phase_id: str) -> tuple[str, ...]:
        """The ids of the phases that must be completed before this one begins."""
        return self._upstream[phase_id]

    def upstream_tasks(self, phase: Phase) -> list[str]:
        """The same as task ids."""
        return [self.task_id(each) for each in self._upstream[phase.id]]

    def task_id(self, part_id: str) -> str:
        """`task.id` of a phase or step."""
        return f"{self.id}-{part_id}"


class PipelineRun:
    """One run of a pipeline: `with` around its phases.

    Attributes:
        pipeline: what is run.
        block: the pipeline's own span.
    """

    def __init__(self, pipeline: Pipeline, overrides: Mapping[str, Override]) -> None:
        self.pipeline = pipeline
        self.block: TaskBlock
        self._overrides = overrides
        self._begun: dict[str, PhaseBlock] = {}
        self._not_started: dict[str, str] = {}
        self._outer: Token[Context] | None = None

    def __enter__(self) -> Self:
        pipeline = self.pipeline
        task = task_span(
            pipeline.id, title=pipeline.title, type="story", phase=OTHER_PHASE, project=pipeline.project_id
        )
        self.block = TaskBlock(task)
        self.block.enter()
        self._outer = context_api.attach(context_api.set_value(_RUN_KEY, self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        left = [phase for phase in self.pipeline.phases if phase.id not in self._begun]
        for phase in left:
            self._leave_out(phase)
        if self._outer is not None:
            context_api.detach(self._outer)
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        self.block.leave(error, unfinished=f"{left[0].id}{more} not run" if left else "")

    def phase(self, phase_id: str) -> PhaseBlock:
        """A phase of this run as a block.

        Raises:
            KeyError: there is no such phase.
        """
        return PhaseBlock(self.pipeline, self.pipeline.find(phase_id), self._overrides, self)

    def pass_phase(self, phase: Phase) -> None:
        """Run a phase with its gates, its steps and its work; raises what these raise."""
        block = PhaseBlock(self.pipeline, phase, self._overrides, self)
        with block as span:
            for step in phase.steps:
                block.step(step)
            if phase.run is not None:
                phase.run(span)

    def begin(self, block: PhaseBlock) -> None:
        """Let a phase begin.

        Raises:
            TaskStateError: it has begun already, or one that it depends on is not completed.
        """
        phase_id = block.phase.id
        if phase_id in self._begun:
            raise TaskStateError(f"phase {phase_id} has begun already in this run")
        for upstream in self.pipeline.upstream_of(phase_id):
            before = self._begun.get(upstream)
            if before is None:
                raise TaskStateError(f"phase {phase_id} cannot begin: {upstream} is not_started")
            if before.status != "completed":
                told = before.result()
                why = "".join(f"; {text}" for text in (told.reason, told.next_action) if text)
                raise TaskStateError(f"phase {phase_id} cannot begin: {upstream} is {told.status}{why}")
        self._begun[phase_id] = block

    def result(self, error: BaseException | None = None) -> PipelineResult:
        """What became of the run."""
        block = self.block
        return PipelineResult(
            id=self.pipeline.id,
            title=self.pipeline.title,
            status=block.task.status,
            trace_id=format_trace_id(block.span.get_span_context().trace_id),
            span_id=block.span_id,
            phases=tuple(self._result_of(phase) for phase in self.pipeline.phases),
            reason=block.reason,
            next_action=block.next_action,
            error=error or block.error,
        )

    def _result_of(self, phase: Phase) -> TaskResult:
        if phase.id in self._begun:
            return self._begun[phase.id].result()
        task_id = self.pipeline.task_id(phase.id)
        return TaskResult(phase.id, task_id, phase.name, "not_started", self._not_started.get(phase.id, ""))

    def _leave_out(self, phase: Phase) -> None:
        """Record that a phase was not begun, as a span of no length: see docs/decisions/0011-gates.md."""
        pipeline = self.pipeline
        said: dict[str, Any] = {
            PROJECT_ID: pipeline.project_id,
            TASK_ID: pipeline.task_id(phase.id),
            TASK_PARENT_ID: pipeline.id,
            TASK_PHASE: phase.name,
            TASK_STATUS: "not_started",
            TASK_TITLE: phase.title,
            TASK_TYPE: "task",
            TASK_ACCEPTANCE: phase.acceptance,
            TASK_DEPENDS_ON: pipeline.upstream_tasks(phase),
        }
        opened = start_span(said[TASK_ID], attributes={name: value for name, value in said.items() if value})
        self._not_started[phase.id] = format_span_id(opened.span.get_span_context().span_id)
        opened.end()


def _upstream(phases: Sequence[Phase]) -> dict[str, tuple[str, ...]]:
    """Which phases each one depends on; checks the ids on the way."""
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
