"""A trace as rows: each span in its place, with what a reader must be told about it.

The terminal tree, the timeline and the HTML page draw the same rows, so they cannot differ in what they mark.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.failures import classify
from otel_agenttrace.pipeline.flags import find_flags
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.pipeline.usage import Totals, totals
from otel_agenttrace.views.gates import standing
from otel_agenttrace.views.text import one_line

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.tree import SpanNode
    from otel_agenttrace.pipeline.canonical import Canonical
    from otel_agenttrace.pipeline.failures import LocalFailure
    from otel_agenttrace.pipeline.flag import Flag
    from otel_agenttrace.pipeline.root_cause import Failure
    from otel_agenttrace.stores.api import StoredTrace

Mark: TypeAlias = Literal["", "failed", "origin", "recovered", "recovered origin"]


@dataclass(frozen=True, slots=True)
class Row:
    """One span of a trace.

    Attributes:
        node: the span in its tree.
        said: its canonical fields.
        failure: the failure that the span is part of, recovered or not.
        mark: what the span has to do with a failure; empty if nothing.
        error: how the span itself failed; where a failure began, with what the spans above say of it.
        usage: tokens and cost that the span itself reports; on the root, the totals of the trace. The cost of a model
            call that is not known is not complete, unless calls below it say more.
        notes: where a task stands, if it is not completed; what is odd about the record, e.g. `two versions`.
        flags: what is remarkable about what it did, see `find_flags`.
    """

    node: SpanNode
    said: Canonical
    failure: Failure | None
    mark: Mark
    error: LocalFailure | None
    usage: Totals
    notes: tuple[str, ...]
    flags: tuple[Flag, ...] = ()

    @property
    def span(self) -> SpanRecord:
        """The span itself."""
        return self.node.record


@dataclass(frozen=True, slots=True)
class Section:
    """Trees that belong under one heading; the heading of ordinary roots is empty."""

    heading: str
    rows: tuple[Row, ...]
    tops: tuple[SpanNode, ...]


class TraceRows:
    """The rows of a trace, section by section.

    Attributes:
        trace: what was read from the store.
        tree: its spans as trees.
        failures: its root causes, recovered ones too.
    """

    def __init__(self, trace: StoredTrace) -> None:
        self.trace = trace
        self.tree = SpanTree(trace.spans)
        self.failures = find_failures(self.tree)
        self._by_span = {span_id: failure for failure in self.failures for span_id in failure.members}
        self._origins = {failure.origin.identity for failure in self.failures}
        self._id_counts = Counter(node.record.span_id for node in self.tree.nodes)
        self._flags: dict[str, list[Flag]] = {}
        for flag in find_flags(self.tree):
            self._flags.setdefault(flag.span_id, []).append(flag)
        self._around_calls = _around_calls(self.tree)

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """Roots first, then what went in a circle, then the children of each parent that is not there."""
        groups: dict[str, list[SpanNode]] = {}
        for top in sorted(self.tree.tops, key=lambda node: (node.is_orphan, node.is_in_cycle)):
            groups.setdefault(_heading(top), []).append(top)
        below = self._subtrees()
        return tuple(
            Section(heading, tuple(self._row(node) for top in tops for node in below[id(top)]), tuple(tops))
            for heading, tops in groups.items()
        )

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """All rows in the order of the sections."""
        return tuple(row for section in self.sections for row in section.rows)

    @property
    def root(self) -> Row:
        """The row of the trace's root; where that is not there, of the first span without its parent."""
        return next(row for row in self.rows if row.node is self.tree.root)

    @cached_property
    def totals(self) -> Totals:
        """Tokens and cost of the whole trace."""
        return totals(self.tree)

    def origin_of(self, failure: Failure) -> Row:
        """The row of the span where a failure of this trace began."""
        return next(row for row in self.rows if row.span.identity == failure.origin.identity)

    def _subtrees(self) -> dict[int, list[SpanNode]]:
        """Each top's spans; `nodes` has every span before its children, tree by tree."""
        trees: dict[int, list[SpanNode]] = {}
        for node in self.tree.nodes:
            if node.parent is None:
                current = trees.setdefault(id(node), [])
            current.append(node)
        return trees

    def _row(self, node: SpanNode) -> Row:
        record = node.record
        said = canonical(record)
        begun = self._by_span.get(record.span_id) if record.identity in self._origins else None
        error = classify(record) if begun is None else begun.error
        failure = self._by_span.get(record.span_id) if error else None
        return Row(
            node=node,
            said=said,
            failure=failure,
            mark=_mark(failure, is_origin=begun is not None) if error else "",
            error=error,
            usage=self.totals if node is self.tree.root else _own_usage(said, is_around=node in self._around_calls),
            notes=self._notes(record),
            flags=tuple(self._flags.get(record.span_id, ())),
        )

    def _notes(self, record: SpanRecord) -> tuple[str, ...]:
        notes = [status] if (status := standing(record)) else []
        if (record.duration_nano or 0) < 0:
            notes.append("ends before it starts")
        if self._id_counts[record.span_id] > 1:
            notes.append("repeated id")
        if record.span_id in self.trace.conflicts:
            notes.append("two versions")
        return tuple(notes)


def rows_of(trace: StoredTrace | TraceRows) -> TraceRows:
    """Return the rows of a trace; those that the caller has as they are, since working them out takes long."""
    return trace if isinstance(trace, TraceRows) else TraceRows(trace)


def error_text(failure: Failure) -> str:
    """Return the error as one text: the message, behind the exception's class where the class says more."""
    name, text = failure.error.exception_type, failure.error.text
    if failure.type != "exception" or not name or name in text:
        return text
    # Without a message the SDK's status says the class, without its module.
    return name if name.endswith(f".{text}") else f"{name}: {text}"


def input_text(row: Row) -> str:
    """Return on one line what went into a span: of messages the last words, else its input; empty if it has none."""
    words = next((message.text for message in reversed(row.said.input_messages) if message.text), None)
    value = row.said.input if words is None else words
    return "" if value is None else one_line(value)


def outcome(failure: Failure | None) -> str:
    """Return in words what became of a failure."""
    if failure is None:
        return "passed"
    if failure.recovered:
        return "recovered"
    return "may still recover" if failure.is_pending else "not recovered"


def _heading(top: SpanNode) -> str:
    if top.is_orphan:
        return f"parent {top.record.parent_span_id} was not recorded"
    return "parents that lead back to themselves" if top.is_in_cycle else ""


def _own_usage(said: Canonical, *, is_around: bool) -> Totals:
    is_known = said.cost_usd is not None or is_around or not said.is_model_call
    return Totals(said.input_tokens or 0, said.output_tokens or 0, said.cost_usd, cost_complete=is_known)


def _around_calls(tree: SpanTree) -> set[SpanNode]:
    """The spans with a model call below them that is not a tool's."""
    around: set[SpanNode] = set()
    for node in reversed(tree.nodes):  # children first
        said = canonical(node.record)
        if node.parent is not None and not said.is_tool_call and (said.is_model_call or node in around):
            around.add(node.parent)
    return around


def _mark(failure: Failure | None, *, is_origin: bool) -> Mark:
    if failure is not None and failure.recovered:
        return "recovered origin" if is_origin else "recovered"
    return "origin" if is_origin else "failed"
