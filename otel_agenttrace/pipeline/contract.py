"""The contract as a span stage, and its violations as span events."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from otel_agenttrace.contract.attributes import (
    AGENTTRACE_CONTRACT_ATTRIBUTE,
    AGENTTRACE_CONTRACT_MESSAGE,
    AGENTTRACE_CONTRACT_RULE,
    CODE_FILE_PATH,
    CODE_FUNCTION_NAME,
    CODE_LINE_NUMBER,
    EVENT_CONTRACT_VIOLATION,
)
from otel_agenttrace.contract.violation import Violation
from otel_agenttrace.model.record import EventRecord

if TYPE_CHECKING:
    from otel_agenttrace.contract.validate import Contract
    from otel_agenttrace.model.record import Attributes, SpanRecord
    from otel_agenttrace.pipeline.stage import Stage


PROTOCOL = "protocol"
"""The rule of a violation that `gates.gate_stage` has found."""


class CodeLocation(Protocol):
    """A line of code."""

    @property
    def file_path(self) -> str:
        """The source file."""

    @property
    def line_number(self) -> int | None:
        """Counted from 1; None if it is not known."""

    @property
    def function_name(self) -> str:
        """The function that the line is in."""


class Locations(Protocol):
    """What knows where a span's attributes were set, such as `processors.locations.Locations`."""

    def of(self, attribute: str) -> CodeLocation | None:
        """Where the attribute was set, else where the span was started; None if neither is known."""


def contract_stage(contract: Contract) -> Stage:
    """A stage that adds an event for each violation of a span that has ended.

    A span that has such events already was checked where it was recorded, by a contract that may know more (a
    project's own), and with the code locations: it stays as it is.
    """
    return partial(check_record, contract, None)


def check_record(contract: Contract, locations: Locations | None, record: SpanRecord) -> SpanRecord:
    """What `contract_stage` does, with the code locations that are known of the span."""
    end_time = record.end_time_unix_nano
    if end_time is None or (record.events and any(map(_is_checked, record.events))):
        return record
    violations = contract.check_record(record)
    if not violations:
        return record
    events = tuple(violation_event(violation, locations, end_time) for violation in violations)
    return replace(record, events=record.events + events)


def violation_event(violation: Violation, locations: Locations | None, time_unix_nano: int) -> EventRecord:
    """The span event that records a violation."""
    attributes: Attributes = {
        AGENTTRACE_CONTRACT_ATTRIBUTE: violation.attribute,
        AGENTTRACE_CONTRACT_RULE: violation.rule,
        AGENTTRACE_CONTRACT_MESSAGE: violation.message,
    }
    located = locate(violation, locations)
    for name, value in (
        (CODE_FILE_PATH, located.file_path),
        (CODE_LINE_NUMBER, located.line_number),
        (CODE_FUNCTION_NAME, located.function_name),
    ):
        if value is not None:
            attributes[name] = value
    return EventRecord(EVENT_CONTRACT_VIOLATION, time_unix_nano, attributes)


def locate(violation: Violation, locations: Locations | None) -> Violation:
    """The violation with its code location filled in, if that is known."""
    location = None if locations is None else locations.of(violation.attribute)
    if location is None:
        return violation
    return replace(
        violation,
        file_path=location.file_path,
        line_number=location.line_number,
        function_name=location.function_name,
    )


def recorded_violations(record: SpanRecord) -> tuple[Violation, ...]:
    """The violations that a span's events tell of; what is not of its type in them counts as not known."""
    events = (event.attributes for event in record.events if event.name == EVENT_CONTRACT_VIOLATION)
    return tuple(_recorded_violation(attributes) for attributes in events)


def recorded_location(violation: Violation, record: SpanRecord) -> Violation:
    """The violation with the code location that the process noted which recorded the span, if it found the same."""
    for recorded in recorded_violations(record):
        if (recorded.attribute, recorded.rule) == (violation.attribute, violation.rule) and recorded.file_path:
            return replace(
                violation,
                file_path=recorded.file_path,
                line_number=recorded.line_number,
                function_name=recorded.function_name,
            )
    return violation


def _is_checked(event: EventRecord) -> bool:
    """Whether an event tells that its span has been checked; what breaks the protocol is found without a contract."""
    return event.name == EVENT_CONTRACT_VIOLATION and event.attributes.get(AGENTTRACE_CONTRACT_RULE) != PROTOCOL


def _recorded_violation(attributes: Attributes) -> Violation:
    line_number = attributes.get(CODE_LINE_NUMBER)
    return Violation(
        _text(attributes, AGENTTRACE_CONTRACT_ATTRIBUTE) or "",
        _text(attributes, AGENTTRACE_CONTRACT_RULE) or "",
        _text(attributes, AGENTTRACE_CONTRACT_MESSAGE) or "",
        _text(attributes, CODE_FILE_PATH),
        line_number if isinstance(line_number, int) else None,
        _text(attributes, CODE_FUNCTION_NAME),
    )


def _text(attributes: Attributes, name: str) -> str | None:
    value = attributes.get(name)
    return value if isinstance(value, str) else None
