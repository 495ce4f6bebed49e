"""`agenttrace demo`, and every command on what it recorded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _widest(text: str) -> int:
    """The width of the widest line, those aside that say where a store is: paths are there to be copied."""
    return max((len(line) for line in text.splitlines() if ".db" not in line), default=0)


def test_the_demo_names_commands_that_work(run: Callable[..., Any], tmp_path: Path) -> None:
    """The commands that the demo ends with can be typed as they stand."""
    shown = run("demo", "--store", f"sqlite:///{tmp_path / 'demo.db'}")

    commands = [line.split("agenttrace ", 1)[1].split() for line in shown.out.splitlines() if "agenttrace " in line]
    assert len(commands) == 4
    for command in commands:
        result = run(*command)
        assert (result.code, result.err) == (0, "")
        assert _widest(result.out) <= 80


def test_the_demo_prints_a_json_line_for_each_run(
    run: Callable[..., Any], tmp_path: Path, check_shape: Callable[[str, Any], None]
) -> None:
    """With --json there is one line per run, of the schema that ships; each failure is found by its id."""
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    runs = [json.loads(line) for line in run("demo", "--store", url, "--json").out.splitlines()]

    assert [(each["subject"], each["failure_type"]) for each in runs] == [
        ("booking", "validation_error"),
        ("search", "timeout"),
        ("summary", "hallucination_flag"),
        ("retry", "none"),
        ("weather", "none"),
    ]
    for each in runs:
        check_shape("demo", each)
        found = run("failure", "show", each["failure_id"], "--store", url, "--json").json()
        check_shape("failure show", found)
        assert found["failure_event"]["failure_type"] == each["failure_type"]
        assert len(found["trace_record"]["steps"]) == each["steps_count"]


def test_every_list_reads_the_demo(
    run: Callable[..., Any], tmp_path: Path, check_shape: Callable[[str, Any], None]
) -> None:
    """Lists, the check and the export work on what the demo recorded."""
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    run("demo", "--store", url)

    for command in (
        ["trace", "list"],
        ["trace", "search", "flight"],
        ["trace", "show"],
        ["span", "list"],
        ["session", "list"],
        ["session", "show"],
        ["failure", "list", "--all"],
        ["failure", "show"],
        ["store", "info"],
        ["store", "check"],
        ["retention", "show"],
        ["retention", "run"],
    ):
        plain = run(*command, "--store", url)
        assert plain.code == 0
        assert _widest(plain.out) <= 80
        check_shape(" ".join(command[:2]), run(*command, "--store", url, "--json").json())
    assert len(run("export", "--store", url).out.splitlines()) == 5


def test_the_retry_is_listed_as_recovered_only(run: Callable[..., Any], tmp_path: Path) -> None:
    """An error that the agent recovered from makes no trace failed and is listed with --all only."""
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    run("demo", "--store", url)

    subjects = [each["subject"] for each in run("failure", "list", "--store", url, "--json").json()]
    everyone = [each["subject"] for each in run("failure", "list", "--all", "--store", url, "--json").json()]
    failed = [each["root_name"] for each in run("trace", "list", "--status", "failed", "--store", url, "--json").json()]

    assert sorted(subjects) == ["booking", "search", "summary"]
    assert sorted(everyone) == ["booking", "retry", "search", "summary"]
    assert sorted(failed) == ["invoke_agent booking", "invoke_agent search"]
