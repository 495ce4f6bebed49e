"""A task with all that is below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_agenttrace.model.task import Task
    from otel_agenttrace.workflow.task_book import TaskBook

MAX_TASKS = 1000
"""Tasks of one tree that are read; `TaskTree.left_out` counts the others that are known."""


@dataclass(frozen=True, slots=True)
class TaskTree:
    """A task and those below it.

    Attributes:
        task: the task.
        children: those right below it, by their start.
        left_out: how many of those there are besides.
    """

    task: Task
    children: tuple[TaskTree, ...] = ()
    left_out: int = 0


def read_tree(book: TaskBook, task: Task) -> TaskTree:
    """Read a task and those below it, the nearest first where there are too many."""
    children: dict[str, list[Task]] = {}
    left_out: dict[str, int] = {}
    waiting, room = [task], MAX_TASKS
    for above in waiting:
        found = book.children(above)
        children[above.record.span_id] = found[:room]
        left_out[above.record.span_id] = len(found[room:])
        waiting += found[:room]
        room -= len(found[:room])
    trees: dict[str, TaskTree] = {}
    for each in reversed(waiting):  # those below come first
        span_id = each.record.span_id
        below = tuple(trees[child.record.span_id] for child in children[span_id])
        trees[span_id] = TaskTree(each, below, left_out[span_id])
    return trees[task.record.span_id]
