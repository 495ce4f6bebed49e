"""What is done to a trace that has settled: here for all who do it, so that they get the same verdict."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from otel_agenttrace.grounding import ground
from otel_agenttrace.pipeline.flags import find_flags
from otel_agenttrace.pipeline.grounded import judge_output
from otel_agenttrace.pipeline.verdict import make_verdict

if TYPE_CHECKING:
    from otel_agenttrace.grounding import GroundingChecker
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.tree import SpanTree
    from otel_agenttrace.pipeline.grounded import Judgement

_LOG = logging.getLogger("otel_agenttrace")


def judged(tree: SpanTree, grounding: bool | GroundingChecker = True) -> SpanRecord | None:
    """The verdict of a trace as far as it is known; None where it tells of no agent.

    Args:
        tree: what is known of the trace.
        grounding: what holds its answer against its sources; True for `ground`, False for nothing. If it raises, the
            verdict is made without.
    """
    checker = ground if grounding is True else grounding

    def judge(tree: SpanTree) -> Judgement | None:
        try:
            return judge_output(tree, checker) if checker else None
        except Exception:  # noqa: BLE001 - a checker may be anybody's, and the verdict stands without it
            _LOG.exception("the answer of trace %s could not be checked", tree.root.record.trace_id)
            return None

    return make_verdict(tree, judge=judge, find_flags=find_flags)
