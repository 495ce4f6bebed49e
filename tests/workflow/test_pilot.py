"""The pilot: ten phases on real files, as spans; each fault is found by the first gate that can know of it."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_agenttrace import Override, configure_tracing, open_store
from otel_agenttrace.contract import attributes as names
from otel_agenttrace.errors import ConfigError, TaskStateError
from otel_agenttrace.model.gate_events import gate_results
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.workflow.definition import load_definition
from otel_agenttrace.workflow.pilot.injections import Injections
from otel_agenttrace.workflow.pilot.run import run_pilot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.workflow.phases import PipelineResult
    from tests.workflow.run_folder import RunFolder

PHASES = [f"S{number}" for number in range(1, 11)]
STEPS = ["S2-C1", "S3-C1", "S3-C2", "S4-C1", "S6-C1", "S7-C1", "S10-C1"]

INJECTIONS = {
    "stale source": (Injections(source_checksum="sha256:STALE"), "S3", "S3-C1", "checksum-chain"),
    "other source": (Injections(source_checksum="sha256:" + "0" * 64), "S3", "S3-C1", "checksum-chain"),
    "dropped feature": (Injections(drop_features=("gap-latency-panel",)), "S4", "S4-C1", "gap-parity"),
    "failing tests": (Injections(test_failures=2), "S8", "S8", "tests-passed"),
}

TAMPERED = {
    "source/requirements.yaml": ("S1", "baseline-fresh"),
    "source/context.yaml": ("S2", "S2-provenance"),
    "baseline.json": ("S2", "S2-provenance"),
    "export/contract.json": ("S2", "export-manifest"),
    "export/artifact-manifest.json": ("S2", "export-manifest"),
    "export/manifest.json": ("S3", "S3-provenance"),
    "features.json": ("S5", "S5-provenance"),
    "routing.json": ("S6", "S6-provenance"),
    "design/gap-latency-panel.json": ("S6", "designs-returned"),
    "handoffs/design.json": ("S7", "S7-provenance"),
    "handoffs/design.answer.json": ("S7", "S7-provenance"),
    "artifacts/panels/checkout-latency.json": ("S7", "artifact-inventory"),
    "artifacts/runbooks/checkout-incident.md": ("S7", "artifact-inventory"),
    "artifacts.json": ("S8", "S8-provenance"),
    "handoffs/implement.json": ("S8", "S8-provenance"),
    "handoffs/implement.answer.json": ("S8", "S8-provenance"),
    "test-results.json": ("S9", "S9-provenance"),
    "handoffs/test.json": ("S9", "S9-provenance"),
    "handoffs/test.answer.json": ("S9", "S9-provenance"),
    "review.json": ("S10", "S10-provenance"),
    "handoffs/review.json": ("S10", "S10-provenance"),
    "handoffs/review.answer.json": ("S10", "S10-provenance"),
    "final.json": ("S10", "provenance-whole"),
}
"""The first gate that sees a blank line at the end of each file, which says nothing else than before."""


def _edited(path: str, field: str, value: Any) -> Callable[[RunFolder], None]:
    def edit(run: RunFolder) -> None:
        document = run.read(path)
        *above, last = field.split("/")
        at = document
        for part in above:
            at = at[int(part) if isinstance(at, list) else part]
        if value is None:
            del at[int(last) if isinstance(at, list) else last]
        else:
            at[int(last) if isinstance(at, list) else last] = value
        run.write(path, document)

    return edit


BY_HAND: dict[str, tuple[Callable[[RunFolder], object], str, str]] = {
    "a requirement without an owner of its service": (
        _edited("source/context.yaml", "services/0/owner", None), "S1", "context-schema"),
    "a requirement of no known kind": (
        _edited("source/requirements.yaml", "requirements/0/type", "poem"), "S1", "source-schema"),
    "a feature taken out": (_edited("features.json", "features/0", None), "S4", "gap-parity"),
    "a feature for another gap": (_edited("features.json", "features/0/gap", "gap-nosuch"), "S4", "gap-parity"),
    "a feature of another kind": (_edited("features.json", "features/0/type", "alert"), "S4", "feature-types"),
    "a score made up": (_edited("routing.json", "scores/gap-latency-panel", 1), "S5", "routing-scores"),
    "another route": (_edited("routing.json", "selected_path", "prime"), "S5", "routing-cause"),
    "a handoff for other files": (
        _edited("handoffs/design.json", "inputs/files/features.json", "sha256:" + "0" * 64), "S6", "design-handoff"),
    "an answer to another handoff": (
        _edited("handoffs/design.answer.json", "handoff/handoff_id", "handoff-1"), "S6", "design-answer"),
    "an artifact that nobody asked for": (
        lambda run: run.path("artifacts/panels/extra.json").write_text("{}"), "S7", "artifact-inventory"),
    "an artifact gone": (
        lambda run: run.path("artifacts/runbooks/checkout-incident.md").unlink(), "S7", "artifact-inventory"),
    "a test that failed": (_edited("test-results.json", "tests/0/outcome", "failed"), "S8", "tests-passed"),
    "an artifact without tests": (_edited("test-results.json", "artifacts_tested/0", None), "S8", "test-coverage"),
    "a verdict turned round": (_edited("review.json", "verdict", "changes_requested"), "S9", "review-verdict"),
    "a final status made up": (_edited("final.json", "finalize_status", "partial"), "S10", "final-status"),
    "coverage made up": (_edited("final.json", "covered_count", 1), "S10", "final-coverage"),
    "a stage without a record": (_edited("provenance.json", "stages/2", None), "S3", "S3-provenance"),
    "a checksum made up": (
        _edited("provenance.json", "stages/3/outputs/features.json", "sha256:" + "0" * 64), "S5", "S5-provenance"),
    "a file that nobody made": (lambda run: run.path("notes.txt").write_text("mine"), "S10", "nothing-unrecorded"),
}  # fmt: skip


def _recorded(tmp_path: Path, injections: Injections, **arguments: Any) -> tuple[PipelineResult, list[SpanRecord]]:
    """Run the pilot, and return what it came to and its spans, as the store has them."""
    url = f"sqlite:///{tmp_path / 'spans.db'}"
    with configure_tracing("pilot", store=url, instrument=False):
        result = run_pilot(tmp_path / "run", injections, **arguments)
    with open_store(url, read_only=True) as store:
        spans = [span for span in store.spans.get_trace(result.trace_id).spans if not is_verdict(span)]
    return result, spans


def _tasks(spans: list[SpanRecord]) -> dict[str, SpanRecord]:
    """The spans of tasks by what comes after the pipeline's id."""
    tasks = [span for span in spans if names.TASK_STATUS in span.attributes]
    return {str(span.attributes[names.TASK_ID]).removeprefix("PI-101-002").lstrip("-"): span for span in tasks}


