"""The steps of a trace: its calls of models and tools, each once, however many spans tell of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.repeats import repeated_calls

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.tree import SpanNode, SpanTree
    from otel_agenttrace.pipeline.canonical import Canonical

_AGENT_OPERATIONS = ("invoke_agent", "invoke_workflow")


@dataclass(frozen=True, slots=True)
class Step:
    """A call of a model or a tool.

    Attributes:
        node: the span in its tree.
        said: its canonical fields.
        agent: the span of the agent that it was made by: the nearest above, else the top of the tree.
    """

    node: SpanNode
    said: Canonical
    agent: SpanNode

    @property
    def span(self) -> SpanRecord:
        """The span itself."""
        return self.node.record


def steps_of(tree: SpanTree) -> tuple[Step, ...]:
    """The steps in order of their start.

    Of a call of a model within another (a wrapper around a client) the inner one counts; of a call of a tool within
    one of the same tool (the client and the server of a protocol) the outer one, which the agent made. Repeats do not,
    see `repeated_calls`.
    """
    said = {node: canonical(node.record) for node in tree.nodes}
    agents: dict[SpanNode, SpanNode] = {}
    tools_above: dict[SpanNode, frozenset[str]] = {}
    wraps_model_call: set[SpanNode] = set()
    for node in tree.nodes:  # parents first
        above = node.parent
        is_agent = above is None or said[node].operation in _AGENT_OPERATIONS
        agents[node] = node if above is None or is_agent else agents[above]
        inherited = frozenset() if above is None else tools_above[above] | _tool(said[above])
        tools_above[node] = frozenset() if is_agent else inherited
    for node in reversed(tree.nodes):  # children first
        is_model_call = said[node].is_model_call
        if node.parent is not None and (is_model_call or node in wraps_model_call) and not said[node].is_tool_call:
            wraps_model_call.add(node.parent)
    repeated = repeated_calls(tree)
    found = [
        Step(node, said[node], agents[node] if node.parent is None else agents[node.parent])
        for node in tree.nodes
        if (said[node].is_model_call and node not in wraps_model_call and node not in repeated)
        or (said[node].is_tool_call and not _tool(said[node]) & tools_above[node])
    ]
    return tuple(sorted(found, key=lambda step: (step.span.start_time_unix_nano, step.node.depth, step.span.span_id)))


def _tool(said: Canonical) -> frozenset[str]:
    return frozenset([said.tool_name]) if said.is_tool_call and said.tool_name else frozenset()
