"""Contract: what is found in attributes and events, rule by rule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.contract.validate import MAX_VIOLATIONS, Contract
from otel_agenttrace.model.record import EventRecord
from otel_agenttrace.testing.spans import make_span

if TYPE_CHECKING:
    from otel_agenttrace.contract.violation import Violation
    from otel_agenttrace.model.record import Attributes

CHECKSUM = "sha256:" + "0f" * 32
TASK: dict[str, Any] = {"project.id": "p", "task.id": "T-1", "task.phase": "OTHER", "task.status": "completed"}


def rules(found: tuple[Violation, ...]) -> list[tuple[str, str]]:
    """Attribute and rule of each violation."""
    return [(violation.attribute, violation.rule) for violation in found]


def test_a_span_without_contract_attributes_is_fine(contract: Contract) -> None:
    """Most spans are none of the contract's business."""
    assert contract.check({"http.method": "GET", "gen_ai.request.model": 17, "x": None}) == ()


def test_a_task_span_with_all_it_needs_is_fine(contract: Contract) -> None:
    """Four attributes make a task span complete."""
    assert contract.check(TASK) == ()


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("task.title", "a title"),
        ("task.title", ""),
        ("task.timeout_ms", 30_000),
        ("task.timeout_ms", 0.5e6),
        ("task.depends_on", ()),
        ("task.depends_on", ["T-0"]),
        ("task.type", "epic"),
        ("quality.coverage_percent", 0),
        ("quality.coverage_percent", 100.0),
        ("quality.gap_count", 0),
        ("gate.blocking", False),
        ("gate.evidence", [{"type": "file", "ref": "a", "description": "b"}]),
        ("gate.evidence", None),
        ("input.source_checksum", CHECKSUM),
        ("input.source_checksum", "blake2b:0123456789abcdef"),
        ("output.artifact_checksums", [CHECKSUM, "sha512:" + "a" * 128]),
        ("failure.id", "0" * 32 + "-" + "f" * 16),
        ("handoff.deadline", "2026-11-20T09:30:00.5+01:00"),
        ("agenttrace.event.duration_ms", 12),
    ],
)
def test_a_good_value_is_fine(contract: Contract, attribute: str, value: object) -> None:
    """Integers do where a number is wanted, and only closed enums refuse what they do not know."""
    assert contract.check({attribute: value}) == ()


@pytest.mark.parametrize(
    ("attribute", "value", "rule", "message"),
    [
        ("task.title", 5, "type", "task.title is 5; expected a string"),
        ("task.title", None, "type", "task.title is null; expected a string"),
        ("task.id", b"T", "type", "task.id is bytes; expected a string"),
        ("task.id", " ", "empty", "task.id is empty"),
        ("task.depends_on", "T-0", "type", "task.depends_on is 'T-0'; expected a list of strings"),
        ("task.depends_on", ["T-0", 1], "type", "task.depends_on has an item that is 1; expected a string"),
        ("task.type", 1, "type", "task.type is 1; expected a string"),
        ("quality.gap_count", True, "type", "quality.gap_count is true; expected an integer"),
        ("quality.gap_count", 1.0, "type", "quality.gap_count is 1.0; expected an integer"),
        ("quality.gap_count", -1, "range", "quality.gap_count is -1; expected at least 0"),
        ("quality.coverage_percent", False, "type", "quality.coverage_percent is false; expected a number"),
        ("quality.coverage_percent", 100.5, "range", "quality.coverage_percent is 100.5; expected 0 to 100"),
        ("quality.coverage_percent", math.nan, "range", "quality.coverage_percent is nan; expected 0 to 100"),
        ("quality.coverage_percent", {}, "type", "quality.coverage_percent is a mapping; expected a number"),
        ("gate.blocking", 1, "type", "gate.blocking is 1; expected true or false"),
        ("handoff.status", "done", "enum", None),
        ("handoff.status", ["failed"], "type", "handoff.status is a list of 1; expected a string"),
        ("task.phase", "ROUTNG_DECISION", "enum", "task.phase is 'ROUTNG_DECISION'; did you mean ROUTING_DECISION?"),
        (
            "routing.selected_path",
            "scenic",
            "enum",
            "routing.selected_path is 'scenic'; expected one of prime, artisan",
        ),
        (
            "input.source_checksum",
            "sha256:STALE",
            "pattern",
            "input.source_checksum is 'sha256:STALE'; expected algo:hex, such as sha256: and 64 lower-case hex digits",
        ),
        ("input.source_checksum", "sha256:" + "0" * 63, "pattern", None),
        ("input.source_checksum", "", "pattern", None),
        ("input.source_checksum", CHECKSUM + "\n", "pattern", None),
        ("output.artifact_checksums", [CHECKSUM, "nonsense"], "pattern", None),
        ("failure.origin_span_id", "A77F14B0C1D2E3F4", "pattern", None),
    ],
)
def test_a_bad_value_is_found(
    contract: Contract, attribute: str, value: object, rule: str, message: str | None
) -> None:
    """Each rule says what the value is and what it should be."""
    found = contract.check({attribute: value})

    assert [item.rule for item in found] == [rule]
    if message is not None:
        assert found[0].message == message


