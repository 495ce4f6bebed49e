"""`agenttrace contract`: show, check and docs."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.contract.docs import PROJECT_EXAMPLE
from otel_agenttrace.contract.validate import Contract
from otel_agenttrace.model.record import EventRecord
from otel_agenttrace.otlp.encode import encode_json
from otel_agenttrace.pipeline.contract import contract_stage
from otel_agenttrace.testing.spans import START, make_span

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.model.record import SpanRecord

TASK: dict[str, Any] = {"project.id": "p", "task.id": "S4", "task.phase": "OTHER", "task.status": "completed"}
SHOWN = {
    "all": [],
    "attribute": ["task.phase"],
    "phase": ["ROUTING_DECISION"],
    "event": ["gate.check.failed"],
    "group": ["quality"],
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write spans, one a line, and raw lines, to a file."""

    def write(*lines: SpanRecord | bytes) -> Path:
        path = tmp_path / "runs.jsonl"
        path.write_bytes(b"".join((line if isinstance(line, bytes) else encode_json([line])) + b"\n" for line in lines))
        return path

    return write


@pytest.mark.parametrize("name", SHOWN)
def test_show_prints_the_same_at_80_columns(
    name: str, run: Callable[..., Any], check_golden: Callable[[str, str], None]
) -> None:
    """Everything at a glance, or one attribute, phase, event or group in full."""
    result = run("contract", "show", *SHOWN[name])

    assert result.code == 0
    check_golden(f"contract-show-{name}", result.out)


@pytest.mark.parametrize("name", SHOWN)
def test_show_prints_json_of_its_schema(
    name: str, run: Callable[..., Any], check_shape: Callable[[str, Any], None]
) -> None:
    """The same as JSON, by name."""
    shown = run("contract", "show", *SHOWN[name], "--json").json()

    check_shape("contract show", shown)
    assert any(shown.values())


def test_show_knows_what_was_meant(run: Callable[..., Any]) -> None:
    """A name that is not there is an answer of no, with the nearest one that is."""
    result = run("contract", "show", "task.phse")

    assert (result.code, result.out) == (1, "")
    assert result.err == "agenttrace: the contract has no task.phse; did you mean task.phase?\n"


def test_check_passes_spans_that_keep_the_contract(run: Callable[..., Any], write: Callable[..., Path]) -> None:
    """It says how many spans it looked at, and how many of them the contract has anything to say of."""
    result = run("contract", "check", write(make_span(attributes=TASK), make_span()))

    assert (result.code, result.out) == (0, "passed  1 of 2 spans checked, 0 violations\n")


def test_check_prints_each_violation(
    run: Callable[..., Any], write: Callable[..., Path], check_golden: Callable[[str, str], None]
) -> None:
    """By file, line and span: the rule, what is wrong, and the line of code if the recording process noted it."""
    good = make_span(attributes=TASK)
    blocked = make_span(name="S4 parse", attributes=TASK | {"task.status": "blocked", "task.phase": "ROUTNG_DECISION"})
    staged = contract_stage(Contract.load())(make_span(name="chat \x1b[31m", attributes={"task.phse": "x"}))
    (event,) = staged.events
    event.attributes.update({"code.file.path": "agent.py", "code.line.number": 12, "code.function.name": "main"})

    result = run("contract", "check", write(good, blocked, b"", staged))

    assert result.code == 1
    check_golden("contract-check", result.out)


def test_check_prints_json_of_its_schema(
    run: Callable[..., Any], write: Callable[..., Path], check_shape: Callable[[str, Any], None]
) -> None:
    """Each violation with file, line, span, attribute, rule and message."""
    path = write(make_span(attributes=TASK), make_span(attributes={"task.phse": "x"}), b"{")

    result = run("contract", "check", path, "--json")

    shown = result.json()
    check_shape("contract check", shown)
    assert result.code == 1
    assert (shown["status"], shown["span_count"], shown["checked_count"]) == ("failed", 2, 2)
    (violation,) = shown["violations"]
    assert (violation["file"], violation["line"]) == (str(path), 2)
    assert (violation["attribute"], violation["rule"]) == ("task.phse", "unknown")
    assert [error.startswith(f"{path}:3: ") for error in shown["errors"]] == [True]


@pytest.mark.parametrize("spans", [[], [make_span(attributes={"gen_ai.request.model": "m"})]], ids=["empty", "none"])
def test_check_with_nothing_to_check_is_skipped(
    run: Callable[..., Any], write: Callable[..., Path], spans: list[SpanRecord]
) -> None:
    """A file without anything of the contract has not passed."""
    result = run("contract", "check", write(*spans))

    assert result.code == 0
    assert result.out.startswith("skipped  nothing to check: none of ")
    assert run("contract", "check", write(*spans), "--json").json()["status"] == "skipped"


