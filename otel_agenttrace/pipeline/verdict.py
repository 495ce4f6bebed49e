"""The verdict: what is found out about a whole trace, as a span of that trace.

The same span goes to the store, to the exporters and through other people's collectors, so that a dashboard, Jaeger or
tail sampling sees what only the whole trace tells. Why it is as it is: `docs/decisions/0007-verdicts.md`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import (
    AGENTTRACE_FLAG_KIND,
    AGENTTRACE_REVISION,
    AGENTTRACE_VERDICT_COST_COMPLETE,
    AGENTTRACE_VERDICT_COST_USD,
    AGENTTRACE_VERDICT_DURATION_MS,
    AGENTTRACE_VERDICT_ERROR_COUNT,
    AGENTTRACE_VERDICT_FAILURE_COUNT,
    AGENTTRACE_VERDICT_FAILURE_IDS,
    AGENTTRACE_VERDICT_FLAGS,
    AGENTTRACE_VERDICT_INPUT_TOKENS,
    AGENTTRACE_VERDICT_OUTPUT_TOKENS,
    AGENTTRACE_VERDICT_RECOVERED_COUNT,
    AGENTTRACE_VERDICT_SPAN_COUNT,
    AGENTTRACE_VERDICT_STATUS,
    EVENT_FLAG,
    FAILURE_ID,
    FAILURE_ORIGIN_SPAN_ID,
    FAILURE_RECOVERED,
    FAILURE_SUBJECT,
    FAILURE_TYPE,
    PROJECT_ID,
    SESSION_ID,
    SPAN_VERDICT,
    TASK_STATUS,
)
from otel_agenttrace.model.codec import HAS_IS_REMOTE
from otel_agenttrace.model.plain import plain_text
from otel_agenttrace.model.record import LinkRecord, SpanRecord, completeness, session_id_of
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.model.verdicts import VERDICT_SCOPE, is_verdict
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.explain import explain
from otel_agenttrace.pipeline.judgements import flag_event, grounding_event, judged_in
from otel_agenttrace.pipeline.root_cause import failures_in
from otel_agenttrace.pipeline.summary import last_known_unix_nano, trace_status
from otel_agenttrace.pipeline.usage import totals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeAlias

    from otel_agenttrace.model.record import AnyValue, Attributes, EventRecord
    from otel_agenttrace.pipeline.flag import Flag
    from otel_agenttrace.pipeline.grounded import Judgement
    from otel_agenttrace.pipeline.root_cause import Failure

    Judge: TypeAlias = Callable[[SpanTree], Judgement | None]
    FindFlags: TypeAlias = Callable[[SpanTree], Sequence[Flag]]

MAX_LINKS = 128
"""Failures that a verdict names: as many as OTel's SDKs keep links of a span, see `OTEL_SPAN_LINK_COUNT_LIMIT`."""

_MAX_FLAGS = 64
_MAX_REVISION_OF_A_SPAN = 999
_TRACE_FLAGS = 0xFF
"""The rest of `flags` is as an SDK writes it, so that a verdict is the same when it comes back through one."""


def make_verdict(
    spans: Iterable[SpanRecord] | SpanTree, *, judge: Judge | None = None, find_flags: FindFlags | None = None
) -> SpanRecord | None:
    """Make the verdict of a trace from the spans of it that are known.

    The same spans give the same verdict, in whatever order they come and whoever makes it; verdicts among them are
    passed over. The more is known, the greater its `agenttrace.revision`: readers take the greatest.

    Args:
        spans: of one trace; a SpanTree where the caller has one.
        judge: holds the trace's output against its sources; None if there is nothing to judge. A pure function of
            the tree; what it raises goes to the caller.
        find_flags: what is remarkable in the trace without being a failure; pure as well.

    Returns:
        None where the spans tell of no agent: no operation, no task, no failure.
    """
    tree = spans if isinstance(spans, SpanTree) else SpanTree(spans)
    if not tree.nodes or is_verdict(tree.root.record):
        return None
    at = _settled_unix_nano(tree)
    judgement = judge(tree) if judge else None
    judged = grounding_event(judgement, at) if judgement else None
    failures = failures_in(tree, judged_in([judged] if judged else []))
    if not failures and not _tells_of_an_agent(tree):
        return None
    flags = [flag_event(flag, at) for flag in (find_flags(tree) if find_flags else ())[:_MAX_FLAGS]]
    events = [judged, *flags] if judged else flags
    return _verdict(tree, at, _most_telling_first(tree, failures), events)


def revision_of(tree: SpanTree) -> int:
    """A number that grows with what is known of a trace: with each span, and with each span of which more is known.

    A span may end on behalf of a dead process first, and by itself later; it may be written again in a newer version.
    """
    return sum(_weight(*completeness(node.record)) for node in tree.nodes)


def _weight(rank: int, revision: int) -> int:
    return 1 + rank * (_MAX_REVISION_OF_A_SPAN + 1) + min(max(revision, 0), _MAX_REVISION_OF_A_SPAN)


