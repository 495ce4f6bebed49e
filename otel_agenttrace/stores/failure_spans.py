"""A FailureEvent and its TraceRecord as spans, and the same two back from those spans.

For runs that were recorded elsewhere, or by hand. The spans are ordinary ones: an agent's span and one below it per
step, which fail in OTel's own words, so that the same kind of failure is found in them as in any other trace. What
those words have no place for (the event's metadata, the kind of a step) stands beside them.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from otel_agenttrace.contract.attributes import (
    AGENTTRACE_INPUT,
    AGENTTRACE_OUTPUT,
    AGENTTRACE_STORED_FAILURE,
    AGENTTRACE_STORED_STEP,
    ERROR_TYPE,
    EVENT_EVALUATION_RESULT,
    EVENT_EXCEPTION,
    EXCEPTION_MESSAGE,
    EXCEPTION_STACKTRACE,
    EXCEPTION_TYPE,
    FAILURE_ID,
    GEN_AI_AGENT_NAME,
    GEN_AI_EVALUATION_EXPLANATION,
    GEN_AI_EVALUATION_NAME,
    GEN_AI_EVALUATION_SCORE_LABEL,
    GEN_AI_INPUT_MESSAGES,
    GEN_AI_OPERATION_NAME,
    GEN_AI_OUTPUT_MESSAGES,
    GEN_AI_TOOL_CALL_ARGUMENTS,
    GEN_AI_TOOL_CALL_RESULT,
    GEN_AI_TOOL_NAME,
)
from otel_agenttrace.errors import StoreRejectedError
from otel_agenttrace.model.failure import FailureEvent
from otel_agenttrace.model.record import ENDED_BY, EventRecord, ScopeRecord, SpanRecord
from otel_agenttrace.model.times import from_rfc3339
from otel_agenttrace.model.trace_record import TraceRecord, TraceStep
from otel_agenttrace.pipeline.error_words import failure_type_of
from otel_agenttrace.stores.lookup import split_failure_id
from otel_agenttrace.stores.plain_model import plain_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_agenttrace.model.record import AnyValue, Attributes

SCOPE = ScopeRecord("otel_agenttrace.stores")

_CONTENT = {
    "tool_call": (GEN_AI_TOOL_CALL_ARGUMENTS, GEN_AI_TOOL_CALL_RESULT),
    "model_output": (GEN_AI_INPUT_MESSAGES, GEN_AI_OUTPUT_MESSAGES),
}
_OTHER_CONTENT = (AGENTTRACE_INPUT, AGENTTRACE_OUTPUT)
_EXCEPTION_METADATA = {EXCEPTION_TYPE: "exception_type", EXCEPTION_STACKTRACE: "stacktrace"}
_OPERATIONS = {"tool_call": "execute_tool", "model_output": "chat"}


class StoredFailure(NamedTuple):
    """What is stored of a failure, or of a pass."""

    failure_event: FailureEvent
    trace_record: TraceRecord

    @property
    def failure_id(self) -> str:
        """The id under which both are stored."""
        return self.failure_event.failure_id


class MismatchedFailureError(StoreRejectedError, ValueError):
    """A FailureEvent and a TraceRecord are not of the same failure."""


def failure_to_spans(event: FailureEvent, record: TraceRecord) -> list[SpanRecord]:
    """Return the spans that stand for a failure, root first; the same arguments give the same spans.

    Raises:
        MismatchedFailureError: the two have different ids.
    """
    if event.failure_id != record.failure_id:
        raise MismatchedFailureError(
            f"the event is of failure {event.failure_id!r}, the record of {record.failure_id!r}"
        )
    trace_id, origin_id = ids_of(event.failure_id)
    origin = _origin_step(event, record)
    root = _root(event, record, trace_id, origin_id if origin is None else _derived_id(origin_id, -1))
    ends_well = event.failure_type == "none" or (event.failure_type == "hallucination_flag" and origin is not None)
    steps = []
    for index, step in enumerate(record.steps):
        span = _step(step, index, root, origin_id if index == origin else _derived_id(origin_id, index))
        if index == origin:
            span = _failing(span, event)
        elif step.error is not None and ends_well:
            # The agent recovered from it. Below a root that fails it would count as a failure of its own.
            span = _with_exception(span, span.start_time_unix_nano, step.error, {})
        steps.append(span)
    return [root if ends_well else _failing(root, event), *steps]


def ids_of(failure_id: str) -> tuple[str, str]:
    """Return the trace id and the span id of the origin: those that a failure id names, else some made from it."""
    parts = split_failure_id(failure_id)
    if parts is not None and len(parts[0]) == 32 and len(parts[1]) == 16:
        return parts
    digest = hashlib.sha256(failure_id.encode("utf-8", "backslashreplace")).hexdigest()
    return digest[:32], digest[32:48]


def spans_to_failure(spans: Iterable[SpanRecord]) -> StoredFailure | None:
    """Return what `failure_to_spans` was given; None for spans that it did not make, whatever they claim."""
    ordered = sorted(spans, key=lambda span: span.start_time_unix_nano)
    kept = next((span.attributes[AGENTTRACE_STORED_FAILURE] for span in ordered if _is_stored_root(span)), None)
    if not isinstance(kept, dict):
        return None
    try:
        steps = [_to_step(span) for span in ordered if AGENTTRACE_STORED_STEP in span.attributes]
        record = TraceRecord.model_validate({**_mapping(kept.get("record")), "steps": steps})
        return StoredFailure(FailureEvent.model_validate(kept.get("event")), record)
    except ValidationError:  # imported spans may say anything; these are then read like any others
        return None


def _is_stored_root(span: SpanRecord) -> bool:
    return AGENTTRACE_STORED_FAILURE in span.attributes


def _derived_id(origin_id: str, index: int) -> str:
    return hashlib.sha256(f"{origin_id}/{index}".encode()).hexdigest()[:16]


def _origin_step(event: FailureEvent, record: TraceRecord) -> int | None:
    """The step where the failure began: the last with an error, or the last output that was judged."""
    if event.failure_type == "none":
        return None
    if event.failure_type == "hallucination_flag":
        candidates = [index for index, step in enumerate(record.steps) if step.kind == "model_output"]
    else:
        candidates = [index for index, step in enumerate(record.steps) if _went_wrong(step)]
    return candidates[-1] if candidates else None


def _went_wrong(step: TraceStep) -> bool:
    return step.error is not None or step.kind in ("exception", "validation_error")


def _root(event: FailureEvent, record: TraceRecord, trace_id: str, span_id: str) -> SpanRecord:
    told = {name: value for name, value in plain_model(record).items() if name != "steps"}
    kept: AnyValue = {"event": plain_model(event), "record": told}
    attributes: Attributes = {
        GEN_AI_OPERATION_NAME: "invoke_agent",
        GEN_AI_AGENT_NAME: record.subject,
        FAILURE_ID: event.failure_id,
        AGENTTRACE_STORED_FAILURE: kept,
    }
    return SpanRecord(
        trace_id=trace_id,
        span_id=span_id,
        name=f"invoke_agent {record.subject}",
        start_time_unix_nano=from_rfc3339(record.started_at),
        end_time_unix_nano=from_rfc3339(record.ended_at),
        attributes=attributes,
        scope=SCOPE,
    )


def _step(step: TraceStep, index: int, root: SpanRecord, span_id: str) -> SpanRecord:
    # When a step ran is not known: a nanosecond apart they keep their order, and claim no duration.
    time_unix_nano = root.start_time_unix_nano + index
    dumped = plain_model(step)
    attributes: Attributes = {AGENTTRACE_STORED_STEP: {key: dumped[key] for key in ("name", "kind", "error")}}
    operation = _OPERATIONS.get(step.kind)
    if operation is not None:
        attributes[GEN_AI_OPERATION_NAME] = operation
    if step.kind == "tool_call":
        attributes[GEN_AI_TOOL_NAME] = step.name
    for name, value in zip(_CONTENT.get(step.kind, _OTHER_CONTENT), (dumped["input"], dumped["output"]), strict=True):
        if value is not None:
            attributes[name] = value
    return SpanRecord(
        trace_id=root.trace_id,
        span_id=span_id,
        parent_span_id=root.span_id,
        name=f"{operation} {step.name}" if operation else step.name,
        start_time_unix_nano=time_unix_nano,
        end_time_unix_nano=time_unix_nano,
        attributes=attributes,
        scope=SCOPE,
    )


def _to_step(span: SpanRecord) -> TraceStep:
    told = _mapping(span.attributes[AGENTTRACE_STORED_STEP])
    given, gave = _CONTENT.get(str(told.get("kind")), _OTHER_CONTENT)
    return TraceStep.model_validate({**told, "input": span.attributes.get(given), "output": span.attributes.get(gave)})


def _failing(span: SpanRecord, event: FailureEvent) -> SpanRecord:
    """The span, failed in the way that the event tells."""
    time_unix_nano = from_rfc3339(event.timestamp)
    message = event.error or ""
    if event.failure_type == "hallucination_flag":
        said: Attributes = {GEN_AI_EVALUATION_NAME: "hallucination", GEN_AI_EVALUATION_SCORE_LABEL: "hallucinated"}
        if message:
            said[GEN_AI_EVALUATION_EXPLANATION] = message
        return replace(span, events=(EventRecord(EVENT_EVALUATION_RESULT, time_unix_nano, said),))
    if event.failure_type == "abandoned":
        return replace(span, attributes={**span.attributes, ENDED_BY: "store_trace"})
    told = {name: event.metadata.get(key) for name, key in _EXCEPTION_METADATA.items()}
    if failure_type_of(str(told[EXCEPTION_TYPE])) not in (None, event.failure_type):
        told[EXCEPTION_TYPE] = None  # the event's own word counts, also where the exception's class says another
    span = _with_exception(span, time_unix_nano, message, {name: said for name, said in told.items() if said})
    return replace(span, attributes={**span.attributes, ERROR_TYPE: event.failure_type})


def _with_exception(span: SpanRecord, time_unix_nano: int, message: str, told: Attributes) -> SpanRecord:
    event = EventRecord(EVENT_EXCEPTION, time_unix_nano, {EXCEPTION_MESSAGE: message, **told})
    return replace(span, status_code="ERROR", status_message=message, events=(event,))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
