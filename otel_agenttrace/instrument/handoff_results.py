"""The emitting side again: the answer to a handoff, or its deadline, whichever comes first."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import get_current_span

from otel_agenttrace.errors import HandoffTransitionError, HandoffValidationError
from otel_agenttrace.instrument.handoff_events import tell_validated
from otel_agenttrace.instrument.handoff_schemas import output_problems
from otel_agenttrace.instrument.handoffs import check_deadline
from otel_agenttrace.model.handoff import HandoffResult
from otel_agenttrace.model.handoff_payload import MAX_PAYLOAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_agenttrace.instrument.handoff_schemas import Schemas
    from otel_agenttrace.model.handoff import HandoffContract

_MAX_WAIT_S = 60.0
_PAUSE_S = 0.01
_SAME = ("handoff_id", "from_agent", "to_agent", "capability_id")


def receive_handoff_result(
    payload: Mapping[str, Any] | str | bytes,
    contract: HandoffContract,
    *,
    schemas: Schemas | None = None,
    max_bytes: int = MAX_PAYLOAD_BYTES,
    clock: Callable[[], int] = time.time_ns,
) -> HandoffResult:
    """Check the answer to a handoff, and record `handoff.validated` on the current span.

    That the work failed, or was rejected, is an answer like another: see `result.handoff.status`.

    Args:
        payload: what was sent back, a mapping or JSON text.
        contract: what was emitted.
        schemas: JSON Schemas by name, for `expected_output.schema_ref`.
        max_bytes: of the payload as JSON.
        clock: nanoseconds since the Unix epoch.

    Returns:
        The contract as it stands now, with its inputs, and the output if it is completed.

    Raises:
        HandoffValidationError: it is no answer, or not to this handoff, or the output is not what was agreed on.
        HandoffTransitionError: its status cannot follow on that of `contract`.
        HandoffTimeoutError: it comes after the deadline.
        ConfigError: a schema is none.
    """
    check_deadline(contract, clock=clock)
    try:
        result = _checked(HandoffResult.from_payload(payload, max_bytes), contract, schemas or {})
    except (HandoffValidationError, HandoffTransitionError) as error:
        error.handoff = contract
        tell_validated(get_current_span(), contract, str(error))
        raise
    tell_validated(get_current_span(), result.handoff)
    return result


def wait_for_handoff_result(
    contract: HandoffContract,
    receive: Callable[[float], Mapping[str, Any] | str | bytes | None],
    *,
    schemas: Schemas | None = None,
    max_bytes: int = MAX_PAYLOAD_BYTES,
    clock: Callable[[], int] = time.time_ns,
) -> HandoffResult:
    """Wait for the answer to a handoff until its deadline, without one for as long as it takes.

    Args:
        contract: what was emitted.
        receive: waits for an answer for as many seconds as it is given at most, and returns it. One that waits longer
            puts off the deadline. With nothing, it
            returns None, or raises TimeoutError or queue.Empty.
        schemas: as for `receive_handoff_result`.
        max_bytes: as for `receive_handoff_result`.
        clock: nanoseconds since the Unix epoch.

    Returns:
        The first answer after which the handoff is over.

    Raises:
        HandoffTimeoutError: the deadline has passed; the error has the `handoff`, expired.
        HandoffError: as `receive_handoff_result` does.
    """
    while True:
        check_deadline(contract, clock=clock)
        left = contract.seconds_left(clock())
        payload = _received(receive, _MAX_WAIT_S if left is None else min(left, _MAX_WAIT_S))
        if payload is None:
            threading.Event().wait(_PAUSE_S)  # one that does not wait itself must not take a whole core
            continue
        result = receive_handoff_result(payload, contract, schemas=schemas, max_bytes=max_bytes, clock=clock)
        if result.handoff.is_over:
            return result
        contract = result.handoff


def _received(receive: Callable[[float], Any], timeout_s: float) -> Any:
    try:
        return receive(timeout_s)
    except (TimeoutError, queue.Empty):
        return None


def _checked(result: HandoffResult, contract: HandoffContract, schemas: Schemas) -> HandoffResult:
    answer = result.handoff
    other = [
        f"handoff.{name}: is not that of the handoff"
        for name in _SAME
        if getattr(answer, name) != getattr(contract, name)
    ]
    if other:
        raise HandoffValidationError(other)
    now = contract if answer.status == contract.status and not contract.is_over else contract.answered(answer)
    if now.status == "completed":
        problems = output_problems(result.output, contract.expected_output, schemas)
    else:
        problems = [] if result.output is None else [f"output: expected none, as the handoff is {now.status}"]
    if problems:
        raise HandoffValidationError(problems)
    return HandoffResult(handoff=now, output=result.output)
