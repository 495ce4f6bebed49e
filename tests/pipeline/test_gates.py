"""The protocol of tasks and gates on one span, whoever emits it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.contract.phases import PHASES
from otel_agenttrace.contract.validate import Contract
from otel_agenttrace.model.gate_events import gate_results
from otel_agenttrace.model.record import EventRecord
from otel_agenttrace.pipeline.contract import contract_stage, recorded_violations
from otel_agenttrace.pipeline.gates import blocking_gates, gate_stage, protocol_violations
from otel_agenttrace.pipeline.phase_order import early_starts
from otel_agenttrace.pipeline.stages import staged
from otel_agenttrace.testing.spans import START, make_span

if TYPE_CHECKING:
    from otel_agenttrace.contract.registry import Registry
    from otel_agenttrace.model.record import SpanRecord


def _event(word: str, gate_id: Any = "g", **attributes: Any) -> EventRecord:
    said = {f"gate.{name}": value for name, value in attributes.items()}
    return EventRecord(f"gate.check.{word}", START, {"gate.id": gate_id, **said})


def _messages(record: SpanRecord) -> list[str]:
    return [violation.message for violation in recorded_violations(gate_stage(record))]


def test_a_gate_that_never_ended_is_a_violation() -> None:
    """What it checks is not known, and the work went on without knowing."""
    events = (_event("started", "a"), _event("passed", "a"), _event("started", "b"))

    assert _messages(make_span(events=events)) == ["gate 'b' started and never ended: what it checks is not known"]


@pytest.mark.parametrize("word", ["passed", "failed", "skipped"])
def test_a_gate_that_ended_is_none(word: str) -> None:
    """However it ended."""
    assert _messages(make_span(events=(_event("started"), _event(word)))) == []


def test_a_gate_that_was_tried_again_has_to_end_again() -> None:
    """Each start has an end of its own."""
    again = (_event("started"), _event("failed"), _event("started"))

    assert len(_messages(make_span(events=again))) == 1
    assert _messages(make_span(events=(*again, _event("passed")))) == []


def test_an_open_span_may_yet_end_its_gates() -> None:
    """And may yet say why it is blocked."""
    record = make_span(
        events=(_event("started"),), end_time_unix_nano=None, attributes={"task.status": "blocked", "task.id": "T"}
    )

    assert gate_stage(record) is record


def test_where_events_were_dropped_nothing_is_said_of_gates() -> None:
    """The end may have been among them."""
    assert protocol_violations(make_span(events=(_event("started"),), dropped_events_count=1)) == ()


@pytest.mark.parametrize("value", [None, "", " ", 7])
def test_a_blocked_span_has_to_say_why_and_what_to_do(value: Any) -> None:
    """Whatever else stands there says neither."""
    attributes: dict[str, Any] = {"task.id": "T", "task.status": "blocked", "task.blocked_reason": value}
    found = recorded_violations(gate_stage(make_span(attributes=attributes)))

    assert [(each.attribute, each.rule) for each in found] == [
        ("task.blocked_reason", "protocol"),
        ("task.next_action", "protocol"),
    ]


def test_a_blocked_span_that_says_both_is_in_order() -> None:
    """It goes on as it is."""
    attributes = {"task.status": "blocked", "task.blocked_reason": "stale", "task.next_action": "export again"}
    record = make_span(attributes=attributes)

    assert gate_stage(record) is record


def test_what_the_contract_has_said_already_is_not_said_twice() -> None:
    """A missing reason breaks both; one event tells of it, and the stage run again adds none."""
    attributes = {"project.id": "p", "task.id": "T", "task.phase": "OTHER", "task.status": "blocked"}
    record = make_span(attributes=attributes, events=(_event("started", severity="error", blocking=True),))
    once = gate_stage(contract_stage(Contract.load())(record))

    assert [(each.attribute, each.rule) for each in recorded_violations(once)] == [
        ("task.blocked_reason", "required"),
        ("task.next_action", "required"),
        ("gate.id", "protocol"),
    ]
    assert gate_stage(once) is once


def test_what_breaks_the_protocol_does_not_keep_the_contract_from_being_checked() -> None:
    """A server may know the contract where the agent did not."""
    record = gate_stage(make_span(events=(_event("started"),), attributes={"quality.gap_count": -1}))

    assert [each.rule for each in recorded_violations(contract_stage(Contract.load())(record))] == ["protocol", "range"]


def test_every_span_passes_the_stage() -> None:
    """Spans that are written, received or imported are looked at too."""
    assert len(recorded_violations(staged(make_span(events=(_event("started"),))))) == 1


def test_a_gate_blocks_until_it_passes_or_is_overridden() -> None:
    """As far as the span tells; a gate that does not say that it blocks does not."""
    failed = _event("failed", blocking=True)

    assert blocking_gates([failed]) == ("g",)
    assert blocking_gates([_event("skipped", blocking=True)]) == ("g",)
    assert blocking_gates([_event("failed"), _event("failed", "h", blocking=False)]) == ()
    assert blocking_gates([failed, _event("overridden")]) == ()
    assert blocking_gates([failed, _event("passed")]) == ()


def test_the_phases_are_those_of_the_registry() -> None:
    """In its order."""
    registry: Registry = Contract.load().registry

    assert (*PHASES, "OTHER") == tuple(member.value for member in registry.attributes["task.phase"].members)


_VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.lists(st.text(max_size=3), max_size=3)
_WORDS = st.sampled_from(["started", "passed", "failed", "skipped", "overridden", "other"])
_NAMES = ["id", "blocking", "severity", "evidence", "reason", "next_action", "overridden_by"]
_EVENTS = st.builds(
    lambda word, said, time: EventRecord(f"gate.check.{word}", time, {f"gate.{name}": said[name] for name in said}),
    _WORDS,
    st.dictionaries(st.sampled_from(_NAMES), _VALUES | st.sampled_from(["g", "h"])),
    st.integers(-(2**63), 2**63 - 1),
)
_ATTRIBUTES = st.dictionaries(
    st.sampled_from(["task.status", "task.id", "task.phase", "task.depends_on", "task.type", "task.parent_id"]),
    _VALUES | st.sampled_from(["blocked", "completed", "T", *PHASES[:3]]),
)


@given(st.lists(st.tuples(_ATTRIBUTES, st.lists(_EVENTS, max_size=5), st.booleans()), max_size=4))
def test_nothing_on_a_span_makes_reading_it_raise(spans: list[tuple[Any, Any, bool]]) -> None:
    """Wrong types count as absent, and a stage run twice changes nothing the second time."""
    from otel_agenttrace.model.tree import SpanTree  # noqa: PLC0415 - of this test alone

    records = [
        make_span(
            span_id=f"{index + 1:016x}",
            attributes=attributes,
            events=tuple(events),
            end_time_unix_nano=START if ended else None,
        )
        for index, (attributes, events, ended) in enumerate(spans)
    ]

    gate_results(records)
    early_starts(SpanTree(records))
    for record in records:
        assert gate_stage(gate_stage(record)) == gate_stage(record)