def _look_again(root: Path) -> tuple[str, str]:
    """The phase and the gate that stop a run of gates alone, over the files that are there."""
    result = run_pilot(root, start_at="end")
    assert result.blocked_at is not None, f"{result.status}: {result.error!r}"
    gate = next(gate for gate in reversed(result.gates) if gate.blocks)
    assert gate.reason
    assert gate.next_action
    return result.blocked_at.id, gate.gate_id


def test_the_happy_pilot_completes(tmp_path: Path) -> None:
    """Ten phases and their seven steps are completed tasks of one trace, each step below its phase."""
    result, spans = _recorded(tmp_path, Injections())
    tasks = _tasks(spans)

    assert result.is_completed
    assert list(tasks) == [
        "",
        *(part for phase in PHASES for part in (phase, *(s for s in STEPS if s.startswith(f"{phase}-")))),
    ]
    assert {span.attributes[names.TASK_STATUS] for span in tasks.values()} == {"completed"}
    assert {span.attributes[names.PROJECT_ID] for span in spans} == {"web-shop"}
    for part, span in tasks.items():
        above = part.partition("-")[0] if "-" in part else ""
        assert part == "" or span.parent_span_id == tasks[above].span_id
    phases = [span.attributes[names.TASK_PHASE] for part, span in tasks.items() if part in PHASES]
    assert phases == [phase.name for phase in load_definition().phases]


