"""Tasks that are driven by separate processes, some of which are killed, and a store that is locked meanwhile."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.model.record import ENDED_BY
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.testing.programs import run_program

if TYPE_CHECKING:
    from pathlib import Path

    from otel_agenttrace.model.record import SpanRecord

_PATIENCE_S = 120.0


class Shell:
    """Runs `agenttrace` in processes of its own, over one store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "tasks.db"
        self.spool = folder / "tasks.db.spool"
        self._environment = {**os.environ, "HOME": str(folder), "AGENTTRACE_STORE": str(self.store)}

    def set(self, name: str, value: str) -> None:
        """Set a variable of the commands that follow."""
        self._environment[name] = value

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "otel_agenttrace", *arguments],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, process: subprocess.Popen[str]) -> tuple[int, str, str]:
        """Wait for it; its exit code, and what it printed."""
        out, err = process.communicate(timeout=_PATIENCE_S)
        return process.returncode, out, err

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run a command."""
        return self.end(self.begin(*arguments))

    def task(self, *arguments: str) -> Any:
        """Run `agenttrace task`, which must not fail; what it prints as JSON."""
        code, out, err = self.run("task", *arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    def side_by_side(self, *commands: tuple[str, ...]) -> list[tuple[int, str]]:
        """Run `agenttrace task` commands at once; their exit codes, and what they complain of."""
        processes = [self.begin("task", *command) for command in commands]
        ended = [self.end(process) for process in processes]
        return [(code, err) for code, _, err in ended]

    def spans(self) -> list[SpanRecord]:
        """What the store has, verdicts apart."""
        with open_store(f"sqlite:///{self.store}", read_only=True) as store:
            found = store.spans.find_spans(SpanQuery(order="stored_asc", limit=1000))
        return [span for span in found if span.name != "agenttrace.verdict"]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """An empty folder."""
    return Shell(tmp_path)


def test_ten_processes_give_one_tree(shell: Shell) -> None:
    """Each step in a process of its own: one trace, each task one span below its parent, with its real start."""
    story = shell.task("start", "P", "--title", "Plan")
    shell.task("start", "P-1", "--parent", "P")
    shell.task("start", "P-2", "--parent", "P", "--depends-on", "P-1")
    shell.task("start", "P-1-C", "--parent", "P-1", "--type", "subtask")
    shell.task("block", "P-2", "--reason", "waits", "--next-action", "wait", "--on", "P-1")
    shell.task("complete", "P-1-C")
    shell.task("complete", "P-1")
    shell.task("unblock", "P-2")
    shell.task("complete", "P-2")
    last = shell.task("complete", "P")

    spans = {span.name: span for span in shell.spans()}
    assert len(spans) == 4
    assert {span.trace_id for span in spans.values()} == {story["trace_id"]}
    tree = SpanTree(tuple(spans.values()))
    assert [(node.depth, node.record.name) for node in tree.nodes] == [(0, "P"), (1, "P-1"), (2, "P-1-C"), (1, "P-2")]
    assert all(span.attributes["task.status"] == "completed" for span in spans.values())
    assert all(span.end_time_unix_nano is not None for span in spans.values())
    assert (last["started_at"], last["span_id"]) == (story["started_at"], story["span_id"])
    assert [link.span_id for link in spans["P-2"].links] == [spans["P-1"].span_id]
    assert not any(path.is_dir() for path in shell.spool.iterdir()), "everything is delivered"


def test_ten_processes_change_one_task_at_once(shell: Shell) -> None:
    """Each change counts, whichever comes first."""
    shell.task("start", "T")

    codes = shell.side_by_side(*(("comment", "T", "--text", f"number {number}") for number in range(10)))

    task = shell.task("show", "T")
    assert [code for code, _ in codes] == [0] * 10
    assert task["revision"] == 11
    assert sorted(comment["text"] for comment in task["comments"]) == [f"number {number}" for number in range(10)]


def test_processes_that_begin_at_once_do_not_disturb_each_other(shell: Shell) -> None:
    """Over a store that is not there yet; of those that start the same task, one does and the others are told."""
    codes = shell.side_by_side(*(("start", f"T{number}") for number in range(4)), *([("start", "same")] * 4))

    assert [code for code, _ in codes[:4]] == [0] * 4
    assert sorted(code for code, _ in codes[4:]) == [0, 1, 1, 1]
    assert sum("task same is started already: it is in_progress" in err for _, err in codes) == 3
    assert sorted(task["task_id"] for task in shell.task("list")) == ["T0", "T1", "T2", "T3", "same"]


KILLED_BEFORE_DELIVERY = """
    import os, signal
    from otel_agenttrace.driving import driven_tasks
    from otel_agenttrace.workflow.task_drafts import TaskDraft

    with driven_tasks("tasks.db") as (board, _):
        board.start(TaskDraft(id="T", parent_id="P"))
        os.kill(os.getpid(), signal.SIGKILL)
