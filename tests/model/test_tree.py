"""Spans as trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.model.record import ScopeRecord
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.testing.spans import START, make_span

if TYPE_CHECKING:
    from random import Random

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.tree import SpanNode


def _span(number: int, parent: int | None = None, *, start: int = 0, name: str = "") -> SpanRecord:
    return make_span(
        span_id=f"{number:016x}",
        parent_span_id=None if parent is None else f"{parent:016x}",
        start_time_unix_nano=START + start,
        name=name or f"span {number}",
    )


def _outline(tree: SpanTree) -> list[str]:
    return ["  " * node.depth + node.record.name for node in tree.nodes]


def test_children_stand_below_their_parent_by_start() -> None:
    """Nodes come tree by tree, each before its children, siblings in time order."""
    tree = SpanTree([_span(4, 3), _span(3, 1, start=2), _span(2, 1, start=1), _span(1)])

    assert _outline(tree) == ["span 1", "  span 2", "  span 3", "    span 4"]
    assert tree.root.record.name == "span 1"
    assert [node.record.name for node in tree.nodes[-1].ancestors()] == ["span 3", "span 1"]


def test_an_orphan_is_shown_as_a_top_of_its_own() -> None:
    """A span whose parent is not there is marked, and never the root while there is one."""
    tree = SpanTree([_span(3, 2), _span(2, 99), _span(1, start=5)])

    assert _outline(tree) == ["span 2", "  span 3", "span 1"]
    assert [node.is_orphan for node in tree.nodes] == [True, False, False]
    assert tree.root.record.name == "span 1"


def test_without_a_root_the_first_orphan_stands_for_it() -> None:
    """A trace of which the root never came can be shown all the same."""
    assert SpanTree([_span(2, 99, start=3), _span(3, 98)]).root.record.name == "span 3"


def test_a_circle_of_parents_is_broken_above_its_first_span() -> None:
    """Every span of a circle is shown once, below the one that started first."""
    tree = SpanTree([_span(1, 3, start=1), _span(2, 1), _span(3, 2, start=2), _span(4, 3, start=3)])

    assert _outline(tree) == ["span 2", "  span 3", "    span 1", "    span 4"]
    assert [node.is_in_cycle for node in tree.nodes] == [True, False, False, False]


def test_a_span_that_is_its_own_parent_is_a_top() -> None:
    """The smallest circle is broken like any other."""
    (node,) = SpanTree([_span(1, 1)]).nodes

    assert (node.parent, node.is_in_cycle, node.is_root) == (None, True, False)


def test_of_spans_with_one_id_the_one_that_was_running_is_the_parent() -> None:
    """Where an emitter repeats an id, the last that had started takes the child; all are kept."""
    spans = [
        _span(1, start=0, name="first"),
        _span(1, start=10, name="second"),
        _span(2, 1, start=5),
        _span(3, 1, start=10),
        _span(4, 1, start=-5),
    ]

    assert _outline(SpanTree(spans)) == ["first", "  span 4", "  span 2", "second", "  span 3"]


def test_records_of_one_span_are_merged() -> None:
    """Of an open and an ended record of one identity the ended one is shown, once."""
    tree = SpanTree([make_span(end_time_unix_nano=None), make_span(), make_span(end_time_unix_nano=None)])

    assert [node.record.end_time_unix_nano is None for node in tree.nodes] == [False]


def test_a_trace_without_spans_has_no_root() -> None:
    """Nothing is made up."""
    assert SpanTree([]).nodes == ()
    with pytest.raises(ValueError, match="without spans"):
        _ = SpanTree([]).root


def _verdict(revision: int, **fields: Any) -> SpanRecord:
    said: Any = {"name": "agenttrace.verdict", "scope": ScopeRecord("otel_agenttrace"), "span_id": "e" * 16}
    return make_span(**said | {"attributes": {"agenttrace.revision": revision}} | fields)


def test_verdicts_are_set_aside() -> None:
    """They are no part of the tree; the one made from most is at hand."""
    old, new = _verdict(1, start_time_unix_nano=START - 9), _verdict(2, parent_span_id=f"{1:016x}")
    of_another_trace = _verdict(3, trace_id="f" * 32)
    tree = SpanTree([old, _span(1), new, of_another_trace, _span(2, 1)])

    assert _outline(tree) == ["span 1", "  span 2"]
    assert tree.verdict == new
    assert SpanTree([_span(1)]).verdict is None
    assert SpanTree([]).verdict is None


def test_a_verdict_stands_for_a_trace_of_which_nothing_else_is_left() -> None:
    """It is the only span then, and there is a root to show."""
    tree = SpanTree([_verdict(1, parent_span_id="a" * 16), _verdict(2, parent_span_id="a" * 16)])

    assert [node.record for node in tree.nodes] == [tree.verdict]
    assert (tree.root.record, tree.root.is_orphan) == (tree.verdict, True)
    assert tree.verdict is not None
    assert tree.verdict.attributes == {"agenttrace.revision": 2}


def test_a_trace_of_many_levels_is_no_deeper_than_memory() -> None:
    """Python's recursion limit is none of ours."""
    levels = 5000
    tree = SpanTree([_span(number, number - 1 or None) for number in range(1, levels + 1)])

    assert tree.nodes[-1].depth == levels - 1


@given(
    st.lists(st.tuples(st.integers(1, 6), st.none() | st.integers(1, 7), st.integers(0, 3)), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_spans_does_not_matter(shapes: list[tuple[int, int | None, int]], random: Random) -> None:
    """Whatever the parents, repeated ids and circles, the same spans make the same trees, and none is lost."""
    spans = [
        _span(number, parent, start=start, name=f"{index}") for index, (number, parent, start) in enumerate(shapes)
    ]
    shuffled = list(spans)
    random.shuffle(shuffled)
    tree = SpanTree(spans)

    assert _described(SpanTree(shuffled)) == _described(tree)
    assert {node.record.identity for node in tree.nodes} == {one.identity for one in spans}
    assert len(tree.nodes) == len({one.identity for one in spans})


def _described(tree: SpanTree) -> list[tuple[str, int, bool, bool, str]]:
    return [(node.record.name, node.depth, node.is_orphan, node.is_in_cycle, _parent(node)) for node in tree.nodes]


def _parent(node: SpanNode) -> str:
    return node.parent.record.name if node.parent else ""
