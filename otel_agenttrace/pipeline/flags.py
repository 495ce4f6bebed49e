"""What is remarkable in a trace without being a failure: refusals, cut answers, loops, tokens that burn, wrong order.

Flags are warnings with evidence. They never make a trace failed: an answer may be cut on purpose, and a tool may be
polled. What content was not recorded raises no flag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.pipeline.answers import answer_flags
from otel_agenttrace.pipeline.loops import no_progress, token_burn, tool_loops
from otel_agenttrace.pipeline.phase_order import early_starts
from otel_agenttrace.pipeline.steps import Step, steps_of

if TYPE_CHECKING:
    from otel_agenttrace.model.tree import SpanNode, SpanTree
    from otel_agenttrace.pipeline.flag import Flag


def find_flags(tree: SpanTree) -> tuple[Flag, ...]:
    """All flags of a trace: of its phases, then of its steps in order of time; whatever order its spans came in."""
    steps = steps_of(tree)
    flags = [flag for step in steps if step.said.is_model_call for flag in answer_flags(step)]
    by_agent: dict[SpanNode, list[Step]] = {}
    for step in steps:
        by_agent.setdefault(step.agent, []).append(step)
    for of_agent in by_agent.values():
        loops = list(tool_loops(of_agent))
        flags += loops or no_progress(of_agent)
        flags += token_burn(of_agent)
    order = {step.span.span_id: index for index, step in enumerate(steps)}
    in_time = sorted(flags, key=lambda flag: (order[flag.span_id], flag.kind, flag.message))
    return (*(early.flag() for early in early_starts(tree)), *in_time)
