"""Tokens and cost of many spans, each model call once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.tree import SpanNode
    from otel_agenttrace.pipeline.canonical import Canonical


@dataclass(frozen=True, slots=True)
class Totals:
    """What spans used.

    Attributes:
        cost_usd: the sum of the costs that are known, in US dollars; None if none is.
        cost_complete: every model call has a cost, its own or as part of what a span above it reports.
    """

    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    cost_complete: bool


class _Usage(NamedTuple):
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    unpriced_calls: int = 0

    def plus(self, other: _Usage) -> _Usage:
        return _Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            _sum(self.cost_usd, other.cost_usd),
            self.unpriced_calls + other.unpriced_calls,
        )

    def repeated_by(self, own: _Usage) -> _Usage:
        """This usage of the spans below, when the span above reports `own` for them and perhaps for more."""
        costs = [cost for cost in (self.cost_usd, own.cost_usd) if cost is not None]
        return _Usage(
            max(self.input_tokens, own.input_tokens),
            max(self.output_tokens, own.output_tokens),
            max(costs, default=None),
            0 if own.cost_usd is not None else self.unpriced_calls,
        )


_NONE = _Usage()


class _Below(NamedTuple):
    """What the spans below a span used: as parts of its own work, and by tools that called models themselves."""

    within: _Usage = _NONE
    by_tools: _Usage = _NONE


def totals(spans: Iterable[SpanRecord] | SpanTree) -> Totals:
    """Sum up tokens and cost, each model call once.

    A span that repeats what the spans below it report adds nothing; one that reports more than they do counts for
    the calls of which there is no span. What a tool used comes on top of the model call that it was called from, but
    is taken to be part of what an agent reports.
    """
    tree = spans if isinstance(spans, SpanTree) else SpanTree(spans)
    below: dict[SpanNode, _Below] = {}
    total = _NONE
    for node in reversed(tree.nodes):
        within, by_tools = _used(canonical(node.record), below.pop(node, _Below()))
        if node.parent is None:
            total = total.plus(within).plus(by_tools)
        elif within is not _NONE or by_tools is not _NONE:
            beside = below.get(node.parent, _Below())
            below[node.parent] = _Below(beside.within.plus(within), beside.by_tools.plus(by_tools))
    return Totals(total.input_tokens, total.output_tokens, total.cost_usd, cost_complete=not total.unpriced_calls)


def _used(said: Canonical, below: _Below) -> _Below:
    """What the span and all below it used, as its parent is to count it."""
    within, by_tools = below
    reports = said.input_tokens is not None or said.output_tokens is not None or said.cost_usd is not None
    if said.is_model_call and within is _NONE:
        unpriced = said.cost_usd is None
        within = _Usage(said.input_tokens or 0, said.output_tokens or 0, said.cost_usd, int(unpriced))
    elif reports:
        own = _Usage(said.input_tokens or 0, said.output_tokens or 0, said.cost_usd)
        if said.is_model_call:
            within = within.repeated_by(own)
        else:
            within, by_tools = within.plus(by_tools).repeated_by(own), _NONE
    if said.is_tool_call:
        return _Below(_NONE, within.plus(by_tools))
    return _Below(within, by_tools)


def _sum(one: float | None, other: float | None) -> float | None:
    return one if other is None else other if one is None else one + other
