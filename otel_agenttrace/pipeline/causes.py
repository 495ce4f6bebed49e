"""Which failing span of a tree made which other fail, and what became of it further up.

Everything is done in passes over the spans, top-down or bottom-up, without recursion: a trace of 100,000 spans, or of
as many levels, takes time in proportion. Why the rules are what they are: `docs/decisions/0003-failures.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.pipeline.failures import was_called_off

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_agenttrace.model.tree import SpanNode, SpanTree
    from otel_agenttrace.pipeline.failures import LocalFailure


class Outcome(NamedTuple):
    """What became of an error above the span that had it."""

    recovered: bool
    is_pending: bool


class Causes:
    """The causes among the failing spans of a tree.

    Attributes:
        effect: failing span -> the failing span above it that it made fail.
        origin: failing span -> the failing span where its failure began, itself if nothing below made it fail.
    """

    def __init__(self, tree: SpanTree, local: Mapping[SpanNode, LocalFailure]) -> None:
        self._tree = tree
        self._local = local
        above = self._nearest_failing()
        self._consequences = self._called_off_from(above)
        self.effect = {
            node: parent
            for node, parent in above.items()
            if node not in self._consequences and self._made_fail(node, parent)
        }
        self.origin = self._origins()

    def outcomes(self) -> dict[SpanNode, Outcome]:
        """What became of an error of each span, if it had one."""
        outcomes: dict[SpanNode, Outcome] = {}
        for node in self._tree.nodes:
            parent = node.parent
            if parent is None:
                outcomes[node] = Outcome(recovered=False, is_pending=False)
            elif self.effect.get(node) is parent:
                outcomes[node] = outcomes[parent]
            else:
                outcomes[node] = self._handled_by(parent, outcomes[parent])
        return outcomes

    def _nearest_failing(self) -> dict[SpanNode, SpanNode]:
        """Failing span -> the failing span directly above it; one that was called off stands for the next above."""
        nearest: dict[SpanNode, SpanNode] = {}
        for node in self._tree.nodes:
            parent = node.parent
            if parent is None:
                continue
            if parent in self._local:
                nearest[node] = parent
            elif parent in nearest and was_called_off(parent.record):
                nearest[node] = nearest[parent]
        return {node: parent for node, parent in nearest.items() if node in self._local}

    def _called_off_from(self, above: Mapping[SpanNode, SpanNode]) -> dict[SpanNode, SpanNode]:
        """Cancelled span -> the failing span above it that was the reason."""
        consequences: dict[SpanNode, SpanNode] = {}
        for node in self._tree.nodes:
            parent = above.get(node)
            if parent is None or not self._local[node].is_cancellation:
                continue
            if parent in consequences or (self._local[parent].is_error and not self._local[parent].is_cancellation):
                consequences[node] = parent
        return consequences

    def _made_fail(self, node: SpanNode, parent: SpanNode) -> bool:
        below, above = self._local[node], self._local[parent]
        if below.type == above.type == "timeout":
            return True
        if not below.is_error or not above.is_error or below.is_cancellation != above.is_cancellation:
            return False
        return not _ended_later(node, parent) or _same_error(below, above)

    def _origins(self) -> dict[SpanNode, SpanNode]:
        cause: dict[SpanNode, SpanNode] = {}
        for node, parent in self.effect.items():
            known = cause.get(parent)
            if known is None or self._likelihood(node, parent) > self._likelihood(known, parent):
                cause[parent] = node
        origin: dict[SpanNode, SpanNode] = {}
        for node in reversed(self._tree.nodes):
            if node in self._local:
                origin[node] = origin[cause[node]] if node in cause else node
        for node in self._tree.nodes:
            if node in self._consequences:
                origin[node] = origin[self._consequences[node]]
        return origin

    def _likelihood(self, node: SpanNode, parent: SpanNode) -> tuple[bool, int, int, str]:
        """How likely this child, among several that failed, is the one that the parent failed by."""
        record = node.record
        same = _same_error(self._local[node], self._local[parent])
        return same, record.end_time_unix_nano or 0, record.start_time_unix_nano, record.span_id

    def _handled_by(self, parent: SpanNode, further_up: Outcome) -> Outcome:
        record = parent.record
        failure = self._local.get(parent)
        if record.end_time_unix_nano is None:
            return further_up._replace(is_pending=True)
        if (failure is not None and failure.is_error) or was_called_off(record):
            return further_up
        return Outcome(recovered=True, is_pending=False)


def _ended_later(node: SpanNode, parent: SpanNode) -> bool:
    """Whether the child ended after its parent by the same clock, so that it was not what ended the parent."""
    one, other = node.record, parent.record
    if one.end_time_unix_nano is None or other.end_time_unix_nano is None:
        return False
    return one.end_time_unix_nano > other.end_time_unix_nano and one.resource == other.resource


def _same_error(one: LocalFailure, other: LocalFailure) -> bool:
    return bool(one.message) and (one.message, one.exception_type) == (other.message, other.exception_type)
