"""Task: what a task span says, and which status may follow which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from otel_agenttrace.contract.attributes import (
    EVENT_TASK_COMMENT,
    PROJECT_ID,
    TASK_ACCEPTANCE,
    TASK_BLOCKED_ON_SPAN_ID,
    TASK_BLOCKED_REASON,
    TASK_COMMENT_AUTHOR,
    TASK_COMMENT_TEXT,
    TASK_DEPENDS_ON,
    TASK_ENDED_REASON,
    TASK_ID,
    TASK_NEXT_ACTION,
    TASK_PARENT_ID,
    TASK_PHASE,
    TASK_STATUS,
    TASK_TITLE,
    TASK_TYPE,
)
from otel_agenttrace.errors import TaskStateError
from otel_agenttrace.model.record import ENDED_BY, OUTLIVES_PROCESS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_agenttrace.model.record import AnyValue, SpanRecord

TaskStatus: TypeAlias = Literal["not_started", "in_progress", "blocked", "completed", "failed", "cancelled"]
OpenStatus: TypeAlias = Literal["not_started", "in_progress"]
EndStatus: TypeAlias = Literal["completed", "failed", "cancelled"]

TASK_STATUSES: tuple[TaskStatus, ...] = get_args(TaskStatus)
END_STATUSES: tuple[EndStatus, ...] = get_args(EndStatus)
OTHER_PHASE = "OTHER"
"""The phase of a task that names none, and has none above it."""

_FOLLOWING: Mapping[str, frozenset[str]] = {
    "not_started": frozenset({"in_progress", "blocked", "failed", "cancelled"}),
    "in_progress": frozenset({"blocked", "completed", "failed", "cancelled"}),
    "blocked": frozenset({"blocked", "in_progress", "failed", "cancelled"}),
}


def may_follow(status: str, wanted: TaskStatus) -> bool:
    """Whether a task that stands at `status` may go to `wanted`."""
    return wanted in _FOLLOWING.get(status, ())


def check_transition(task_id: str, status: str, wanted: TaskStatus, *, reason: str = "") -> None:
    """Raise what keeps a task from going from one status to another.

    Args:
        task_id: the task.
        status: where it stands.
        wanted: where it is to go.
        reason: why it stands there, if that is known.

    Raises:
        TaskStateError: it may not go there.
    """
    if may_follow(status, wanted):
        return
    because = f" ({reason})" if reason else ""
    if status in END_STATUSES:
        again = " already" if status == wanted else f", it cannot be {wanted} any more"
        raise TaskStateError(f"task {task_id} is {status}{again}{because}")
    if wanted == "completed":
        first = "unblock it first" if status == "blocked" else "set it in_progress first"
        raise TaskStateError(f"task {task_id} is {status}{because}: {first}")
    if wanted == status:
        raise TaskStateError(f"task {task_id} is {status} already")
    raise TaskStateError(f"task {task_id} is {status} and cannot go back to {wanted}")


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said of a task; `time_unix_nano` is nanoseconds since the Unix epoch."""

    text: str
    author: str
    time_unix_nano: int


@dataclass(frozen=True, slots=True)
class Task:
    """A task span, read; texts that are not there are empty.

    Attributes:
        record: the span.
        status: as the span says, one of `TASK_STATUSES` unless somebody else wrote it.
        blocked_on: what a blocked task waits for: a task id or a span id.
        ended_reason: why it failed or was cancelled.
    """

    record: SpanRecord
    id: str
    status: str
    parent_id: str
    project_id: str
    title: str
    type: str
    phase: str
    acceptance: str
    depends_on: tuple[str, ...]
    blocked_reason: str
    next_action: str
    blocked_on: str
    ended_reason: str

    @property
    def is_open(self) -> bool:
        """Whether its span has not ended."""
        return self.record.end_time_unix_nano is None

    @property
    def is_abandoned(self) -> bool:
        """Whether its process died with it."""
        return not self.is_open and ENDED_BY in self.record.attributes

    @property
    def is_driven_by_commands(self) -> bool:
        """Whether it outlives the processes that write it, so that any command may change it."""
        return self.record.attributes.get(OUTLIVES_PROCESS) is True

    @property
    def standing(self) -> str:
        """The status, or `abandoned`: of such a task, the status says only where it stood last."""
        return "abandoned" if self.is_abandoned else self.status

    @property
    def comments(self) -> tuple[Comment, ...]:
        """What was said of it, oldest first."""
        return tuple(
            Comment(
                _text(event.attributes, TASK_COMMENT_TEXT),
                _text(event.attributes, TASK_COMMENT_AUTHOR),
                event.time_unix_nano,
            )
            for event in self.record.events
            if event.name == EVENT_TASK_COMMENT
        )


def task_of(record: SpanRecord) -> Task | None:
    """The task that a span is; None if it is none, or has no id."""
    attributes = record.attributes
    task_id, status = _text(attributes, TASK_ID), _text(attributes, TASK_STATUS)
    if not task_id or not status:
        return None
    # A span cannot lose an attribute through OTel's API: one that was unblocked still has these.
    blocked: Mapping[str, AnyValue] = attributes if status == "blocked" else {}
    return Task(
        record,
        id=task_id,
        status=status,
        parent_id=_text(attributes, TASK_PARENT_ID),
        project_id=_text(attributes, PROJECT_ID),
        title=_text(attributes, TASK_TITLE),
        type=_text(attributes, TASK_TYPE),
        phase=_text(attributes, TASK_PHASE),
        acceptance=_text(attributes, TASK_ACCEPTANCE),
        depends_on=_texts(attributes.get(TASK_DEPENDS_ON)),
        blocked_reason=_text(blocked, TASK_BLOCKED_REASON),
        next_action=_text(blocked, TASK_NEXT_ACTION),
        blocked_on=_text(blocked, TASK_BLOCKED_ON_SPAN_ID),
        ended_reason=_text(attributes, TASK_ENDED_REASON),
    )


def _text(attributes: Mapping[str, AnyValue], name: str) -> str:
    value = attributes.get(name)
    return value if isinstance(value, str) else ""


def _texts(value: AnyValue) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
