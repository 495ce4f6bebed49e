"""TaskBoard: tasks that are driven from outside, by one short process after the other."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Protocol

from otel_agenttrace.errors import TaskNotFoundError, TaskStateError
from otel_agenttrace.instrument.ids import TimeOrderedIdGenerator
from otel_agenttrace.model.task import END_STATUSES, task_of
from otel_agenttrace.views.units import counted
from otel_agenttrace.workflow import task_changes
from otel_agenttrace.workflow.task_cycles import check_waits_for_itself
from otel_agenttrace.workflow.task_drafts import TaskFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from otel_agenttrace.model.record import ResourceRecord, ScopeRecord, SpanRecord
    from otel_agenttrace.model.task import EndStatus, OpenStatus, Task
    from otel_agenttrace.workflow.task_book import TaskBook
    from otel_agenttrace.workflow.task_drafts import TaskDraft

_SPAN_ID = re.compile("[0-9a-f]{16}", re.ASCII)
_MAX_NAMED = 5
_NOTHING = TaskFacts()


class TaskPlace(Protocol):
    """Where the tasks of one store are read and written.

    Attributes:
        resource: who starts tasks here.
        scope: the instrumentation scope.
    """

    @property
    def resource(self) -> ResourceRecord:
        """See above."""

    @property
    def scope(self) -> ScopeRecord:
        """See above."""

    @property
    def project_id(self) -> str:
        """`project.id` of tasks that have no other."""

    def changing(self) -> AbstractContextManager[TaskBook]:
        """Read the tasks, and keep everybody else from changing them until the block is left."""

    def write(self, record: SpanRecord) -> SpanRecord:
        """Keep a version of a task span, and return it as it is kept; it survives the process."""

    def check(self, facts: TaskFacts) -> None:
        """Raise ContractError for values that break the contract."""


class TaskBoard:
    """Starts, changes and ends tasks, each call as one step that nobody else's comes in between of.

    A task is one span: each call but `start` writes a further version of it. Nothing but `complete`, `fail` and
    `cancel` ends it, and no call changes another task than its own.

    Args:
        place: where tasks are read and written.
        clock: unix nanoseconds.
    """

    def __init__(self, place: TaskPlace, clock: Callable[[], int] = time.time_ns) -> None:
        self._place = place
        self._clock = clock
        self._ids = TimeOrderedIdGenerator()

    def start(self, draft: TaskDraft, *, again: bool = False) -> Task:
        """Start a task.

        Args:
            draft: what is said of it.
            again: a task of the same id that has ended does not matter.

        Raises:
            TaskStateError: it is started already, its parent has ended, or it would wait for itself.
            TaskNotFoundError: its parent, or a task that it depends on, is not there.
            ContractError: a value is not accepted.
        """
        self._place.check(draft)
        with self._place.changing() as book:
            _check_is_new(book.find(draft.id), again=again)
            parent = None if draft.parent_id is None else self._parent(book, draft)
            dependencies = _dependencies(book, draft.id, draft, ancestors=_upward(book, parent))
            record = task_changes.started(
                draft,
                parent,
                dependencies,
                default_project=self._place.project_id,
                trace_id=f"{self._ids.generate_trace_id():032x}",
                span_id=f"{self._ids.generate_span_id():016x}",
                now=self._clock(),
                resource=self._place.resource,
                scope=self._place.scope,
            )
            return self._written(record)

    def update(self, task_id: str, facts: TaskFacts, *, status: OpenStatus | None = None) -> Task:
        """Say more of a task; dependencies are added to those that it has.

        Raises:
            TaskNotFoundError: it, or a task that it is to depend on, is not there.
            TaskStateError: it has ended, is not driven by commands, may not go to `status`, or would wait for itself.
            ContractError: a value is not accepted.
        """
        self._place.check(facts)
        with self._place.changing() as book:
            task = _changeable(book, task_id)
            dependencies = _dependencies(book, task_id, facts, ancestors=_upward(book, _above(book, task)))
            return self._written(task_changes.updated(task, facts, dependencies, now=self._clock(), status=status))

    def block(self, task_id: str, reason: str, next_action: str, *, on: str | None = None) -> Task:
        """A task cannot go on.

        Args:
            task_id: the task.
            reason: why; not empty.
            next_action: what unblocks it; not empty.
            on: what it waits for: another task's id, or a span id of 16 hex digits.

        Raises:
            TaskNotFoundError: the task, or the one that it waits for, is not there.
            TaskStateError: a text is empty, or see `update`.
        """
        if not reason.strip() or not next_action.strip():
            raise TaskStateError(f"task {task_id} cannot be blocked without a reason and a next action")
        with self._place.changing() as book:
            task = _changeable(book, task_id)
            if on is not None:
                _check_blocker(book, task_id, on)
            return self._written(task_changes.blocked(task, reason, next_action, now=self._clock(), on=on))

    def unblock(self, task_id: str) -> Task:
        """A blocked task goes on.

        Raises:
            TaskNotFoundError: it is not there.
            TaskStateError: it is not blocked, or see `update`.
        """
        with self._place.changing() as book:
            task = _changeable(book, task_id)
            if task.status != "blocked":
                raise TaskStateError(f"task {task_id} is {task.status}, not blocked")
            return self._written(task_changes.unblocked(task, now=self._clock()))

    def complete(self, task_id: str, facts: TaskFacts = _NOTHING) -> Task:
        """A task is done; `facts` are what is still to be said of it.

        Raises:
            TaskNotFoundError: it is not there.
            TaskStateError: a task below it is open, it is blocked, or see `update`.
            ContractError: a value is not accepted.
        """
        return self._end(task_id, "completed", facts)

    def fail(self, task_id: str, reason: str, facts: TaskFacts = _NOTHING) -> Task:
        """A task is given up after an error; those below it stay as they are. Raises as `complete` does."""
        return self._end(task_id, "failed", facts, reason)

    def cancel(self, task_id: str, reason: str = "", facts: TaskFacts = _NOTHING) -> Task:
        """A task is given up on purpose; those below it stay as they are. Raises as `complete` does."""
        return self._end(task_id, "cancelled", facts, reason)

    def comment(self, task_id: str, text: str, author: str = "") -> Task:
        """Say something of a task.

        Raises:
            TaskNotFoundError: it is not there.
            TaskStateError: the text is empty, or see `update`.
        """
        if not text.strip():
            raise TaskStateError("a comment without a text says nothing")
        with self._place.changing() as book:
            task = _changeable(book, task_id)
            return self._written(task_changes.commented(task, text, author, now=self._clock()))

    def _end(self, task_id: str, status: EndStatus, facts: TaskFacts, reason: str = "") -> Task:
        self._place.check(facts)
        with self._place.changing() as book:
            task = _changeable(book, task_id, wanted=status)
            if status == "completed":
                _check_children(task, book.children(task))
            return self._written(task_changes.ended(task, status, facts, now=self._clock(), reason=reason))

    def _parent(self, book: TaskBook, draft: TaskDraft) -> Task:
        parent = book.find(str(draft.parent_id))
        if draft.parent_id == draft.id:
            raise TaskStateError(f"task {draft.id} cannot be its own parent")
        if parent is None:
            raise TaskNotFoundError(
                f"there is no task {draft.parent_id} to be the parent of {draft.id}: start it first"
            )
        if not parent.is_open:
            raise TaskStateError(f"task {parent.id}, the parent of {draft.id}, has ended: it is {parent.standing}")
        return parent

    def _written(self, record: SpanRecord) -> Task:
        task = task_of(self._place.write(record))
        assert task is not None  # noqa: S101 - it was one before
        return task


def _check_is_new(task: Task | None, *, again: bool) -> None:
    if task is None or (again and not task.is_open):
        return
    if task.is_open:
        raise TaskStateError(f"task {task.id} is started already: it is {task.standing}")
    raise TaskStateError(f"task {task.id} has ended already: it is {task.standing}; --again starts another of its id")


def _changeable(book: TaskBook, task_id: str, *, wanted: EndStatus | None = None) -> Task:
    """The task, if commands may change it."""
    task = book.get(task_id)
    if task.is_abandoned:
        raise TaskStateError(f"task {task_id} is abandoned: its process died with it; --again starts another of its id")
    if not task.is_open:
        because = f" ({task.ended_reason})" if task.ended_reason else ""
        if task.status == wanted or task.status not in END_STATUSES:
            raise TaskStateError(f"task {task_id} is {task.status} and has ended already{because}")
        raise TaskStateError(f"task {task_id} has ended: it is {task.status}{because}, and nothing changes it any more")
    if not task.is_driven_by_commands:
        name = task.record.resource.service_name or "a program"
        raise TaskStateError(f"task {task_id} is driven by the process that started it ({name}), not by commands")
    return task


def _check_children(task: Task, children: Sequence[Task]) -> None:
    """Of several with one id the last counts; one that a program left blocked is not done, though its span ended."""
    last = {child.id: child for child in children}
    undone = [child for child in last.values() if child.is_open or child.standing == "blocked"]
    if not undone:
        return
    named = ", ".join(f"{child.id} ({child.status})" for child in undone[:_MAX_NAMED])
    more = f" and {len(undone) - _MAX_NAMED} more" if len(undone) > _MAX_NAMED else ""
    what = counted(len(undone), "task")
    raise TaskStateError(f"task {task.id} cannot be completed before {what} below it: {named}{more}")


def _check_blocker(book: TaskBook, task_id: str, on: str) -> None:
    if on == task_id:
        raise TaskStateError(f"task {task_id} cannot be blocked by itself")
    if book.find(on) is None and _SPAN_ID.fullmatch(on) is None:
        raise TaskNotFoundError(f"there is no task {on} to wait for; a span is named by its 16 hex digits")


def _dependencies(book: TaskBook, task_id: str, facts: TaskFacts, ancestors: Sequence[Task]) -> list[Task]:
    found = []
    for each in dict.fromkeys(facts.depends_on):
        task = None if each == task_id else book.find(each)
        if task is None and each != task_id:
            raise TaskNotFoundError(f"there is no task {each} for {task_id} to depend on: start it first")
        check_waits_for_itself(book, task_id, ancestors, task)
        if task is not None:
            found.append(task)
    return found


def _above(book: TaskBook, task: Task) -> Task | None:
    parent = book.find(task.parent_id) if task.parent_id else None
    return parent if parent is not None and parent.record.span_id == task.record.parent_span_id else None


def _upward(book: TaskBook, parent: Task | None) -> list[Task]:
    """A task and those above it, nearest first."""
    found: list[Task] = []
    while parent is not None and all(parent.id != each.id for each in found):
        found.append(parent)
        parent = _above(book, parent)
    return found
