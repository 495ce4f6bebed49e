"""Whether one span failed, and how, from what any emitter says in OTel's own words.

Nothing here looks at `failure.*` or at names of this package, so the same run gives the same types wherever it is
read, whoever recorded it. Why the rules are what they are: `docs/decisions/0003-failures.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast, get_args

from otel_agenttrace.contract.attributes import (
    ERROR_TYPE,
    EVENT_EXCEPTION,
    EXCEPTION_ESCAPED,
    EXCEPTION_MESSAGE,
    EXCEPTION_STACKTRACE,
    EXCEPTION_TYPE,
    FAILURE_TYPE,
    SPAN_VERDICT,
    TASK_TIMEOUT_MS,
)
from otel_agenttrace.model.kinds import FailureType
from otel_agenttrace.model.record import ENDED_BY
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.pipeline.dialects.errors import error_told, tool_failed
from otel_agenttrace.pipeline.error_words import (
    CODES,
    class_in_status,
    failure_type_of,
    is_cancellation,
    is_control_flow,
    last_word,
    protocol_errors,
)
from otel_agenttrace.pipeline.evaluations import hallucination_told
from otel_agenttrace.pipeline.numbers import as_number

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue, EventRecord, SpanRecord
    from otel_agenttrace.pipeline.error_words import ProtocolError


_FAILURE_TYPES = frozenset(get_args(FailureType)) - {"none"}

_TIMEOUT_MS = str(TASK_TIMEOUT_MS)  # dictionaries are slower on the constants' class
_TELLING = CODES | {str(ERROR_TYPE)}
"""In which a span may say that it failed though its status does not, beside the attributes that `error_told` reads."""


@dataclass(frozen=True, slots=True)
class LocalFailure:
    """How one span failed, as far as the span itself tells; texts are empty where it does not say.

    Attributes:
        exception_type: the exception's class, or a word such as `tool_error`.
        code: a protocol's status code, e.g. `HTTP 422`.
        is_error: the span ended in an error, which went on to its caller; not so an output that was judged, or a
            call that took too long and came to a good end.
        is_cancellation: the work was called off.
        is_vague: the span says that it failed, and not why.
    """

    type: FailureType
    message: str = ""
    exception_type: str = ""
    stacktrace: str = ""
    code: str = ""
    is_error: bool = True
    is_cancellation: bool = False
    is_vague: bool = False

    @property
    def text(self) -> str:
        """The error in words: the message, else whatever else the span says; never empty."""
        return self.message or self.exception_type or self.code or "the span ended with status ERROR"


def classify(record: SpanRecord, now_unix_nano: int | None = None) -> LocalFailure | None:
    """How the span failed, None if it did not (or is still open and may yet end well).

    A span with status OK has no error, whatever it recorded on the way; what OK does not speak of is a limit that
    was passed, an output that was judged, and a tool that failed by its emitter's own word (Strands sets OK on all).
    While a span is open only the passing of its `task.timeout_ms` is certain: an error may yet be handled. A verdict
    is the one span that is believed: it says how its trace failed.

    Args:
        record: the span, from any emitter.
        now_unix_nano: for an open span the time up to which it is known to run, in nanoseconds since the Unix
            epoch; without it, its last event.
    """
    if record.name == SPAN_VERDICT and is_verdict(record):
        return _told_by_verdict(record)
    error = _error_of(record) if _may_have_error(record) else None
    overrun = _overrun_of(record, now_unix_nano)
    if overrun is not None:
        return overrun if error is None else replace(error, type="timeout", is_cancellation=False, is_vague=False)
    if error is not None:
        return error
    explanation = hallucination_told(record.events)
    if explanation is not None:
        return LocalFailure("hallucination_flag", explanation, is_error=False)
    if ENDED_BY in record.attributes:
        return LocalFailure("abandoned", "the process was gone before the span had ended")
    return None


def was_called_off(record: SpanRecord) -> bool:
    """Whether the span ended because its work was called off, failed or not."""
    return is_cancellation(_exception_type(record, _exception_event(record), error_told(record)))


def failure_stage(record: SpanRecord) -> SpanRecord:
    """Stamp `failure.type` on a span that failed."""
    failure = classify(record)
    if failure is None or record.attributes.get(FAILURE_TYPE) == failure.type:
        return record
    return replace(record, attributes={**record.attributes, str(FAILURE_TYPE): failure.type})


def _told_by_verdict(record: SpanRecord) -> LocalFailure | None:
    if record.status_code != "ERROR":
        return None
    told = record.attributes.get(FAILURE_TYPE)
    kind = cast("FailureType", told) if isinstance(told, str) and told in _FAILURE_TYPES else "exception"
    return LocalFailure(kind, record.status_message, is_error=kind != "hallucination_flag")


def _may_have_error(record: SpanRecord) -> bool:
    """Whether there is anything to look at: on most spans there is not."""
    if record.end_time_unix_nano is None:
        return False
    if record.status_code == "OK":
        return tool_failed(record)
    if record.status_code == "ERROR" or record.events:
        return True
    return not record.attributes.keys().isdisjoint(_TELLING) or error_told(record) is not None


def _error_of(record: SpanRecord) -> LocalFailure | None:
    event = _exception_event(record)
    told = error_told(record)
    exception_type = _exception_type(record, event, told)
    if is_control_flow(exception_type):
        return None
    codes = protocol_errors(record)
    called_off = is_cancellation(exception_type)
    if not (
        record.status_code == "ERROR"
        or told is not None
        or ((event is not None or exception_type) and not called_off)
        or any(code.fails_alone for code in codes)
    ):
        return None
    recorded = event.attributes if event is not None else {}
    kind = _type_of(record, exception_type, codes)
    return LocalFailure(
        kind,
        message=_text(recorded.get(EXCEPTION_MESSAGE)) or record.status_message or told or "",
        exception_type=exception_type,
        stacktrace=_text(recorded.get(EXCEPTION_STACKTRACE)),
        code=codes[0].text if codes else "",
        is_cancellation=called_off,
        is_vague=kind == "exception" and not _names_class(exception_type) and all(code.is_vague for code in codes),
    )


def _type_of(record: SpanRecord, exception_type: str, codes: list[ProtocolError]) -> FailureType:
    said = {failure_type_of(exception_type), failure_type_of(_text(record.attributes.get(ERROR_TYPE)))}
    said.update(code.type for code in codes)
    if "timeout" in said:
        return "timeout"
    return "validation_error" if "validation_error" in said else "exception"


def _exception_event(record: SpanRecord) -> EventRecord | None:
    """The last exception that is said to have left the span, else the last one recorded.

    The Python SDK says `exception.escaped` of almost none, so that its absence tells nothing.
    """
    recorded = [event for event in record.events if event.name == EVENT_EXCEPTION]
    escaped = [event for event in recorded if _text(event.attributes.get(EXCEPTION_ESCAPED)).lower() == "true"]
    chosen = escaped or recorded
    return chosen[-1] if chosen else None


def _exception_type(record: SpanRecord, event: EventRecord | None, told: str | None) -> str:
    recorded = _text(event.attributes.get(EXCEPTION_TYPE)) if event is not None else ""
    if recorded:
        return recorded
    error_type = _text(record.attributes.get(ERROR_TYPE))
    if error_type and not error_type.lstrip("-").isdigit():
        return error_type
    in_status = class_in_status(record.status_message) if record.status_code == "ERROR" else ""
    return in_status or (class_in_status(told) if told else "")


def _names_class(exception_type: str) -> bool:
    """Whether this is a class's name; `tool_error` and `_OTHER` are words."""
    word = last_word(exception_type)
    return word != word.lower() and word != word.upper()


def _overrun_of(record: SpanRecord, now_unix_nano: int | None) -> LocalFailure | None:
    if _TIMEOUT_MS not in record.attributes:
        return None
    limit_ms = as_number(record.attributes[_TIMEOUT_MS])
    if limit_ms is None or limit_ms <= 0:
        return None
    until = record.end_time_unix_nano
    if until is None:
        until = max(now_unix_nano or 0, *(event.time_unix_nano for event in record.events), 0)
    if until - record.start_time_unix_nano <= limit_ms * 1_000_000:
        return None
    return LocalFailure("timeout", f"ran longer than its task.timeout_ms of {limit_ms}", is_error=False)


def _text(value: AnyValue) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
