"""The integrity gates of any pipeline, on small runs of one that a project brings itself."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.workflow import integrity_folder
from otel_agenttrace.workflow.checks.findings import FindingError, finding
from otel_agenttrace.workflow.definition import load_definition
from otel_agenttrace.workflow.diagnose import diagnose
from otel_agenttrace.workflow.integrity import check_run

if TYPE_CHECKING:
    from pathlib import Path

    from otel_agenttrace.workflow.definition import PipelineDefinition
    from otel_agenttrace.workflow.integrity import IntegrityReport

OWN = """
pipeline: {id: two-phases, title: Two phases}
files:
  input: {path: input.json}
  plan: {path: plan.json, phase: P1}
  parts: {path: parts/*.json, phase: P2}
  log: {path: log.txt, phase: P2, required: false}
  inventory: {path: inventory.json, phase: P2}
phases:
  - id: P1
    name: PLAN
    question: contract
    exit:
      - {id: planned, check: gap_parity, inputs: {gaps: input#/wanted, features: plan#/planned}}
  - id: P2
    name: MAKE
    question: execution
    exit:
      - id: made
        check: coverage
        category: coverage
        inputs: {covered: inventory#/made, total: plan#/planned, min_percent: 50}
"""


@pytest.fixture
def own(tmp_path: Path) -> PipelineDefinition:
    """A pipeline of two phases."""
    path = tmp_path / "own.yaml"
    path.write_text(OWN, "utf-8")
    return load_definition(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A run of it in which everything is in order."""
    folder = tmp_path / "run"
    (folder / "parts").mkdir(parents=True)
    _write(folder, "input.json", {"wanted": ["a", "b"]})
    _write(folder, "plan.json", {"planned": ["a", "b"], "files": _checksums(folder, "input.json")})
    _write(folder, "parts/a.json", {"part": "a"})
    _write(folder, "inventory.json", {"made": ["a"], "files": _checksums(folder, "plan.json", "parts/a.json")})
    return folder


def _write(folder: Path, name: str, value: Any) -> None:
    (folder / name).write_text(json.dumps(value), "utf-8")


def _checksums(folder: Path, *names: str) -> dict[str, str]:
    return {name: f"sha256:{hashlib.sha256((folder / name).read_bytes()).hexdigest()}" for name in names}


def _results(report: IntegrityReport) -> dict[str, str]:
    return {gate.result.gate_id: gate.result.result for gate in report.gates}


def test_a_project_brings_its_own_pipeline(root: Path, own: PipelineDefinition) -> None:
    """The gates are those of the definition, between those that any run has to pass."""
    report = check_run(root, own, scan_existing=True)

    assert _results(report) == {
        "structure-p1": "pass",
        "planned": "pass",
        "structure-p2": "pass",
        "made": "pass",
        "checksums-all": "pass",
        "existing-all": "pass",
    }
    assert report.status == "passed"
    assert report.first_problem is None
    assert diagnose(root, own).status == "clear"


def test_an_empty_folder_passes_nothing(tmp_path: Path, own: PipelineDefinition) -> None:
    """Where nothing lies every gate is skipped, which is no pass, and there is nothing to judge."""
    empty = tmp_path / "empty"
    empty.mkdir()

    report, diagnosis = check_run(empty, own, scan_existing=True, min_coverage=0), diagnose(empty, own)

    assert {gate.result.result for gate in report.gates} == {"skipped"}
    assert report.status == "skipped"
    assert (diagnosis.status, diagnosis.nothing) == ("nothing", "the folder is empty")
    assert {each.answer for each in diagnosis.answers} == {"not_asked"}
    assert diagnosis.start_here is None


def test_a_folder_of_something_else_is_never_clear(tmp_path: Path, own: PipelineDefinition) -> None:
    """Files of which none is the pipeline's are nothing to judge."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "readme.txt").write_text("hello", "utf-8")

    assert diagnose(tmp_path / "other", own).nothing == "none of its files is one of pipeline two-phases"
    assert check_run(tmp_path / "other", own).status == "skipped"


def test_a_folder_that_is_not_there_is_a_verdict(tmp_path: Path, own: PipelineDefinition) -> None:
    """Without a folder nothing passes, and the diagnosis says what is missing."""
    assert check_run(tmp_path / "nowhere", own, scan_existing=True).status != "passed"
    assert "is missing" in diagnose(tmp_path / "nowhere", own).nothing


def test_a_folder_that_cannot_be_listed_is_no_run_that_was_never_made(
    root: Path, own: PipelineDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its gates fail and say what cannot be read; nobody is told to make the run anew."""

    def refuse(folder: Path) -> list[str]:
        where = f"{folder}/parts"
        raise FindingError(finding(f"the folder {where} cannot be read", f"make {where} readable", "file", where))

    monkeypatch.setattr(integrity_folder, "list_files", refuse)
    report, diagnosis = check_run(root, own), diagnose(root, own)

    assert {gate.result.result for gate in report.gates} == {"fail"}
    assert diagnosis.status == "problem"
    assert diagnosis.start_here is not None
    assert diagnosis.start_here.result.reason == f"the folder {root}/parts cannot be read"
    assert diagnosis.start_here.result.next_action == f"make {root}/parts readable"


def test_a_first_phase_without_files_has_run_where_there_is_what_it_begins_with(tmp_path: Path) -> None:
    """Its gates are passed over what is there before; the phase behind it is the one that has not run."""
    path = tmp_path / "own.yaml"
    path.write_text(OWN.replace("plan: {path: plan.json, phase: P1}", "plan: {path: plan.json}"), "utf-8")
    _write(tmp_path, "input.json", {"wanted": ["a"]})
    _write(tmp_path, "plan.json", {"planned": ["a"]})

    report, diagnosis = check_run(tmp_path, load_definition(path)), diagnose(tmp_path, load_definition(path))

    assert _results(report)["planned"] == "pass"
    assert _results(report)["made"] == "skipped"
    assert [each.answer for each in diagnosis.answers] == ["yes", "not_asked", "no"]
    assert diagnosis.start_here is not None
    assert diagnosis.start_here.result.reason == "P2 has not run: it has left no file"


def test_phases_that_have_not_run_are_skipped(root: Path, own: PipelineDefinition) -> None:
    """What a phase would have made is not missed one by one where it has made nothing, and the run is not clear."""
    for name in ("parts/a.json", "inventory.json"):
        (root / name).unlink()

    report, diagnosis = check_run(root, own), diagnose(root, own)

    assert _results(report) == {
        "structure-p1": "pass",
        "planned": "pass",
        "structure-p2": "skipped",
        "made": "skipped",
        "checksums-all": "pass",
    }
    assert report.status == "skipped"
    assert [each.answer for each in diagnosis.answers] == ["yes", "not_asked", "no"]
    assert diagnosis.start_here is not None
    assert diagnosis.start_here.result.next_action == "run the pipeline on from P2"


def test_a_missing_file_is_told_apart_from_a_phase_that_has_not_run(root: Path, own: PipelineDefinition) -> None:
    """A file of a phase that has left others, or that is on record, is missing."""
    (root / "parts/a.json").unlink()

    first = check_run(root, own).first_problem

    assert first is not None
    assert first.result.gate_id == "structure-p2"
    assert "the file parts/a.json is missing" in first.result.reason
    assert "no file fits parts/*.json, which P2 writes" in first.result.reason


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b'{"planned": [', "is no JSON"),
        (b"\xff\xfe", "is not UTF-8"),
        (b'{"planned": NaN}', "is no JSON"),
        (b"[" * 100_000, "is nested too deep"),
    ],
)
def test_a_file_that_is_no_json_fails_the_structure(
    root: Path, own: PipelineDefinition, content: bytes, says: str
) -> None:
    """A file that cannot be read as what its name says is told with what is wrong with it."""
    (root / "plan.json").write_bytes(content)

    first = check_run(root, own).first_problem

    assert first is not None
    assert first.result.gate_id == "structure-p1"
    assert says in first.result.reason


def test_a_file_too_large_fails_the_structure(root: Path, own: PipelineDefinition) -> None:
    """A document beyond what is read as one is not read, and said to be too large."""
    with (root / "plan.json").open("r+b") as file:
        file.truncate(9 * 1024**2)

    first = check_run(root, own).first_problem

    assert first is not None
    assert "more than the 8 MiB" in first.result.reason


def test_a_folder_in_the_place_of_a_file_fails_the_structure(root: Path, own: PipelineDefinition) -> None:
    """Whatever is no file does not count as one."""
    (root / "plan.json").unlink()
    (root / "plan.json").mkdir()

    first = check_run(root, own).first_problem

    assert first is not None
    assert "is a folder" in first.result.reason


def test_a_link_that_leads_out_is_not_followed(root: Path, own: PipelineDefinition, tmp_path: Path) -> None:
    """A file of the run is in the run's folder."""
    (tmp_path / "elsewhere.json").write_bytes((root / "plan.json").read_bytes())
    (root / "plan.json").unlink()
    (root / "plan.json").symlink_to(tmp_path / "elsewhere.json")

    first = check_run(root, own).first_problem

    assert first is not None
    assert "leads out of the folder" in first.result.reason


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_fails_the_structure(root: Path, own: PipelineDefinition) -> None:
    """A file without leave to read it is a verdict."""
    (root / "plan.json").chmod(0)

    first = check_run(root, own).first_problem

    assert first is not None
    assert "cannot be read" in first.result.reason


def test_every_checksum_on_record_is_recomputed(root: Path, own: PipelineDefinition) -> None:
    """A file that no gate of the pipeline looks at is held against what another file has of it."""
    _write(root, "parts/a.json", {"part": "another"})

    report = check_run(root, own)

    assert [gate.result.gate_id for gate in report.gates if not gate.is_fine] == ["checksums-all"]
    assert report.gates[-1].result.evidence[0].ref == "parts/a.json"
    assert "is not what inventory.json records: expected sha256:" in report.gates[-1].result.reason


def test_a_run_without_checksums_has_none_that_are_wrong(root: Path, own: PipelineDefinition) -> None:
    """Where no file records another one that gate is skipped, and is in nobody's way: the pipeline asks for none."""
    _write(root, "plan.json", {"planned": ["a", "b"]})
    _write(root, "inventory.json", {"made": ["a"]})

    report = check_run(root, own, scan_existing=True)

    assert _results(report)["checksums-all"] == "skipped"
    assert report.status == "passed"


def test_a_file_beside_those_on_record_is_in_no_inventory(root: Path, own: PipelineDefinition) -> None:
    """A file that fits a pattern is of the run only if it is on record, where a run records its files."""
    _write(root, "parts/b.json", {"part": "b"})

    report = check_run(root, own, scan_existing=True)

    assert [gate.result.gate_id for gate in report.gates if not gate.is_fine] == ["existing-all"]
    assert report.gates[-1].result.reason == 'the file "parts/b.json" is in no inventory'


def test_files_in_no_inventory_are_looked_for_when_asked(root: Path, own: PipelineDefinition) -> None:
    """A file that nobody has declared or recorded is wrong if `scan_existing` is given."""
    (root / "left-over.bin").write_bytes(b"?")

    assert check_run(root, own).status == "passed"
    report = check_run(root, own, scan_existing=True)

    assert report.status == "failed"
    assert report.gates[-1].result.reason == 'the file "left-over.bin" is in no inventory'


def test_the_least_coverage_is_asked_for_besides(root: Path, own: PipelineDefinition) -> None:
    """A threshold of the caller's is one gate more for each that counts coverage; the pipeline's own stays."""
    report = check_run(root, own, min_coverage=80)

    assert _results(report)["made"] == "pass"
    assert _results(report)["made-min"] == "fail"
    assert "expected at least 80 %, found 1 of 2 (50 %)" in next(
        gate.result.reason for gate in report.gates if gate.result.gate_id == "made-min"
    )
    assert check_run(root, own, min_coverage=50).status == "passed"


def test_a_threshold_without_coverage_is_no_pass(root: Path, tmp_path: Path) -> None:
    """Where no gate counts coverage, asking for some is answered by a skipped gate that is required."""
    path = tmp_path / "own.yaml"
    path.write_text(OWN[: OWN.index("    exit:\n      - id: made")], "utf-8")

    report = check_run(root, load_definition(path), min_coverage=1)

    assert _results(report)["coverage-all"] == "skipped"
    assert report.status == "skipped"


def test_a_gate_need_not_have_anything_to_check_if_it_is_not_required(root: Path, tmp_path: Path) -> None:
    """A skipped gate stands in the way only if it is required."""
    path = tmp_path / "own.yaml"
    gate = "{id: planned, required: false, check: gap_parity, inputs: {gaps: [], features: []}}"
    path.write_text(OWN.replace(OWN[OWN.index("{id: planned") : OWN.index("  - id: P2") - 1], gate), "utf-8")

    report = check_run(root, load_definition(path))

    assert _results(report)["planned"] == "skipped"
    assert report.status == "passed"


def test_a_check_that_raises_is_a_failed_gate(
    root: Path, own: PipelineDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong in a check is its verdict, with the exception as evidence."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("this should not happen")

    monkeypatch.setattr("otel_agenttrace.workflow.integrity.check_recorded", broken)

    last = check_run(root, own).gates[-1]

    assert last.result.result == "fail"
    assert [(each.type, each.ref) for each in last.result.evidence] == [("exception", "RuntimeError")]