def test_an_integer_of_any_size_is_named(contract: Contract) -> None:
    """Python refuses to spell out integers of thousands of digits."""
    (violation,) = contract.check({"quality.coverage_percent": 10**5000})

    assert violation.message == "quality.coverage_percent is an integer beyond 64 bits; expected 0 to 100"


def test_a_message_quotes_little_of_a_value_and_nothing_that_acts(contract: Contract) -> None:
    """A secret in the wrong place is cut, and control characters are spelled out."""
    (violation,) = contract.check({"routing.selected_path": "\x1b]8;;" + "s" * 5000})

    assert "\x1b" not in violation.message
    assert violation.message.count("s" * 59) == 1
    assert "s" * 60 not in violation.message


def test_what_every_task_span_needs_is_missed(contract: Contract) -> None:
    """`task.status` makes a span a task span, and three other attributes belong to one."""
    found = contract.check({"task.status": "completed"})

    assert rules(found) == [("project.id", "required"), ("task.id", "required"), ("task.phase", "required")]
    assert found[0].message == "project.id is missing: required on every task span"


def test_a_blocked_task_says_why_and_what_to_do(contract: Contract) -> None:
    """Reason and next action are required when, and only when, the task is blocked."""
    found = contract.check(TASK | {"task.status": "blocked"})

    assert rules(found) == [("task.blocked_reason", "required"), ("task.next_action", "required")]
    assert found[0].message == "task.blocked_reason is missing: required when `task.status` is `blocked`"
    assert contract.check(TASK | {"task.status": "blocked", "task.blocked_reason": "a", "task.next_action": "b"}) == ()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("task.phse", "task.phase"),
        ("gate.resutl", "gate.result"),
        ("input.source_checksm", "input.source_checksum"),
        ("output.artefact_count", "output.artifact_count"),
        ("agenttrace.revison", "agenttrace.revision"),
        ("project.idd", "project.id"),
    ],
)
def test_a_typo_is_found_with_what_was_meant(contract: Contract, name: str, meant: str) -> None:
    """An unknown name in a namespace of ours is a violation that says what it was probably meant to be."""
    (violation,) = contract.check({name: "x"})

    assert (violation.attribute, violation.rule) == (name, "unknown")
    assert violation.message == f"{name} is no attribute of the contract; did you mean {meant}?"


@pytest.mark.parametrize(
    "name", ["task.colour", "gate.keeper", "handoff.x", "failure.mode", "quality.x", "routing.via"]
)
def test_an_unknown_name_in_a_namespace_of_ours_is_found(contract: Contract, name: str) -> None:
    """Nobody else uses these namespaces, so any unknown name there is a mistake."""
    assert rules(contract.check({name: 1})) == [(name, "unknown")]