def test_every_gate_is_on_record(tmp_path: Path) -> None:
    """Each declared gate has started and passed once, in order, on the span of its phase or step."""
    _, spans = _recorded(tmp_path, Injections())

    passed = [result.gate_id for result in gate_results(spans)]
    assert passed == [placed.gate.id for placed in load_definition().gates()]
    events = [event.name for span in spans for event in span.events if event.name.startswith("gate.")]
    assert {name: events.count(name) for name in set(events)} == {
        names.EVENT_GATE_CHECK_STARTED: len(passed),
        names.EVENT_GATE_CHECK_PASSED: len(passed),
    }
    assert all(result.evidence for result in gate_results(spans))


def test_every_handoff_is_on_record(tmp_path: Path) -> None:
    """Four agents hand files over: each is emitted, taken, answered and checked again, in the trace of the pipeline."""
    _, spans = _recorded(tmp_path, Injections())
    told = [event for span in spans for event in span.events if event.name.startswith("handoff.")]

    emitted = [event.attributes for event in told if event.name == names.EVENT_HANDOFF_EMITTED]
    assert [(each["handoff.from_agent"], each["handoff.to_agent"]) for each in emitted] == [
        ("planner", "designer"),
        ("designer", "implementer"),
        ("implementer", "tester"),
        ("tester", "reviewer"),
    ]
    for each in emitted:
        statuses = [
            event.attributes["handoff.status"]
            for event in told
            if event.name == names.EVENT_HANDOFF_VALIDATED and event.attributes["handoff.id"] == each["handoff.id"]
        ]
        assert sorted(map(str, statuses)) == ["accepted", "completed", "completed"]
    agents = [span.attributes.get("gen_ai.agent.name") for span in spans if span.name.startswith("handoff ")]
    assert agents == ["designer", "implementer", "tester", "reviewer"]
    for name in ("design", "implement", "test", "review"):
        payload = json.loads((tmp_path / "run" / "handoffs" / f"{name}.json").read_text("utf-8"))
        assert payload["traceparent"].split("-")[1] == spans[0].trace_id


def test_the_pilot_keeps_the_contract(tmp_path: Path) -> None:
    """No span breaks the attribute contract or the protocol of gates: nothing that a phase owes is missing."""
    _, spans = _recorded(tmp_path, Injections())

    assert [event.attributes for span in spans for event in span.events if "violation" in event.name] == []


def test_phases_say_what_they_worked_from_and_made(tmp_path: Path) -> None:
    """Checksums are those of the files; counts are counted."""
    _, spans = _recorded(tmp_path, Injections())
    said = {part: span.attributes for part, span in _tasks(spans).items()}
    baseline = json.loads((tmp_path / "run" / "baseline.json").read_text("utf-8"))

    assert {said[phase][names.INPUT_SOURCE_CHECKSUM] for phase in PHASES} == {baseline["source_checksum"]}
    assert (said["S4"][names.QUALITY_GAP_COUNT], said["S4"][names.QUALITY_FEATURE_COUNT]) == (5, 5)
    assert (said["S5"][names.ROUTING_SELECTED_PATH], said["S5"][names.ROUTING_COMPLEXITY_SCORE]) == ("artisan", 37.0)
    assert (said["S7"][names.OUTPUT_PATH_COUNT], said["S7"][names.OUTPUT_ARTIFACT_COUNT]) == (5, 5)
    assert said["S10"][names.OUTPUT_FINALIZE_STATUS] == "complete"
    assert said["S10"][names.QUALITY_COVERAGE_PERCENT] == 100.0


