"""`agenttrace pipeline check` and `pipeline diagnose`, to the letter and by exit code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.workflow.defect_seeds import SEEDS
from tests.workflow.runs import clean_run, pilot_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.workflow.run_folder import RunFolder

__all__ = ["clean_run", "pilot_run"]

_CHECKSUM = re.compile(r"sha256:[0-9a-f]+…?")


def test_a_clean_run_passes(
    run: Callable[..., Any], clean_run: RunFolder, check_golden: Callable[[str, str], None]
) -> None:
    """Every gate of a run that is in order is in the table, and the exit code is 0."""
    result = run("pipeline", "check", clean_run.root, "--min-coverage", "80", "--scan-existing")

    assert result.code == 0
    check_golden("pipeline-check", result.out + result.err)


def test_a_defect_is_told_with_its_reason_and_what_to_do(
    run: Callable[..., Any], clean_run: RunFolder, check_golden: Callable[[str, str], None]
) -> None:
    """A gate that fails is told with reason, evidence and next action, and the exit code is 1."""
    SEEDS["feature-dropped"](clean_run)

    result = run("pipeline", "check", clean_run.root)

    assert result.code == 1
    check_golden("pipeline-check-failed", _stable(result.out + result.err))


def test_each_gate_has_a_line_when_asked(run: Callable[..., Any], clean_run: RunFolder) -> None:
    """With --all the table has the gates themselves, in the order of a run."""
    result = run("pipeline", "check", clean_run.root, "--all")

    gate_ids = [line.split()[2] for line in result.out.splitlines()[1:] if line.startswith("pass ")]
    found = run("pipeline", "check", clean_run.root, "--json").json()
    assert result.code == 0
    assert gate_ids == [gate["gate_id"] for gate in found["gates"]]


def test_a_diagnosis_stops_at_the_first_no(
    run: Callable[..., Any], clean_run: RunFolder, check_golden: Callable[[str, str], None]
) -> None:
    """The diagnosis says where to start and what to do there, and the exit code is 1."""
    SEEDS["feature-dropped"](clean_run)

    result = run("pipeline", "diagnose", clean_run.root)

    assert result.code == 1
    check_golden("pipeline-diagnose-no", _stable(result.out + result.err))


def test_a_clean_run_is_all_clear(
    run: Callable[..., Any], clean_run: RunFolder, check_golden: Callable[[str, str], None]
) -> None:
    """Three times yes is all clear, and the exit code 0."""
    result = run("pipeline", "diagnose", clean_run.root)

    assert result.code == 0
    check_golden("pipeline-diagnose", result.out + result.err)


def test_an_empty_folder_is_never_all_clear(
    run: Callable[..., Any], tmp_path: Path, check_golden: Callable[[str, str], None]
) -> None:
    """Where there is nothing to judge the exit code is 1, and the words say so."""
    (tmp_path / "empty").mkdir()

    result = run("pipeline", "diagnose", tmp_path / "empty")

    assert result.code == 1
    check_golden("pipeline-diagnose-empty", result.out + result.err)
    assert run("pipeline", "check", tmp_path / "empty").code == 1


@pytest.mark.parametrize("command", ["check", "diagnose"])
def test_the_json_is_of_its_schema(
    run: Callable[..., Any], clean_run: RunFolder, check_shape: Callable[[str, Any], None], tmp_path: Path, command: str
) -> None:
    """What is printed with --json is what the schema says, of a clean run, a broken one and none."""
    (tmp_path / "empty").mkdir()
    clean = run("pipeline", command, clean_run.root, "--json")
    SEEDS["artifact-edited"](clean_run)
    broken = run("pipeline", command, clean_run.root, "--json")
    nothing = run("pipeline", command, tmp_path / "empty", "--json")

    for result in (clean, broken, nothing):
        check_shape(f"pipeline {command}", result.json())
    assert (clean.code, broken.code, nothing.code) == (0, 1, 1)
    found = broken.json()
    gate_id = found["first_problem"] if command == "check" else found["start_here"]["gate_id"]
    assert gate_id == "artifact-inventory"


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["check", "no-such-folder"],
        ["check", ".", "--min-coverage", "101"],
        ["check", ".", "--min-coverage", "nan"],
        ["check", ".", "--definition", "no-such-file.yaml"],
        ["diagnose", "no-such-folder"],
        ["diagnose", ".", "--min-coverage", "1"],
    ],
)
def test_wrong_usage_is_told_apart_from_a_defect(run: Callable[..., Any], arguments: list[str]) -> None:
    """What was typed wrong has the exit code 2, as everywhere."""
    result = run("pipeline", *arguments)

    assert (result.code, result.out) == (2, "")
    assert result.err


def test_a_definition_with_an_unknown_field_is_refused(run: Callable[..., Any], tmp_path: Path) -> None:
    """A project's own pipeline is read strictly: nothing is checked by one that cannot be understood."""
    path = tmp_path / "own.yaml"
    path.write_text("pipeline: {id: x, title: X}\nphases: [{id: P1, name: PLAN, gate: []}]\n", "utf-8")

    result = run("pipeline", "check", tmp_path, "--definition", path)

    assert result.code == 2
    assert "gate" in result.err


def _stable(text: str) -> str:
    """The output without the checksums of this run: handoffs have ids and times of their own."""
    return _CHECKSUM.sub("sha256:(varies)", text)