def test_check_sees_what_breaks_the_protocol(run: Callable[..., Any], write: Callable[..., Path]) -> None:
    """A gate that never ended, a blocked task that says not why, and a phase that began before its upstream passed."""
    started = EventRecord(
        "gate.check.started", START, {"gate.id": "g", "gate.severity": "error", "gate.blocking": True}
    )
    blocked = make_span(attributes={**TASK, "task.status": "blocked"}, events=(started,))
    after = make_span(span_id="1" * 16, attributes={**TASK, "task.id": "S5", "task.depends_on": ["S4"]})

    result = run("contract", "check", "--json", str(write(blocked, after)))

    told = [(each["attribute"], each["rule"]) for each in result.json()["violations"]]
    assert result.code == 1
    assert told == [
        ("task.blocked_reason", "required"),
        ("task.next_action", "required"),
        ("gate.id", "protocol"),
        ("task.depends_on", "protocol"),
    ]


def test_check_names_lines_that_cannot_be_read(run: Callable[..., Any], write: Callable[..., Path]) -> None:
    """A broken line is no pass; the lines around it are checked."""
    path = write(make_span(attributes=TASK), b"{broken", make_span(attributes=TASK))

    result = run("contract", "check", path)

    assert result.code == 1
    assert f"not readable  {path}:2: " in result.out
    assert result.out.endswith("failed  2 of 2 spans checked, 0 violations, 1 line not readable\n")


@pytest.mark.parametrize("arguments", [[], ["/nowhere.jsonl"], ["--file", "/nowhere.yaml", "x.jsonl"]], ids=str)
def test_check_without_a_file_to_read_is_wrong_usage(run: Callable[..., Any], arguments: list[str]) -> None:
    """No file, a missing file and a missing contract are errors of the command line."""
    result = run("contract", "check", *arguments)

    assert (result.code, result.out) == (2, "")


def test_check_reads_standard_input(
    run: Callable[..., Any], write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` stands for what another command prints."""
    data = write(make_span(attributes=TASK)).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    assert run("contract", "check", "-").out == "passed  1 of 1 span checked, 0 violations\n"


def test_a_projects_file_is_heeded(
    run: Callable[..., Any], write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--file`, or AGENTTRACE_CONTRACT_FILE, brings a project's phases."""
    own = tmp_path / "contract.yaml"
    own.write_text(PROJECT_EXAMPLE, encoding="utf-8")
    path = write(make_span(attributes=TASK | {"task.phase": "SECURITY_REVIEW", "acme.ticket": "ACME-1"}))

    assert run("contract", "check", path).code == 1
    assert run("contract", "check", path, "--file", own).code == 0
    monkeypatch.setenv("AGENTTRACE_CONTRACT_FILE", str(own))
    assert run("contract", "check", path).code == 0


def test_real_traces_break_nothing(run: Callable[..., Any]) -> None:
    """What other frameworks emit is none of the contract's business, however like ours it looks."""
    traces = sorted((Path(__file__).parents[1] / "data" / "otlp").glob("*.jsonl"))

    for trace in traces:
        shown = run("contract", "check", trace, "--json").json()
        assert shown["violations"] == []


def test_docs_writes_the_page_and_says_when_it_is_stale(
    run: Callable[..., Any], tmp_path: Path, check_shape: Callable[[str, Any], None]
) -> None:
    """Written when it differs; `--check` only looks, and a stale page is an answer of no."""
    page = tmp_path / "docs" / "contract.md"

    stale = run("contract", "docs", "--output", page, "--check")
    assert (stale.code, stale.out) == (1, "")
    assert stale.err == f"{page} is stale: run `agenttrace contract docs --output {page}`\n"
    assert run("contract", "docs", "--output", page).out == f"{page} is written\n"
    assert run("contract", "docs", "--output", page).out == f"{page} is fresh\n"
    fresh = run("contract", "docs", "--output", page, "--check", "--json")
    check_shape("contract docs", fresh.json())
    assert fresh.code == 0


def test_docs_that_cannot_be_written_is_an_error(run: Callable[..., Any], tmp_path: Path) -> None:
    """The error names the file."""
    (tmp_path / "file").write_text("", encoding="utf-8")

    result = run("contract", "docs", "--output", tmp_path / "file" / "contract.md")

    assert result.code == 2
    assert "contract.md" in result.err


def test_an_event_of_the_contract_is_something_to_check(run: Callable[..., Any], write: Callable[..., Path]) -> None:
    """A span with nothing but a gate event is checked."""
    result = run("contract", "check", write(make_span(events=(EventRecord("gate.check.started", START),))))

    assert result.code == 1
    assert "gate.id is missing: required on gate.check.started" in result.out
