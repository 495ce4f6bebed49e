"""Pipeline: phases that run in order as task spans, each behind gates that really block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context as context_api
from opentelemetry.trace import Link, format_span_id, format_trace_id

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
from otel_agenttrace.workflow.pipeline_parts import check_parts, gates_of, upstream_of
from otel_agenttrace.workflow.task_block import TaskBlock, TaskResult
from otel_agenttrace.workflow.work import do_work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context import Context
    from opentelemetry.trace import SpanContext
    from typing_extensions import Self

    from otel_agenttrace.instrument.gates import Override

__all__ = ["Phase", "Pipeline", "PipelineResult", "PipelineRun", "Step", "TaskResult"]

_RUN_KEY = context_api.create_key("agenttrace-pipeline-run")


class Pipeline:
    """Phases in order, each of which runs only if what it depends on is completed.

    A pipeline may run many times, but in one process not twice at once: its tasks would have the same ids, and nobody
    could tell whose is whose.

    Args:
        id: `task.id` of the pipeline's span; those of phases and steps are `<pipeline id>-<their id>`.
        title: in a few words.
        phases: in the order in which they run.
        project_id: `project.id` of all spans; that of the span around, or as configured, unless given.

    Raises:
        ValueError: an id is empty or there twice, there is no phase, or one depends on what does not come before it.
        TypeError: what is to be a phase, step, gate or work is none.
    """

    def __init__(self, id: str, title: str, phases: Sequence[Phase], *, project_id: str | None = None) -> None:  # noqa: A002
        self.id = id
        self.title = title
        self.phases = tuple(phases)
        self.project_id = project_id
        check_parts(id, self.phases)
        self._upstream = upstream_of(self.phases)

    def run(
        self,
        *,
        overrides: Mapping[str, Override] | None = None,
        before_phase: Callable[[str], object] | None = None,
    ) -> PipelineResult:
        """Run the phases in order, up to the first that is not completed.

        The phase that a gate blocks becomes `blocked`, and so does the pipeline; also where the work catches the gate's
        error, or leaves a task below it blocked. One whose work raises becomes `failed` likewise. The phases after it
        stay `not_started`. What is raised stands in the result, and is not raised here.

        Args:
            overrides: by gate id; lets the work go on where that gate blocks.
            before_phase: called with the id of each phase before it begins; if it raises, the pipeline has failed.

        Raises:
            TaskStateError: the pipeline, or another one of its id, is running in this process; nothing has begun.
            KeyError: there is an override for a gate that no phase or step declares.
        """
        run = self.start(overrides=overrides)
        try:
            with run:
                for phase in self.phases:
                    if before_phase is not None:
                        before_phase(phase.id)
                    run.pass_phase(phase)
        except Exception as error:
            if not run.has_begun:
                raise
            return run.result(error)
        return run.result()

    def start(self, *, overrides: Mapping[str, Override] | None = None) -> PipelineRun:
        """A run whose phases you run yourself, with `with pipeline.start() as run:` and `with run.phase("S1"):`.

        Raises KeyError as `run` does; entering it, TaskStateError.
        """
        declared = {gate.id for phase in self.phases for gate in gates_of(phase)} if overrides else set()
        unknown = sorted(set(overrides or {}) - declared)
        if unknown:
            raise KeyError(f"pipeline {self.id} has no gate {unknown[0]} to override")
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
        has_begun: whether the run was entered.
    """

    def __init__(self, pipeline: Pipeline, overrides: Mapping[str, Override]) -> None:
        self.pipeline = pipeline
        self.block: TaskBlock
        self.has_begun = False
        self._overrides = overrides
        self._begun: dict[str, PhaseBlock] = {}
        self._not_started: dict[str, SpanContext] = {}
        self._outer: Token[Context] | None = None

    def __enter__(self) -> Self:
        if self.has_begun:
            raise TaskStateError(f"this run of pipeline {self.pipeline.id} has begun already: start another one")
        pipeline = self.pipeline
        task = task_span(
            pipeline.id, title=pipeline.title, type="story", phase=OTHER_PHASE, project=pipeline.project_id
        )
        block = TaskBlock(task)
        try:
            block.enter()
        except TaskStateError as error:
            raise TaskStateError(f"pipeline {pipeline.id} cannot run twice at once in one process: {error}") from None
        self.block, self.has_begun = block, True
        self._outer = context_api.attach(context_api.set_value(_RUN_KEY, self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for phase in self.pipeline.phases:
            if phase.id not in self._begun:
                self._leave_out(phase)
        if self._outer is not None:
            context_api.detach(self._outer)
        self.block.leave(error, unfinished=self._unfinished())

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
                do_work(phase.run, span)

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
        task_id, context = self.pipeline.task_id(phase.id), self._not_started.get(phase.id)
        span_id = "" if context is None else format_span_id(context.span_id)
        return TaskResult(phase.id, task_id, phase.name, "not_started", span_id)

    def _unfinished(self) -> str:
        """What is left of the run, in words; empty if every phase is completed."""
        left = [phase.id for phase in self.pipeline.phases if phase.id not in self._begun]
        if left:
            return f"{left[0]}{f' and {len(left) - 1} more' if len(left) > 1 else ''} not run"
        ended = (f"{phase_id} is {block.status}" for phase_id, block in self._begun.items() if not block.is_completed)
        return next(ended, "")

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
        links = [
            Link(context, {str(TASK_ID): pipeline.task_id(upstream)})
            for upstream in pipeline.upstream_of(phase.id)
            if (context := self._span_context(upstream)).is_valid
        ]
        attributes = {name: value for name, value in said.items() if value}
        opened = start_span(said[TASK_ID], attributes=attributes, links=links)
        self._not_started[phase.id] = opened.span.get_span_context()
        opened.end()

    def _span_context(self, phase_id: str) -> SpanContext:
        """That of a phase that has begun, or was left out."""
        begun = self._begun.get(phase_id)
        return self._not_started[phase_id] if begun is None else begun.block.span.get_span_context()
