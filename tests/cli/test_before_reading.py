"""What commands that read deliver first."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.delivering import place_of
from otel_agenttrace.testing.spans import make_span
from tests.cli.recording import BOOKING
from tests.cli.spooled import TRACE, leave, make_spans, names_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    "command", [["trace", "show", TRACE], ["trace", "search", "root"], ["session", "show", TRACE], ["export", TRACE]]
)
def test_commands_that_read_deliver_first(
    run: Callable[..., Any], store_url: str, spool_dir: Path, command: list[str]
) -> None:
    """What a killed process recorded is found by the first command that looks for it."""
    leave(spool_dir, make_spans(3))
    result = run(*command, "--store", store_url)

    assert (result.code, result.err) == (0, "")
    assert "root" in result.out
    assert len(names_in(store_url)) == 3


def test_what_the_store_did_not_live_to_see_is_read(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was killed before its store was there has left all of it; the environment may name the store."""
    monkeypatch.setenv("AGENTTRACE_STORE", f"sqlite:///{tmp_path}/new.db")
    monkeypatch.setenv("AGENTTRACE_SPOOL_DIR", str(tmp_path / "elsewhere"))
    place = place_of(None)
    leave(place.directory, make_spans(3), place.store_name)

    assert [trace["trace_id"] for trace in run("trace", "list", "--json").json()] == [TRACE]


def test_a_killed_agent_is_found_with_what_it_did(run: Callable[..., Any], store_url: str, spool_dir: Path) -> None:
    """Its open spans have been abandoned, which is a failure."""
    leave(spool_dir, [make_span(trace_id=TRACE, name="book a flight", end_time_unix_nano=None)])
    result = run("failure", "show", "--store", store_url, "--json")

    assert result.json()["failure_event"]["failure_type"] == "abandoned"


def test_what_is_not_stored_in_time_is_told(run: Callable[..., Any], store_url: str, spool_dir: Path) -> None:
    """As where another process has locked the store; what is stored is read meanwhile, and nothing is lost."""
    leave(spool_dir, make_spans(5))
    connection = sqlite3.connect(store_url.removeprefix("sqlite:///"))
    connection.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    result = run("trace", "list", "--store", store_url, "--json")
    seconds = time.monotonic() - began
    connection.rollback()
    connection.close()

    assert (result.code, len(result.json())) == (0, 5)
    assert result.err == (
        f"agenttrace: 5 spans of dead processes are not stored yet: `agenttrace spool drain --store {store_url}`\n"
    )
    assert seconds < 4
    found = (run("trace", "list", "--store", store_url, "--json").json() for _ in range(100))
    assert any(len(traces) == 6 for traces in found)  # once the delivery that waited for so long has ended


def test_a_spool_that_cannot_be_read_stops_no_command(run: Callable[..., Any], store_url: str, spool_dir: Path) -> None:
    """It is told on one line, and what is stored is read."""
    spool_dir.write_text("no directory")
    result = run("trace", "show", BOOKING, "--store", store_url)

    assert result.code == 0
    assert "invoke_agent booking" in result.out
    assert "more of this trace may wait in the spool" in result.out
    assert result.err == "agenttrace: the spool cannot be read: Not a directory\n"


def test_reading_without_a_spool_loads_nothing_that_delivers(store_url: str) -> None:
    """Nor the SDK."""
    program = f"""
        import sys
        from otel_agenttrace.cli.main import run
        run(["trace", "show", "{BOOKING}", "--store", "{store_url}"])
        found = ["opentelemetry.sdk", "otel_agenttrace.spool.draining", "otel_agenttrace.spool.reader"]
        print([name for name in found if name in sys.modules])
    """
    command = [sys.executable, "-c", "\n".join(line.strip() for line in program.splitlines())]
    done = subprocess.run(command, check=True, capture_output=True, text=True)

    assert done.stdout.splitlines()[-1] == "[]"
