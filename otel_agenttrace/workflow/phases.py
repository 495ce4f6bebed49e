"""What a pipeline is made of, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from otel_agenttrace.errors import TaskStateError
from otel_agenttrace.model.task import OTHER_PHASE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from opentelemetry.trace import Span

    from otel_agenttrace.instrument.gates import Gate
    from otel_agenttrace.model.gate import GateResult
    from otel_agenttrace.model.task import TaskStatus
    from otel_agenttrace.workflow.task_block import TaskResult

    Work: TypeAlias = Callable[[Span], object]
    """Work of a phase or step; gets its span, to say on it what was measured and made. What it returns is awaited if it
    can be, and of no other account."""


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a phase, as a task span of its own within that of the phase.

    Attributes:
        id: within the pipeline, e.g. `S3-C1`.
        run: does the work.
        title: in a few words.
        gates: passed once the work is done.
        attributes: that its span starts with.
    """

    id: str
    run: Work | None = None
    title: str = ""
    gates: Sequence[Gate] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of a pipeline.

    Attributes:
        id: within the pipeline, e.g. `S3`.
        name: its `task.phase`, e.g. `CONTRACT_INTEGRITY`.
        run: the phase's own work, begun once its steps are done.
        entry: gates to pass before anything else.
        exit: gates to pass once the work is done.
        steps: its parts, in order.
        title: in a few words.
        acceptance: what must hold for the phase to count as done.
        depends_on: ids of phases that must be completed first; the phase before this one unless given.
        attributes: that its span starts with.
    """

    id: str
    name: str = OTHER_PHASE
    run: Work | None = None
    entry: Sequence[Gate] = ()
    exit: Sequence[Gate] = ()
    steps: Sequence[Step] = ()
    title: str = ""
    acceptance: str = ""
    depends_on: Sequence[str] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PipelineResult:
    """What became of a pipeline.

    Attributes:
        id: `task.id` of its span.
        status: completed, blocked or failed.
        trace_id: of its spans, 32 hex digits; all zeros where nobody records.
        span_id: of its own span.
        phases: all of them, in order.
        reason: why it is not completed.
        next_action: what unblocks it.
        error: what ended it.
    """

    id: str
    title: str
    status: TaskStatus
    trace_id: str
    span_id: str
    phases: tuple[TaskResult, ...]
    reason: str = ""
    next_action: str = ""
    error: BaseException | None = field(default=None, compare=False)

    @property
    def is_completed(self) -> bool:
        """Whether every phase was."""
        return self.status == "completed"

    @property
    def blocked_at(self) -> TaskResult | None:
        """The phase that a gate has blocked."""
        return next((phase for phase in self.phases if phase.status == "blocked"), None)

    @property
    def gates(self) -> tuple[GateResult, ...]:
        """Every gate, in the order in which they were passed."""
        return tuple(result for phase in self.phases for result in phase.gates)

    def raise_unless_completed(self) -> None:
        """Raise what ended the pipeline, if it is not completed.

        Raises:
            GateBlockedError: a gate has blocked it.
            TaskBlockedError: a task below one of its phases was left blocked.
            TaskStateError: it was run by hand, and not all of it.
            Exception: whatever the work of a phase has raised.
        """
        if self.error is not None:
            raise self.error
        if not self.is_completed:
            raise TaskStateError(f"pipeline {self.id} is {self.status}: {self.reason}")

    def to_json(self) -> dict[str, Any]:
        """The same as JSON can say it."""
        return {
            "id": self.id,
            "title": self.title,
            "status": self.status,
            "trace_id": self.trace_id,
            "span_id": self.span_id,
            "reason": self.reason,
            "next_action": self.next_action,
            "phases": [phase.to_json() for phase in self.phases],
        }
