"""Exit codes, errors, options and streams of the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.pipeline.failures import failure_stage
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.testing.spans import make_span
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
        ["retention", "set", "-1"],
        ["retention", "set", "36501"],
        ["retention", "set", "\u0663"],
        ["trace", "list", "--attr", "n>nan"],
        ["trace", "list", "--attr", "n>1_000"],
        ["trace", "search", ""],
        ["trace", "search", "%"],
        ["trace", "show", "--html", "page.html", "--json"],
        ["trace", "show", "--html", "page.html", "--timeline"],
        ["export", "0199", "--since", "1h"],
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


def test_a_page_that_cannot_be_written_is_an_error(run: Callable[..., Any], store_url: str, tmp_path: Path) -> None:
    """The error names the file and why."""
    result = run("trace", "show", BOOKING, "--html", tmp_path / "none" / "page.html", "--store", store_url)

    assert result.code == 2
    assert result.err == f"Error: {tmp_path / 'none' / 'page.html'}: No such file or directory\n"


def test_the_short_id_that_is_shown_of_a_failure_finds_it(
    run: Callable[..., Any], store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where span ids are counted up, so that two failures of a trace start in the same way."""
    monkeypatch.setenv("COLUMNS", "200")
    with open_store(store_url) as store:
        store.write_spans([
            failure_stage(make_span(trace_id="a" * 32, span_id=f"{number:016x}", name=f"step {number}",
                                    parent_span_id=f"{1:016x}" if number > 1 else None,
                                    status_code="UNSET" if number == 1 else "ERROR"))
            for number in (1, 2, 3)
        ])  # fmt: skip
        store.write_spans([
            failure_stage(make_span(trace_id="b" * 32, span_id=f"{number:016x}", parent_span_id=parent,
                                    status_code=status, status_message=message))
            for number, parent, status, message in (
                (1, None, "ERROR", "too much"), (2, f"{1:016x}", "OK", ""), (3, f"{2:016x}", "ERROR", "handled")
            )
        ])  # fmt: skip
    listed = run("failure", "list", "--all", "--store", store_url).out.splitlines()
    shown = [line.split()[0] for line in listed if line.startswith(("aaaaaaaa", "bbbbbbbb"))]

    found = [run("failure", "show", text, "--json", "--store", store_url).json()["failure_event"] for text in shown]

    assert [event["failure_id"].partition("-")[2] for event in found] == [text.partition("-")[2] for text in shown]
    assert len({event["failure_id"] for event in found}) == 4
    newest = run("failure", "show", "bbbb", "--store", store_url).out
    assert newest.startswith("bbbbbbbb…-00000000  exception")
    assert "too much" in run("failure", "show", newest.split()[0], "--store", store_url).out


def _agenttrace(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "otel_agenttrace", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **options)


def test_a_reader_that_has_seen_enough_is_no_error(store_url: str) -> None:
    """`agenttrace ... | head -1` ends quietly."""
    script = f"{sys.executable} -m otel_agenttrace span list --store {store_url} --json | head -1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60)

    assert done.stderr == ""


@pytest.mark.parametrize("arguments", [["trace", "list"], ["export"], ["session", "list", "--json"]])
def test_a_pipe_that_nobody_reads_is_fine(arguments: list[str], store_url: str) -> None:
    """Whoever stops reading has not been answered with no: the exit code is 0."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "otel_agenttrace", *arguments, "--store", store_url]
    with os.fdopen(writer, "wb") as stdout:
        done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, timeout=60)

    assert (done.returncode, done.stderr.replace("more: ", "")) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110  at import time
@pytest.mark.parametrize("arguments", [["trace", "list"], ["export"]])
def test_output_that_cannot_be_written_is_exit_code_3(arguments: list[str], store_url: str) -> None:
    """A full disk behind a `>` is one line of error, not a traceback."""
    command = [sys.executable, "-m", "otel_agenttrace", *arguments, "--store", store_url]
    with open("/dev/full", "wb") as stdout:  # noqa: PTH123  a device
        done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, timeout=60)

    assert done.returncode == 3
    assert done.stderr.startswith("agenttrace: ")
    assert len(done.stderr.splitlines()) == 1


def test_output_that_cannot_say_the_signs_is_ascii(store_url: str) -> None:
    """On an ASCII terminal the tree is drawn with ASCII signs, and nothing fails."""
    done = _agenttrace("trace", "show", BOOKING, "--store", store_url, env=os.environ | {"PYTHONIOENCODING": "ascii"})

    assert done.returncode == 0
    assert "`- execute_tool search_flights" in done.stdout


def test_python_dash_m_is_the_command(store_url: str) -> None:
    """`python -m otel_agenttrace` does what `agenttrace` does."""
    assert _agenttrace("trace", "list", "--store", store_url).returncode == 0


@pytest.mark.parametrize("content", [None, b"these are my notes"])
def test_a_check_of_a_damaged_file_says_what_is_wrong(
    content: bytes | None, run: Callable[..., Any], store_url: str, tmp_path: Path
) -> None:
    """What cannot be opened as a store fails the check, with the reason; the file stays as it is."""
    whole = (tmp_path / "runs.db").read_bytes()
    path = tmp_path / "damaged.db"
    path.write_bytes(whole[: len(whole) // 3] if content is None else content)
    before = path.read_bytes()

    result = run("store", "check", "--store", path, "--json")

    assert store_url
    assert result.code == 1
    assert result.json()["status"] == "failed"
    assert str(path) in result.json()["problems"][0]
    assert path.read_bytes() == before