def _verdict(tree: SpanTree, at: int, failures: Sequence[Failure], events: Sequence[EventRecord]) -> SpanRecord:
    root = tree.root.record
    status = trace_status(tree, failures)
    is_bad = status in ("failed", "hallucinated")
    return SpanRecord(
        trace_id=root.trace_id,
        span_id=hashlib.sha256(f"{SPAN_VERDICT}/{root.trace_id}".encode()).hexdigest()[:16],
        name=SPAN_VERDICT,
        start_time_unix_nano=at,
        end_time_unix_nano=at,
        parent_span_id=root.span_id,
        status_code="ERROR" if is_bad else "UNSET",
        status_message=explain(failures[0]) if is_bad else "",
        attributes={
            str(AGENTTRACE_REVISION): revision_of(tree),
            str(AGENTTRACE_VERDICT_STATUS): status,
            **_known(_belonging(tree)),
            **_known(_told_of(failures)),
            **_known(_counted(tree, failures)),
            **_known(_used(tree)),
            **_known({AGENTTRACE_VERDICT_FLAGS: _kinds_of_flags(events)}),
        },
        events=tuple(events),
        links=tuple(_link(failure) for failure in failures[:MAX_LINKS]),
        resource=root.resource,
        scope=VERDICT_SCOPE,
        trace_state=root.trace_state,
        flags=root.flags & _TRACE_FLAGS | HAS_IS_REMOTE,
        dropped_links_count=max(len(failures) - MAX_LINKS, 0),
    )


def _settled_unix_nano(tree: SpanTree) -> int:
    end = tree.root.record.end_time_unix_nano
    is_whole = tree.root.is_root and end is not None
    return end if is_whole else last_known_unix_nano(node.record for node in tree.nodes)  # type: ignore[return-value]


def _tells_of_an_agent(tree: SpanTree) -> bool:
    return any(TASK_STATUS in node.record.attributes or canonical(node.record).operation for node in tree.nodes)


def _most_telling_first(tree: SpanTree, failures: Iterable[Failure]) -> list[Failure]:
    """By how much each tells of what became of the trace.

    What it failed by comes before what it may yet recover from, and that before what it recovered from; an error
    before a hallucination; what reached the root before what did not; then what failed last.
    """
    root_id = tree.root.record.span_id

    def telling(failure: Failure) -> tuple[bool, bool, bool, bool, int, str]:
        return (
            failure.is_final,
            not failure.recovered,
            failure.type != "hallucination_flag",
            root_id in failure.members,
            last_known_unix_nano([failure.origin]),
            failure.failure_id,
        )

    return sorted(failures, key=telling, reverse=True)


def _belonging(tree: SpanTree) -> dict[str, AnyValue]:
    """The session and the project that the trace names first, its root before others."""
    attributes = [tree.root.record.attributes, *(node.record.attributes for node in tree.nodes)]
    return {
        SESSION_ID: next(filter(None, map(session_id_of, attributes)), None),
        PROJECT_ID: next(filter(None, (own.get(PROJECT_ID) for own in attributes)), None),
    }


def _told_of(failures: Sequence[Failure]) -> dict[str, AnyValue]:
    if not failures:
        return {}
    first = failures[0]
    return {
        FAILURE_ID: first.failure_id,
        FAILURE_TYPE: first.type,
        FAILURE_SUBJECT: plain_text(first.subject),
        FAILURE_ORIGIN_SPAN_ID: first.origin.span_id,
        FAILURE_RECOVERED: first.recovered,
    }


def _counted(tree: SpanTree, failures: Sequence[Failure]) -> dict[str, AnyValue]:
    records = [node.record for node in tree.nodes]
    started = min(record.start_time_unix_nano for record in records)
    final = [failure for failure in failures if failure.is_final]
    return {
        AGENTTRACE_VERDICT_SPAN_COUNT: len(records),
        AGENTTRACE_VERDICT_ERROR_COUNT: sum(len(failure.members) for failure in failures),
        AGENTTRACE_VERDICT_DURATION_MS: max(last_known_unix_nano(records) - started, 0) / 1e6,
        AGENTTRACE_VERDICT_FAILURE_IDS: [failure.failure_id for failure in final[:MAX_LINKS]] or None,
        AGENTTRACE_VERDICT_FAILURE_COUNT: len(final),
        AGENTTRACE_VERDICT_RECOVERED_COUNT: sum(failure.recovered for failure in failures),
    }


def _used(tree: SpanTree) -> dict[str, AnyValue]:
    used = totals(tree)
    return {
        AGENTTRACE_VERDICT_INPUT_TOKENS: used.input_tokens,
        AGENTTRACE_VERDICT_OUTPUT_TOKENS: used.output_tokens,
        AGENTTRACE_VERDICT_COST_USD: used.cost_usd,
        AGENTTRACE_VERDICT_COST_COMPLETE: used.cost_complete,
    }


def _kinds_of_flags(events: Iterable[EventRecord]) -> AnyValue:
    kinds = {str(event.attributes[AGENTTRACE_FLAG_KIND]) for event in events if event.name == EVENT_FLAG}
    names: list[AnyValue] = [*sorted(kinds)]
    return names or None


def _link(failure: Failure) -> LinkRecord:
    told: Attributes = {
        FAILURE_ID: failure.failure_id,
        FAILURE_TYPE: failure.type,
        FAILURE_RECOVERED: failure.recovered,
    }
    origin = failure.origin
    return LinkRecord(origin.trace_id, origin.span_id, _known(told), flags=HAS_IS_REMOTE)


def _known(values: dict[str, AnyValue]) -> Attributes:
    """Those that there are, under plain texts."""
    return {str(name): value for name, value in values.items() if value is not None}