@pytest.mark.parametrize("name", INJECTIONS)
def test_an_injection_blocks_exactly_where_it_should(name: str, tmp_path: Path) -> None:
    """As stored spans: that phase and the pipeline are blocked, those before completed, those after not_started."""
    injections, phase, part, gate = INJECTIONS[name]
    result, spans = _recorded(tmp_path, injections)
    tasks = _tasks(spans)
    at = PHASES.index(phase)

    assert result.blocked_at is not None
    assert result.blocked_at.id == phase
    statuses = [tasks[each].attributes[names.TASK_STATUS] for each in PHASES]
    assert statuses == ["completed"] * at + ["blocked"] + ["not_started"] * (9 - at)
    for blocked in {"", phase, part}:
        said = tasks[blocked].attributes
        assert said[names.TASK_STATUS] == "blocked"
        assert said[names.TASK_BLOCKED_REASON] == result.reason
        assert said[names.TASK_NEXT_ACTION] == result.next_action
    failed = [event for event in tasks[part].events if event.name == names.EVENT_GATE_CHECK_FAILED]
    assert [event.attributes[names.GATE_ID] for event in failed] == [gate]
    assert failed[0].attributes[names.GATE_EVIDENCE]
    ends = [event.name for span in spans for event in span.events if event.name.startswith("gate.")]
    assert ends.count(names.EVENT_GATE_CHECK_FAILED) == 1


def test_spans_reach_every_exporter(tmp_path: Path) -> None:
    """What the store has is forwarded as well, the phases that were not started too."""
    exporter = InMemorySpanExporter()
    with configure_tracing("pilot", store="memory:", exporters=[exporter], instrument=False):
        run_pilot(tmp_path / "run", INJECTIONS["dropped feature"][0])

    exported = {span.name: (span.attributes or {}).get(names.TASK_STATUS) for span in exporter.get_finished_spans()}
    assert exported["PI-101-002-S4"] == "blocked"
    assert exported["PI-101-002-S10"] == "not_started"


def test_a_blocked_run_goes_on_once_it_is_mended(tmp_path: Path) -> None:
    """From the phase that was blocked: those before it pass their gates again, and do no work."""
    root = tmp_path / "run"
    assert not run_pilot(root, INJECTIONS["failing tests"][0]).is_completed
    contract = (root / "export" / "contract.json").stat().st_mtime_ns

    result = run_pilot(root, start_at="S8")

    assert result.is_completed
    assert (root / "export" / "contract.json").stat().st_mtime_ns == contract


def test_a_phase_cannot_be_passed_over(tmp_path: Path) -> None:
    """What the phase before it did not finish has no record, so that the next one does not begin."""
    root = tmp_path / "run"
    run_pilot(root, INJECTIONS["dropped feature"][0])

    result = run_pilot(root, start_at="S6")

    assert result.blocked_at is not None
    assert (result.blocked_at.id, result.gates[-1].gate_id) == ("S4", "gap-parity")


def test_a_clean_run_passes_when_it_is_looked_at_again(clean_run: RunFolder) -> None:
    """Nothing in its files changes."""
    before = {path: path.read_bytes() for path in clean_run.root.rglob("*") if path.is_file()}

    assert run_pilot(clean_run.root, start_at="end").is_completed
    assert {path: path.read_bytes() for path in clean_run.root.rglob("*") if path.is_file()} == before


def test_every_file_of_a_run_is_tampered_with(pilot_run: Path) -> None:
    """The table of files has each kind of file that there is."""
    there = {path.relative_to(pilot_run).as_posix() for path in pilot_run.rglob("*") if path.is_file()}

    assert set(TAMPERED) <= there
    rest = there - set(TAMPERED) - {"provenance.json"}
    assert {path.split("/")[0] for path in rest} == {"design", "artifacts"}


@pytest.mark.parametrize("path", TAMPERED)
def test_tampering_with_a_file_is_caught_at_the_first_gate_that_can_know(path: str, clean_run: RunFolder) -> None:
    """Even a blank line more, which changes nothing that the file says."""
    with clean_run.path(path).open("a", encoding="utf-8") as file:
        file.write("\n")

    assert _look_again(clean_run.root) == TAMPERED[path]


