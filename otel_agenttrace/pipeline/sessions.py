"""Traces -> the session that they belong to. Imports pydantic, so only for reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from otel_agenttrace.contract.attributes import (
    AGENTTRACE_SESSION_STATUS,
    AGENTTRACE_SESSION_TASK,
    EVENT_AGENT_PREFIX,
)
from otel_agenttrace.model.kinds import SessionStatus
from otel_agenttrace.model.plain import plain_text
from otel_agenttrace.model.session import TraceSession
from otel_agenttrace.model.times import to_rfc3339
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.pipeline.summary import last_known_unix_nano, trace_status
from otel_agenttrace.pipeline.told import name_told
from otel_agenttrace.pipeline.usage import totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_agenttrace.model.record import SpanRecord

_STATUSES = frozenset(get_args(SessionStatus))


def trace_session(session_id: str, traces: Iterable[Sequence[SpanRecord]]) -> TraceSession:
    """Sum up a session: all spans of each of its traces, at least one span in all.

    How it stands is what `end_session` said. Else it runs while one of its traces does, has failed if one of them
    has, was cancelled if that was the only way in which they failed, and is completed otherwise.
    """
    spans = [list(trace) for trace in traces]
    marks = sorted((record for trace in spans for record in trace if is_session_mark(record)), key=_by_start)
    trees = [SpanTree(own) for trace in spans if (own := [each for each in trace if not is_session_mark(each)])]
    known = [record for trace in spans for record in trace]
    used = [totals(tree) for tree in trees]
    status = _status(marks, trees)
    return TraceSession(
        id=session_id,
        task=plain_text(_task(marks, trees)),
        started_at=to_rfc3339(min(record.start_time_unix_nano for record in known)),
        completed_at=None if status == "running" else to_rfc3339(last_known_unix_nano(known)),
        status=status,
        total_events=sum(_event_count(tree) for tree in trees),
        total_tokens=sum(each.input_tokens + each.output_tokens for each in used),
        total_cost_usd=sum(each.cost_usd or 0.0 for each in used),
        cost_complete=all(each.cost_complete for each in used),
    )


def is_session_mark(record: SpanRecord) -> bool:
    """Whether the span only tells that a session was started or ended."""
    return AGENTTRACE_SESSION_STATUS in record.attributes


def _status(marks: Sequence[SpanRecord], trees: Iterable[SpanTree]) -> SessionStatus:
    if marks:
        said = marks[-1].attributes[AGENTTRACE_SESSION_STATUS]
        if isinstance(said, str) and said in _STATUSES:
            return said  # type: ignore[return-value]
    failures = [(tree, find_failures(tree)) for tree in trees]
    statuses = {trace_status(tree, found) for tree, found in failures}
    if "running" in statuses:
        return "running"
    if "failed" not in statuses:
        return "completed"
    final = [failure for _, found in failures for failure in found if failure.is_final]
    return "cancelled" if all(failure.error.is_cancellation for failure in final) else "failed"


def _task(marks: Sequence[SpanRecord], trees: Iterable[SpanTree]) -> str:
    told = (str(mark.attributes.get(AGENTTRACE_SESSION_TASK) or "") for mark in reversed(marks))
    roots = sorted((tree.root.record for tree in trees), key=_by_start)
    return next(filter(None, told), name_told(roots[0]) if roots else "")


def _event_count(tree: SpanTree) -> int:
    return sum(
        1 + sum(event.name.startswith(EVENT_AGENT_PREFIX) for event in node.record.events) for node in tree.nodes
    )


def _by_start(record: SpanRecord) -> tuple[int, str]:
    return record.start_time_unix_nano, record.span_id
