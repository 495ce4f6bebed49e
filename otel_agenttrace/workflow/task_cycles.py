"""Tasks that would wait for themselves: by what they depend on, and since a parent waits for its children."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.errors import TaskStateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_agenttrace.model.task import Task
    from otel_agenttrace.workflow.task_book import TaskBook

_MAX_TASKS = 10_000


def check_waits_for_itself(book: TaskBook, task_id: str, ancestors: Sequence[Task], dependency: Task | None) -> None:
    """Raise if a task that depended on another would end up waiting for itself.

    A task waits for those that it depends on and, to be completed, for those below it. So what a task depends on must
    lead neither to the task nor to one above it.

    Args:
        book: where tasks are looked up.
        task_id: the task.
        ancestors: the tasks above it.
        dependency: what it is to depend on; None is the task itself.

    Raises:
        TaskStateError: it would; names the way.
    """
    goals = {task_id, *(each.id for each in ancestors)}
    if dependency is None:
        raise TaskStateError(f"task {task_id} cannot depend on itself")
    before: dict[str, str] = {}
    waiting, seen = [dependency], {dependency.id}
    while waiting and len(seen) <= _MAX_TASKS:
        task = waiting.pop()
        if task.is_open and task.id in goals:
            raise TaskStateError(_message(task_id, dependency.id, _way_to(task.id, before, dependency.id)))
        for following in _waited_for(book, task):
            if following.id not in seen:
                seen.add(following.id)
                before[following.id] = task.id
                waiting.append(following)


def _waited_for(book: TaskBook, task: Task) -> Iterator[Task]:
    if not task.is_open:
        return  # it waits for nobody any more
    for each in task.depends_on:
        found = book.find(each)
        if found is not None:
            yield found
    yield from book.children(task)


def _way_to(task_id: str, before: dict[str, str], first: str) -> list[str]:
    way = [task_id]
    while way[-1] != first:
        way.append(before[way[-1]])
    return way[::-1]


def _message(task_id: str, dependency: str, way: Sequence[str]) -> str:
    if way == [dependency]:
        return f"task {task_id} cannot depend on {dependency}, which it is a part of: that waits for {task_id}"
    return f"task {task_id} cannot depend on {dependency}: that waits for {', which waits for '.join(way[1:])}" + (
        "" if way[-1] == task_id else f", which waits for {task_id}"
    )