@pytest.mark.parametrize("path", [*TAMPERED, "provenance.json"])
def test_a_file_that_is_gone_is_caught(path: str, clean_run: RunFolder) -> None:
    """Not later than a change of it."""
    clean_run.path(path).unlink()

    phase, _ = _look_again(clean_run.root)

    assert PHASES.index(phase) <= PHASES.index(TAMPERED.get(path, ("S2", ""))[0])


@pytest.mark.parametrize("name", BY_HAND)
def test_what_was_edited_by_hand_is_caught_by_what_it_says(name: str, clean_run: RunFolder) -> None:
    """A gate that looks at what files say comes before those that look at checksums alone."""
    edit, *expected = BY_HAND[name]
    edit(clean_run)

    assert list(_look_again(clean_run.root)) == expected


@pytest.mark.parametrize(("path", "phase"), [("export/contract.json", "S3"), ("features.json", "S5"),
                                             ("artifacts/panels/checkout-latency.json", "S8"),
                                             ("source/context.yaml", "S2"), ("review.json", "S10")])  # fmt: skip
def test_tampering_while_the_pipeline_runs_is_caught(path: str, phase: str, tmp_path: Path) -> None:
    """By the entry of the next phase, before anything is made of the file."""
    root = tmp_path / "run"

    def tamper(before: str) -> None:
        if before == phase:
            with (root / path).open("a", encoding="utf-8") as file:
                file.write("\n")

    result = run_pilot(root, before_phase=tamper)

    assert result.blocked_at is not None
    assert (result.blocked_at.id, result.gates[-1].gate_id) == (phase, f"{phase}-provenance")
    assert path in result.reason


def test_sources_that_are_there_are_used(tmp_path: Path) -> None:
    """A requirement that was met meanwhile is no gap any more; another one is."""
    root = tmp_path / "run"
    run_pilot(root)
    requirements = root / "source" / "requirements.yaml"
    requirements.write_text(requirements.read_text("utf-8").replace("met: false", "met: true", 1), "utf-8")

    result = run_pilot(root)

    assert result.is_completed
    assert not (root / "design" / "gap-latency-panel.json").exists()
    assert not (root / "artifacts" / "panels" / "checkout-latency.json").exists()


def test_an_override_lets_the_pipeline_go_on(tmp_path: Path) -> None:
    """It is on record with its name and reason."""
    result, spans = _recorded(
        tmp_path, INJECTIONS["failing tests"][0], overrides={"tests-passed": Override("ada", "known")}
    )

    assert result.blocked_at is not None
    assert result.blocked_at.id == "S9"
    overridden = [event.attributes for span in spans for event in span.events if event.name.endswith("overridden")]
    assert [(each[names.GATE_ID], each[names.GATE_OVERRIDDEN_BY]) for each in overridden] == [("tests-passed", "ada")]


