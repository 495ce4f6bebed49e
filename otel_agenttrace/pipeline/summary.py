"""A trace in one line: the fields of `agenttrace trace list --json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from otel_agenttrace.contract.attributes import AGENTTRACE_VERDICT_STATUS, PROJECT_ID, TASK_ID
from otel_agenttrace.model.kinds import TraceStatus
from otel_agenttrace.model.record import session_id_of
from otel_agenttrace.model.times import to_rfc3339
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.flags import find_flags
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.pipeline.told import name_told
from otel_agenttrace.pipeline.usage import Totals, totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.pipeline.root_cause import Failure
    from otel_agenttrace.stores.api import StoredTrace

__all__ = ["Totals", "TraceSummary", "last_known_unix_nano", "summarize", "totals", "trace_status"]


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """A trace in one line; the field names are those of `trace list --json`.

    Attributes:
        session_id: the session that the trace names first, its root before others; the trace's own id if none.
        started_at: RFC 3339, of the earliest span.
        duration_ms: milliseconds to the last that is known of the trace, while it runs too.
        error_count: failing spans, recovered ones too.
        models: in the order of their first use, as are `tools` and `task_ids`.
        input_tokens: each model call once, cached ones too, as are the other totals.
        output_tokens: those of reasoning too.
        cost_usd: US dollars, None if no cost is known.
        cost_complete: every model call has a cost.
        failure_ids: of the failures that were not recovered.
        reported_cost_usd: US dollars, as emitters report them; None if none does.
        unpriced_models: models with calls whose cost is not known, see `Totals`.
        dialects: whose words the spans use, in the order of their first use; empty if none is known.
        flag_kinds: what is remarkable, see `find_flags`; each kind once, in order of time.
    """

    trace_id: str
    session_id: str
    project_id: str | None
    service_name: str
    root_name: str
    status: TraceStatus
    started_at: str
    duration_ms: float
    span_count: int
    error_count: int
    models: tuple[str, ...]
    tools: tuple[str, ...]
    task_ids: tuple[str, ...]
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    cost_complete: bool
    failure_ids: tuple[str, ...]
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    reported_cost_usd: float | None
    unpriced_models: tuple[str, ...]
    dialects: tuple[str, ...]
    flag_kinds: tuple[str, ...]


def summarize(trace: StoredTrace, *, now_unix_nano: int | None = None) -> TraceSummary:
    """Sum up a trace of at least one span; `now_unix_nano` as for `find_failures`."""
    tree = SpanTree(trace.spans)
    failures = find_failures(tree, now_unix_nano=now_unix_nano)
    records = [tree.root.record, *sorted((node.record for node in tree.nodes), key=_by_start)]
    said = [canonical(record) for record in records]
    started = min(record.start_time_unix_nano for record in records)
    used = totals(tree)
    return TraceSummary(
        trace_id=trace.trace_id,
        session_id=next(filter(None, (session_id_of(record.attributes) for record in records)), trace.trace_id),
        project_id=next(iter(_distinct(record.attributes.get(PROJECT_ID) for record in records)), None),
        service_name=tree.root.record.resource.service_name,
        root_name=name_told(tree.root.record),
        status=trace_status(tree, failures),
        started_at=to_rfc3339(started),
        duration_ms=max(last_known_unix_nano(records) - started, 0) / 1e6,
        span_count=len(tree.nodes),
        error_count=sum(len(failure.members) for failure in failures),
        models=_distinct(each.model for each in said),
        tools=_distinct(each.tool_name for each in said if each.is_tool_call),
        task_ids=_distinct(record.attributes.get(TASK_ID) for record in records),
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cost_usd=used.cost_usd,
        cost_complete=used.cost_complete,
        failure_ids=tuple(failure.failure_id for failure in failures if failure.is_final),
        cache_read_tokens=used.cache_read_tokens,
        cache_write_tokens=used.cache_write_tokens,
        reasoning_tokens=used.reasoning_tokens,
        reported_cost_usd=used.reported_cost_usd,
        unpriced_models=used.unpriced_models,
        dialects=_distinct(each.dialect for each in said),
        flag_kinds=_distinct(flag.kind for flag in find_flags(tree)),
    )


def trace_status(tree: SpanTree, failures: Sequence[Failure]) -> TraceStatus:
    """How the trace stands; `failures` are all of it. Where only its verdict is left, that says it."""
    if tree.verdict is tree.root.record:
        told = tree.verdict.attributes.get(AGENTTRACE_VERDICT_STATUS)
        return next((status for status in get_args(TraceStatus) if status == told), "passed")
    final = {failure.type for failure in failures if failure.is_final}
    if final - {"hallucination_flag"}:
        return "failed"
    if any(top.record.end_time_unix_nano is None for top in tree.tops):
        return "running"
    return "hallucinated" if final else "passed"


def last_known_unix_nano(records: Iterable[SpanRecord]) -> int:
    """The latest time that any of the spans tells of, in nanoseconds since the Unix epoch."""
    return max(_last_of(record) for record in records)


def _last_of(record: SpanRecord) -> int:
    if record.end_time_unix_nano is not None:
        return max(record.start_time_unix_nano, record.end_time_unix_nano)
    return max((event.time_unix_nano for event in record.events), default=record.start_time_unix_nano)


def _by_start(record: SpanRecord) -> tuple[int, str]:
    return record.start_time_unix_nano, record.span_id


def _distinct(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(value) for value in values if value))
