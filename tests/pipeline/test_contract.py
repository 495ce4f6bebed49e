"""The contract as a span stage."""

from __future__ import annotations

import pytest

from otel_agenttrace.contract.validate import Contract
from otel_agenttrace.model.record import EventRecord
from otel_agenttrace.pipeline.contract import contract_stage, recorded_location, violation_event
from otel_agenttrace.testing.spans import START, make_span


@pytest.fixture(scope="module")
def contract() -> Contract:
    """The package's own contract."""
    return Contract.load()


def test_a_violation_becomes_an_event_at_the_end_of_the_span(contract: Contract) -> None:
    """The event names attribute and rule, says what is wrong, and stands behind the span's own events."""
    record = make_span(attributes={"task.phse": "x"}, events=(EventRecord("mine", START),))

    staged = contract_stage(contract)(record)

    assert staged.events == (
        EventRecord("mine", START),
        EventRecord(
            "agenttrace.contract.violation",
            record.end_time_unix_nano or 0,
            {
                "agenttrace.contract.attribute": "task.phse",
                "agenttrace.contract.rule": "unknown",
                "agenttrace.contract.message": "task.phse is no attribute of the contract; did you mean task.phase?",
            },
        ),
    )


def test_the_stage_run_twice_changes_nothing(contract: Contract) -> None:
    """The same span may pass in the agent and again in a server behind it."""
    stage = contract_stage(contract)
    once = stage(make_span(attributes={"task.phse": "x", "task.status": "?"}))

    assert stage(once) == once


@pytest.mark.parametrize(
    "record",
    [
        make_span(attributes={"session.id": "s"}),
        make_span(attributes={"task.status": "in_progress"}, end_time_unix_nano=None),
    ],
    ids=["nothing wrong", "not ended"],
)
def test_other_spans_stay_as_they_are(contract: Contract, record: object) -> None:
    """A span that keeps the contract, and one that is still open, are handed on as the same object."""
    assert contract_stage(contract)(record) is record  # type: ignore[arg-type]


def test_a_location_that_was_recorded_is_found_again(contract: Contract) -> None:
    """A reader that checks anew still knows which line of code set the attribute."""
    (violation,) = contract.check({"task.phse": 1})
    event = violation_event(violation, None, START)
    event.attributes.update({"code.file.path": "a.py", "code.line.number": 7, "code.function.name": "run"})

    located = recorded_location(violation, make_span(events=(EventRecord("other", START), event)))

    assert (located.file_path, located.line_number, located.function_name) == ("a.py", 7, "run")
    assert recorded_location(violation, make_span()) == violation
