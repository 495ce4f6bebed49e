"""Every defect of docs/defects.md is found where its table says, and a run without any is passed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from otel_agenttrace.workflow.definition import load_definition
from otel_agenttrace.workflow.diagnose import diagnose
from otel_agenttrace.workflow.integrity import check_run, plan_gates
from otel_agenttrace.workflow.pilot.injections import Injections
from otel_agenttrace.workflow.pilot.run import run_pilot
from tests.workflow.defect_seeds import SEEDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.workflow.run_folder import RunFolder

TABLE = Path(__file__).parents[2] / "docs" / "defects.md"
DEFINITION = load_definition()
LEAST_DEFECTS = 15
_ROW = re.compile(r"\| `([\w-]+)` \| [^|]+ \| (yes)? ?\| `([\w-]+)` \| (\w+) \|")


class Defect(NamedTuple):
    """A row of the table."""

    name: str
    gate_id: str
    question: str


def _rows() -> Iterator[Defect]:
    for line in TABLE.read_text("utf-8").splitlines():
        if line.startswith("| `"):
            row = _ROW.fullmatch(line)
            assert row is not None, f"{TABLE.name}: no row of the table: {line}"
            yield Defect(row[1], row[3], row[4])


DEFECTS = list(_rows())


def test_every_defect_has_a_seed_and_every_seed_a_defect() -> None:
    """The table and the seeds are of the same defects, each of them once."""
    assert [each.name for each in DEFECTS] == list(dict.fromkeys(each.name for each in DEFECTS))
    assert {each.name for each in DEFECTS} == set(SEEDS)
    assert len(DEFECTS) >= LEAST_DEFECTS


def test_a_run_without_defects_passes_every_gate(clean_run: RunFolder) -> None:
    """The run that the pilot made passes, and is all clear."""
    report = check_run(clean_run.root, DEFINITION, min_coverage=100, scan_existing=True)

    assert [gate.result for gate in report.gates if gate.result.result != "pass"] == []
    assert report.status == "passed"
    assert diagnose(clean_run.root, DEFINITION).status == "clear"


def test_what_the_seeds_do_alone_is_no_defect(clean_run: RunFolder) -> None:
    """Putting all checksums of a run on record anew changes nothing, so what a seed adds is what is found."""
    clean_run.seal()

    assert check_run(clean_run.root, DEFINITION, scan_existing=True).status == "passed"


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_is_found_where_the_table_says(defect: Defect, clean_run: RunFolder) -> None:
    """The first gate that is not fine is that of the table, for the check and for the diagnosis."""
    SEEDS[defect.name](clean_run)

    report = check_run(clean_run.root, DEFINITION)
    diagnosis = diagnose(clean_run.root, DEFINITION)

    first, start = report.first_problem, diagnosis.start_here
    assert report.status != "passed"
    assert first is not None
    assert (first.result.gate_id, first.question) == (defect.gate_id, defect.question), first.result.reason
    assert start is not None
    assert (start.result.gate_id, start.question) == (defect.gate_id, defect.question)
    assert diagnosis.status == "problem"
    assert first.result.reason
    assert first.result.next_action
    assert first.result.result == "skipped" or first.result.evidence


@pytest.mark.parametrize(
    ("injections", "gate_id", "question", "not_run"),
    [
        (Injections(source_checksum="sha256:STALE"), "checksum-chain", "contract", "S4"),
        (Injections(drop_features=("gap-latency-panel",)), "gap-parity", "translation", "S5"),
        (Injections(test_failures=2), "tests-passed", "execution", "S9"),
    ],
    ids=["stale", "dropped", "failing"],
)
def test_a_run_that_was_blocked_is_found_where_it_was(
    injections: Injections, gate_id: str, question: str, not_run: str, tmp_path: Path
) -> None:
    """What has blocked a run of the pilot is found again in its files; phases that were not begun are skipped."""
    result = run_pilot(tmp_path / "run", injections)

    report, diagnosis = check_run(tmp_path / "run", DEFINITION), diagnose(tmp_path / "run", DEFINITION)

    assert result.status == "blocked"
    assert result.gates[-1].gate_id == gate_id
    for found in (report.first_problem, diagnosis.start_here):
        assert found is not None
        assert (found.result.gate_id, found.question) == (gate_id, question)
    begun = next(index for index, gate in enumerate(report.gates) if gate.part_id == not_run)
    last_question = [gate for gate in report.gates[begun:] if gate.part_id != "all"]
    assert {gate.result.result for gate in last_question} == {"skipped"}


def test_a_file_that_goes_while_the_run_is_checked_is_a_verdict(clean_run: RunFolder) -> None:
    """Gates that come to a file too late say that it is missing."""
    plan = plan_gates(clean_run.root, DEFINITION, scan_existing=True)
    structure = plan[0].pass_through()
    for name in ("export/contract.json", "features.json", "artifacts.json", "provenance.json"):
        clean_run.remove(name)

    results = [planned.pass_through().result for planned in plan[1:]]

    assert structure.result.result == "pass"
    assert {result.result for result in results} == {"pass", "fail"}
    assert [piece for result in results for piece in result.evidence if piece.type == "exception"] == []
