"""Calls of models that two spans tell of side by side.

An SDK that makes spans of its own and an instrumentor of it, or instrumentors of a framework and of the SDK below:
where one span is above the other the tree tells that, but some never become current, so that what is below them hangs
beside them. They are known to tell of one call by the response that they name, or by all else that they say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import GEN_AI_RESPONSE_ID
from otel_agenttrace.pipeline.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.model.tree import SpanNode, SpanTree
    from otel_agenttrace.pipeline.canonical import Canonical

_RESPONSE_ID = str(GEN_AI_RESPONSE_ID)  # dictionaries are slower on the constants' class
_MAX_COMPARED = 8
"""Spans of one response; more of them are no repeats but a server that gives every answer the same id."""

_MAX_DUMP = 64 * 1024
_MAX_IDS_IN_DUMP = 50
_ID_IN_DUMP = re.compile(r'"id"\s*:\s*"([^"\\]{1,256})"')


def repeated_calls(tree: SpanTree) -> frozenset[SpanNode]:
    """The spans of calls of which another span tells as well that is not above or below.

    Both come from different scopes, and one ran within the other; that one is the repeat, unless it alone tells
    tokens. Both name the same response; or one of them names none, and they are below the same span and tell the same
    model and tokens. Two of the same times are told apart by their span ids.
    """
    named, dumped = _by_response(tree)
    repeats = {node for node, other in _pairs(named) if _repeats(node, other)}
    repeats |= {node for node, other in _pairs(dumped) if _repeats(node, other) and _agree(node, other)}
    siblings = {node for node, other in _nested_siblings(tree) if _agree(node, other) and _repeats(node, other)}
    return frozenset(repeats | siblings)


def _pairs(groups: dict[str, list[SpanNode]]) -> Iterator[tuple[SpanNode, SpanNode]]:
    for nodes in groups.values():
        if 1 < len(nodes) <= _MAX_COMPARED:
            yield from ((node, other) for node in nodes for other in nodes)


def _by_response(tree: SpanTree) -> tuple[dict[str, list[SpanNode]], dict[str, list[SpanNode]]]:
    """Response id -> the spans that name it; OpenInference's do in the answer that they hold, if at all.

    Second, any id in such answers -> the spans that hold it: of parts of an answer too, not of the response alone.
    """
    named: dict[str, list[SpanNode]] = {}
    dumps: list[tuple[SpanNode, list[str]]] = []
    for node in tree.nodes:
        attributes = node.record.attributes
        response_id = attributes.get(_RESPONSE_ID)
        if isinstance(response_id, str) and response_id:
            named.setdefault(response_id, []).append(node)
        elif attributes.get("openinference.span.kind") == "LLM":
            answer = attributes.get("output.value")
            if isinstance(answer, str):
                dumps.append((node, list(dict.fromkeys(_ID_IN_DUMP.findall(answer[:_MAX_DUMP])))))
    dumped: dict[str, list[SpanNode]] = {}
    for node, ids in dumps:
        for response_id in ids:
            if response_id in named:
                named[response_id].append(node)
        for response_id in ids[:_MAX_IDS_IN_DUMP]:
            dumped.setdefault(response_id, []).append(node)
    return named, dumped


def _nested_siblings(tree: SpanTree) -> Iterator[tuple[SpanNode, SpanNode]]:
    """Spans with each that ran around them, where at most one of both names a response."""
    for parent in tree.nodes:
        children = [child for child in parent.children if child.record.end_time_unix_nano is not None]
        if len({child.record.scope.name for child in children}) < 2:  # those of two emitters
            continue
        around: list[SpanNode] = []
        for node in sorted(children, key=_place):
            start = node.record.start_time_unix_nano
            around = [other for other in around if (other.record.end_time_unix_nano or 0) >= start][-_MAX_COMPARED:]
            yield from ((node, other) for other in around if _may_be_one(node, other))
            around.append(node)


def _may_be_one(node: SpanNode, other: SpanNode) -> bool:
    names_both = node.record.attributes.get(_RESPONSE_ID) and other.record.attributes.get(_RESPONSE_ID)
    return not names_both and _ran_within(node, other)


def _agree(node: SpanNode, other: SpanNode) -> bool:
    """Whether both tell tokens, the same, of the same model."""
    said, said_outer = canonical(node.record), canonical(other.record)
    if said.input_tokens is None or said.output_tokens is None or not _models(said) & _models(said_outer):
        return False
    return (said.input_tokens, said.output_tokens) == (said_outer.input_tokens, said_outer.output_tokens)


def _models(said: Canonical) -> set[str]:
    return {model for model in (said.request_model, said.response_model) if model is not None}


def _repeats(node: SpanNode, other: SpanNode) -> bool:
    if not _ran_within(node, other) or other in node.ancestors() or node in other.ancestors():
        return False
    said, said_outer = canonical(node.record), canonical(other.record)
    knows_more = said.input_tokens is not None and said_outer.input_tokens is None
    return said.is_model_call and said_outer.is_model_call and not knows_more


def _ran_within(node: SpanNode, other: SpanNode) -> bool:
    """Whether a span ran within another of a different scope; False for a span and itself."""
    inner, outer = node.record, other.record
    if inner.end_time_unix_nano is None or outer.end_time_unix_nano is None or inner.scope.name == outer.scope.name:
        return False
    return _place(node) > _place(other) and inner.end_time_unix_nano <= outer.end_time_unix_nano


def _place(node: SpanNode) -> tuple[int, int, str]:
    """Where a span of a known end stands in the order in which those that ran around others come first."""
    record = node.record
    return record.start_time_unix_nano, -(record.end_time_unix_nano or 0), record.span_id
