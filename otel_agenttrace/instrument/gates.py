"""`gate`: a check that work has to pass, on the record as events of the current span."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, get_args

from opentelemetry import context as context_api
from opentelemetry.trace import get_current_span

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
    GATE_RESULT,
    GATE_SEVERITY,
    TASK_PHASE,
)
from otel_agenttrace.errors import GateBlockedError
from otel_agenttrace.instrument.checking import MAX_TEXT, cut, make_check, raised
from otel_agenttrace.instrument.faults import note_fault
from otel_agenttrace.instrument.inherited import current_inherited
from otel_agenttrace.model.gate import GateResult, Severity
from otel_agenttrace.model.times import to_rfc3339

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from otel_agenttrace.instrument.checking import Check, Found
    from otel_agenttrace.model.record import Attributes

DEFAULT_TIMEOUT_S = 30.0
"""Seconds that a check may take unless the gate says otherwise."""

_NO_RESULT = GateResult(gate_id="", result="skipped", checked_at=to_rfc3339(0))
"""To be copied: that is faster than to make one."""

_RESULTS_KEY = context_api.create_key("agenttrace-gate-results")
_SEVERITIES = get_args(Severity)
_EVENTS = {
    "pass": str(EVENT_GATE_CHECK_PASSED),
    "fail": str(EVENT_GATE_CHECK_FAILED),
    "skipped": str(EVENT_GATE_CHECK_SKIPPED),
}
# Dictionaries are slower on the constants' class.
_STARTED, _PHASE = str(EVENT_GATE_CHECK_STARTED), str(TASK_PHASE)
_ID, _RESULT, _SEVERITY, _BLOCKING = str(GATE_ID), str(GATE_RESULT), str(GATE_SEVERITY), str(GATE_BLOCKING)
_REASON, _NEXT_ACTION, _EVIDENCE = str(GATE_REASON), str(GATE_NEXT_ACTION), str(GATE_EVIDENCE)


@dataclass(frozen=True, slots=True)
class Override:
    """Leave to go on in spite of a gate that blocks.

    Attributes:
        by: who gives it.
        reason: why.

    Raises:
        ValueError: one of them is empty.
    """

    by: str
    reason: str

    def __post_init__(self) -> None:
        for name, text in (("by", self.by), ("reason", self.reason)):
            if not isinstance(text, str) or not text.strip():
                raise ValueError(f"Override: {name} has to say something, not {text!r}")


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate, declared; see `gate` for what each field means and when it is refused."""

    id: str
    check: Check
    severity: Severity = "error"
    blocking: bool = True
    required: bool = True
    next_action: str | None = None
    timeout_s: float | None = DEFAULT_TIMEOUT_S

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not self.id.strip():
            raise ValueError(f"gate: the id has to be a text that says something, not {self.id!r}")
        if not callable(self.check):
            raise TypeError(f"gate {self.id}: check has to be callable, not {self.check!r}")
        if self.severity not in _SEVERITIES:
            raise ValueError(f"gate {self.id}: severity is one of {', '.join(_SEVERITIES)}, not {self.severity!r}")
        limit = self.timeout_s
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, (int, float)) or not limit > 0):
            raise ValueError(f"gate {self.id}: timeout_s takes a positive number of seconds or None, not {limit!r}")

    def evaluate(self, phase: str | None = None, override: Override | None = None) -> GateResult:
        """Make the check, put it on record, and return what came of it, also if it `blocks`.

        Args:
            phase: see `gate`.
            override: used, and put on record, only if the gate blocks.

        Raises:
            KeyboardInterrupt: while the check was made; on record as failed.
        """
        span = get_current_span()
        where: Attributes = {}
        told = _phase_of(span)
        if phase is not None and phase != told:
            where[_PHASE] = phase
        about: Attributes = {_ID: self.id, _SEVERITY: self.severity, _BLOCKING: self.blocking, **where}
        started = time.time_ns()
        try:
            found = make_check(self.check, self.timeout_s, lambda: _tell(span, _STARTED, about, started))
        except KeyboardInterrupt as interrupt:
            self._result(raised(interrupt), phase, about, span)
            raise
        result = self._result(found, phase or told, about, span)
        if override is not None and result.blocks:
            result = _overridden(result, override, where, span)
        kept = context_api.get_value(_RESULTS_KEY)
        if isinstance(kept, list):
            kept.append(result)
        return result

    def _result(self, found: Found, phase: str | None, about: Attributes, span: Span) -> GateResult:
        """What came of the gate, told to the span as well."""
        passed = found.result == "pass"
        now = time.time_ns()
        # Validated already, all of it: doing so again takes longer than the rest of this function.
        result = _NO_RESULT.model_copy(
            update={
                "gate_id": self.id,
                "phase": phase,
                "result": found.result,
                "severity": self.severity,
                "blocking": self.blocking and (self.required or found.result != "skipped"),
                "reason": found.reason or ("" if passed else _no_reason(found)),
                "next_action": "" if passed else found.next_action or self._default_action(found),
                "checked_at": to_rfc3339(now),
                "evidence": found.evidence,
            }
        )
        _tell(span, _EVENTS[found.result], about | _told(result), now)
        return result

    def _default_action(self, found: Found) -> str:
        return cut(self.next_action or "") or found.hint or f"see to it that the check of {cut(self.id)} passes"


