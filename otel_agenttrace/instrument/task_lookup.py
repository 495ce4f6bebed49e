"""Which tasks this process knows, and where it asks for those of others."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.errors import TaskStateError
from otel_agenttrace.forks import call_in_children
from otel_agenttrace.instrument.faults import contained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import SpanContext

    from otel_agenttrace.model.record import AnyValue

_MAX_ENDED = 10_000


class KnownTask(NamedTuple):
    """What is known of a task.

    Attributes:
        id: the task.
        status: where it stands.
        is_open: whether its span has not ended.
        span_context: of its span; not valid where nobody records.
        depends_on: ids of tasks.
        parent_id: the task that it is a part of.
        context: what runs below it runs in; None for a task of another process.
        attributes: of its span, as far as they are inherited.
        reason: why it is blocked.
        next_action: what unblocks it.
    """

    id: str
    status: str
    is_open: bool
    span_context: SpanContext
    depends_on: tuple[str, ...] = ()
    parent_id: str | None = None
    context: Context | None = None
    attributes: Mapping[str, AnyValue] = {}
    reason: str = ""
    next_action: str = ""


class KnownTasks:
    """The tasks of this process, those that have ended too, the last 10,000 of them. Thread-safe."""

    def __init__(self) -> None:
        self._renew_lock()
        call_in_children(self._renew_lock)
        self._open: dict[str, KnownTask] = {}
        self._ended: OrderedDict[str, KnownTask] = OrderedDict()
        self._left_blocked: dict[str, dict[str, KnownTask]] = {}  # by the ids of their parents, while those are open

    def begin(self, task: KnownTask) -> None:
        """Take in a task that starts.

        Raises:
            TaskStateError: one of this id is open.
        """
        with self._lock:
            known = self._open.get(task.id)
            if known is not None:
                raise TaskStateError(f"task {task.id} is started already: it is {known.status}")
            self._open[task.id] = task

    def change(self, task: KnownTask) -> None:
        """Take note of what became of a task."""
        with self._lock:
            self._note_blocked(task)
            if task.is_open:
                self._open[task.id] = task
                return
            self._left_blocked.pop(task.id, None)
            self._open.pop(task.id, None)
            self._ended.pop(task.id, None)
            self._ended[task.id] = task._replace(context=None)
            if len(self._ended) > _MAX_ENDED:
                self._ended.popitem(last=False)

    def find(self, task_id: str) -> KnownTask | None:
        """Return the task of this id that is open, else the one that ended last."""
        return self._open.get(task_id) or self._ended.get(task_id)

    def open_below(self, task_id: str) -> list[KnownTask]:
        """Return the tasks right below one that are open."""
        return [task for task in tuple(self._open.values()) if task.parent_id == task_id]

    def left_blocked(self, task_id: str) -> list[KnownTask]:
        """Return the tasks right below an open one that ended blocked, and did not go on under the same id."""
        return list(self._left_blocked.get(task_id, {}).values())

    def waited_for(self, task: KnownTask) -> Iterator[KnownTask]:
        """Yield the tasks that an open one waits for: those that it depends on, and those below it."""
        if task.is_open:
            yield from (found for each in task.depends_on if (found := self.find(each)) is not None)
            yield from self.open_below(task.id)

    def _note_blocked(self, task: KnownTask) -> None:
        if task.parent_id is None or task.parent_id not in self._open:
            return
        below = self._left_blocked.setdefault(task.parent_id, {})
        below.pop(task.id, None)
        if task.status == "blocked" and not task.is_open:
            below[task.id] = task._replace(context=None)

    def _renew_lock(self) -> None:
        self._lock = threading.RLock()


known_tasks = KnownTasks()


class _Elsewhere:
    find: Callable[[str], KnownTask | None] | None = None


_elsewhere = _Elsewhere()


def use_task_finder(find: Callable[[str], KnownTask | None] | None) -> None:
    """Say who is asked for tasks of other processes; None for nobody."""
    _elsewhere.find = find


def find_task(task_id: str) -> KnownTask | None:
    """Return a task of this process or, where somebody can be asked, of another; never raises."""
    known = known_tasks.find(task_id)
    if known is not None or _elsewhere.find is None:
        return known
    with contained("look up a task"):
        return _elsewhere.find(task_id)
    return None
