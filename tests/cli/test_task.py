"""`agenttrace task`: what it prints, and what its exit codes say."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.model.record import ENDED_BY, ResourceRecord, ScopeRecord
from otel_agenttrace.model.task import task_of
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.testing.spans import SECOND, START
from otel_agenttrace.workflow import task_changes
from otel_agenttrace.workflow.task_drafts import TaskDraft, TaskFacts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.task import Task

SHA = "sha256:" + "9f" * 32
TRACE = "01a1ff1b" + "0" * 16 + "bbc20fc6"


def _recorded_tasks() -> list[SpanRecord]:
    """A story with a task that is done, one that is blocked, one that failed, and one whose process died."""
    numbers, times = count(1), count(START, 90 * SECOND)

    def start(task_id: str, parent: Task | None = None, *depends_on: Task, **said: Any) -> Task:
        record = task_changes.started(
            TaskDraft(id=task_id, **said),
            parent,
            depends_on,
            default_project="plan",
            trace_id=TRACE,
            span_id=f"{next(numbers):016x}",
            now=next(times),
            resource=ResourceRecord({"service.name": "agenttrace"}),
            scope=ScopeRecord("otel_agenttrace"),
        )
        return _task(record)

    story = start("PI-1", title="Plan ingestion", type="story")
    done = start("PI-1-S2", story, title="Export the contract", phase="EXPORT_CONTRACT", type="task")
    facts = TaskFacts(attributes={"input.source_checksum": SHA, "quality.gap_count": 2})
    ended = task_changes.ended(done, "completed", facts, now=next(times))
    waiting = start("PI-1-S3", story, done, title="Check the export", phase="CONTRACT_INTEGRITY", acceptance="no gap")
    blocked = _task(
        task_changes.blocked(
            waiting, "the source checksum is stale", "run the export again", now=next(times), on=done.id
        )
    )
    commented = task_changes.commented(blocked, "asked for a new export", "ada", now=next(times))
    failed = start("PI-1-S3-C1", blocked, title="Recompute checksums", type="subtask")
    gone = start("PI-1-S4", story, title="Parse the export", phase="INGEST_PARSE_ASSESS").record
    abandoned = replace(gone, end_time_unix_nano=next(times), attributes={**gone.attributes, ENDED_BY: "spool"})
    failure = task_changes.ended(failed, "failed", TaskFacts(), now=next(times), reason="no manifest")
    return [story.record, ended, commented, failure, abandoned]


def _task(record: SpanRecord) -> Task:
    task = task_of(record)
    assert task is not None
    return task


@pytest.fixture
def task_store(tmp_path: Path) -> str:
    """A store with the tasks."""
    url = f"sqlite:///{tmp_path / 'tasks.db'}"
    with open_store(url) as store:
        store.write_spans(_recorded_tasks())
    return url


SHOWN = {
    "task list": ["task", "list"],
    "task list blocked": ["task", "list", "--status", "blocked"],
    "task list cut": ["task", "list", "--limit", "2", "--after", "PI-1-S4"],
    "task show": ["task", "show", "PI-1"],
    "task show blocked": ["task", "show", "--id", "PI-1-S3"],
    "task show completed": ["task", "show", "PI-1-S2"],
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_command_prints_the_same_at_80_columns(
    name: str, run: Callable[..., Any], task_store: str, check_golden: Callable[[str, str], None]
) -> None:
    """Every command has one output for the same tasks."""
    result = run(*SHOWN[name], "--store", task_store)

    assert result.code == 0
    check_golden(name.replace(" ", "-"), result.out + result.err)


@pytest.mark.parametrize("name", SHOWN)
def test_a_command_prints_json_of_its_schema(
    name: str, run: Callable[..., Any], task_store: str, check_shape: Callable[[str, Any], None]
) -> None:
    """What a command prints with --json is valid against the schema that ships for it."""
    result = run(*SHOWN[name], "--store", task_store, "--json")

    assert result.code == 0
    check_shape(" ".join(SHOWN[name][:2]), result.json())


def test_every_change_prints_the_task_as_it_then_is(
    run: Callable[..., Any], tmp_path: Path, check_shape: Callable[[str, Any], None]
) -> None:
    """From the first command, for which the store is made, to the last one; as JSON of its schema."""
    store = tmp_path / "new.db"
    commands = [
        ["start", "P", "--title", "Plan", "--type", "story", "--project", "plan"],
        ["start", "--id", "T", "--parent", "P", "--phase", "EXPORT_CONTRACT", "--status", "not_started"],
        ["update", "T", "--status", "in_progress", "--source-checksum", SHA, "--gap-count", "2", "--attr", "x.y=1"],
        ["block", "T", "--reason", "stale", "--next-action", "export again", "--on", "P"],
        ["unblock", "--id", "T"],
        ["comment", "T", "--text", "exported", "--author", "ada"],
        ["complete", "T", "--artifact-checksum", SHA, "--artifact-checksum", SHA, "--coverage-percent", "87.5"],
        ["cancel", "P", "--reason", "not needed"],
        ["start", "P", "--again"],
        ["fail", "P", "--reason", "no"],
    ]
    printed = []
    for command in commands:
        result = run("task", *command, "--store", store, "--json")
        assert (result.code, result.err) == (0, "")
        check_shape(f"task {command[0]}", result.json())
        printed.append(result.json())

    statuses = ["in_progress", "not_started", "in_progress", "blocked", "in_progress", "in_progress", "completed"]
    assert [task["status"] for task in printed] == [*statuses, "cancelled", "in_progress", "failed"]
    assert printed[6]["attributes"] == {
        "input.source_checksum": SHA,
        "quality.gap_count": 2,
        "x.y": 1,
        "quality.coverage_percent": 87.5,
        "output.artifact_checksums": [SHA, SHA],
    }
    assert printed[6]["comments"][0]["text"] == "exported"
    assert {task["span_id"] for task in printed[1:7]} == {printed[1]["span_id"]}
    assert {task["started_at"] for task in printed[1:7]} == {printed[1]["started_at"]}
    assert {task["trace_id"] for task in printed[:8]} == {printed[0]["trace_id"]}


WRONG = {
    "an unknown task": (1, "there is no task X", ["complete", "X"]),
    "one that has ended": (1, "has ended", ["update", "PI-1-S2", "--title", "x"]),
    "children first": (1, "before 1 task below it: PI-1-S3 (blocked)", ["complete", "PI-1"]),
    "a parent that is not there": (1, "there is no task X to be the parent", ["start", "T", "--parent", "X"]),
    "a cycle": (1, "which it is a part of", ["update", "PI-1-S3", "--depends-on", "PI-1"]),
    "no id": (2, "no task is named", ["complete"]),
    "two ids": (2, "two tasks are named", ["complete", "A", "--id", "B"]),
    "an empty id": (2, "no task is named", ["start", " "]),
    "nothing to say": (2, "nothing is said", ["update", "PI-1"]),
    "a status with a command": (2, "`agenttrace task complete`", ["update", "PI-1", "--status", "completed"]),
    "an unknown status": (2, "is none of", ["start", "T", "--status", "done"]),
    "a bad checksum": (2, "algo:hex", ["update", "PI-1", "--source-checksum", "sha256:12"]),
    "an unknown phase": (2, "task.phase", ["start", "T", "--phase", "NO_SUCH"]),
    "a count below zero": (2, "quality.gap_count", ["update", "PI-1", "--gap-count", "-1"]),
    "no number": (2, "not a valid integer", ["update", "PI-1", "--gap-count", "many"]),
    "an attribute of ours": (2, "not set as an attribute", ["update", "PI-1", "--attr", "task.status=completed"]),
    "an attribute without a value": (2, "is not NAME=VALUE", ["update", "PI-1", "--attr", "x"]),
    "no reason": (2, "Missing option '--reason'", ["block", "PI-1", "--next-action", "b"]),
    "an empty reason": (2, "neither may be empty", ["block", "PI-1", "--reason", " ", "--next-action", "b"]),
    "an empty comment": (2, "--text is empty", ["comment", "PI-1", "--text", ""]),
    "a list behind nothing": (1, "no task X in the list", ["list", "--after", "X"]),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_and_changes_nothing(run: Callable[..., Any], task_store: str, what: str) -> None:
    """1 where the answer is no, 2 where the command is wrong; the tasks stay as they are."""
    code, message, command = WRONG[what]
    before = run("task", "list", "--store", task_store, "--json").out

    result = run("task", *command, "--store", task_store)

    assert (result.code, result.out) == (code, "")
    assert message in " ".join(result.err.split())
    assert run("task", "list", "--store", task_store, "--json").out == before


def test_a_store_in_memory_is_refused(run: Callable[..., Any]) -> None:
    """What is written there is gone with the command."""
    result = run("task", "start", "T", "--store", "memory")

    assert result.code == 2
    assert "tasks need one that lasts" in result.err


def test_a_damaged_store_is_told(run: Callable[..., Any], tmp_path: Path) -> None:
    """Nothing is recorded, since nobody can tell what is there already."""
    (tmp_path / "bad.db").write_bytes(b"not a database" * 100)

    result = run("task", "start", "T", "--store", tmp_path / "bad.db")

    assert result.code == 3
    assert "bad.db" in result.err


def test_secrets_are_hidden(run: Callable[..., Any], tmp_path: Path) -> None:
    """What a command is told passes the same redaction as what an agent records."""
    secret = "sk-" + "a1b2c3d4" * 6

    result = run("task", "start", "T", "--title", f"use {secret}", "--store", tmp_path / "new.db", "--json")

    assert result.code == 0
    assert secret not in result.out
    assert result.json()["title"].startswith("use ")


def test_an_id_that_would_not_be_kept_is_refused(run: Callable[..., Any], tmp_path: Path) -> None:
    """What looks like a secret is hidden, and nobody could name that task again."""
    task_id = "sk-" + "a1b2c3d4" * 6

    result = run("task", "start", task_id, "--store", tmp_path / "new.db")

    assert result.code == 1
    assert "would not be recorded as it is" in result.err
    assert task_id not in result.err


def test_a_trace_of_tasks_is_judged_once_its_root_has_ended(run: Callable[..., Any], tmp_path: Path) -> None:
    """While it is open the trace runs; then it has a verdict like any other."""
    store = tmp_path / "new.db"
    run("task", "start", "P", "--store", store)
    run("task", "start", "T", "--parent", "P", "--store", store)
    running = run("trace", "list", "--store", store, "--json").json()
    run("task", "fail", "T", "--reason", "no export", "--store", store)
    run("task", "fail", "P", "--reason", "no export", "--store", store)
    ended = run("trace", "list", "--store", store, "--json").json()

    assert [trace["status"] for trace in running] == ["running"]
    assert [trace["status"] for trace in ended] == ["failed"]
    assert ended[0]["task_ids"] == ["P", "T"]