def gate(
    gate_id: str,
    check: Check,
    *,
    phase: str | None = None,
    severity: Severity = "error",
    blocking: bool = True,
    required: bool = True,
    next_action: str | None = None,
    timeout_s: float | None = DEFAULT_TIMEOUT_S,
    override: Override | None = None,
) -> GateResult:
    """Make a check, and let nobody through if it does not pass.

    The current span gets the events `gate.check.started` and then `gate.check.passed`, `failed` or `skipped`. A check
    that raises, that gives no answer in time, or that answers anything else has failed, and the evidence says how.

    From a coroutine, call it by `await asyncio.to_thread(gate, ...)`, lest the event loop waits.

    Args:
        gate_id: which gate it is.
        check: called without arguments; returns a CheckOutcome, or True for a pass and False for a failure. What it
            returns is awaited if it can be. It runs on another thread, with a copy of this context.
        phase: that the gate guards; that of the current span unless given.
        severity: how bad a failure is.
        blocking: whether a failure stops what is downstream.
        required: whether a check that had nothing to check does so too.
        next_action: what makes the gate pass, where the check itself does not say.
        timeout_s: seconds after which a check without an answer has failed; it runs on by itself then. None makes it
            on this thread, without a limit.
        override: lets the work go on if the gate blocks, which is put on record.

    Raises:
        GateBlockedError: the check does not pass, the gate is blocking, and there is no override.
        ValueError: a text is empty, a severity unknown, or a limit no positive number.
        TypeError: `check` cannot be called.
    """
    declared = Gate(gate_id, check, severity, blocking, required, next_action, timeout_s)
    result = declared.evaluate(phase, override)
    if result.blocks:
        raise GateBlockedError(result)
    return result


def keep_results(results: list[GateResult], context: Context) -> Context:
    """A context in which the result of every gate is added to `results`, and to no list that was given before."""
    return context_api.set_value(_RESULTS_KEY, results, context)


def _overridden(result: GateResult, override: Override, where: Attributes, span: Span) -> GateResult:
    by, reason = cut(override.by, MAX_TEXT), cut(override.reason, MAX_TEXT)
    attributes: Attributes = {_ID: result.gate_id, GATE_OVERRIDDEN_BY: by, GATE_OVERRIDE_REASON: reason, **where}
    _tell(span, EVENT_GATE_CHECK_OVERRIDDEN, attributes)
    return result.model_copy(update={"overridden_by": by, "override_reason": reason})


def _phase_of(span: Span) -> str | None:
    """The phase of a span: its own, else the one that it would have inherited."""
    attributes = getattr(span, "attributes", None)
    # A look-up through the SDK's mapping is Python code, and a copy is one call into C.
    phase = attributes.copy().get(_PHASE) if isinstance(attributes, MappingProxyType) else None
    if phase is None:
        phase = current_inherited().get(_PHASE)
    return phase if isinstance(phase, str) else None


def _no_reason(found: Found) -> str:
    return "there was nothing to check" if found.result == "skipped" else "the check did not pass and gave no reason"


def _told(result: GateResult) -> Attributes:
    """What the event of a result says besides what that of its start did."""
    told: Attributes = {_RESULT: result.result, _BLOCKING: result.blocking}
    if result.reason:
        told[_REASON] = result.reason
    if result.next_action:
        told[_NEXT_ACTION] = result.next_action
    if result.evidence:
        told[_EVIDENCE] = [
            {"type": each.type, "ref": each.ref, "description": each.description} for each in result.evidence
        ]
    return told


def _tell(span: Span, name: str, attributes: Attributes, time_unix_nano: int | None = None) -> None:
    if span.is_recording():
        try:
            span.add_event(name, attributes, time_unix_nano)
        except Exception:  # noqa: BLE001 - telemetry never stops the work
            note_fault("record a gate")
