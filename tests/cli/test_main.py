"""Exit codes, errors, options and streams of the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.recording import BOOKING, RETRY, recorded_spans

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    "arguments", [["trace", "show", "ffff"], ["failure", "show", "ffff"], ["session", "show", "no"]]
)
def test_not_found_is_exit_code_1(arguments: list[str], run: Callable[..., Any], store_url: str) -> None:
    """What is not stored ends with 1 and an error that names the id."""
    result = run(*arguments, "--store", store_url)

    assert result.code == 1
    assert arguments[-1] in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["trace", "list", "--since", "soon"],
        ["trace", "list", "--limit", "0"],
        ["trace", "list", "--attr", "=3"],
        ["trace", "list", "--attr", "n<many"],
        ["trace", "list", "--min-duration", "long"],
        ["trace", "list", "--store", "mongo://x"],
        ["trace", "list", "--store", "/nowhere/runs.db"],
        ["retention", "set", "soon"],
        ["retention", "set", "0"],
        ["frobnicate"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], run: Callable[..., Any]) -> None:
    """A wrong option, value or store ends with 2 and a message."""
    result = run(*arguments)

    assert result.code == 2
    assert result.err


def test_a_store_that_is_no_store_is_exit_code_3(run: Callable[..., Any], tmp_path: Path) -> None:
    """A file that is not a store ends with 3, names the file, and is left as it was."""
    path = tmp_path / "notes.db"
    path.write_text("these are my notes, not a database" * 100)

    result = run("trace", "list", "--store", path)

    assert result.code == 3
    assert str(path) in result.err
    assert path.read_text().startswith("these are my notes")


@pytest.mark.parametrize("noun", ["trace", "failure", "session", "span"])
def test_an_empty_store_is_a_friendly_answer(noun: str, run: Callable[..., Any]) -> None:
    """Lists of the default store are empty, not an error, before anything was recorded; no file is made."""
    result = run(noun, "list")

    assert result.code == 0
    assert "no " in result.err
    assert not os.path.exists(os.path.expanduser("~/.agenttrace"))  # noqa: PTH110,PTH111  as a user would look


def test_a_check_of_nothing_is_skipped(run: Callable[..., Any]) -> None:
    """A check with nothing to check says so, never that it passed."""
    result = run("store", "check", "--json")

    assert result.json()["status"] == "skipped"


def test_a_list_goes_on_after_an_id(run: Callable[..., Any], store_url: str) -> None:
    """--after continues a list without gaps or repetition, also with a shortened id."""
    whole = [trace["trace_id"] for trace in run("trace", "list", "--store", store_url, "--json").json()]

    pages: list[str] = []
    while page := run(
        "trace", "list", "--store", store_url, "--json", "--limit", "2", *(["--after", pages[-1][:9]] if pages else [])
    ).json():
        pages += [trace["trace_id"] for trace in page]

    assert pages == whole
    assert len(whole) == len({span.trace_id for span in recorded_spans()})


def test_the_failure_of_any_failing_span_is_found(run: Callable[..., Any], store_url: str) -> None:
    """The id of every failing span on a branch leads to its one failure."""
    origin = run("failure", "show", f"{BOOKING}-{3:016x}", "--store", store_url, "--json").json()
    above = run("failure", "show", f"{BOOKING}-{1:016x}", "--store", store_url, "--json").json()

    assert origin == above
    assert origin["path"] == [f"{1:016x}", f"{3:016x}"]


def test_a_pass_is_found_by_its_id(run: Callable[..., Any], store_url: str) -> None:
    """A run that passed has an event of type none under its root span's id."""
    result = run("failure", "show", f"{RETRY}-{1:016x}", "--store", store_url, "--json").json()

    assert result["failure_event"]["failure_type"] == "none"


def test_a_page_is_written(run: Callable[..., Any], store_url: str, tmp_path: Path) -> None:
    """--html writes one page, and says so on stderr only."""
    result = run("trace", "show", BOOKING, "--html", tmp_path / "page.html", "--store", store_url)

    assert (result.code, result.out) == (0, "")
    assert "search_flights" in (tmp_path / "page.html").read_text("utf-8")


def _agenttrace(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "otel_agenttrace", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **options)


def test_a_reader_that_has_seen_enough_is_no_error(store_url: str) -> None:
    """`agenttrace ... | head -1` ends quietly."""
    script = f"{sys.executable} -m otel_agenttrace span list --store {store_url} --json | head -1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60)

    assert done.stderr == ""


def test_output_that_cannot_say_the_signs_is_ascii(store_url: str) -> None:
    """On an ASCII terminal the tree is drawn with ASCII signs, and nothing fails."""
    done = _agenttrace("trace", "show", BOOKING, "--store", store_url, env=os.environ | {"PYTHONIOENCODING": "ascii"})

    assert done.returncode == 0
    assert "`- execute_tool search_flights" in done.stdout


def test_python_dash_m_is_the_command(store_url: str) -> None:
    """`python -m otel_agenttrace` does what `agenttrace` does."""
    assert _agenttrace("trace", "list", "--store", store_url).returncode == 0
