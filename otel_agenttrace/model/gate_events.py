"""What gates found, read back from the events of spans, whoever emitted them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, get_args

import orjson

from otel_agenttrace.contract.attributes import (
    EVENT_GATE_CHECK_FAILED,
    EVENT_GATE_CHECK_OVERRIDDEN,
    EVENT_GATE_CHECK_PASSED,
    EVENT_GATE_CHECK_SKIPPED,
    EVENT_GATE_CHECK_STARTED,
    GATE_BLOCKING,
    GATE_EVIDENCE,
    GATE_ID,
    GATE_NEXT_ACTION,
    GATE_OVERRIDDEN_BY,
    GATE_OVERRIDE_REASON,
    GATE_REASON,
    GATE_SEVERITY,
    TASK_PHASE,
)
from otel_agenttrace.model.gate import Evidence, GateResult, GateVerdict, Severity
from otel_agenttrace.model.merge import greater
from otel_agenttrace.model.plain import plain_text
from otel_agenttrace.model.times import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_agenttrace.model.record import AnyValue, Attributes, EventRecord, SpanRecord

_RESULTS: dict[str, GateVerdict] = {
    EVENT_GATE_CHECK_PASSED: "pass",
    EVENT_GATE_CHECK_FAILED: "fail",
    EVENT_GATE_CHECK_SKIPPED: "skipped",
}
_SEVERITIES = get_args(Severity)
_MAX_EVIDENCE = 100
_MAX_LEVELS = 1000
_LATEST_UNIX_NANO = 2**63 - 1


def gate_results(spans: Iterable[SpanRecord]) -> list[GateResult]:
    """The result of every gate on the spans, in order of time; a gate that never ended has none.

    What an event leaves out is taken from the gate's `gate.check.started`, then from the defaults of GateResult; the
    phase from the span, or the nearest one above it that has one. What is not of its type counts as not there.
    """
    records: dict[tuple[str, str, int], SpanRecord] = {}
    for span in spans:
        known = records.get(span.identity)
        records[span.identity] = span if known is None else greater(known, span)
    by_id = {(record.trace_id, record.span_id): record for record in records.values()}
    found = [
        (time, record.span_id, index, result)
        for record in records.values()
        for index, (time, result) in enumerate(_results_of(record, by_id))
    ]
    return [result for *_, result in sorted(found, key=lambda item: item[:3])]


def _results_of(record: SpanRecord, by_id: dict[tuple[str, str], SpanRecord]) -> list[tuple[int, GateResult]]:
    found: list[tuple[int, GateResult]] = []
    started: dict[str, Attributes] = {}
    latest: dict[str, int] = {}
    for event in record.events:
        gate_id = _text(event.attributes.get(GATE_ID))
        if not gate_id:
            continue
        if event.name == EVENT_GATE_CHECK_STARTED:
            started[gate_id] = event.attributes
        elif event.name in _RESULTS:
            latest[gate_id] = len(found)
            phase = _text({**started.get(gate_id, {}), **event.attributes}.get(TASK_PHASE)) or _phase_of(record, by_id)
            found.append((event.time_unix_nano, _result(gate_id, event, started.pop(gate_id, {}), phase)))
        elif event.name == EVENT_GATE_CHECK_OVERRIDDEN and gate_id in latest:
            time, result = found[latest[gate_id]]
            found[latest[gate_id]] = time, _overridden(result, event.attributes)
    return found


def _result(gate_id: str, event: EventRecord, started: Attributes, phase: str) -> GateResult:
    said = {**started, **event.attributes}
    severity, blocking = said.get(GATE_SEVERITY), said.get(GATE_BLOCKING)
    return GateResult(
        gate_id=gate_id,
        phase=phase or None,
        result=_RESULTS[event.name],
        severity=cast("Severity", severity) if severity in _SEVERITIES else "error",
        blocking=blocking if isinstance(blocking, bool) else True,
        reason=_text(said.get(GATE_REASON)),
        next_action=_text(said.get(GATE_NEXT_ACTION)),
        checked_at=to_rfc3339(min(max(event.time_unix_nano, 0), _LATEST_UNIX_NANO)),
        evidence=_evidence(said.get(GATE_EVIDENCE)),
    )


def _overridden(result: GateResult, said: Attributes) -> GateResult:
    """Without a name nobody has let anybody through."""
    by = _text(said.get(GATE_OVERRIDDEN_BY))
    told = {"overridden_by": by, "override_reason": _text(said.get(GATE_OVERRIDE_REASON)) or None}
    return result.model_copy(update=told) if by else result


def _phase_of(record: SpanRecord, by_id: dict[tuple[str, str], SpanRecord]) -> str:
    at: SpanRecord | None = record
    for _ in range(_MAX_LEVELS):
        if at is None:
            break
        phase = _text(at.attributes.get(TASK_PHASE))
        if phase:
            return phase
        at = by_id.get((at.trace_id, at.parent_span_id or ""))
    return ""


def _evidence(value: AnyValue) -> tuple[Evidence, ...]:
    items: Any = value
    if isinstance(value, str):
        try:
            items = orjson.loads(value)
        except ValueError:
            return ()
    if not isinstance(items, list):
        return ()
    return tuple(
        Evidence(type=_text(item.get("type")), ref=_text(item.get("ref")), description=_text(item.get("description")))
        for item in items[:_MAX_EVIDENCE]
        if isinstance(item, dict)
    )


def _text(value: AnyValue) -> str:
    return plain_text(value) if isinstance(value, str) else ""
