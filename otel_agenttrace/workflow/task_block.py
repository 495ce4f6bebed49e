"""A block of work of a pipeline as a task, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opentelemetry import context as context_api
from opentelemetry.trace import format_span_id

from otel_agenttrace.errors import BlockedError, GateBlockedError, TaskBlockedError
from otel_agenttrace.instrument.checking import cut
from otel_agenttrace.instrument.faults import told
from otel_agenttrace.instrument.gates import keep_results
from otel_agenttrace.instrument.task_lookup import known_tasks

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from otel_agenttrace.instrument.tasks import TaskSpan
    from otel_agenttrace.model.gate import GateResult
    from otel_agenttrace.model.task import TaskStatus


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What became of a phase, or of a step of one.

    Attributes:
        id: as declared.
        task_id: `task.id` of its span.
        phase: `task.phase` of its span.
        status: where it stands at last.
        span_id: of its span, 16 hex digits; all zeros where nobody records.
        gates: every gate within it, those of its steps too, in the order in which they were passed.
        steps: what became of its steps.
        reason: why it is not completed.
        next_action: what unblocks it.
        error: what ended it.
    """

    id: str
    task_id: str
    phase: str
    status: TaskStatus
    span_id: str
    gates: tuple[GateResult, ...] = ()
    steps: tuple[TaskResult, ...] = ()
    reason: str = ""
    next_action: str = ""
    error: BaseException | None = field(default=None, compare=False)

    def to_json(self) -> dict[str, Any]:
        """The same as JSON can say it."""
        return {
            "id": self.id,
            "task_id": self.task_id,
            "phase": self.phase,
            "status": self.status,
            "span_id": self.span_id,
            "reason": self.reason,
            "next_action": self.next_action,
            "gates": [result.model_dump(mode="json") for result in self.gates],
            "steps": [step.to_json() for step in self.steps],
        }


class TaskBlock:
    """The span of a task that runs in a block, and what the block was left by.

    Attributes:
        task: the task.
        reason: why it is not completed.
        next_action: what unblocks it.
        error: what the block was left by.
        results: what its gates found, and those of the blocks within it.
    """

    def __init__(self, task: TaskSpan, within: TaskBlock | None = None) -> None:
        self.task = task
        self.reason = self.next_action = ""
        self.error: BaseException | None = None
        self.results: list[GateResult] = []
        self._blocked: TaskBlock | None = None
        self._within = within
        self._outer: Token[Context] | None = None

    @property
    def span(self) -> Span:
        """The task's span."""
        return self.task.span

    @property
    def span_id(self) -> str:
        """Its id, 16 hex digits."""
        return format_span_id(self.span.get_span_context().span_id)

    def enter(self) -> Span:
        """Begin the task; raises what `task_span` raises."""
        self.task.__enter__()
        self._outer = context_api.attach(keep_results(self.results, context_api.get_current()))
        return self.span

    def leave(self, error: BaseException | None, *, unfinished: str = "") -> None:
        """End the task with the status that follows from `error`.

        A gate that blocks makes the task `blocked`: on the task within it that it blocked, if there is one. So does a
        task below it that was left blocked. Else a text that says what is `unfinished` makes it `cancelled`.

        Raises:
            ContractError: see `task_span`.
        """
        if self._outer is not None:
            context_api.detach(self._outer)
        self.error = error
        if isinstance(error, BlockedError):
            self._block(error)
        elif error is not None:
            self.reason = cut(told(error))
        elif unfinished and not known_tasks.left_blocked(self.task.id):
            self.reason = unfinished
            self.task.cancel(unfinished)
        if self._within is not None:
            self._within.take_over(self)
        self.task.__exit__(None if error is None else type(error), error, None)
        if error is None and self.task.status == "blocked":
            self.reason, self.next_action = self.task.reason, self.task.next_action

    def check_may_go_on(self) -> None:
        """Look at what the work has left behind, whatever exceptions it caught.

        Raises:
            GateBlockedError: a gate in it blocks, and did not pass or was not overridden since.
            TaskBlockedError: a task below was left blocked.
        """
        for result in {each.gate_id: each for each in self.results}.values():
            if result.blocks:
                raise GateBlockedError(result)
        for task in known_tasks.left_blocked(self.task.id):
            raise TaskBlockedError(task.id, task.reason, task.next_action)

    def take_over(self, inner: TaskBlock) -> None:
        """Note what became of a block within this one."""
        self.results += inner.results
        if inner.task.status == "blocked":
            self._blocked = inner

    def _block(self, error: BlockedError) -> None:
        self.reason, self.next_action = error.reason, error.next_action
        inner = self._blocked if self._blocked is not None and self._blocked.error is error else None
        if self.task.status == "in_progress":
            self.task.block(self.reason, self.next_action, on=error.blocked_on if inner is None else inner.span_id)
