"""Retention: traces leave the store when nothing of their session is recent any more.

What is deleted is whole: a trace goes with all its spans, and only when every session that it belongs to has expired.
A session has expired when it is no longer running and none of its spans started within the time that is kept. A
session that was begun by `start_session` runs until its end is recorded, however long ago that was.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import AGENTTRACE_SESSION_STATUS
from otel_agenttrace.errors import ConfigError, StoreError, TraceNotFoundError
from otel_agenttrace.model.record import session_id_of
from otel_agenttrace.stores.api import Deleted, SpanQuery
from otel_agenttrace.stores.session_marks import last_mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.stores.api import SpanStore

_LOG = logging.getLogger(__name__)

DEFAULT_RETENTION_DAYS = 30
MAX_RETENTION_DAYS = 36_500

DAY_NANO = 86_400_000_000_000

_DAYS_SETTING = "retention_days"
_LAST_RUN_SETTING = "retention_last_run_unix_nano"
_NEVER = "never"
_PAGE = 200
_MAX_TRACES_PER_RUN = 2_000
_SECONDS_BETWEEN_CHECKS = 600.0


def get_retention_days(spans: SpanStore) -> int | None:
    """How many days the store keeps traces; None for ever."""
    text = spans.get_setting(_DAYS_SETTING)
    if text is None:
        return DEFAULT_RETENTION_DAYS
    return None if text == _NEVER else int(text)


def set_retention_days(spans: SpanStore, days: int | None) -> None:
    """Keep in the store for how many days it keeps traces; None for ever.

    Raises:
        ConfigError: not a whole number from 1 to 36500.
    """
    if days is not None and (
        not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MAX_RETENTION_DAYS
    ):
        raise ConfigError(f"retention_days: {days!r} is not a whole number from 1 to {MAX_RETENTION_DAYS}, nor None")
    spans.set_setting(_DAYS_SETTING, _NEVER if days is None else str(days))


def delete_expired(spans: SpanStore, before_unix_nano: int, *, max_traces: int | None = None) -> Deleted:
    """Delete the traces whose sessions have expired, oldest first.

    Args:
        spans: the store.
        before_unix_nano: a session expires when all its spans started before this, in nanoseconds since the Unix epoch.
        max_traces: stop after about that many; None for all.
    """
    expiry = _Expiry(spans, before_unix_nano)
    deleted = Deleted()
    kept: str | None = None
    while max_traces is None or deleted.traces < max_traces:
        query = SpanQuery(started_to=before_unix_nano, order="start_asc", limit=_PAGE, after=kept)
        try:
            page = spans.find_trace_ids(query)
        except TraceNotFoundError:
            break  # another process deleted the trace that the page continues behind: it is cleaning already
        expired = [trace_id for trace_id in page if expiry.has_expired(trace_id)]
        part = spans.delete_traces(expired)
        deleted = Deleted(deleted.traces + part.traces, deleted.spans + part.spans)
        if len(page) < _PAGE:
            break
        kept = next((trace_id for trace_id in reversed(page) if trace_id not in expired), kept)
    return deleted


class Retention:
    """Deletes what has expired, once a day, whichever process writes to the store first that day.

    The first look at a store only notes the time: who imports old traces into a new store can read them for a day, and
    set another retention. Two processes that find the time come at the same moment may both delete; that does no
    harm, each counts its own.

    Args:
        spans: the store.
        now: the time in nanoseconds since the Unix epoch.
    """

    def __init__(self, spans: SpanStore, now: Callable[[], int] = time.time_ns) -> None:
        self._spans = spans
        self._now = now
        self._next_check = 0.0
        self._lock = threading.Lock()

    def run_if_due(self) -> Deleted:
        """Delete part of what has expired, if a day has passed since the store was last cleaned; else nothing.

        Meant to be called after every write: it looks into the store every ten minutes at most, deletes at most some
        2,000 traces at a time, and goes on at the next call while there are more. Never raises; a store that fails is
        logged and tried again ten minutes later.
        """
        if time.monotonic() < self._next_check or not self._lock.acquire(blocking=False):
            return Deleted()
        try:
            self._next_check = time.monotonic() + _SECONDS_BETWEEN_CHECKS
            return self._run()
        except StoreError as error:
            _LOG.warning("retention: traces that have expired could not be deleted: %s", error)
            return Deleted()
        finally:
            self._lock.release()

    def _run(self) -> Deleted:
        now = self._now()
        last = self._spans.get_setting(_LAST_RUN_SETTING)
        # A last run in the future is a clock that was wrong once: it must not stop the cleaning for good.
        if last is not None and 0 <= now - int(last) < DAY_NANO:
            return Deleted()
        days = None if last is None else get_retention_days(self._spans)
        deleted = Deleted()
        if days is not None:
            before = now - days * DAY_NANO
            deleted = delete_expired(self._spans, before, max_traces=_MAX_TRACES_PER_RUN)
            _LOG.info("retention: %d traces older than %d days were deleted", deleted.traces, days)
        if deleted.traces < _MAX_TRACES_PER_RUN:
            self._spans.set_setting(_LAST_RUN_SETTING, str(now))
        else:
            self._next_check = 0.0
        return deleted


class _Expiry:
    """Which traces have expired. A session's answer is kept: its traces come one after the other."""

    def __init__(self, spans: SpanStore, before_unix_nano: int) -> None:
        self._spans = spans
        self._before = before_unix_nano
        self._sessions: dict[str, bool] = {}

    def has_expired(self, trace_id: str) -> bool:
        try:
            spans = self._spans.get_trace(trace_id).spans
        except TraceNotFoundError:
            return False  # another process was faster
        sessions = {session for span in spans if (session := session_id_of(span.attributes))} or {trace_id}
        return all(self._session_has_expired(session) for session in sessions)

    def _session_has_expired(self, session_id: str) -> bool:
        if session_id not in self._sessions:
            needed = (
                SpanQuery(session_id=session_id, started_from=self._before, limit=1),
                SpanQuery(session_id=session_id, open=True, limit=1),
            )
            last = last_mark(self._spans, session_id)
            is_running = last is not None and last.attributes[AGENTTRACE_SESSION_STATUS] == "running"
            self._sessions[session_id] = not is_running and not any(map(self._spans.find_spans, needed))
        return self._sessions[session_id]
