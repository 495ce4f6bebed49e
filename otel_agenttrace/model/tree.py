"""Spans as trees: whose child is whose, with orphans and broken cycles shown instead of dropped."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from otel_agenttrace.model.logfire import join_parts
from otel_agenttrace.model.merge import greater
from otel_agenttrace.model.verdicts import is_verdict, newest_verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel_agenttrace.model.record import SpanRecord


class SpanNode:
    """One span in its tree.

    Attributes:
        record: the span.
        parent: None at the top of a tree.
        children: by start time, then span id.
        depth: 0 at the top of a tree.
        is_orphan: the span names a parent that is not there.
        is_in_cycle: the span's parents led back to itself; the cycle is broken above this one.
    """

    __slots__ = ("children", "depth", "is_in_cycle", "is_orphan", "parent", "record")

    def __init__(self, record: SpanRecord) -> None:
        self.record = record
        self.parent: SpanNode | None = None
        self.children: list[SpanNode] = []
        self.depth = 0
        self.is_orphan = False
        self.is_in_cycle = False

    def __repr__(self) -> str:
        return f"SpanNode({self.record.name!r}, span_id={self.record.span_id}, children={len(self.children)})"

    @property
    def is_root(self) -> bool:
        """Whether the span is a root by its own account: it names no parent."""
        return self.record.parent_span_id is None

    def ancestors(self) -> Iterator[SpanNode]:
        """The spans above this one, nearest first."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent


class SpanTree:
    """All spans given, each once, as trees. The result does not depend on the order in which they come.

    Records of one identity are merged, see `greater`. Where several spans share an id, a child belongs to the one
    that started last before it did. In a cycle of parents the span that started first goes to the top.

    Spans that only tell of another one's beginning or end are put together with it, see `join_parts`.

    Verdicts are set aside: they tell of the trace and are no part of it. Where nothing else is left of a trace, its
    verdict stands for it.

    Attributes:
        tops: roots, orphans and tops of broken cycles, by start time, then span id.
        nodes: every span, each before its children, tree by tree.
        verdict: the verdict of the root's trace that was made from most; None if there is none.
    """

    __slots__ = ("_root", "nodes", "tops", "verdict")

    def __init__(self, spans: Iterable[SpanRecord]) -> None:
        records, verdicts = _set_aside(spans)
        nodes = [SpanNode(record) for record in distinct(records)]
        _link(nodes)
        _break_cycles(nodes)
        for node in nodes:
            if node.parent is not None:
                node.parent.children.append(node)
        self.tops = tuple(node for node in nodes if node.parent is None)
        self.nodes = tuple(_walk(self.tops))
        self._root = next((node for node in self.tops if node.is_root), self.tops[0] if self.tops else None)
        trace_id = self._root.record.trace_id if self._root else ""
        self.verdict = newest_verdict(record for record in verdicts if record.trace_id == trace_id)

    @property
    def root(self) -> SpanNode:
        """The first root; where there is none, the first span without its parent.

        Raises:
            ValueError: there are no spans.
        """
        if self._root is None:
            raise ValueError("a trace without spans has no root")
        return self._root


def _set_aside(spans: Iterable[SpanRecord]) -> tuple[list[SpanRecord], list[SpanRecord]]:
    """The spans that make up the tree, and the verdicts."""
    records: list[SpanRecord] = []
    verdicts: list[SpanRecord] = []
    for record in spans:
        (verdicts if is_verdict(record) else records).append(record)
    if not records:
        newest = newest_verdict(verdicts)
        records = [] if newest is None else [newest]
    return records, verdicts


def distinct(spans: Iterable[SpanRecord]) -> list[SpanRecord]:
    """The spans as a tree shows them: each once, put together by `join_parts`, by start time, then span id."""
    # Pending spans of one span can come to the same identity once they stand for it.
    merged = _merged(join_parts(_merged(spans)))
    return sorted(merged, key=lambda record: (record.start_time_unix_nano, record.span_id, record.trace_id))


def _merged(spans: Iterable[SpanRecord]) -> list[SpanRecord]:
    records: dict[tuple[str, str, int], SpanRecord] = {}
    for record in spans:
        identity = record.identity
        known = records.get(identity)
        records[identity] = record if known is None else greater(known, record)
    return list(records.values())


def _by_time(node: SpanNode) -> tuple[int, str, str]:
    return node.record.start_time_unix_nano, node.record.span_id, node.record.trace_id


def _link(nodes: list[SpanNode]) -> None:
    by_id: dict[tuple[str, str], list[SpanNode]] = {}
    for node in nodes:
        by_id.setdefault((node.record.trace_id, node.record.span_id), []).append(node)
    for node in nodes:
        if node.record.parent_span_id is None:
            continue
        candidates = by_id.get((node.record.trace_id, node.record.parent_span_id))
        if candidates is None:
            node.is_orphan = True
        else:
            node.parent = _running_parent(candidates, node.record.start_time_unix_nano)


def _running_parent(candidates: list[SpanNode], start_time_unix_nano: int) -> SpanNode:
    """Of spans with one id, by start time, the last that had started; else the first, as clocks differ."""
    after = bisect_right(candidates, start_time_unix_nano, key=lambda node: node.record.start_time_unix_nano)
    return candidates[max(0, after - 1)]


def _break_cycles(nodes: list[SpanNode]) -> None:
    reaches_top: set[int] = set()
    for node in nodes:
        path: dict[int, SpanNode] = {}
        at: SpanNode | None = node
        while at is not None and id(at) not in reaches_top and id(at) not in path:
            path[id(at)] = at
            at = at.parent
        if at is not None and id(at) in path:
            _break_cycle(at)
        reaches_top.update(path)


def _break_cycle(member: SpanNode) -> None:
    first, at = member, member.parent
    while at is not None and at is not member:
        first = min(first, at, key=_by_time)
        at = at.parent
    first.parent = None
    first.is_in_cycle = True


def _walk(tops: tuple[SpanNode, ...]) -> Iterator[SpanNode]:
    """Each node before its children; a stack, as traces may be deeper than Python's recursion limit."""
    stack = list(reversed(tops))
    while stack:
        node = stack.pop()
        node.depth = 0 if node.parent is None else node.parent.depth + 1
        yield node
        stack.extend(reversed(node.children))
