"""What is done to a trace that has settled: here for all who do it, so that they get the same verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.pipeline.flags import find_flags
from otel_agenttrace.pipeline.grounded import judge_output
from otel_agenttrace.pipeline.verdict import make_verdict

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.tree import SpanTree


def judged(tree: SpanTree) -> SpanRecord | None:
    """The verdict of a trace as far as it is known; None where it tells of no agent."""
    return make_verdict(tree, judge=judge_output, find_flags=find_flags)
