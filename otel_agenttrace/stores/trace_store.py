"""TraceStore: failures, sessions, entries and retention over any store of spans."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from otel_agenttrace.errors import ConfigError, StoreRejectedError, TraceNotFoundError
from otel_agenttrace.model.codec import deserialize, serialize_record
from otel_agenttrace.pipeline.sessions import trace_session
from otel_agenttrace.stores.api import Deleted, SpanQuery, require_count
from otel_agenttrace.stores.entry_spans import entry_span_id, entry_to_span, entry_trace_id, span_to_entry
from otel_agenttrace.stores.failure_spans import failure_to_spans, spans_to_failure
from otel_agenttrace.stores.failures import FailureFinder
from otel_agenttrace.stores.moment import as_unix_nano, maybe_unix_nano
from otel_agenttrace.stores.retention import DAY_NANO, delete_expired, get_retention_days, set_retention_days
from otel_agenttrace.stores.session_marks import last_mark, session_ended, session_started
from otel_agenttrace.stores.sessions import get_known, require_session, walk_entries, walk_traces
from otel_agenttrace.stores.writer import StoreWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from otel_agenttrace.model.entry import TraceEntry
    from otel_agenttrace.model.failure import FailureEvent
    from otel_agenttrace.model.kinds import FailureType, SessionStatus
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.session import TraceSession
    from otel_agenttrace.model.trace_record import TraceRecord
    from otel_agenttrace.pipeline.redact import RedactConfig, RedactFunction, Redactor
    from otel_agenttrace.stores.api import SpanStore, StoredTrace
    from otel_agenttrace.stores.failure_spans import StoredFailure
    from otel_agenttrace.stores.failures import FoundFailure
    from otel_agenttrace.stores.moment import Moment

_PAGE = 200


class TraceStore:
    """What users keep and find in a store. It stores spans, nothing else; all that it returns is worked out of them.

    A time may be given as a datetime with a time zone, as RFC 3339 text, or as integer nanoseconds since the Unix
    epoch; a range includes its start and not its end. A time of another form, and a `limit` or `offset` that is no
    whole number from 0, raise ConfigError. Any method raises StoreUnavailableError when the store cannot be reached
    or stays locked.

    Args:
        spans: where the spans are kept; reach it under the same name.
        redact: what to hide of what is stored through this object, as for `configure_tracing`.
        now: the time in nanoseconds since the Unix epoch.
    """

    def __init__(
        self,
        spans: SpanStore,
        *,
        redact: bool | RedactConfig | RedactFunction = True,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self.spans = spans
        self._redact = redact
        self._redactor: Redactor | None = None
        self._now = now
        self._failures = FailureFinder(spans)
        self._writer = StoreWriter(spans, now)

    def __enter__(self) -> TraceStore:  # noqa: PYI034  Self is younger than Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The store's URL."""
        return self.spans.url

    def close(self) -> None:
        """Release files and connections; safe twice."""
        self.spans.close()

    def write_spans(self, spans: Sequence[SpanRecord]) -> None:
        """Store spans that have passed redaction; return only once they are durable.

        They pass the span stages, which mark those that failed, and once a day, what has expired is deleted.

        Raises:
            StoreUnavailableError: transient; the same batch may succeed later.
            StoreRejectedError: permanent; the same batch always fails.
        """
        self._writer.write_spans(spans)

    def write_staged(self, spans: Sequence[SpanRecord]) -> None:
        """Do what `write_spans` does, with spans that have passed the span stages already.

        Raises:
            StoreUnavailableError: as for `write_spans`.
            StoreRejectedError: as for `write_spans`.
        """
        self._writer.write_staged(spans)

    # Failures.

    def store_trace(self, failure_event: FailureEvent, trace_record: TraceRecord) -> str:
        """Store a failure (or a pass) that was not recorded as spans, and return its id.

        It becomes a trace: a span of the agent and one per step below it. Storing the same again changes nothing.

        Raises:
            StoreRejectedError: the two have different ids (also a ValueError), or something else is stored under
                the id already.
        """
        spans = [self._redacted(span) for span in failure_to_spans(failure_event, trace_record)]
        try:
            known = self.find_failure(failure_event.failure_id).stored
        except TraceNotFoundError:
            self.write_spans(spans)
            return failure_event.failure_id
        if known not in ((failure_event, trace_record), spans_to_failure(spans)):
            raise StoreRejectedError(f"another failure is stored under the id {failure_event.failure_id!r}")
        return failure_event.failure_id

    def get_trace(self, failure_id: str) -> StoredFailure:
        """Return the failure, or the pass, that is stored under an id.

        Args:
            failure_id: see `find_failure`.

        Raises:
            TraceNotFoundError: nothing is stored under the id, or it fits more than one failure.
        """
        return self.find_failure(failure_id).stored

    def find_failure(self, failure_id: str) -> FoundFailure:
        """Return a failure (or a pass) with the trace that it is in.

        Args:
            failure_id: `<trace id>-<span id>` of the span where the failure began, or of any span that it made fail;
                of the root span for a pass; or the id that was given to `store_trace`. It may be shortened while
                unique: `0199c2f4…-a77f14b0`, `0199c2f4-a77f14b0`, or `0199c2f4` for the failure of that trace.

        Raises:
            TraceNotFoundError: nothing is stored under the id, or it fits more than one failure.
        """
        return self._failures.find(failure_id)

    def newest_failure(self) -> FoundFailure | None:
        """Return the failure that was stored last and not recovered; None if there is none."""
        return self._failures.newest()

    def list_failures(
        self,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        failure_type: FailureType | None = None,
        subject: str | None = None,
        recovered: bool = False,
        limit: int = 100,
        after: str | None = None,
    ) -> list[FailureEvent]:
        """Return failures, those of the trace stored last first, each root cause once. A pass is none of them.

        Args:
            since: only where the span in which it began started then or later.
            until: only where it started before.
            failure_type: only of this type.
            subject: only of this agent.
            recovered: also those that the agent recovered from, or may yet.
            limit: how many at most.
            after: the id of the last failure seen, to continue behind it.

        Raises:
            TraceNotFoundError: `after` is not stored.
        """
        require_count("limit", limit)
        found = self._failures.walk(
            since_unix_nano=maybe_unix_nano(since),
            until_unix_nano=maybe_unix_nano(until),
            failure_type=failure_type,
            subject=subject,
            recovered=recovered,
            after=after,
        )
        return [each.failure_event for each in islice(found, limit)]

    # Traces.

    def find_traces(self, query: SpanQuery) -> list[StoredTrace]:
        """Return the traces of which at least one span meets a query, `query.limit` at most.

        Those that only tell of a session's start and end are left out.
        """
        return list(islice(walk_traces(self.spans, query), query.limit))

    # Sessions.

    def start_session(self, task: str) -> TraceSession:
        """Start a session by hand, and return it; its id groups what is stored under it from then on.

        Args:
            task: what the session is about.
        """
        from otel_agenttrace.instrument.ids import new_run_id  # noqa: PLC0415  brings the SDK, which readers do without

        session_id = new_run_id()
        self.write_spans([self._redacted(session_started(session_id, task, self._now()))])
        return self.get_session(session_id)

    def end_session(self, session_id: str, status: SessionStatus = "completed") -> TraceSession:
        """End a session, and return it; of a session that has ended already, the last call counts.

        Args:
            session_id: the session.
            status: completed, failed or cancelled.

        Raises:
            TraceNotFoundError: there is no such session.
            ConfigError: another status.
        """
        require_session(self.spans, session_id)
        last = last_mark(self.spans, session_id)
        self.write_spans([session_ended(session_id, status, last, self._now())])
        return self.get_session(session_id)

    def get_session(self, session_id: str) -> TraceSession:
        """Return a session summed up; a trace that names no session is one of its own, under its trace id.

        Raises:
            TraceNotFoundError: there is no such session.
        """
        return trace_session(session_id, [trace.spans for trace in self.get_session_traces(session_id)])

    def get_session_traces(self, session_id: str) -> list[StoredTrace]:
        """Return all traces of a session, oldest stored first.

        Raises:
            TraceNotFoundError: there is no such session.
        """
        traces = list(get_known(self.spans, require_session(self.spans, session_id)))
        if not traces:
            raise TraceNotFoundError(f"there is no session {session_id!r}")
        return traces

    def get_sessions(
        self,
        limit: int = 100,
        offset: int = 0,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        after: str | None = None,
    ) -> list[TraceSession]:
        """Return sessions, the one stored last first.

        Args:
            limit: how many at most.
            offset: how many to leave out before them.
            since: only with a span that started then or later.
            until: only with a span that started before.
            after: the id of the last session seen, to continue behind it; steadier than `offset` while agents run.

        Raises:
            TraceNotFoundError: `after` is not stored.
        """
        require_count("limit", limit)
        require_count("offset", offset)
        query = SpanQuery(
            started_from=maybe_unix_nano(since), started_to=maybe_unix_nano(until), limit=limit + offset, after=after
        )
        sessions = []
        for session_id in self.spans.find_session_ids(query)[offset:]:
            with suppress(TraceNotFoundError):  # deleted by retention since it was listed
                sessions.append(self.get_session(session_id))
        return sessions

    def save_trace(self, entry: TraceEntry) -> None:
        """Store an entry as a span of its session; an entry of the same id takes the place of the earlier one.

        Raises:
            TraceNotFoundError: there is no session `entry.session_id`.
            StoreRejectedError: the entry holds something that cannot be stored.
        """
        require_session(self.spans, entry.session_id)
        query = SpanQuery(trace_id=entry_trace_id(entry.session_id), span_id=entry_span_id(entry.id), limit=1)
        earlier = next(iter(self.spans.find_spans(query)), None)
        if earlier is None or span_to_entry(earlier) != entry:
            self.write_spans([self._redacted(entry_to_span(entry, earlier))])

    def get_traces(  # noqa: PLR0917  the order in which they are usually given
        self,
        session_id: str | None = None,
        event_type: str | None = None,
        start_time: Moment | None = None,
        end_time: Moment | None = None,
        search_text: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[TraceEntry]:
        """Return entries, one per span: of a session by their start, else those stored last first.

        Args:
            session_id: only of this session.
            event_type: only of this `TraceEntry.type`, e.g. `chat`, `execute_tool` or `tool_called`.
            start_time: only what started then or later.
            end_time: only what started before.
            search_text: only what has all words of this text somewhere in it.
            limit: how many at most.
            offset: how many to leave out before them.
        """
        require_count("limit", limit)
        require_count("offset", offset)
        query = SpanQuery(
            session_id=session_id,
            started_from=maybe_unix_nano(start_time),
            started_to=maybe_unix_nano(end_time),
            text=search_text or "",
            order="stored_desc" if session_id is None else "start_asc",
            limit=_PAGE,
        )
        entries = (entry for entry in walk_entries(self.spans, query) if event_type in (None, entry.type))
        return list(islice(entries, offset, offset + limit))

    # Retention.

    def get_retention_days(self) -> int | None:
        """Return for how many days the store keeps what is in it, 30 unless set; None for ever."""
        return get_retention_days(self.spans)

    def set_retention_days(self, days: int | None) -> None:
        """Set for how many days the store keeps what is in it, whole days from 1 to 36500; None for ever.

        Raises:
            ConfigError: `days` is something else.
        """
        set_retention_days(self.spans, days)

    def cleanup_old_traces(self, older_than: Moment | timedelta | None = None) -> Deleted:
        """Delete now what has expired, and return how much that was.

        Traces go whole, and a session's all together: once it has ended, and nothing of it started recently.

        Args:
            older_than: what started before this time, or this long ago, is not recent; by default what is older than
                the store's retention, and nothing if that is for ever.

        Raises:
            ConfigError: `older_than` is not of these, or a negative age.
        """
        if isinstance(older_than, timedelta):
            if older_than < timedelta():
                raise ConfigError(f"older_than: {older_than} ago is in the future")
            older_than = self._now() - older_than // timedelta(microseconds=1) * 1000
        if older_than is None:
            days = self.get_retention_days()
            if days is None:
                return Deleted()
            older_than = self._now() - days * DAY_NANO
        return delete_expired(self.spans, as_unix_nano(older_than))

    def _redacted(self, span: SpanRecord) -> SpanRecord:
        """What a user hands over has not been through the pipeline that recorded spans come from."""
        if self._redactor is None:
            from otel_agenttrace.pipeline.redact import make_redactor  # noqa: PLC0415  brings RE2, as above

            self._redactor = make_redactor(self._redact)
        return span if self._redactor is None else deserialize(self._redactor.redact(serialize_record(span)))
