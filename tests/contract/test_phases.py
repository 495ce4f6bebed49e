"""The phase table: which phase requires, recommends or does not expect which attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.contract.registry import NOT_EXPECTED, OPTIONAL, RECOMMENDED, REQUIRED

if TYPE_CHECKING:
    from otel_agenttrace.contract.registry import Registry
    from otel_agenttrace.contract.validate import Contract

TASK = {"project.id": "pilot", "task.id": "PI-101-002-S5", "task.phase": "ROUTING_DECISION", "task.status": "completed"}
ROUTED = {"routing.complexity_score": 41.0, "routing.selected_path": "artisan"}

TABLE = """
                                   S1 S2 S3 S4 S5 S6 S7 S8 S9 S10
input.source_checksum              r  R  R  R  r  r  r  r  r  R
input.artifact_manifest_checksum   x  r  R  R  r  R  R  r  r  R
input.project_context_checksum     r  r  R  r  o  r  r  o  o  r
quality.coverage_percent           o  r  o  R  r  o  o  R  r  R
quality.gap_count                  o  r  r  R  r  r  o  r  r  r
quality.feature_count              r  r  o  R  o  r  o  r  r  r
routing.complexity_score           x  x  x  o  R  o  o  x  x  x
routing.selected_path              x  x  x  x  R  r  r  o  o  o
output.path_count                  o  o  x  x  x  o  R  o  o  R
output.artifact_count              o  r  x  x  x  o  R  o  o  R
output.finalize_status             x  x  x  x  x  x  x  x  x  R
output.artifact_checksums          o  r  x  x  x  r  R  x  x  r
"""
LEVELS = {"R": REQUIRED, "r": RECOMMENDED, "o": OPTIONAL, "x": NOT_EXPECTED}


def test_the_phases_are_these_in_this_order(registry: Registry) -> None:
    """The ten phases of the pilot, and one for everything else."""
    assert list(registry.phases) == [
        "INIT_BASELINE",
        "EXPORT_CONTRACT",
        "CONTRACT_INTEGRITY",
        "INGEST_PARSE_ASSESS",
        "ROUTING_DECISION",
        "ARTISAN_DESIGN",
        "ARTISAN_IMPLEMENT",
        "TEST_VALIDATE",
        "REVIEW_CALIBRATE",
        "FINALIZE_VERIFY",
        "OTHER",
    ]


def test_the_table_is_this(registry: Registry) -> None:
    """The table, written down a second time: a change has to be deliberate."""
    _, *lines = TABLE.strip("\n").splitlines()
    expected = {name: [LEVELS[cell] for cell in cells] for name, *cells in (line.split() for line in lines)}

    rows = list(registry.phases.values())[:10]
    assert {name: [row[name].level for row in rows] for name in expected} == expected
    assert all(set(row) == set(expected) for row in rows)
    assert registry.phases["OTHER"] == {}


def test_a_phase_that_has_what_it_requires_is_fine(contract: Contract) -> None:
    """Nothing is found where the row is fulfilled."""
    assert contract.check(TASK | ROUTED) == ()


@pytest.mark.parametrize("status", ["completed", "in_progress"])
def test_a_missing_attribute_of_the_phase_is_found(contract: Contract, status: str) -> None:
    """What the phase requires is due when the span ends."""
    found = contract.check(TASK | {"task.status": status, "routing.complexity_score": 1})
    assert [(item.attribute, item.rule) for item in found] == [("routing.selected_path", "required")]
    assert found[0].message == "routing.selected_path is missing: required in phase ROUTING_DECISION"


@pytest.mark.parametrize(
    "excuse",
    [
        {"task.status": "not_started"},
        {"task.status": "failed"},
        {"task.status": "cancelled"},
        {"task.status": "blocked", "task.blocked_reason": "stale", "task.next_action": "export again"},
        {"task.type": "subtask"},
        {"agenttrace.ended_by": "adoption"},
    ],
    ids=str,
)
def test_work_that_was_not_done_owes_nothing(contract: Contract, excuse: dict[str, str]) -> None:
    """A task that was not finished, or is only a part of the phase, need not have what the phase requires."""
    assert contract.check(TASK | excuse) == ()


def test_an_attribute_that_the_phase_does_not_expect_is_found(contract: Contract) -> None:
    """An artifact checksum where nothing is made would start a false lineage."""
    found = contract.check(TASK | ROUTED | {"output.artifact_checksums": []})

    assert [(item.attribute, item.rule) for item in found] == [("output.artifact_checksums", "not_expected")]
    assert found[0].message == "output.artifact_checksums is not expected in phase ROUTING_DECISION"


def test_not_finishing_excuses_nothing_that_is_not_expected(contract: Contract) -> None:
    """Only what is missing is excused."""
    found = contract.check(TASK | {"task.status": "failed", "output.artifact_checksums": []})

    assert [item.rule for item in found] == ["not_expected"]


def test_a_span_that_only_inherited_its_phase_owes_nothing(contract: Contract) -> None:
    """A model call below a task has the task's phase and is no task span."""
    assert contract.check({"task.id": "S5", "task.phase": "ROUTING_DECISION", "project.id": "pilot"}) == ()


def test_the_phase_other_asks_for_nothing(contract: Contract) -> None:
    """`OTHER` is for what the table does not know."""
    assert contract.check(TASK | ROUTED | {"task.phase": "OTHER", "output.finalize_status": "complete"}) == ()
