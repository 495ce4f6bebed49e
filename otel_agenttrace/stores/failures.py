"""Finding failures in a store: by id, the newest, or as a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.model.verdicts import is_verdict, newest_verdict
from otel_agenttrace.pipeline.failures import classify
from otel_agenttrace.pipeline.project import failure_event, passed_event, resolve_failure, trace_record
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.failure_spans import StoredFailure, ids_of, spans_to_failure
from otel_agenttrace.stores.lookup import complete_trace_ids, split_failure_id
from otel_agenttrace.stores.sessions import get_known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_agenttrace.model.failure import FailureEvent
    from otel_agenttrace.model.kinds import FailureType
    from otel_agenttrace.pipeline.root_cause import Failure
    from otel_agenttrace.stores.api import SpanStore, StoredTrace

_PAGE = 50


class FoundFailure(NamedTuple):
    """A failure with the trace that it is in; of a pass, `failure` is None."""

    trace: StoredTrace
    failure: Failure | None

    @property
    def failure_event(self) -> FailureEvent:
        """The failure as an event."""
        if (given := self._given()) is not None:
            return given.failure_event
        return passed_event(self.trace.spans) if self.failure is None else failure_event(self.failure)

    @property
    def stored(self) -> StoredFailure:
        """The failure as an event, and its trace as steps."""
        return self._given() or StoredFailure(self.failure_event, trace_record(self.trace.spans, self.failure))

    def _given(self) -> StoredFailure | None:
        """What `store_trace` was given, if this is it, and not an error that such a run recovered from."""
        given = spans_to_failure(self.trace.spans)
        if given is None or self.failure is None:
            return given
        return given if "-".join(ids_of(given.failure_id)) == self.failure.failure_id else None


class FailureFinder:
    """Finds failures in a store; they are worked out of its spans each time."""

    def __init__(self, spans: SpanStore) -> None:
        self._spans = spans

    def find(self, text: str) -> FoundFailure:
        """Return the failure, or the pass, that an id stands for.

        Args:
            text: the id of the span where the failure began, or of any span on its branch that it made fail, behind
                the trace's; the id of the root span for a pass; the id that was given to `store_trace`. Ids may be
                shortened while unique, `0199c2f4…-a77f14b0` as they are shown or `0199c2f4` as they are typed.

        Raises:
            TraceNotFoundError: nothing is stored under the id, or it fits more than one failure.
        """
        trace_id, span_id = ids_of(text)
        try:
            return self._in_trace(trace_id, span_id)
        except TraceNotFoundError:
            parts = split_failure_id(text)
            if parts is None or parts == (trace_id, span_id):
                raise TraceNotFoundError(f"no failure is stored under {text!r}") from None
        return self._shortened(text, *parts)

    def newest(self) -> FoundFailure | None:
        """Return the failure stored last that was not recovered; None if there is none."""
        return next(self.walk(), None)

    def walk(
        self,
        *,
        since_unix_nano: int | None = None,
        until_unix_nano: int | None = None,
        failure_type: FailureType | None = None,
        subject: str | None = None,
        recovered: bool = False,
        after: str | None = None,
    ) -> Iterator[FoundFailure]:
        """Yield failures, those of the trace stored last first, each root cause once.

        Args:
            since_unix_nano: only where the span in which it began started then or later, nanoseconds since the epoch;
                an output that a verdict calls a hallucination counts by the time of the verdict.
            until_unix_nano: only where it started before.
            failure_type: only of this type.
            subject: only of this agent.
            recovered: also those that the agent recovered from, or may yet.
            after: continue behind the failure of this id.

        Raises:
            TraceNotFoundError: `after` is not stored.
        """
        for found in self._all(since_unix_nano, until_unix_nano, after):
            failure = found.failure
            if (
                failure is not None
                and (recovered or failure.is_final)
                and (failure_type is None or failure.type == failure_type)
                and (subject is None or found.failure_event.subject == subject)
                and _within(_time_of(found.trace, failure), since_unix_nano, until_unix_nano)
            ):
                yield found

    def _all(self, since: int | None, until: int | None, after: str | None) -> Iterator[FoundFailure]:
        trace_id = None
        if after is not None:
            last = self.find(after)
            trace_id = last.trace.trace_id
            yield from _behind(last)
        while True:
            query = SpanQuery(failing=True, started_from=since, started_to=until, limit=_PAGE, after=trace_id)
            page = self._spans.find_trace_ids(query)
            for trace in get_known(self._spans, page):
                for failure in reversed(find_failures(trace.spans)):
                    yield FoundFailure(trace, failure)
            if len(page) < _PAGE:
                return
            trace_id = page[-1]

    def _in_trace(self, trace_id: str, span_id: str) -> FoundFailure:
        trace = self._spans.get_trace(trace_id)
        return FoundFailure(trace, resolve_failure(trace.spans, f"{trace_id}-{span_id}"))

    def _shortened(self, text: str, trace_prefix: str, span_prefix: str) -> FoundFailure:
        traces = get_known(self._spans, complete_trace_ids(self._spans, trace_prefix))
        fitting = [found for trace in traces for found in _fitting(trace, span_prefix)]
        if not fitting:
            raise TraceNotFoundError(f"no failure is stored under {text!r}")
        if len(fitting) > 1:
            named = ", ".join(found.failure_event.failure_id for found in fitting[:5])
            raise TraceNotFoundError(f"{text!r} fits more than one failure: {named}; type more of it")
        return fitting[0]


def _fitting(trace: StoredTrace, span_prefix: str) -> list[FoundFailure]:
    """What a shortened id may mean in a trace: failures, else its pass.

    A failure fits by any span of its branch, better by its origin; what the trace failed by is meant before what it
    recovered from.
    """
    failures = find_failures(trace.spans)
    fitting = [failure for failure in failures if any(id_.startswith(span_prefix) for id_ in failure.members)]
    if span_prefix:
        fitting = [failure for failure in fitting if failure.origin.span_id.startswith(span_prefix)] or fitting
    fitting = [failure for failure in fitting if failure.is_final] or fitting
    if fitting:
        return [FoundFailure(trace, failure) for failure in fitting]
    root_id = passed_event(trace.spans).failure_id
    if not root_id.partition("-")[2].startswith(span_prefix):
        return []
    try:
        return [FoundFailure(trace, resolve_failure(trace.spans, root_id))]
    except TraceNotFoundError:
        return []  # still running: neither a failure nor a pass


def _behind(last: FoundFailure) -> list[FoundFailure]:
    """The failures of the same trace that a list names after this one."""
    failures = find_failures(last.trace.spans)[::-1]
    position = failures.index(last.failure) + 1 if last.failure in failures else len(failures)
    return [FoundFailure(last.trace, failure) for failure in failures[position:]]


def _time_of(trace: StoredTrace, failure: Failure) -> int:
    """When the failure showed; of the spans that a store is asked for, one that shows it started then."""
    if failure.type == "hallucination_flag" and classify(failure.origin) is None:
        verdict = newest_verdict(filter(is_verdict, trace.spans))
        return failure.origin.start_time_unix_nano if verdict is None else verdict.start_time_unix_nano
    return failure.origin.start_time_unix_nano


def _within(unix_nano: int, since: int | None, until: int | None) -> bool:
    return (since is None or unix_nano >= since) and (until is None or unix_nano < until)
