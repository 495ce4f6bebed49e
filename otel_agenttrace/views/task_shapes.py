"""Tasks as plain JSON values: what `agenttrace task` prints with `--json`. As `shapes` promises, names are stable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.contract.attributes import PROJECT_ID
from otel_agenttrace.model.plain import plain_value
from otel_agenttrace.model.record import OUTLIVES_PROCESS, REVISION
from otel_agenttrace.model.times import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from otel_agenttrace.model.task import Task

    class TaskTree(Protocol):
        """A task and those below it."""

        @property
        def task(self) -> Task:
            """The task."""

        @property
        def children(self) -> Sequence[TaskTree]:
            """Those right below it."""

        @property
        def left_out(self) -> int:
            """How many of those there are besides."""


_OWN = ("task.", "agenttrace.")


def task_shape(task: Task) -> dict[str, Any]:
    """One task: what `task start`, `update`, ... print, and one item of `task list`."""
    span = task.record
    revision = span.attributes.get(REVISION)
    duration = span.duration_nano
    return {
        "task_id": task.id,
        "parent_id": task.parent_id or None,
        "project_id": task.project_id or None,
        "title": task.title or None,
        "type": task.type or None,
        "phase": task.phase or None,
        "status": task.status,
        "acceptance": task.acceptance or None,
        "depends_on": list(task.depends_on),
        "blocked_reason": task.blocked_reason or None,
        "next_action": task.next_action or None,
        "blocked_on": task.blocked_on or None,
        "ended_reason": task.ended_reason or None,
        "is_open": task.is_open,
        "is_abandoned": task.is_abandoned,
        "driven_by": "commands" if span.attributes.get(OUTLIVES_PROCESS) is True else "process",
        "started_at": to_rfc3339(span.start_time_unix_nano),
        "ended_at": None if span.end_time_unix_nano is None else to_rfc3339(span.end_time_unix_nano),
        "duration_ms": None if duration is None else duration / 1e6,
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "traceparent": f"00-{span.trace_id}-{span.span_id}-{span.flags & 0xFF:02x}",
        "revision": revision if isinstance(revision, int) else 0,
        "attributes": {
            name: plain_value(value)
            for name, value in span.attributes.items()
            if not name.startswith(_OWN) and name != PROJECT_ID
        },
        "comments": [
            {"text": each.text, "author": each.author or None, "at": to_rfc3339(each.time_unix_nano)}
            for each in task.comments
        ],
    }


def task_tree_shape(tree: TaskTree) -> dict[str, Any]:
    """`task show`: a task, and those below it."""
    return {
        **task_shape(tree.task),
        "children": [task_tree_shape(child) for child in tree.children],
        "children_left_out": tree.left_out,
    }
