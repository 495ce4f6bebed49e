"""What becomes of a task span: each change gives a new version of the same span, one revision on. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import (
    EVENT_TASK_COMMENT,
    EVENT_TASK_STATUS_CHANGED,
    PROJECT_ID,
    SESSION_ID,
    TASK_BLOCKED_ON_SPAN_ID,
    TASK_BLOCKED_REASON,
    TASK_COMMENT_AUTHOR,
    TASK_COMMENT_TEXT,
    TASK_DEPENDS_ON,
    TASK_ENDED_REASON,
    TASK_ID,
    TASK_NEXT_ACTION,
    TASK_PARENT_ID,
    TASK_PHASE,
    TASK_STATUS,
    USER_ID,
)
from otel_agenttrace.model.codec import HAS_IS_REMOTE, IS_REMOTE
from otel_agenttrace.model.record import OUTLIVES_PROCESS, REVISION, EventRecord, LinkRecord, SpanRecord
from otel_agenttrace.model.task import OTHER_PHASE, check_transition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_agenttrace.model.record import Attributes, ResourceRecord, ScopeRecord
    from otel_agenttrace.model.task import EndStatus, OpenStatus, Task, TaskStatus
    from otel_agenttrace.workflow.task_drafts import TaskDraft, TaskFacts

_SAMPLED = 1
_INHERITED = (PROJECT_ID, TASK_PHASE, SESSION_ID, USER_ID)
_BLOCKED = (TASK_BLOCKED_REASON, TASK_NEXT_ACTION, TASK_BLOCKED_ON_SPAN_ID)


def started(
    draft: TaskDraft,
    parent: Task | None,
    dependencies: Sequence[Task],
    *,
    default_project: str,
    trace_id: str,
    span_id: str,
    now: int,
    resource: ResourceRecord,
    scope: ScopeRecord,
) -> SpanRecord:
    """The span of a task that starts `now`.

    Args:
        draft: what is said of it; its ids stand for the tasks that follow.
        parent: the task that it is a part of.
        dependencies: the tasks that it depends on.
        default_project: `project.id` where neither the draft nor the parent has one.
        trace_id: of a task without a parent.
        span_id: of the span.
        now: unix nanoseconds.
        resource: who starts it.
        scope: the instrumentation scope.
    """
    above = {} if parent is None else parent.record.attributes
    attributes: Attributes = {
        **{str(name): above[name] for name in _INHERITED if name in above},
        **({} if draft.project_id is None else {str(PROJECT_ID): draft.project_id}),
        str(TASK_ID): draft.id,
        str(TASK_STATUS): draft.status,
        **({} if parent is None else {str(TASK_PARENT_ID): parent.id}),
        **draft.span_attributes,
        OUTLIVES_PROCESS: True,
        REVISION: 1,
    }
    attributes.setdefault(str(TASK_PHASE), OTHER_PHASE)
    attributes.setdefault(str(PROJECT_ID), default_project)
    record = SpanRecord(
        trace_id=trace_id if parent is None else parent.record.trace_id,
        span_id=span_id,
        name=draft.id,
        start_time_unix_nano=now,
        parent_span_id=None if parent is None else parent.record.span_id,
        attributes=attributes,
        resource=resource,
        scope=scope,
        trace_state="" if parent is None else parent.record.trace_state,
        flags=_SAMPLED | HAS_IS_REMOTE | (0 if parent is None else IS_REMOTE),
    )
    return _depending(record, dependencies)


def updated(
    task: Task, facts: TaskFacts, dependencies: Sequence[Task], *, now: int, status: OpenStatus | None = None
) -> SpanRecord:
    """What is said of a task besides; `dependencies` are further ones.

    Raises:
        TaskStateError: it may not go to `status`.
    """
    record = _next(task.record, facts.span_attributes)
    if status is not None and status != task.status:
        record = _at(record, task, status, now=now)
    return _depending(record, dependencies)


def blocked(task: Task, reason: str, next_action: str, *, now: int, on: str | None = None) -> SpanRecord:
    """The task cannot go on.

    Raises:
        TaskStateError: it has ended.
    """
    details: Attributes = {str(TASK_BLOCKED_REASON): reason, str(TASK_NEXT_ACTION): next_action}
    if on is not None:
        details[str(TASK_BLOCKED_ON_SPAN_ID)] = on
    return _at(_next(task.record, {}), task, "blocked", now=now, details=details)


def unblocked(task: Task, *, now: int) -> SpanRecord:
    """The task goes on; why it was blocked stays in its events.

    Raises:
        TaskStateError: it cannot go on.
    """
    return _at(_next(task.record, {}), task, "in_progress", now=now)


def ended(task: Task, status: EndStatus, facts: TaskFacts, *, now: int, reason: str = "") -> SpanRecord:
    """The task is over.

    Raises:
        TaskStateError: it may not end like this.
    """
    details: Attributes = {str(TASK_ENDED_REASON): reason} if reason else {}
    record = _at(_next(task.record, facts.span_attributes), task, status, now=now, details=details)
    end = max(now, record.start_time_unix_nano)
    if status == "failed":
        return replace(record, end_time_unix_nano=end, status_code="ERROR", status_message=reason)
    return replace(record, end_time_unix_nano=end)


def commented(task: Task, text: str, author: str, *, now: int) -> SpanRecord:
    """Somebody says something of the task."""
    attributes: Attributes = {str(TASK_COMMENT_TEXT): text}
    if author:
        attributes[str(TASK_COMMENT_AUTHOR)] = author
    record = _next(task.record, {})
    return replace(record, events=(*record.events, EventRecord(EVENT_TASK_COMMENT, now, attributes)))


def _next(record: SpanRecord, attributes: Attributes) -> SpanRecord:
    revision = record.attributes.get(REVISION)
    number = revision if isinstance(revision, int) else 0
    return replace(record, attributes={**record.attributes, **attributes, REVISION: number + 1})


def _at(
    record: SpanRecord, task: Task, status: TaskStatus, *, now: int, details: Attributes | None = None
) -> SpanRecord:
    """The record with another status, and an event that tells of it; `details` stand on both."""
    check_transition(task.id, task.status, status, reason=task.blocked_reason or task.ended_reason)
    said: Attributes = {str(TASK_STATUS): status, **(details or {})}
    kept = {name: value for name, value in record.attributes.items() if name not in _BLOCKED}
    event = EventRecord(EVENT_TASK_STATUS_CHANGED, now, said)
    return replace(record, attributes={**kept, **said}, events=(*record.events, event))


def _depending(record: SpanRecord, dependencies: Iterable[Task]) -> SpanRecord:
    named = record.attributes.get(TASK_DEPENDS_ON)
    ids = [each for each in named if isinstance(each, str)] if isinstance(named, list) else []
    links = list(record.links)
    for dependency in dependencies:
        if dependency.id not in ids:
            ids.append(dependency.id)
            links.append(_link(dependency))
    if not ids:
        return record
    return replace(record, attributes={**record.attributes, str(TASK_DEPENDS_ON): list(ids)}, links=tuple(links))


def _link(dependency: Task) -> LinkRecord:
    span = dependency.record
    attributes: Attributes = {str(TASK_ID): dependency.id}
    return LinkRecord(span.trace_id, span.span_id, attributes, span.trace_state, _SAMPLED | HAS_IS_REMOTE | IS_REMOTE)
