"""The spans that tell of a session's start and end, as `instrument.sessions` writes them too. Free of pydantic."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, get_args

from otel_agenttrace.contract.attributes import AGENTTRACE_SESSION_STATUS, AGENTTRACE_SESSION_TASK, SESSION_ID
from otel_agenttrace.errors import ConfigError
from otel_agenttrace.model.kinds import SessionStatus
from otel_agenttrace.model.record import ScopeRecord, SpanRecord
from otel_agenttrace.stores.api import AttributeFilter, SpanQuery

if TYPE_CHECKING:
    from otel_agenttrace.model.record import Attributes
    from otel_agenttrace.stores.api import SpanStore

_SCOPE = ScopeRecord("otel_agenttrace.stores")
_ENDINGS = tuple(status for status in get_args(SessionStatus) if status != "running")


def session_started(session_id: str, task: str, now_unix_nano: int) -> SpanRecord:
    """Return the span of no length that tells that a session began."""
    attributes: Attributes = {
        SESSION_ID: session_id,
        AGENTTRACE_SESSION_TASK: task,
        AGENTTRACE_SESSION_STATUS: "running",
    }
    return _mark("session started", _new_trace_id(now_unix_nano), now_unix_nano, attributes)


def session_ended(session_id: str, status: str, started: SpanRecord | None, now_unix_nano: int) -> SpanRecord:
    """Return the span of no length that tells that a session ended.

    Args:
        session_id: the session.
        status: completed, failed or cancelled.
        started: the span that told of its start, if there was one.
        now_unix_nano: the time, in nanoseconds since the Unix epoch.

    Raises:
        ConfigError: another status.
    """
    if status not in _ENDINGS:
        raise ConfigError(f"status: a session ends as {', '.join(_ENDINGS)}, not {status!r}")
    attributes: Attributes = {SESSION_ID: session_id, AGENTTRACE_SESSION_STATUS: status}
    if started is None:
        return _mark("session ended", _new_trace_id(now_unix_nano), now_unix_nano, attributes)
    attributes[AGENTTRACE_SESSION_TASK] = started.attributes.get(AGENTTRACE_SESSION_TASK)
    # Clocks may have been set back since: the end counts because it is later.
    time_unix_nano = max(now_unix_nano, started.start_time_unix_nano + 1)
    return _mark("session ended", started.trace_id, time_unix_nano, attributes, parent_span_id=started.span_id)


def last_mark(spans: SpanStore, session_id: str) -> SpanRecord | None:
    """Return the span that last told how a session stands; None for one that was never started by hand."""
    marked = (AttributeFilter(AGENTTRACE_SESSION_STATUS, "exists"),)
    query = SpanQuery(session_id=session_id, attributes=marked, order="start_desc", limit=1)
    return next(iter(spans.find_spans(query)), None)


def _mark(
    name: str, trace_id: str, time_unix_nano: int, attributes: Attributes, parent_span_id: str | None = None
) -> SpanRecord:
    return SpanRecord(
        trace_id=trace_id,
        span_id=secrets.token_hex(8),
        name=name,
        start_time_unix_nano=time_unix_nano,
        end_time_unix_nano=time_unix_nano,
        parent_span_id=parent_span_id,
        attributes=attributes,
        scope=_SCOPE,
    )


def _new_trace_id(now_unix_nano: int) -> str:
    """A time-ordered trace id: 48 bits of milliseconds, then 80 random bits."""
    return f"{now_unix_nano // 1_000_000 & 0xFFFFFFFFFFFF:012x}{secrets.token_hex(10)}"
