"""A pipeline that was run, as lines: its phases as a tree with the verdicts of their gates, and where it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.views.lines import UNICODE, Glyphs, Line, Segment, Style, cut_line
from otel_agenttrace.views.text import wrap
from otel_agenttrace.views.units import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otel_agenttrace.model.gate import GateResult
    from otel_agenttrace.workflow.phases import PipelineResult
    from otel_agenttrace.workflow.task_block import TaskResult

STATUS_STYLES: Mapping[str, Style] = {
    "not_started": "dim",
    "in_progress": "running",
    "blocked": "error",
    "completed": "ok",
    "failed": "error",
    "cancelled": "dim",
}
_MAX_LINES_IN_TREE, _MAX_LINES = 2, 12
_LEAST_ROOM = 20


def format_pipeline(result: PipelineResult, *, width: int = 80, glyphs: Glyphs = UNICODE) -> list[Line]:
    """Return the tree of a pipeline that was run; then what it came to, or why it stopped and what to do."""
    lines: list[Line] = [(Segment(result.id, "heading"), Segment("  "), Segment(result.title, "name"))]
    for number, phase in enumerate(result.phases, start=1):
        is_last = number == len(result.phases)
        lines += _part_lines(phase, "", phase.phase, is_last=is_last, width=width, glyphs=glyphs)
    lines.append(())
    lines += _ending(result, width)
    return [cut_line(line, width, glyphs) for line in lines]


def _part_lines(
    part: TaskResult, guide: str, name: str, *, is_last: bool, width: int, glyphs: Glyphs
) -> Iterator[Line]:
    sign = glyphs.last if is_last else glyphs.branch
    head = (Segment(guide + sign, "dim"), Segment(f"{part.id} ", "heading"), *_named(name))
    yield (*head, Segment(part.status, STATUS_STYLES.get(part.status, "")))
    below = guide + ("   " if is_last else glyphs.pipe)
    of_steps = {id(gate) for step in part.steps for gate in step.gates}
    own = [gate for gate in part.gates if id(gate) not in of_steps]
    stem = below + (glyphs.pipe if part.steps else "   ")
    yield from _gate_lines(own, stem, width, glyphs)
    for number, step in enumerate(part.steps, start=1):
        yield from _part_lines(step, below, "", is_last=number == len(part.steps), width=width, glyphs=glyphs)


def _named(name: str) -> tuple[Segment, ...]:
    return (Segment(f"{name}  ", "name"),) if name else ()


def _gate_lines(gates: Sequence[GateResult], stem: str, width: int, glyphs: Glyphs) -> Iterator[Line]:
    passed = [gate for gate in gates if gate.result == "pass"]
    if passed:
        names = ", ".join(gate.gate_id for gate in passed)
        yield from _labelled(stem, "pass", "ok", names, width)
    for gate in gates:
        if gate.result == "pass":
            continue
        said = f"{gate.gate_id}: {gate.reason}"
        if gate.overridden_by is not None:
            said += f"; overridden by {gate.overridden_by}: {gate.override_reason}"
        style: Style = "error" if gate.blocks else "recovered"
        label = f"{glyphs.cross} {gate.result}" if gate.blocks else gate.result
        yield from _labelled(stem, label, style, said, width, most=_MAX_LINES_IN_TREE)


def _labelled(stem: str, label: str, style: Style, text: str, width: int, *, most: int = _MAX_LINES) -> Iterator[Line]:
    room = max(width - len(stem) - len(label) - 1, _LEAST_ROOM)
    first, *rest = wrap(text, room, most=most) or [""]
    yield Segment(stem, "dim"), Segment(label, style), Segment(f" {first}")
    for line in rest:
        yield Segment(stem, "dim"), Segment(" " * (len(label) + 1) + line)


def _ending(result: PipelineResult, width: int) -> Iterator[Line]:
    if result.is_completed:
        gates = counted(len(result.gates), "gate")
        yield Segment("complete", "ok"), Segment(f"  {counted(len(result.phases), 'phase')}, {gates}")
        return
    stopped = next((phase for phase in result.phases if phase.status == result.status), None)
    gate = next((each for each in reversed(stopped.gates) if each.blocks), None) if stopped is not None else None
    where = "" if stopped is None else f" at {stopped.id}"
    by = "" if gate is None else f" by {gate.gate_id}"
    yield Segment(result.status, "error"), Segment(where + by)
    for name, text in (("reason", result.reason), ("next action", result.next_action)):
        if text:
            yield from _labelled("  ", name.ljust(12), "dim", text, width)