"""

KILLED_BEFORE_WRITING = """
    import os, signal
    from otel_agenttrace.driving import SpooledTasks
    from otel_agenttrace.workflow.task_drafts import TaskDraft
    from otel_agenttrace.workflow.tasks import TaskBoard

    class Killed(SpooledTasks):
        def write(self, record):
            os.kill(os.getpid(), signal.SIGKILL)

    TaskBoard(Killed("tasks.db")).start(TaskDraft(id="T", parent_id="P"))
"""


def test_a_command_that_is_killed_leaves_its_task_open(shell: Shell) -> None:
    """What it has recorded is found by the next one, is not abandoned, and is updated and completed like any other."""
    shell.task("start", "P")
    run_program(shell.folder, KILLED_BEFORE_DELIVERY, status=-signal.SIGKILL)

    updated = shell.task("update", "T", "--title", "resumed")
    shell.run("trace", "list")  # adopts whatever is left
    shown = shell.task("show", "P")
    completed = shell.task("complete", "T")

    assert (updated["status"], updated["revision"]) == ("in_progress", 2)
    assert [(child["task_id"], child["status"]) for child in shown["children"]] == [("T", "in_progress")]
    assert (completed["status"], completed["span_id"]) == ("completed", updated["span_id"])
    assert {span.name: ENDED_BY in span.attributes for span in shell.spans()} == {"P": False, "T": False}


def test_a_command_that_is_killed_holding_the_lock_lets_go_of_it(shell: Shell) -> None:
    """It has recorded nothing, and the next one goes on."""
    shell.task("start", "P")
    run_program(shell.folder, KILLED_BEFORE_WRITING, status=-signal.SIGKILL)

    assert shell.run("task", "update", "T", "--title", "x")[0] == 1
    assert shell.task("start", "T", "--parent", "P")["revision"] == 1


def test_a_locked_store_gets_it_later(shell: Shell) -> None:
    """The command says so; what it recorded is there for the next one, and in the store once that is free."""
    shell.task("start", "P")
    with closing(sqlite3.connect(shell.store)) as other:
        other.execute("BEGIN IMMEDIATE")
        code, _, err = shell.run("task", "start", "T", "--parent", "P")
        twice, _, _ = shell.run("task", "start", "T", "--parent", "P")
        shown = shell.task("show", "P")
        other.rollback()

    assert (code, twice) == (0, 1)
    assert "recorded, but not stored yet" in err
    assert [child["task_id"] for child in shown["children"]] == ["T"]
    assert [span.name for span in shell.spans()] == ["P"]
    shell.task("complete", "T")
    assert [span.name for span in shell.spans()] == ["P", "T"]


def test_exporters_get_a_task_once_when_it_has_ended(shell: Shell) -> None:
    """Those that the environment names, as they get what an agent records; what is open is for the store alone."""
    shell.set("OTEL_TRACES_EXPORTER", "agenttrace_jsonl")
    shell.task("start", "T")
    shell.task("comment", "T", "--text", "on it")
    exported = shell.folder / "agenttrace.jsonl"
    assert not exported.exists()

    shell.task("complete", "T")

    spans = [
        span
        for line in exported.read_text("utf-8").splitlines()
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    assert sorted(span["name"] for span in spans) == ["T", "agenttrace.verdict"]
    assert not any(path.is_dir() for path in shell.spool.iterdir()), "nothing waits for anybody"


def test_an_exporter_that_is_away_holds_up_no_store(shell: Shell) -> None:
    """What it is to get waits for it on disk."""
    shell.set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    shell.task("start", "T")
    shell.task("start", "U")
    code, _, err = shell.run("task", "complete", "T")
    second, _, _ = shell.run("task", "complete", "U")

    assert (code, second) == (0, 0)
    assert "not stored yet" not in err
    assert {span.name: span.attributes["task.status"] for span in shell.spans()} == {"T": "completed", "U": "completed"}
    assert any(path.is_dir() for path in shell.spool.iterdir())


def test_tasks_that_somebody_else_changes_for_too_long_are_told(shell: Shell) -> None:
    """Nothing is recorded."""
    shell.task("start", "P")
    (lock,) = shell.spool.glob("tasks-*.lock")
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, _, err = shell.run("task", "complete", "P")

    assert code == 3
    assert "being changed by somebody else" in err
    assert shell.task("show", "P")["status"] == "in_progress"


AGENT = """
    import sys
    from otel_agenttrace import configure_tracing, task_span

    configure_tracing("agent", store="tasks.db")
    with task_span("A", parent="P", depends_on=["D"], title="by an agent") as task:
        task.block("no export", "export")
        print("blocked", flush=True)
        if sys.stdin.readline().strip() == "die":
            import os, signal
            os.kill(os.getpid(), signal.SIGKILL)
        task.unblock()