@pytest.mark.parametrize(
    "name",
    [
        "input.value",
        "input.mime_type",
        "input.audio.url",
        "output.value",
        "output.mime_type",
        "project.name",
        "agent.name",
        "run.name",
        "tasks.count",
        "agenttrace.something_of_a_newer_version",
        "",
        ".",
        "task",
    ],
)
def test_what_others_call_their_attributes_is_theirs(contract: Contract, name: str) -> None:
    """OpenInference shares two namespaces with us, and a newer version of this package may write new names."""
    assert contract.check({name: object()}) == ()


def test_events_are_checked_too(contract: Contract) -> None:
    """An event of ours has what it needs, with good values; a failed gate that blocks says what to do."""
    attributes: Attributes = {"gate.id": "g", "gate.result": "failed", "gate.severity": "error", "gate.blocking": True}
    event = EventRecord("gate.check.failed", 0, attributes)

    found = contract.check({}, [event])

    assert rules(found) == [("gate.reason", "required"), ("gate.result", "enum"), ("gate.next_action", "required")]
    assert found[0].message == "gate.reason is missing: required on gate.check.failed"


@pytest.mark.parametrize("name", ["gate.check.strated", "handoff.sent", "agent.pondering"])
def test_an_unknown_event_is_found(contract: Contract, name: str) -> None:
    """Events have namespaces as attributes do."""
    assert rules(contract.check({}, [EventRecord(name, 0)])) == [(name, "unknown")]


@pytest.mark.parametrize("name", ["exception", "gen_ai.evaluation.result", "gen_ai.choice", "message", "task.started"])
def test_events_of_others_are_theirs(contract: Contract, name: str) -> None:
    """Standard events are not checked, and unknown ones elsewhere are none of ours."""
    assert contract.check({}, [EventRecord(name, 0, {"exception.type": 5})]) == ()


def test_the_values_of_an_open_span_are_checked_and_nothing_is_missed(contract: Contract) -> None:
    """What is missing while a span is open may still come."""
    found = contract.check_values({"task.status": "finished", "task.phse": 1})

    assert {item.rule for item in found} == {"enum", "unknown"}


def test_a_record_is_checked_by_whether_it_has_ended(contract: Contract) -> None:
    """An open record is checked as an open span."""
    attributes = {"task.status": "in_progress"}

    assert contract.check_record(make_span(attributes=attributes, end_time_unix_nano=None)) == ()
    assert len(contract.check_record(make_span(attributes=attributes))) == 3


def test_a_span_lists_a_bounded_number_of_violations(contract: Contract) -> None:
    """A span with a thousand mistakes lists some and says how many more there are."""
    found = contract.check({f"task.x{number}": 1 for number in range(1000)})

    assert len(found) == MAX_VIOLATIONS
    assert found[-1].message.endswith("(and 936 more violations)")


def test_the_same_names_with_other_values_are_checked_anew(contract: Contract) -> None:
    """What is kept for a list of names says nothing of the values."""
    assert contract.check(TASK) == ()
    assert rules(contract.check(TASK | {"task.status": "gone"})) == [("task.status", "enum")]
    assert contract.check(TASK) == ()


def test_ever_new_names_do_not_pile_up(contract: Contract) -> None:
    """Emitters that number their attributes make ever new lists of names; what is kept of them is bounded."""
    for number in range(5000):
        contract.check({f"llm.input_messages.{number}.role": "user"})

    assert len(contract._span_plans) <= 1024


def test_a_contract_concerns_spans_with_its_names(contract: Contract) -> None:
    """A check of spans that the contract knows nothing of has checked nothing."""
    assert not contract.concerns(make_span(attributes={"gen_ai.request.model": "m"}))
    assert contract.concerns(make_span(attributes={"session.id": "s"}))
    assert contract.concerns(make_span(attributes={"task.phse": "s"}))
    assert contract.concerns(make_span(events=(EventRecord("gate.check.started", 0),)))
