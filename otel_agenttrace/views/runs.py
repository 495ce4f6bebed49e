"""The spans of a trace by whose work they are: each run of an agent with its calls of models and tools."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otel_agenttrace.pipeline.repeats import repeated_calls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_agenttrace.model.tree import SpanNode
    from otel_agenttrace.pipeline.messages import Message
    from otel_agenttrace.views.rows import Row, TraceRows

_AGENT = "invoke_agent"


@dataclass(frozen=True, slots=True)
class Step:
    """A call of a model or a tool. `given` and `answered` are the messages of a model call."""

    row: Row
    given: tuple[Message, ...] = ()
    answered: tuple[Message, ...] = ()

    @property
    def is_tool_use(self) -> bool:
        """Whether it is a call of a tool, or of what finds documents."""
        return not self.row.said.is_model_call

    @property
    def start(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return self.row.span.start_time_unix_nano

    @property
    def end(self) -> int:
        """Nanoseconds since the Unix epoch; the start while it runs."""
        return max(self.row.span.end_time_unix_nano or 0, self.start)


@dataclass(slots=True, eq=False)
class Run:
    """An agent at work; or a tool that calls models, or the root of the trace, whatever it is.

    Attributes:
        above: the run that this one is a part of; None for what a tool does, which is a matter of its own.
        steps: by their start, without those of runs below.
        is_given, is_answered: whether its model calls, or agents that are parts of it, say what they were given and
            what they answered.
    """

    owner: Row
    above: Run | None = None
    steps: list[Step] = field(default_factory=list)
    is_given: bool = False
    is_answered: bool = False

    @property
    def title(self) -> str:
        """The agent's name, or the tool's, else the span's."""
        said = self.owner.said
        return (said.tool_name if said.is_tool_call else said.agent_name) or self.owner.span.name

    @property
    def is_agent(self) -> bool:
        """Whether it is an agent by its own account."""
        return self.owner.said.operation in (_AGENT, "invoke_workflow")

    @property
    def stands_in_for_input(self) -> bool:
        """Whether its own input is all that tells what its models were given."""
        return not self.is_given and not self._is_step

    @property
    def stands_in_for_output(self) -> bool:
        """Whether its own output is all that tells what its models answered."""
        return not self.is_answered and not self._is_step

    @property
    def _is_step(self) -> bool:
        return _is_step(self.owner)


def find_runs(rows: TraceRows) -> list[Run]:
    """Return the runs of a trace by their start. What belongs to no agent or tool belongs to the trace's root."""
    runs: dict[SpanNode, Run] = {rows.root.node: Run(rows.root)}
    owners: dict[SpanNode, Run] = {}
    steps = {row.node: _step(row) for row in rows.rows if _is_step(row)}
    told_elsewhere = _told_elsewhere(rows, steps) | repeated_calls(rows.tree)
    for row in rows.rows:
        node = row.node
        above = runs[rows.root.node] if node.parent is None else owners[node.parent]
        owners[node] = above
        if row.said.is_tool_call or row.said.operation == _AGENT:
            owners[node] = runs.setdefault(node, Run(row, None if row.said.is_tool_call else above))
        if node in steps and node not in told_elsewhere and not _repeats(row, above):
            above.steps.append(steps[node])
    for run in runs.values():
        run.steps.sort(key=lambda step: step.start)
    for run in reversed(runs.values()):  # parts come after what they are parts of
        _tell_upward(run)
    return sorted(runs.values(), key=lambda run: run.owner.span.start_time_unix_nano)


def _tell_upward(run: Run) -> None:
    run.is_given = run.is_given or any(step.given for step in run.steps)
    run.is_answered = run.is_answered or any(step.answered for step in run.steps)
    if run.above is not None:
        said = run.owner.said
        run.above.is_given |= run.is_given or bool(run.is_agent and (said.input_messages or said.input))
        run.above.is_answered |= run.is_answered or bool(run.is_agent and (said.output_messages or said.output))


def _step(row: Row) -> Step:
    if not row.said.is_model_call:
        return Step(row)
    return Step(row, row.said.input_messages, row.said.output_messages)


def _is_step(row: Row) -> bool:
    return row.said.is_model_call or row.said.is_tool_call or row.said.operation == "retrieval"


def _repeats(row: Row, run: Run) -> bool:
    """Whether the span is another one of the tool call that it stands in: MCP's client has its own."""
    said, owner = row.said, run.owner
    return said.is_tool_call and owner is not row and owner.said.is_tool_call and said.tool_name == owner.said.tool_name


def _told_elsewhere(rows: TraceRows, steps: Mapping[SpanNode, Step]) -> set[SpanNode]:
    """Of model calls around others, those that tell the same as others do: the outer ones, unless they tell more."""
    silent: set[SpanNode] = set()
    speakers: dict[SpanNode, list[Step]] = {}
    for row in reversed(rows.rows):  # within a tree, children first
        node = row.node
        below = speakers.pop(node, [])
        if row.said.is_model_call and _richness(steps[node]) > (False, 0):
            if len(below) == 1 and _richness(steps[node]) > _richness(below[0]):
                silent.add(below[0].row.node)
                below = []
            if below:
                silent.add(node)
            else:
                below = [steps[node]]
        if node.parent is not None and not row.said.is_tool_call:
            beside = speakers.setdefault(node.parent, [])
            beside += below[: 2 - len(beside)]  # whether there are several is all that counts
    return silent


def _richness(step: Step) -> tuple[bool, int]:
    return bool(step.answered), len(step.given) + len(step.answered)
