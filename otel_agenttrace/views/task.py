"""Tasks as lines: a list as a table, one with what is below it as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.views.lines import UNICODE, Glyphs, Line, Segment, Style, cut_line
from otel_agenttrace.views.table import Cell, Column, format_table
from otel_agenttrace.views.text import one_line, wrap
from otel_agenttrace.views.units import counted, format_duration, format_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otel_agenttrace.model.task import Task
    from otel_agenttrace.views.task_shapes import TaskTree

_STYLES: Mapping[str, Style] = {
    "not_started": "dim",
    "in_progress": "running",
    "blocked": "recovered",
    "completed": "ok",
    "failed": "error",
    "cancelled": "dim",
    "abandoned": "error",
}
_MAX_LEVELS = 10
_MAX_LINES = 4


def format_task_list(tasks: Sequence[Task], *, width: int = 80, glyphs: Glyphs = UNICODE) -> list[Line]:
    """Return a heading and a line per task."""
    columns = (
        Column("TASK", whole=True),
        Column("STATUS"),
        Column("PHASE", most=24),
        Column("TIME", right=True),
        Column("TITLE", share=True),
    )
    rows = [
        (
            Cell(task.id, "heading"),
            _standing(task),
            Cell(task.phase, "dim"),
            Cell(_duration(task, glyphs)),
            Cell(f" {glyphs.dot} ".join(filter(None, (task.title, _said(task)))), "name"),
        )
        for task in tasks
    ]
    return format_table(columns, rows, width=width, glyphs=glyphs)


def task_line(task: Task, *, width: int = 80, glyphs: Glyphs = UNICODE) -> Line:
    """Return a task as one line: id, status, title; why it is blocked or has ended."""
    return cut_line((*_head(task), *_told(task, glyphs)), width, glyphs)


def format_task(tree: TaskTree, *, width: int = 80, glyphs: Glyphs = UNICODE) -> list[Line]:
    """Return what is known of a task, and the tasks below it as a tree."""
    task = tree.task
    lines: list[Line] = [(*_head(task),)]
    names = [name for name, _ in _details(task)]
    indent = max(map(len, names), default=0) + 4
    for name, text in _details(task):
        first, *rest = wrap(text, max(width - indent, 20), most=_MAX_LINES) or [""]
        lines.append((Segment(f"  {name.ljust(indent - 2)}", "dim"), Segment(first)))
        lines.extend((Segment(" " * indent), Segment(each)) for each in rest)
    for comment in task.comments:
        said = f"{comment.author}: {comment.text}" if comment.author else comment.text
        lines.append((Segment(f"  {format_time(comment.time_unix_nano)}  ", "dim"), Segment(one_line(said))))
    if tree.children:
        lines.append(())
        lines.extend(_tree_lines(tree, "", glyphs, 0))
    return [cut_line(line, width, glyphs) for line in lines]


def _tree_lines(tree: TaskTree, guide: str, glyphs: Glyphs, level: int) -> Iterator[Line]:
    if level == 0:
        yield (*_head(tree.task), *_took(tree.task, glyphs), *_told(tree.task, glyphs))
    for number, child in enumerate(tree.children, start=1):
        is_last = number == len(tree.children) and not tree.left_out
        sign = glyphs.last if is_last else glyphs.branch
        yield (
            Segment(guide + sign, "dim"),
            *_head(child.task),
            *_took(child.task, glyphs),
            *_told(child.task, glyphs),
        )
        if level < _MAX_LEVELS:
            yield from _tree_lines(child, guide + ("   " if is_last else glyphs.pipe), glyphs, level + 1)
        elif child.children:
            yield (Segment(guide + "   ", "dim"), Segment(counted(len(child.children), "task") + " below", "dim"))
    if tree.left_out:
        yield (Segment(guide + glyphs.last, "dim"), Segment(f"{tree.left_out} more", "dim"))


def _head(task: Task) -> tuple[Segment, ...]:
    head = (Segment(task.id, "heading"), Segment("  "), Segment(task.standing, _STYLES.get(task.standing, "")))
    return (*head, Segment("  "), Segment(one_line(task.title), "name")) if task.title else head


def _told(task: Task, glyphs: Glyphs) -> tuple[Segment, ...]:
    said = _said(task)
    return (Segment(f" {glyphs.dot} {said}", "dim"),) if said else ()


def _took(task: Task, glyphs: Glyphs) -> tuple[Segment, ...]:
    text = _duration(task, glyphs)
    return (Segment("  "), Segment(text, "dim")) if text else ()


def _said(task: Task) -> str:
    """Why the task is where it is."""
    if task.standing == "blocked":
        on = f" (on {task.blocked_on})" if task.blocked_on else ""
        return one_line(f"{task.blocked_reason}{on}")
    return one_line(task.ended_reason) if not task.is_open else ""


def _duration(task: Task, glyphs: Glyphs) -> str:
    duration = task.record.duration_nano
    return glyphs.running if duration is None else format_duration(duration)


def _standing(task: Task) -> Cell:
    return Cell(task.standing, _STYLES.get(task.standing, ""))


def _details(task: Task) -> Iterator[tuple[str, str]]:
    span = task.record
    end = span.end_time_unix_nano
    said = {
        "type": task.type,
        "phase": task.phase,
        "project": task.project_id,
        "parent": task.parent_id,
        "depends on": ", ".join(task.depends_on),
        "acceptance": task.acceptance,
        "blocked by": task.blocked_reason,
        "waits for": task.blocked_on,
        "next action": task.next_action,
        "reason": task.ended_reason,
        "started": f"{format_time(span.start_time_unix_nano)} UTC",
        "ended": ""
        if end is None
        else f"{format_time(end)} UTC, after {format_duration(end - span.start_time_unix_nano)}",
        "trace": span.trace_id,
        "span": span.span_id,
    }
    for name, text in said.items():
        if text:
            yield name, one_line(text)
    for name, value in sorted(span.attributes.items()):
        if name.startswith(("input.", "quality.", "routing.", "output.")):
            yield name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)
