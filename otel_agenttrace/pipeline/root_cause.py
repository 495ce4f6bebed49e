"""The failures of a trace: one per root cause."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.canonical import agent_name_of, canonical
from otel_agenttrace.pipeline.causes import Causes
from otel_agenttrace.pipeline.failures import LocalFailure, classify
from otel_agenttrace.pipeline.judgements import judged_in
from otel_agenttrace.pipeline.told import name_told
from otel_agenttrace.pipeline.tool_schemas import ToolSchemas

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_agenttrace.model.kinds import FailureType
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.tree import SpanNode
    from otel_agenttrace.pipeline.causes import Outcome


@dataclass(frozen=True, slots=True)
class Failure:
    """One root cause.

    Attributes:
        failure_id: `<trace_id>-<span_id>` of the origin.
        type: the origin's; one that does not tell why it failed takes the type of the span that it made fail.
        origin: the deepest failing span of its branch.
        recovered: a span above it ended without error.
        is_pending: a span above it is still open, so that nobody knows yet whether it is recovered.
        error: type, message and stack; what the origin does not say is taken from the failing spans above it.
        subject: the nearest agent name from the origin up, else the root span's name.
        members: ids of the failing spans whose failure this is, the origin's first.
    """

    failure_id: str
    type: FailureType
    origin: SpanRecord
    recovered: bool
    is_pending: bool
    error: LocalFailure
    subject: str
    members: tuple[str, ...]
    _node: SpanNode = field(repr=False, compare=False)

    @property
    def lineage(self) -> tuple[SpanRecord, ...]:
        """The spans from the root down to the origin."""
        above = [node.record for node in self._node.ancestors()]
        return (*reversed(above), self.origin)

    @property
    def path(self) -> tuple[str, ...]:
        """The ids of `lineage`."""
        return tuple(record.span_id for record in self.lineage)

    @property
    def is_final(self) -> bool:
        """Whether the trace failed by it for certain: neither recovered nor pending."""
        return not self.recovered and not self.is_pending


def find_failures(spans: Iterable[SpanRecord] | SpanTree, *, now_unix_nano: int | None = None) -> tuple[Failure, ...]:
    """Every root cause of a trace, recovered ones too, by the start of the origin, then its span id.

    The result does not depend on the order of the spans. Of a verdict among them only its judgement of the output is
    used, also where more spans have come since; what failed is found out anew.

    Args:
        spans: the trace; a SpanTree where the caller has one.
        now_unix_nano: the time up to which open spans are known to run, see `classify`.
    """
    tree = spans if isinstance(spans, SpanTree) else SpanTree(spans)
    return failures_in(tree, judged_in(tree.verdict.events if tree.verdict else ()), now_unix_nano=now_unix_nano)


def failures_in(tree: SpanTree, judged: Mapping[str, str], *, now_unix_nano: int | None = None) -> tuple[Failure, ...]:
    """What `find_failures` finds, with a judgement at hand: why which spans' outputs are hallucinations, by id."""
    local = _local_failures(tree, now_unix_nano)
    _add_judged(local, tree, judged)
    if not local:
        return ()
    causes = Causes(tree, local)
    outcomes, errors, subjects = causes.outcomes(), _errors(tree, local, causes), _subjects(tree)
    members: dict[SpanNode, list[str]] = {}
    for node in sorted(local, key=lambda node: -node.depth):
        members.setdefault(causes.origin[node], []).append(node.record.span_id)
    found = [
        _failure(origin, errors[origin], outcomes[origin], subjects[origin], tuple(ids))
        for origin, ids in members.items()
    ]
    return tuple(sorted(found, key=lambda failure: (failure.origin.start_time_unix_nano, failure.origin.span_id)))


def _local_failures(tree: SpanTree, now_unix_nano: int | None) -> dict[SpanNode, LocalFailure]:
    """How each failing span failed; what the tools of the trace take tells a wrong argument from another exception."""
    local = {node: failure for node in tree.nodes if (failure := classify(node.record, now_unix_nano)) is not None}
    calls = [
        node
        for node, failure in local.items()
        if failure.type == "exception" and not failure.is_cancellation and canonical(node.record).is_tool_call
    ]
    if calls:
        schemas = ToolSchemas(node.record for node in tree.nodes)
        for node in calls:
            rule = schemas.broken_rule(node.record)
            if rule is not None:
                local[node] = _broke(local[node], rule)
    return local


def _broke(failure: LocalFailure, rule: str) -> LocalFailure:
    """The failure of a tool call whose arguments break a rule of the tool's schema."""
    told = f"arguments break the tool's schema: {rule}"
    message = f"{told} ({failure.message})" if failure.message else told
    return replace(failure, type="validation_error", is_vague=False, message=message)


def _add_judged(local: dict[SpanNode, LocalFailure], tree: SpanTree, judged: Mapping[str, str]) -> None:
    """The spans whose output was judged; the root stands for one that is gone, and an error comes before."""
    nodes = {node.record.span_id: node for node in reversed(tree.nodes)} if judged else {}
    for span_id, explanation in judged.items():
        node = nodes.get(span_id, tree.root)
        local.setdefault(node, LocalFailure("hallucination_flag", explanation, is_error=False))


def _failure(node: SpanNode, error: LocalFailure, outcome: Outcome, subject: str, members: tuple[str, ...]) -> Failure:
    origin = node.record
    # Nobody notices a hallucination, so a good end further up does not mean that it was dealt with.
    is_noticed = error.type != "hallucination_flag"
    return Failure(
        failure_id=f"{origin.trace_id}-{origin.span_id}",
        type=error.type,
        origin=origin,
        recovered=outcome.recovered and is_noticed,
        is_pending=outcome.is_pending and is_noticed,
        error=error,
        subject=subject,
        members=(origin.span_id, *(span_id for span_id in members if span_id != origin.span_id)),
        _node=node,
    )


def _errors(tree: SpanTree, local: Mapping[SpanNode, LocalFailure], causes: Causes) -> dict[SpanNode, LocalFailure]:
    """What each failing span says of its error, completed by what the spans say that it made fail."""
    errors: dict[SpanNode, LocalFailure] = {}
    for node in tree.nodes:
        if node in local:
            above = causes.effect.get(node)
            errors[node] = local[node] if above is None else _completed(local[node], errors[above])
    return errors


def _completed(error: LocalFailure, above: LocalFailure) -> LocalFailure:
    return replace(
        error,
        type=above.type if error.is_vague else error.type,
        is_vague=error.is_vague and above.is_vague,
        message=error.message or above.message,
        exception_type=error.exception_type or above.exception_type,
        stacktrace=error.stacktrace or above.stacktrace,
    )


def _subjects(tree: SpanTree) -> dict[SpanNode, str]:
    """The agent that each span worked for."""
    subjects: dict[SpanNode, str] = {}
    for node in tree.nodes:
        if node.parent is not None:
            inherited = subjects[node.parent]
        else:
            root = node if node.is_root else tree.root
            inherited = name_told(root.record)
        subjects[node] = agent_name_of(node.record) or inherited
    return subjects
