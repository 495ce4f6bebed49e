"""Where a task of this process stands: what it is a part of, and what it depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan

from otel_agenttrace.errors import TaskStateError
from otel_agenttrace.instrument.faults import logger
from otel_agenttrace.instrument.inherited import with_inherited
from otel_agenttrace.instrument.task_lookup import find_task, known_tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.context import Context

    from otel_agenttrace.instrument.task_lookup import KnownTask

_MAX_TASKS = 10_000


def find_parent(task_id: str, parent_id: str | None, around_id: str | None) -> KnownTask | None:
    """Return the task that another one is to be a part of.

    Args:
        task_id: the task.
        parent_id: the one that was named; if it is not found, that is logged.
        around_id: where none was, the one whose block this is in. It may have ended: another thread goes on in it.

    Raises:
        TaskStateError: the one that was named has ended, or is the task itself.
    """
    if parent_id is None:
        around = None if around_id is None else known_tasks.find(around_id)
        return around if around is not None and around.is_open else None
    if parent_id == task_id:
        raise TaskStateError(f"task {task_id} cannot be its own parent")
    parent = find_task(parent_id)
    if parent is None:
        logger.warning("task %s: its parent %s is not found", task_id, parent_id)
    elif not parent.is_open:
        raise TaskStateError(f"task {parent.id}, the parent of {task_id}, has ended: it is {parent.status}")
    return parent


def find_dependencies(task_id: str, depends_on: Sequence[str], parent: KnownTask | None) -> list[KnownTask]:
    """Return the tasks that a task depends on, those that are found; that others are not is logged.

    Raises:
        TaskStateError: one of them waits for the task, or for one that it is a part of.
    """
    if task_id in depends_on:
        raise TaskStateError(f"task {task_id} cannot depend on itself")
    found = [task for each in depends_on if (task := find_task(each)) is not None]
    if len(found) < len(depends_on):
        unknown = ", ".join(sorted(set(depends_on) - {task.id for task in found}))
        logger.warning("task %s: what it depends on is not found: %s", task_id, unknown)
    above = {task_id}
    while parent is not None and parent.id not in above:
        above.add(parent.id)
        parent = None if parent.parent_id is None else known_tasks.find(parent.parent_id)
    waiting, seen = list(found), {task.id for task in found}
    while waiting and len(seen) <= _MAX_TASKS:
        task = waiting.pop()
        if task.is_open and (task.id in above or task_id in task.depends_on):
            raise TaskStateError(f"task {task_id} cannot depend on {task.id}: that waits for {task_id}")
        following = [each for each in known_tasks.waited_for(task) if each.id not in seen]
        seen.update(each.id for each in following)
        waiting += following
    return found


def below(parent: KnownTask, context: Context) -> Context:
    """The context that a task runs in which is a part of `parent`, wherever it is started.

    Args:
        parent: the task above.
        context: of the code that starts it, whose other values stay where `parent` has no context in this process.
    """
    if parent.context is not None:
        return parent.context
    if not parent.span_context.is_valid:
        return context
    return with_inherited(parent.attributes, trace.set_span_in_context(NonRecordingSpan(parent.span_context), context))
