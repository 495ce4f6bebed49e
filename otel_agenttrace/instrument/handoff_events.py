"""The events `handoff.emitted` and `handoff.validated`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Status, StatusCode

from otel_agenttrace.contract.attributes import (
    ERROR_TYPE,
    EVENT_HANDOFF_EMITTED,
    EVENT_HANDOFF_VALIDATED,
    HANDOFF_CAPABILITY_ID,
    HANDOFF_CREATED_AT,
    HANDOFF_DEADLINE,
    HANDOFF_ERROR,
    HANDOFF_EXPECTED_OUTPUT_SCHEMA_REF,
    HANDOFF_EXPECTED_OUTPUT_TYPE,
    HANDOFF_FROM_AGENT,
    HANDOFF_ID,
    HANDOFF_INPUTS,
    HANDOFF_PRIORITY,
    HANDOFF_RESULT_TRACE_ID,
    HANDOFF_STATUS,
    HANDOFF_TO_AGENT,
)
from otel_agenttrace.instrument.capture import capture, keeps_content
from otel_agenttrace.instrument.faults import contained

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Span

    from otel_agenttrace.model.handoff import HandoffContract
    from otel_agenttrace.model.record import AnyValue

_ERROR_TYPES = {"expired": "timeout", "rejected": "validation_error", "cancelled": "cancelled"}
"""What `error.type` says until an exception says more; without one, the type of a failure is told from it."""

_MAX_NAME = 256
_MAX_ERROR = 4096

PARTIES = {
    "handoff_id": HANDOFF_ID,
    "from_agent": HANDOFF_FROM_AGENT,
    "to_agent": HANDOFF_TO_AGENT,
    "capability_id": HANDOFF_CAPABILITY_ID,
}


def tell_emitted(span: Span, contract: HandoffContract) -> None:
    """Add `handoff.emitted`, with the inputs unless content is not to be recorded."""
    with contained("record a handoff"):
        attributes = _attributes(contract)
        if contract.inputs and keeps_content():
            attributes[HANDOFF_INPUTS] = capture(contract.inputs)
        span.add_event(EVENT_HANDOFF_EMITTED, attributes)


def tell_validated(span: Span, contract: HandoffContract, problem: str = "") -> None:
    """Add `handoff.validated`: its status is the result, `problem` or the contract's own error says why."""
    with contained("record a handoff"):
        attributes = _attributes(contract)
        if problem:
            attributes[HANDOFF_ERROR] = problem[:_MAX_ERROR]
        span.add_event(EVENT_HANDOFF_VALIDATED, attributes)


def tell_refused(span: Span, fields: Mapping[str, Any], problem: str) -> None:
    """Add `handoff.validated` for what is no contract: rejected, with those of its names that can be read."""
    with contained("record a handoff"):
        attributes: dict[str, AnyValue] = {HANDOFF_STATUS: "rejected", HANDOFF_ERROR: problem[:_MAX_ERROR]}
        for field, name in PARTIES.items():
            value = fields.get(field)
            if isinstance(value, str) and value.strip():
                attributes[name] = value[:_MAX_NAME]
        span.add_event(EVENT_HANDOFF_VALIDATED, attributes)


def mark_failed(span: Span, contract: HandoffContract) -> None:
    """Give the span the status of an error, that of a handoff that ended in one."""
    with contained("record a handoff"):
        span.set_status(Status(StatusCode.ERROR, contract.error))
        if contract.status in _ERROR_TYPES:
            span.set_attribute(ERROR_TYPE, _ERROR_TYPES[contract.status])


def _attributes(contract: HandoffContract) -> dict[str, AnyValue]:
    values: dict[str, AnyValue] = {
        HANDOFF_ID: contract.handoff_id,
        HANDOFF_FROM_AGENT: contract.from_agent,
        HANDOFF_TO_AGENT: contract.to_agent,
        HANDOFF_CAPABILITY_ID: contract.capability_id,
        HANDOFF_STATUS: contract.status,
        HANDOFF_EXPECTED_OUTPUT_TYPE: contract.expected_output.type,
        HANDOFF_EXPECTED_OUTPUT_SCHEMA_REF: contract.expected_output.schema_ref,
        HANDOFF_PRIORITY: contract.priority,
        HANDOFF_RESULT_TRACE_ID: contract.result_trace_id,
        HANDOFF_ERROR: contract.error,
        HANDOFF_CREATED_AT: contract.created_at,
        HANDOFF_DEADLINE: contract.deadline,
    }
    return {name: value for name, value in values.items() if value is not None}
