"""Handing work to another agent: `emit_handoff` on the one side, `receive_handoff` on the other.

The answer is read with `receive_handoff_result` or `wait_for_handoff_result`, of `instrument.handoff_results`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import get_current_span

from otel_agenttrace.errors import HandoffTimeoutError, HandoffTransitionError, HandoffValidationError
from otel_agenttrace.instrument.handoff_context import current_fields
from otel_agenttrace.instrument.handoff_events import tell_emitted, tell_validated
from otel_agenttrace.instrument.handoff_receiving import ReceivedHandoff, Receiver
from otel_agenttrace.instrument.handoff_schemas import input_problems
from otel_agenttrace.model.handoff import HandoffContract
from otel_agenttrace.model.handoff_payload import MAX_PAYLOAD_BYTES, check_size

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from opentelemetry.context import Context

    from otel_agenttrace.instrument.handoff_schemas import Schema, Schemas


def emit_handoff(
    contract: HandoffContract,
    *,
    capabilities: Collection[str] | Mapping[str, str | Schema | None] | None = None,
    schemas: Schemas | None = None,
    max_bytes: int = MAX_PAYLOAD_BYTES,
    clock: Callable[[], int] = time.time_ns,
) -> dict[str, Any]:
    """Check a handoff on its way out, record `handoff.emitted` on the current span, and give what is to be sent.

    Args:
        contract: a pending one.
        capabilities: of the agent that it is for, as in `receive_handoff`; None if they are not known here.
        schemas: JSON Schemas by the names that `capabilities` has for them.
        max_bytes: of the payload as JSON.
        clock: nanoseconds since the Unix epoch.

    Returns:
        The payload: the contract's fields, and the current trace context as `traceparent` and `tracestate`. JSON can
        say it as it is.

    Raises:
        HandoffValidationError: its capability or its inputs are not what the other agent takes, or it is too large.
        HandoffTransitionError: it is not pending.
        HandoffTimeoutError: its deadline has passed already.
        ConfigError: a schema is none.
        TypeError: `contract` is no HandoffContract.
    """
    if not isinstance(contract, HandoffContract):
        raise TypeError(f"emit_handoff: contract takes a HandoffContract, not {type(contract).__qualname__}")
    check_deadline(contract, clock=clock)
    payload = {**contract.to_payload(), **current_fields()}
    try:
        _check(contract, input_problems(contract.inputs, contract.capability_id, capabilities, schemas or {}))
        check_size(payload, max_bytes)
    except HandoffTransitionError as error:
        error.handoff = contract
        tell_validated(get_current_span(), contract, str(error))
        raise
    except HandoffValidationError as error:
        error.handoff = contract.moved_to("rejected", error=str(error))
        tell_validated(get_current_span(), error.handoff)
        raise
    tell_emitted(get_current_span(), contract)
    return payload


def receive_handoff(
    payload: Mapping[str, Any] | str | bytes,
    *,
    agent: str | None = None,
    capabilities: Collection[str] | Mapping[str, str | Schema | None] | None = None,
    schemas: Schemas | None = None,
    context: Context | None = None,
    max_bytes: int = MAX_PAYLOAD_BYTES,
    clock: Callable[[], int] = time.time_ns,
) -> ReceivedHandoff:
    """Take what another agent emitted: the block of `with` is the work on it, and `complete` in it gives the answer.

    When it is entered, the payload is checked and `handoff.validated` recorded, on a span that belongs to the trace of
    the agent that emitted it; what the block does is below that span.

    Args:
        payload: what was sent, a mapping or JSON text.
        agent: the name of this agent, to which the handoff has to be addressed; None to take everybody's.
        capabilities: what this agent can do: names, or a mapping from names to the JSON Schema of their inputs, or the
            name that `schemas` has for it, or None for any inputs. None if it takes everything.
        schemas: JSON Schemas by name, for `capabilities` and for `expected_output.schema_ref`.
        context: that of the request, see `extract_headers`; the current one if None.
        max_bytes: of the payload as JSON, and of the answer.
        clock: nanoseconds since the Unix epoch.

    Entering raises:
        HandoffValidationError: the payload is not a handoff that this agent takes; names each field that is wrong.
        HandoffTransitionError: it is not pending.
        HandoffTimeoutError: its deadline has passed.
        ConfigError: a schema is none.

    Each `HandoffError` has the `answer` to send back, if there is anybody to send it to.
    """
    return ReceivedHandoff(payload, Receiver(agent, capabilities, schemas or {}, max_bytes, clock), context)


def check_deadline(contract: HandoffContract, *, clock: Callable[[], int] = time.time_ns) -> None:
    """Expire a handoff whose deadline has passed while nobody finished it: record that on the current span.

    Raises:
        HandoffTimeoutError: it has expired; the error has the `handoff` as it stands now.
    """
    if contract.is_over or not contract.is_late(clock()):
        return
    expired = contract.moved_to("expired", error=f"deadline: {contract.deadline} has passed")
    tell_validated(get_current_span(), expired)
    raise HandoffTimeoutError([str(expired.error)], expired)


def _check(contract: HandoffContract, problems: list[str]) -> None:
    if contract.status != "pending":
        raise HandoffTransitionError([f"status: {contract.status}; only a pending handoff can be emitted"])
    if problems:
        raise HandoffValidationError(problems)
