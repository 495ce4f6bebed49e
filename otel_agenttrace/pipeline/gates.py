"""What tasks and gates must keep to, whoever emits them: the protocol, as a span stage.

Found on one span: a gate that started and never ended, a blocked task that does not say why or what to do. What takes
several spans, see `phase_order`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import (
    EVENT_GATE_CHECK_FAILED,
    EVENT_GATE_CHECK_OVERRIDDEN,
    EVENT_GATE_CHECK_PASSED,
    EVENT_GATE_CHECK_SKIPPED,
    EVENT_GATE_CHECK_STARTED,
    GATE_BLOCKING,
    GATE_ID,
    TASK_BLOCKED_REASON,
    TASK_NEXT_ACTION,
    TASK_STATUS,
)
from otel_agenttrace.contract.rules import shown
from otel_agenttrace.contract.violation import Violation
from otel_agenttrace.pipeline.contract import PROTOCOL, recorded_violations, violation_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from otel_agenttrace.model.record import Attributes, EventRecord, SpanRecord

_MAX_NAMED = 10

# Sets and dictionaries are slower on the constants' class.
_STARTED = str(EVENT_GATE_CHECK_STARTED)
_PASSED = str(EVENT_GATE_CHECK_PASSED)
_OVERRIDDEN = str(EVENT_GATE_CHECK_OVERRIDDEN)
_NOT_PASSED = frozenset(map(str, (EVENT_GATE_CHECK_FAILED, EVENT_GATE_CHECK_SKIPPED)))
_ENDED = _NOT_PASSED | {_PASSED}
_STATUS = str(TASK_STATUS)


def gate_stage(record: SpanRecord) -> SpanRecord:
    """Add an event `agenttrace.contract.violation` for what a span that has ended breaks of the protocol.

    An attribute that an event of its contract check speaks of already gets no second one.
    """
    if not _is_subject(record):
        return record
    found = protocol_violations(record)
    if not found:
        return record
    told = recorded_violations(record)
    said = {violation.message for violation in told}
    missing = {violation.attribute for violation in told if violation.rule == "required"}
    new = [each for each in found if each.message not in said and each.attribute not in missing]
    if not new:
        return record
    at = record.end_time_unix_nano or record.start_time_unix_nano
    return replace(record, events=(*record.events, *(violation_event(each, None, at) for each in new)))


def protocol_violations(record: SpanRecord) -> tuple[Violation, ...]:
    """What a span that has ended breaks of the protocol by itself."""
    if record.end_time_unix_nano is None:
        return ()
    found = list(_unexplained(record.attributes))
    if record.events and not record.dropped_events_count:  # of those that were dropped, one may have ended a gate
        found += _unended(record.events)
    return tuple(found)


def blocking_gates(events: Iterable[EventRecord]) -> tuple[str, ...]:
    """The ids of the gates that let nobody through, as far as a span's events tell."""
    blocking: dict[str, None] = {}
    for event in events:
        if event.name in _ENDED or event.name == _OVERRIDDEN:
            gate_id = event.attributes.get(GATE_ID)
            if not isinstance(gate_id, str):
                continue
            if event.name in _NOT_PASSED and event.attributes.get(GATE_BLOCKING) is True:
                blocking[gate_id] = None
            elif event.name in (_PASSED, _OVERRIDDEN):
                blocking.pop(gate_id, None)
    return tuple(blocking)


def _is_subject(record: SpanRecord) -> bool:
    """Whether there is anything to look at: of most spans there is not."""
    if record.attributes.get(_STATUS) == "blocked":
        return True
    return bool(record.events) and any(event.name == _STARTED for event in record.events)


def _unexplained(attributes: Attributes) -> Iterator[Violation]:
    if attributes.get(_STATUS) != "blocked":
        return
    for name, what in ((TASK_BLOCKED_REASON, "says not why"), (TASK_NEXT_ACTION, "says not what to do")):
        value = attributes.get(name)
        if not isinstance(value, str) or not value.strip():
            yield Violation(name, PROTOCOL, f"a task that is blocked {what}: {name} is missing")


def _unended(events: Sequence[EventRecord]) -> list[Violation]:
    running: dict[str, int] = {}
    for event in events:
        if event.name == _STARTED or event.name in _ENDED:
            gate_id = event.attributes.get(GATE_ID)
            if not isinstance(gate_id, str):
                continue
            running[gate_id] = max(running.get(gate_id, 0) + (1 if event.name == _STARTED else -1), 0)
    never = [gate_id for gate_id, count in running.items() if count]
    return [
        Violation(GATE_ID, PROTOCOL, f"gate {shown(gate_id)} started and never ended: what it checks is not known")
        for gate_id in never[:_MAX_NAMED]
    ]
