"""Calls of models that two spans tell of side by side: an instrumentor's, and the one of the SDK that it instruments.

Where one of them is above the other, the tree tells that already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import GEN_AI_RESPONSE_ID
from otel_agenttrace.pipeline.canonical import canonical

if TYPE_CHECKING:
    from otel_agenttrace.model.tree import SpanNode, SpanTree

_RESPONSE_ID = str(GEN_AI_RESPONSE_ID)  # dictionaries are slower on the constants' class
_MAX_COMPARED = 8
"""Spans of one parent and one response id; more of them are no repeats but a server without ids of its own."""


def repeated_calls(tree: SpanTree) -> frozenset[SpanNode]:
    """The spans of calls of which a span beside them tells as well.

    Both hang below the same span, come from different scopes and name the same response, and one ran within the other;
    that one is the repeat, unless it alone tells tokens. Two of the same times are told apart by their span ids.
    """
    alike: dict[tuple[SpanNode | None, str], list[SpanNode]] = {}
    for node in tree.nodes:
        response_id = node.record.attributes.get(_RESPONSE_ID)
        if isinstance(response_id, str) and response_id:
            alike.setdefault((node.parent, response_id), []).append(node)
    groups = [nodes for nodes in alike.values() if 1 < len(nodes) <= _MAX_COMPARED]
    return frozenset(node for nodes in groups for node in nodes if any(_repeats(node, other) for other in nodes))


def _repeats(node: SpanNode, other: SpanNode) -> bool:
    inner, outer = node.record, other.record
    if inner.end_time_unix_nano is None or outer.end_time_unix_nano is None or inner.scope.name == outer.scope.name:
        return False
    is_within = (
        inner.end_time_unix_nano <= outer.end_time_unix_nano
        and (inner.start_time_unix_nano, -inner.end_time_unix_nano, inner.span_id)
        > (outer.start_time_unix_nano, -outer.end_time_unix_nano, outer.span_id)
    )  # fmt: skip
    if not is_within:
        return False
    said, said_outer = canonical(inner), canonical(outer)
    knows_more = said.input_tokens is not None and said_outer.input_tokens is None
    return said.is_model_call and said_outer.is_model_call and not knows_more
