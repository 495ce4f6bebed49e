"""`start_session` and `end_session`: traces grouped by hand.

A session is nothing but the `session.id` that spans carry. What no other span could tell, its task and how it ended,
stands on two spans of no length: one when it starts, so that it survives a crash, and one when it ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opentelemetry import context as context_api
from opentelemetry.context import Context

from otel_agenttrace.contract.attributes import AGENTTRACE_SESSION_STATUS, AGENTTRACE_SESSION_TASK, SESSION_ID
from otel_agenttrace.instrument.faults import logger
from otel_agenttrace.instrument.ids import new_run_id
from otel_agenttrace.instrument.inherited import current_inherited, with_inherited
from otel_agenttrace.instrument.spans import start_span

if TYPE_CHECKING:
    from otel_agenttrace.instrument.spans import OpenSpan
    from otel_agenttrace.model.kinds import SessionStatus
    from otel_agenttrace.model.record import AnyValue

_SESSION_KEY = context_api.create_key("agenttrace-session")


class _Session(NamedTuple):
    session_id: str
    task: str
    started: Context  # with the span that tells of the start
    outer: object
    outer_id: AnyValue


def start_session(task: str) -> str:
    """Group the traces that follow in this context, and in tasks and threads that get a copy of it.

    Call it outside of spans; one that starts inside of a span ends with it. Sessions nest. Where an id is at hand,
    `TraceContext(session_id=...)` needs neither this nor `end_session`.

    Args:
        task: what the session is about.

    Returns:
        The session's id, a UUIDv7, which becomes the `session.id` of the spans.

    Raises:
        ContractError: in the contract's `enforce` mode; the session has begun all the same.
    """
    session_id = new_run_id()
    opened = _open("session started", Context(), session_id, task, "running")
    session = _Session(
        session_id, task, opened.context, context_api.get_value(_SESSION_KEY), current_inherited().get(SESSION_ID)
    )
    _enter(session, session_id)
    opened.end()
    return session_id


def end_session(status: SessionStatus = "completed") -> None:
    """End the session that `start_session` began in this context; without one a warning is logged.

    Args:
        status: completed, failed or cancelled. Another is recorded as it is; the attribute contract judges it.

    Raises:
        ContractError: in the contract's `enforce` mode; the session has ended all the same.
    """
    session = context_api.get_value(_SESSION_KEY)
    if not isinstance(session, _Session):
        logger.warning("end_session: no session was started in this context")
        return
    _enter(session.outer, session.outer_id)
    _open("session ended", session.started, session.session_id, session.task, status).end()


def _enter(session: object, session_id: AnyValue) -> None:
    context = context_api.set_value(_SESSION_KEY, session)
    context_api.attach(with_inherited({SESSION_ID: session_id}, context))


def _open(name: str, parent: Context, session_id: str, task: str, status: str) -> OpenSpan:
    attributes: dict[str, AnyValue] = {
        SESSION_ID: session_id,
        AGENTTRACE_SESSION_TASK: task,
        AGENTTRACE_SESSION_STATUS: status,
    }
    return start_span(name, attributes=attributes, parent=parent)
