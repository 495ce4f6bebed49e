"""Verdicts of traces that came into a store whole, as by an import: nothing has to settle any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import SPAN_VERDICT
from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.model.record import completeness
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.pipeline.settled import may_settle, tells_of_agent
from otel_agenttrace.pipeline.trace_stages import judged
from otel_agenttrace.processors.sources import StoredSpans

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_agenttrace.grounding import GroundingChecker
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import SpanStore


class TouchedTraces:
    """The traces that spans were added to, by id, and which of them may need a verdict.

    Args:
        spans: the store, before anything is added.
    """

    def __init__(self, spans: SpanStore) -> None:
        self._stored = StoredSpans(lambda: spans)
        self._has_verdicts = any(operation.name == SPAN_VERDICT for operation in spans.find_operations())
        self._agentic: dict[str, None] = {}
        self._others: dict[str, None] = {}

    def add(self, records: Iterable[SpanRecord]) -> None:
        """Note staged spans that were written."""
        for record in records:
            if record.trace_id in self._agentic:
                continue
            if is_verdict(record) or tells_of_agent(record):
                self._agentic[record.trace_id] = None
            elif self._has_verdicts:
                self._others[record.trace_id] = None

    def to_judge(self) -> list[str]:
        """The traces to be judged: those that tell of an agent, and those that had a verdict before."""
        others = (trace_id for trace_id in self._others if trace_id not in self._agentic)
        return [*self._agentic, *filter(self._stored.has_verdict, others)]


def missing_verdict(spans: SpanStore, trace_id: str, grounding: bool | GroundingChecker = True) -> SpanRecord | None:
    """Make the verdict that a stored trace lacks; `grounding` as for `judged`.

    Returns:
        None where the trace has a verdict that was made from as much, still runs, or tells of no agent.
    """
    try:
        tree = SpanTree(spans.get_trace(trace_id).spans)
    except TraceNotFoundError:  # retention was quicker
        return None
    if not may_settle(tree, is_last=True):
        return None
    verdict = judged(tree, grounding)
    if verdict is None or tree.verdict is None:
        return verdict
    return None if completeness(verdict) <= completeness(tree.verdict) else verdict
