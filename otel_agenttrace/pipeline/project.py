"""Spans -> what users read: failure events, trace records, entries, sessions. Imports pydantic, so only for reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.contract.attributes import TASK_ID
from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.model.failure import FailureEvent
from otel_agenttrace.model.plain import plain_text, plain_value
from otel_agenttrace.model.record import session_id_of
from otel_agenttrace.model.times import to_rfc3339
from otel_agenttrace.model.trace_record import TraceRecord, TraceStep
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.canonical import agent_name_of, canonical
from otel_agenttrace.pipeline.failures import classify
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.pipeline.summary import last_known_unix_nano, trace_status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_agenttrace.model.kinds import RecordStatus
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.tree import SpanNode
    from otel_agenttrace.pipeline.root_cause import Failure

_MAX_STACK_LENGTH = 16_384
"""Characters kept of a stack: the last ones, where Python names the error."""


def failure_event(failure: Failure) -> FailureEvent:
    """One failure as users see it."""
    origin, error = failure.origin, failure.error
    return FailureEvent(
        failure_id=failure.failure_id,
        subject=plain_text(failure.subject),
        failure_type=failure.type,
        timestamp=to_rfc3339(last_known_unix_nano([origin])),
        trace_id=origin.trace_id,
        error=plain_text(error.text),
        metadata=_known(
            exception_type=error.exception_type,
            stacktrace=error.stacktrace[-_MAX_STACK_LENGTH:],
            code=error.code,
            recovered=failure.recovered,
            path=list(failure.path),
            **_place(failure.lineage),
        ),
    )


def passed_event(spans: Iterable[SpanRecord]) -> FailureEvent:
    """The event of type none of a trace that passed."""
    root = SpanTree(spans).root.record
    return FailureEvent(
        failure_id=f"{root.trace_id}-{root.span_id}",
        subject=plain_text(agent_name_of(root) or root.name),
        failure_type="none",
        timestamp=to_rfc3339(last_known_unix_nano([root])),
        trace_id=root.trace_id,
        metadata=_known(path=[root.span_id], **_place([root])),
    )


def resolve_failure(
    spans: Iterable[SpanRecord], failure_id: str, *, now_unix_nano: int | None = None
) -> Failure | None:
    """The failure that the id of any failing span of its branch stands for; None if it is the id of a pass.

    The root's id stands for what the trace failed by: a trace that had passed may be judged otherwise later.

    Raises:
        TraceNotFoundError: the id is neither; what the trace has instead is named.
    """
    tree = SpanTree(spans)
    failures = find_failures(tree, now_unix_nano=now_unix_nano)
    trace_id, _, span_id = failure_id.rpartition("-")
    for failure in failures:
        if trace_id == failure.origin.trace_id and span_id in failure.members:
            return failure
    status = trace_status(tree, failures)
    if (trace_id, span_id) == (tree.root.record.trace_id, tree.root.record.span_id):
        final = [failure for failure in failures if failure.is_final]
        if final or status == "passed":
            return final[0] if final else None
    has = ", ".join(failure.failure_id for failure in failures) or "no failure"
    raise TraceNotFoundError(f"no failure {failure_id}: the trace is {status} and has {has}")


def trace_record(spans: Iterable[SpanRecord], failure: Failure | None = None) -> TraceRecord:
    """The trace as steps, under the id of `failure`, or of its pass.

    Each call of a tool or a model is a step, and so is any other span where a failure began.
    """
    tree = SpanTree(spans)
    failures = find_failures(tree)
    records = [node.record for node in tree.nodes]
    root = tree.root.record
    return TraceRecord(
        failure_id=failure.failure_id if failure else f"{root.trace_id}-{root.span_id}",
        subject=plain_text(failure.subject if failure else agent_name_of(root) or root.name),
        status=_record_status(tree, failures, failure),
        started_at=to_rfc3339(min(record.start_time_unix_nano for record in records)),
        ended_at=to_rfc3339(last_known_unix_nano(records)),
        steps=_steps(tree, failures),
    )


def _record_status(tree: SpanTree, failures: tuple[Failure, ...], failure: Failure | None) -> RecordStatus:
    status = trace_status(tree, failures)
    if status != "running":
        return status
    # A record of a run that is still on its way: nothing but its failure is certain.
    return "passed" if failure is None or failure.recovered else "failed"


def _steps(tree: SpanTree, failures: tuple[Failure, ...]) -> list[TraceStep]:
    origins = {failure.origin.identity: failure for failure in failures}
    by_time = sorted(tree.nodes, key=lambda node: (node.record.start_time_unix_nano, node.depth, node.record.span_id))
    steps = (_step(node, origins.get(node.record.identity)) for node in by_time)
    return [step for step in steps if step is not None]


def _step(node: SpanNode, begun: Failure | None) -> TraceStep | None:
    record = node.record
    said = canonical(record)
    failed = begun.error if begun else classify(record)
    content: dict[str, Any] = {
        "input": plain_value(said.input),
        "output": plain_value(said.output),
        "error": plain_text(failed.text) if failed else None,
    }
    name = plain_text(record.name)
    if said.is_tool_call:
        return TraceStep(name=plain_text(said.tool_name or record.name), kind="tool_call", **content)
    if said.is_model_call:
        return TraceStep(name=plain_text(said.model or record.name), kind="model_output", **content)
    if begun is None:
        return None
    kind: Any = {"validation_error": "validation_error", "hallucination_flag": "model_output"}.get(
        begun.type, "exception"
    )
    return TraceStep(name=name, kind=kind, **content)


def _place(lineage: Sequence[SpanRecord]) -> dict[str, Any]:
    """Where it happened; what the origin does not say is said by the nearest span above that does."""
    origin = lineage[-1]
    upward = [record.attributes for record in reversed(lineage)]
    return {
        "origin_span_id": origin.span_id,
        "origin_name": origin.name,
        "service_name": origin.resource.service_name,
        "session_id": next(filter(None, map(session_id_of, upward)), None),
        "task_id": next(filter(None, (attributes.get(TASK_ID) for attributes in upward)), None),
    }


def _known(**metadata: Any) -> dict[str, Any]:
    return {name: plain_value(value) for name, value in metadata.items() if value not in (None, "")}
