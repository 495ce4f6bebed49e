"""`agenttrace pipeline pilot`: the tree, where it blocked, the exit code; and what the next commands find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.workflow.pilot.folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., Any]

PILOTS = {
    "complete": ((), 0, None, None),
    "stale source": (("--source-checksum", "sha256:STALE"), 1, "S3", "checksum-chain"),
    "dropped feature": (("--drop-feature", "gap-latency-panel"), 1, "S4", "gap-parity"),
    "failing tests": (("--test-failures", "2"), 1, "S8", "tests-passed"),
}


@pytest.fixture
def pilot(run: Run, tmp_path: Path) -> Run:
    """Run the pilot in a folder of its own, recorded in a store of its own."""

    def pilot(*options: str) -> Any:
        return run("pipeline", "pilot", tmp_path / "run", *options, "--store", f"sqlite:///{tmp_path / 'runs.db'}")

    return pilot


@pytest.mark.parametrize("name", PILOTS)
def test_the_pilot_prints_its_phases_and_where_it_blocked(
    name: str, pilot: Run, check_golden: Callable[[str, str], None]
) -> None:
    """The tree has each phase with the verdicts of its gates; below it stand reason and next action, or how many."""
    options, code, phase, gate = PILOTS[name]

    result = pilot(*options)

    assert result.code == code
    assert (f"blocked at {phase} by {gate}" in result.out) == bool(phase)
    check_golden(f"pipeline-pilot-{name.replace(' ', '-')}", result.out)


@pytest.mark.parametrize("name", PILOTS)
def test_the_report_as_json(name: str, pilot: Run, check_shape: Callable[[str, Any], None]) -> None:
    """It has the schema that ships, and says the same."""
    options, code, phase, gate = PILOTS[name]

    result = pilot(*options, "--json")

    report = result.json()
    check_shape("pipeline pilot", report)
    assert result.code == code
    assert (report["stopped_at"], report["blocked_by"]) == (phase, gate)
    assert report["status"] == ("completed" if phase is None else "blocked")
    statuses = [each["status"] for each in report["phases"]]
    at = 10 if phase is None else int(phase[1:]) - 1
    assert statuses == [*["completed"] * at, "blocked", *["not_started"] * (9 - at)][: len(statuses)]
    assert len(statuses) == 10


def test_a_second_pilot_in_a_folder_is_wrong_usage(pilot: Run, tmp_path: Path) -> None:
    """It says so, with the exit code of wrong usage, and leaves the folder as it is."""
    with RunFolder(tmp_path / "run").held():
        result = pilot()

    assert result.code == 2
    assert result.err.splitlines()[-1].startswith("agenttrace: pilot: another run is at work in the folder")
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize("by_option", [True, False])
def test_a_pilot_may_be_forwarded_alone(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_option: bool
) -> None:
    """Where no store is wanted, the spans go to the exporters, and no command is named that would look into a store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "agenttrace_jsonl")
    if not by_option:
        monkeypatch.setenv("AGENTTRACE_STORE", "none")

    result = run("pipeline", "pilot", "run", *(["--store", "none"] if by_option else []))

    assert (result.code, result.out.splitlines()[-1]) == (0, "next: agenttrace pipeline check run")
    assert '"PI-101-002-S10"' in (tmp_path / "agenttrace.jsonl").read_text("utf-8")


def test_a_feature_that_there_is_not_is_wrong_usage(pilot: Run, tmp_path: Path) -> None:
    """Told before anything is made."""
    result = pilot("--drop-feature", "nope")

    assert result.code == 2
    assert "there is no feature nope to drop: expected one of gap-" in result.err
    assert list((tmp_path / "run").iterdir()) == []


def test_the_pilot_names_commands_that_work(run: Run, pilot: Run, tmp_path: Path) -> None:
    """The commands that it ends with can be typed as they stand; the tree of tasks is in the store."""
    shown = pilot("--drop-feature", "gap-latency-panel")
    commands = [line.split("agenttrace ", 1)[1].split() for line in shown.out.splitlines() if "agenttrace " in line]

    assert [command[:2] for command in commands] == [["pipeline", "diagnose"], ["task", "show"]]
    assert run(*commands[0]).code == 1
    tree = run(*commands[1])
    assert tree.code == 0
    assert "PI-101-002-S4-C1  blocked" in tree.out
    assert "PI-101-002-S10  not_started" in tree.out
    failures = run("failure", "list", "--store", f"sqlite:///{tmp_path / 'runs.db'}", "--json").json()
    assert len(failures) == 1


def test_a_complete_pilot_is_checked_and_diagnosed(run: Run, pilot: Run, tmp_path: Path) -> None:
    """Its folder passes both."""
    assert pilot().code == 0

    assert run("pipeline", "check", tmp_path / "run").code == 0
    assert run("pipeline", "diagnose", tmp_path / "run").code == 0


def test_the_pilot_goes_on_where_it_was_blocked(pilot: Run) -> None:
    """With --from; phases before that are looked at again, and `end` does no work at all."""
    assert pilot("--test-failures", "2").code == 1
    assert pilot("--from", "S8").code == 0
    assert pilot("--from", "end").code == 0


def test_tampering_is_caught_when_the_pilot_looks_again(pilot: Run, tmp_path: Path) -> None:
    """The gate that finds it, and what to do, stand in the output."""
    pilot()
    features = tmp_path / "run" / "features.json"
    features.write_text(
        features.read_text("utf-8").replace('"gap": "gap-latency-panel"', '"gap": "gap-other"'), "utf-8"
    )

    result = pilot("--from", "end")

    assert result.code == 1
    assert "blocked at S4 by gap-parity" in result.out
    assert 'gap "gap-latency-panel" has no feature (missing)' in result.out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--from", "S11"), "there is no phase S11"),
        (("--test-failures", "-1"), "--test-failures"),
        (("--test-failures", "two"), "--test-failures"),
    ],
)
def test_wrong_usage_is_told(options: tuple[str, ...], told: str, pilot: Run) -> None:
    """With exit code 2."""
    result = pilot(*options)

    assert result.code == 2
    assert told in result.err


def test_a_folder_with_other_things_in_it_is_refused(run: Run, tmp_path: Path) -> None:
    """Nothing of it is touched."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")

    result = run("pipeline", "pilot", tmp_path / "mine", "--store", "memory")

    assert result.code == 2
    assert "other things in it" in result.err