"""


def _begin_agent(shell: Shell) -> subprocess.Popen[str]:
    program = shell.folder / "agent.py"
    program.write_text("\n".join(line.removeprefix("    ") for line in AGENT.splitlines()), "utf-8")
    agent = subprocess.Popen(
        [sys.executable, str(program)], cwd=shell.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert agent.stdout is not None
    assert agent.stdout.readline() == "blocked\n"
    return agent


def _tell(agent: subprocess.Popen[str], what: str) -> int:
    agent.communicate(what, timeout=_PATIENCE_S)
    return agent.returncode


def test_an_agents_task_is_below_the_one_that_commands_drive(shell: Shell) -> None:
    """In its trace, with a link to what it depends on; commands see how it stands, and leave it to its process."""
    parent = shell.task("start", "P", "--project", "plan", "--phase", "TEST_VALIDATE")
    dependency = shell.task("start", "D")
    agent = _begin_agent(shell)
    try:
        seen = shell.task("show", "P")["children"][0]
        codes = [shell.run("task", command, each)[0] for command, each in (("complete", "P"), ("complete", "A"))]
    finally:
        code = _tell(agent, "go on")

    assert (seen["task_id"], seen["status"], seen["blocked_reason"]) == ("A", "blocked", "no export")
    assert (seen["driven_by"], seen["parent_span_id"]) == ("process", parent["span_id"])
    assert (codes, code) == ([1, 1], 0)
    span = next(span for span in shell.spans() if span.name == "A")
    assert (span.trace_id, span.parent_span_id) == (parent["trace_id"], parent["span_id"])
    assert [link.span_id for link in span.links] == [dependency["span_id"]]
    inherited = {"task.parent_id": "P", "project.id": "plan", "task.phase": "TEST_VALIDATE", "task.status": "completed"}
    assert inherited.items() <= span.attributes.items()
    assert shell.task("complete", "P")["status"] == "completed"


def test_an_agent_that_dies_takes_its_own_task_with_it_and_no_other(shell: Shell) -> None:
    """That one is abandoned; those that commands drive are open as before."""
    shell.task("start", "P")
    shell.task("start", "D")
    assert _tell(_begin_agent(shell), "die") == -signal.SIGKILL

    shown = shell.task("show", "P")

    assert (shown["status"], shown["is_open"]) == ("in_progress", True)
    assert [(child["task_id"], child["is_abandoned"]) for child in shown["children"]] == [("A", True)]
    assert shell.task("complete", "P")["status"] == "completed"
    assert shell.task("show", "D")["is_open"]
