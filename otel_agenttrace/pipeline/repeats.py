"""Calls of models that two spans tell of side by side.

An SDK that makes spans of its own and an instrumentor of it, or instrumentors of a framework and of the SDK below:
where one span is above the other the tree tells that, but some never become current, so that what is below them hangs
beside them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import GEN_AI_RESPONSE_ID
from otel_agenttrace.pipeline.canonical import canonical

if TYPE_CHECKING:
    from otel_agenttrace.model.tree import SpanNode, SpanTree

_RESPONSE_ID = str(GEN_AI_RESPONSE_ID)  # dictionaries are slower on the constants' class
_MAX_COMPARED = 8
"""Spans of one response; more of them are no repeats but a server that gives every answer the same id."""

_MAX_DUMP = 64 * 1024
_ID_IN_DUMP = re.compile(r'"id"\s*:\s*"([^"\\]{1,256})"')


def repeated_calls(tree: SpanTree) -> frozenset[SpanNode]:
    """The spans of calls of which another span tells as well that is not above or below.

    Both come from different scopes and name the same response, and one ran within the other; that one is the repeat,
    unless it alone tells tokens. Two of the same times are told apart by their span ids.
    """
    groups = [nodes for nodes in _by_response(tree).values() if 1 < len(nodes) <= _MAX_COMPARED]
    return frozenset(node for nodes in groups for node in nodes if any(_repeats(node, other) for other in nodes))


def _by_response(tree: SpanTree) -> dict[str, list[SpanNode]]:
    """Response id -> the spans that name it; OpenInference's do in the answer that they hold, if at all."""
    found: dict[str, list[SpanNode]] = {}
    dumps: list[tuple[SpanNode, str]] = []
    for node in tree.nodes:
        attributes = node.record.attributes
        response_id = attributes.get(_RESPONSE_ID)
        if isinstance(response_id, str) and response_id:
            found.setdefault(response_id, []).append(node)
        elif attributes.get("openinference.span.kind") == "LLM":
            answer = attributes.get("output.value")
            if isinstance(answer, str):
                dumps.append((node, answer[:_MAX_DUMP]))
    for node, answer in dumps if found else ():
        for response_id in set(_ID_IN_DUMP.findall(answer)) & found.keys():
            found[response_id].append(node)
    return found


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
    place = (inner.start_time_unix_nano, -inner.end_time_unix_nano, inner.span_id)
    place_outer = (outer.start_time_unix_nano, -outer.end_time_unix_nano, outer.span_id)
    return place > place_outer and inner.end_time_unix_nano <= outer.end_time_unix_nano