def test_a_folder_that_cannot_be_written_is_refused(clean_run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, before any phase begins."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(ConfigError, match=r"pilot: the folder .*run cannot be written: Permission denied"):
        run_pilot(clean_run.root)


HELD = """
    import sys
    from otel_agenttrace import run_pilot

    def stop(phase):
        if phase == "S5":
            print("at S5", flush=True)
            assert sys.stdin.readline() == "go on\\n"

    print(run_pilot("run", before_phase=stop).status)
"""


@pytest.fixture
def held(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A pilot in a process of its own that has got to S5, and goes on when it is told to."""
    (tmp_path / "pilot.py").write_text(textwrap.dedent(HELD), encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "pilot.py"], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "at S5\n"
            yield process
        finally:
            process.kill()


def _files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("start_at", ["S1", "S5", "end"])
def test_a_second_pilot_in_a_folder_is_refused(held: subprocess.Popen[str], tmp_path: Path, start_at: str) -> None:
    """It says why, begins nothing and changes no file; the first one goes on to its end."""
    before = _files(tmp_path / "run")

    with pytest.raises(ConfigError, match=r"another run is at work in the folder .*run; wait until it has ended"):
        run_pilot(tmp_path / "run", start_at=start_at)

    assert _files(tmp_path / "run") == before
    assert held.communicate("go on\n", timeout=60)[0] == "completed\n"
    assert run_pilot(tmp_path / "run", start_at="end").is_completed


def test_a_pilot_that_is_killed_leaves_no_lock(held: subprocess.Popen[str], tmp_path: Path) -> None:
    """And nothing else that a later one would stumble over, be it in the middle of a file."""
    held.kill()
    held.wait()
    (tmp_path / "run" / "design").mkdir()
    (tmp_path / "run" / "design" / ".pilot-x.part").write_text("{")

    assert run_pilot(tmp_path / "run").is_completed


def test_two_pilots_in_one_process_are_not_mixed_up(tmp_path: Path) -> None:
    """Also in two folders: their tasks have the same ids. The second one is refused, the first one goes on."""

    def another(phase: str) -> None:
        if phase == "S3":
            with pytest.raises(TaskStateError, match="PI-101-002 cannot run twice at once in one process"):
                run_pilot(tmp_path / "other")

    assert run_pilot(tmp_path / "run", before_phase=another).is_completed
    assert run_pilot(tmp_path / "other").is_completed


def test_a_folder_is_free_again_behind_a_pilot(tmp_path: Path) -> None:
    """Also behind one that something stopped."""

    def stop(phase: str) -> None:
        raise KeyboardInterrupt(phase)

    with pytest.raises(KeyboardInterrupt):
        run_pilot(tmp_path / "run", before_phase=stop)

    assert run_pilot(tmp_path / "run").is_completed


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    """The pilot writes into new and empty folders, and those of its own runs."""
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(ConfigError, match="other things"):
        run_pilot(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(ConfigError, match="cannot be used"):
        run_pilot(tmp_path / "mine.txt")


@pytest.mark.parametrize("broken", ["", "[]", "{", '{"stages": 5}', '{"stages": [5, {"phase": 1}]}', "null"])
def test_a_broken_record_is_a_verdict(broken: str, clean_run: RunFolder) -> None:
    """It stops the run where it is first looked at."""
    clean_run.path("provenance.json").write_text(broken, "utf-8")

    assert _look_again(clean_run.root) == ("S2", "S2-provenance")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[]", b"null", b"{", b'{"gaps": 5}', b""])
def test_a_broken_contract_is_a_verdict(content: bytes, clean_run: RunFolder) -> None:
    """However it is broken, a gate tells it, and nothing is raised."""
    clean_run.path("export/contract.json").write_bytes(content)

    assert _look_again(clean_run.root) == ("S2", "export-manifest")


@pytest.mark.parametrize("content", [b"\xff", b'{"files": 5, "stages": [[]], "features": [5]}'])
def test_no_file_is_so_broken_that_a_check_raises(content: bytes, clean_run: RunFolder) -> None:
    """Of each file in turn, at least one gate says that something is wrong; all of them say something."""
    definition = load_definition()
    for path in (*TAMPERED, "provenance.json"):
        before = clean_run.path(path).read_bytes()
        clean_run.path(path).write_bytes(content)

        outcomes = [definition.check(gate, clean_run.root)() for gate in definition.gates()]

        wrong = [outcome for outcome in outcomes if outcome.result != "pass"]
        assert wrong, path
        assert all(outcome.reason and outcome.next_action for outcome in wrong), path
        clean_run.path(path).write_bytes(before)


def test_wrong_arguments_are_refused(tmp_path: Path) -> None:
    """A phase or a feature that there is not."""
    with pytest.raises(ConfigError, match="no phase S11 to start at: expected one of S1, S2"):
        run_pilot(tmp_path / "run", start_at="S11")
    with pytest.raises(ConfigError, match="no feature gap-nosuch to drop: expected one of gap-latency-panel, gap-err"):
        run_pilot(tmp_path / "run", Injections(drop_features=("gap-latency-panel", "gap-nosuch")))
    assert _files(tmp_path / "run") == {}
    shutil.rmtree(tmp_path / "run")
