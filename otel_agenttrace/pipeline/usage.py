"""Tokens and cost: of one call at list price, and of many spans, each model call once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.contract.attributes import AGENTTRACE_COST_USD
from otel_agenttrace.model.record import with_attributes
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.prices import price_usd
from otel_agenttrace.pipeline.rejections import was_rejected
from otel_agenttrace.pipeline.repeats import repeated_calls
from otel_agenttrace.pipeline.told import cost_told, tokens_told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.tree import SpanNode
    from otel_agenttrace.pipeline.canonical import Canonical

_COST_USD = str(AGENTTRACE_COST_USD)  # dictionaries are slower on the constants' class
_MAX_UNPRICED_MODELS = 20


@dataclass(frozen=True, slots=True)
class Totals:
    """What spans used.

    Attributes:
        input_tokens: those that are known, as are all tokens here; cached ones too.
        output_tokens: those of reasoning too.
        cost_usd: the sum of the costs that are known, in US dollars; None if none is.
        cost_complete: every model call has a cost, its own or as part of what a span above it reports.
        reported_cost_usd: what the emitters said, in US dollars; None if none did.
        unpriced_models: names of models with calls whose cost is unknown, in order, at most 20.
    """

    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    cost_complete: bool
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    reported_cost_usd: float | None = None
    unpriced_models: tuple[str, ...] = ()


class _Usage(NamedTuple):
    """Attributes: `tokens` of all kinds, in the order of `_tokens_of`; `unpriced_models` at most 20, sorted."""

    tokens: tuple[int, ...] = (0, 0, 0, 0, 0)
    cost_usd: float | None = None
    reported_cost_usd: float | None = None
    unpriced_calls: int = 0
    unpriced_models: tuple[str, ...] = ()

    def plus(self, other: _Usage) -> _Usage:
        if self is _NONE or other is _NONE:
            return other if self is _NONE else self
        return _Usage(
            tuple(one + more for one, more in zip(self.tokens, other.tokens, strict=True)),
            _sum(self.cost_usd, other.cost_usd),
            _sum(self.reported_cost_usd, other.reported_cost_usd),
            self.unpriced_calls + other.unpriced_calls,
            _names(self.unpriced_models, other.unpriced_models),
        )

    def repeated_by(self, own: _Usage, *, is_given: bool) -> _Usage:
        """This usage of the spans below, when the span above reports `own` for them and perhaps for more.

        Args:
            own: what the span above says of itself; its cost None if unknown.
            is_given: its cost is the user's word, and not an emitter's.
        """
        merged = self._replace(
            tokens=tuple(map(max, self.tokens, own.tokens)),
            reported_cost_usd=_greater(self.reported_cost_usd, own.reported_cost_usd),
        )
        says_more = any(more > known for more, known in zip(own.tokens[:2], self.tokens[:2], strict=True))
        if own.cost_usd is None:
            return merged.plus(_unpriced(own.unpriced_models)) if says_more else merged
        if is_given or says_more or self.unpriced_calls or self.cost_usd is None:
            cost = _greater(self.cost_usd, own.cost_usd)
            return merged._replace(cost_usd=cost, unpriced_calls=0, unpriced_models=())
        return merged


_NONE = _Usage()


class _Below(NamedTuple):
    """What the spans below a span used: as parts of its own work, and by tools that called models themselves."""

    within: _Usage = _NONE
    by_tools: _Usage = _NONE


def usage_stage(record: SpanRecord, said: Canonical | None = None) -> SpanRecord:
    """Stamp `agenttrace.cost_usd` on a model call whose list price is known, unless it is there already.

    Args:
        record: the span.
        said: its canonical fields, where the caller has them.
    """
    if _COST_USD in record.attributes:
        return record
    said = said or canonical(record)
    cost = _list_price(record, said) if said.is_model_call else None
    if cost is None:
        return record
    return with_attributes(record, {**record.attributes, _COST_USD: cost})


def totals(spans: Iterable[SpanRecord] | SpanTree) -> Totals:
    """Sum up tokens and cost, each model call once.

    A span that repeats what the spans below it report adds nothing; one that reports more than they do counts for
    the calls of which there is no span. What a tool used comes on top of the model call that it was called from, but
    is taken to be part of what an agent reports.

    A call without tokens is one of unknown cost, except for a call that the provider rejected: that was free. Where
    the calls below a span all have a cost, an emitter's own sum for them is put beside it only.

    Where only the verdict of a trace is left, that tells.
    """
    tree = spans if isinstance(spans, SpanTree) else SpanTree(spans)
    if tree.nodes and is_verdict(tree.root.record):
        return Totals(*tokens_told(tree.root.record), *cost_told(tree.root.record))
    below: dict[SpanNode, _Below] = {}
    total = _NONE
    repeated = repeated_calls(tree)
    for node in reversed(tree.nodes):
        within, by_tools = _used(node.record, below.pop(node, _Below()))
        if node in repeated:
            continue
        if node.parent is None:
            total = total.plus(within).plus(by_tools)
        elif within is not _NONE or by_tools is not _NONE:
            beside = below.get(node.parent, _Below())
            below[node.parent] = _Below(beside.within.plus(within), beside.by_tools.plus(by_tools))
    taken_in, given_out, cache_read, cache_write, reasoning = total.tokens
    return Totals(
        taken_in,
        given_out,
        total.cost_usd,
        cost_complete=not total.unpriced_calls,
        cache_read_tokens=cache_read,
        cache_write_tokens=cache_write,
        reasoning_tokens=reasoning,
        reported_cost_usd=total.reported_cost_usd,
        unpriced_models=total.unpriced_models,
    )


def _used(record: SpanRecord, below: _Below) -> _Below:
    """What the span and all below it used, as its parent is to count it."""
    said = canonical(record)
    within, by_tools = below
    if said.is_model_call and within is _NONE:
        within = _call(record, said, said.cost_usd)
    elif _reports(said):
        own = _Usage(_tokens_of(said), said.cost_usd, said.reported_cost_usd, 0, _names_of(said))
        if said.is_model_call:
            within = within.repeated_by(own, is_given=False)
        elif within is _NONE and by_tools is _NONE and said.model is not None and any(own.tokens):
            within = _call(record, said, _cost_of_agent(record, said))
        else:
            is_given = AGENTTRACE_COST_USD in record.attributes
            within, by_tools = within.plus(by_tools).repeated_by(own, is_given=is_given), _NONE
    return _Below(_NONE, within.plus(by_tools)) if said.is_tool_call else _Below(within, by_tools)


def _call(record: SpanRecord, said: Canonical, cost: float | None) -> _Usage:
    if cost is None and not any(_tokens_of(said)) and said.output is None and was_rejected(record):
        cost = 0.0
    called = _Usage(_tokens_of(said), cost, said.reported_cost_usd)
    return called if cost is not None else called.plus(_unpriced(_names_of(said)))


def _cost_of_agent(record: SpanRecord, said: Canonical) -> float | None:
    """Of an agent, or the like, without spans for its calls. Its own span does not show that it stands for them."""
    if AGENTTRACE_COST_USD in record.attributes:
        return said.cost_usd
    price = _list_price(record, said)
    return said.cost_usd if price is None else price


def _list_price(record: SpanRecord, said: Canonical) -> float | None:
    """By the model that answered; where that has no price (a deployment, a version), by the one asked for."""
    for model in dict.fromkeys((said.response_model, said.request_model)):
        price = price_usd(
            model,
            said.provider,
            input_tokens=said.input_tokens,
            output_tokens=said.output_tokens,
            cache_read_tokens=said.cache_read_tokens,
            cache_write_tokens=said.cache_write_tokens,
            reasoning_tokens=said.reasoning_tokens,
            at_unix_nano=record.start_time_unix_nano,
        )
        if price is not None:
            return price
    return None


def _reports(said: Canonical) -> bool:
    return said.input_tokens is not None or said.output_tokens is not None or said.cost_usd is not None


def _tokens_of(said: Canonical) -> tuple[int, ...]:
    return (
        said.input_tokens or 0,
        said.output_tokens or 0,
        said.cache_read_tokens or 0,
        said.cache_write_tokens or 0,
        said.reasoning_tokens or 0,
    )


def _names_of(said: Canonical) -> tuple[str, ...]:
    return () if said.model is None else (said.model,)


def _unpriced(models: tuple[str, ...]) -> _Usage:
    return _Usage(unpriced_calls=1, unpriced_models=models)


def _names(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """The first of both in order: the same ones, whatever order they come in."""
    return one if one == other else tuple(sorted({*one, *other})[:_MAX_UNPRICED_MODELS])


def _sum(one: float | None, other: float | None) -> float | None:
    return one if other is None else other if one is None else one + other


def _greater(one: float | None, other: float | None) -> float | None:
    return one if other is None else other if one is None else max(one, other)
