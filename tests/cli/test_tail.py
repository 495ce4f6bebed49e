"""`agenttrace trace tail`, in a process of its own, beside the processes that record."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.stores.open import open_store
from otel_agenttrace.testing.spans import make_span
from otel_agenttrace.testing.store_cases import OTHER_TRACE_ID
from tests.cli.conftest import SCHEMAS
from tests.cli.recording import BOOKING, recorded_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PATIENCE_S = 60.0

AGENT = """
import sys
from opentelemetry import trace
from otel_agenttrace import configure_tracing

configure_tracing("travel", store=sys.argv[1])
tracer = trace.get_tracer("tests")
agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "travel", "session.id": "order-1"}
tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "book"}
with tracer.start_as_current_span("invoke_agent travel", attributes=agent):
    with tracer.start_as_current_span("execute_tool book", attributes=tool):
        print("booking", flush=True)
        if sys.stdin.readline().strip() == "fail":
            raise ValueError("no seats")
"""

WRITER = """
import sys
from pathlib import Path
from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
from otel_agenttrace.testing.spans import make_span

first = int(sys.argv[2])
store = SqliteSpanStore(Path(sys.argv[1]))
for trace in range(first, first + 60):
    spans = [make_span(trace_id=f"{trace:032x}", span_id=f"{span:016x}") for span in range(1, 31)]
    store.write_spans(spans)
store.close()
"""


class Program:
    """A process that a test talks to; it is killed if it has not said what is waited for after a minute."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.seen: list[str] = []

    def lines_until(self, wanted: str, *, stream: str = "stdout") -> list[str]:
        """Read lines up to one that matches."""
        lines: list[str] = []
        with _killed_after(self.process):
            for line in getattr(self.process, stream):
                lines.append(line.rstrip("\n"))
                self.seen.append(lines[-1])
                if re.search(wanted, lines[-1]):
                    return lines
        raise AssertionError(f"{wanted!r} did not come: {lines} {self.process.poll()}")

    def say(self, line: str) -> None:
        """Answer on its standard input."""
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def interrupt(self) -> tuple[int, str, str]:
        """Press Ctrl-C; return the exit code and what else was printed."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.stdout
        assert self.process.stderr
        with _killed_after(self.process):
            # Not communicate(), which leaves out what was read with the last line already.
            out, err = self.process.stdout.read(), self.process.stderr.read()
            return self.process.wait(), out, err


@contextmanager
def _killed_after(process: subprocess.Popen[str]) -> Iterator[None]:
    timer = threading.Timer(_PATIENCE_S, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Start a process of this interpreter; it is gone after the test."""
    programs: list[Program] = []

    def start(*arguments: str | Path) -> Program:
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "COLUMNS": "80"},
        )
        programs.append(Program(process))
        return programs[-1]

    yield start
    for program in programs:
        program.process.kill()
        program.process.communicate()


@pytest.fixture
def tail(start: Callable[..., Program]) -> Callable[..., Program]:
    """Start `agenttrace trace tail`."""
    return lambda *arguments: start("-m", "otel_agenttrace", "trace", "tail", *arguments)


@pytest.fixture
def waiting_tail(tail: Callable[..., Program], tmp_path: Path) -> Callable[..., Program]:
    """Start a tail of a store that is not there yet; it is known to wait for it."""

    def begin(*arguments: str) -> Program:
        program = tail("--store", url_in(tmp_path), *arguments)
        program.lines_until("waiting for sqlite:.*: there is no store yet", stream="stderr")
        return program

    return begin


def url_in(folder: Path) -> str:
    """The store that agents and tails share."""
    return f"sqlite:///{folder / 'runs.db'}"


def test_a_run_is_seen_while_it_happens(
    waiting_tail: Callable[..., Program], start: Callable[..., Program], tmp_path: Path
) -> None:
    """Its start, what is open in it, how that ends and its verdict, whichever process they happen in."""
    following = waiting_tail()
    agent = start("-c", AGENT, url_in(tmp_path))
    agent.lines_until("booking")
    begun = following.lines_until("execute_tool book")
    agent.say("go on")
    ended = following.lines_until("passed invoke_agent travel")

    assert any("▸ run invoke_agent travel  travel · session order-1" in line for line in begun)
    assert [line.split(" ", 2)[2].strip().rsplit(" ", 1)[0] for line in ended] == [
        "execute_tool book",
        "invoke_agent travel",
        "passed invoke_agent travel",
    ]
    assert following.interrupt() == (0, "", "")
    assert "\x1b" not in "".join(following.seen)


def test_a_run_that_fails_comes_with_the_command_that_says_why(
    waiting_tail: Callable[..., Program], start: Callable[..., Program], tmp_path: Path
) -> None:
    """The last line can be typed as it stands; with --failures, nothing else is told of it."""
    following = waiting_tail("--failures")
    start("-c", AGENT, url_in(tmp_path)).say("fail")
    lines = following.lines_until("agenttrace failure show")

    told = [line for line in lines if not line.startswith(" ") and "UTC" not in line]
    assert all("✗" in line for line in told)
    assert re.search("✗ failed invoke_agent travel", told[-1])
    shown = start("-m", "otel_agenttrace", *lines[-1].split()[1:])
    shown.lines_until("ValueError: no seats")


def test_an_agent_that_is_killed_has_failed(
    waiting_tail: Callable[..., Program], start: Callable[..., Program], tmp_path: Path
) -> None:
    """What it left in its spool is delivered by whoever looks: nobody else may come."""
    following = waiting_tail()
    agent = start("-c", AGENT, url_in(tmp_path))
    agent.lines_until("booking")
    following.lines_until("execute_tool book")
    agent.process.kill()

    lines = following.lines_until("failed invoke_agent travel")
    assert re.search("✗ +execute_tool book", lines[0])
    assert len([line for line in lines if "abandoned: " in line]) == 1


def test_what_two_processes_write_at_once_is_told_once(
    waiting_tail: Callable[..., Program], start: Callable[..., Program], tmp_path: Path,
    check_shape: Callable[[str, Any], None],
) -> None:  # fmt: skip
    """Every span of both, none twice, one JSON object a line."""
    following = waiting_tail("--json")
    writers = [start("-c", WRITER, tmp_path / "runs.db", first) for first in ("1000", "2000")]
    wanted = {(f"{trace:032x}", f"{span:016x}") for first in (1000, 2000) for trace in range(first, first + 60)
              for span in range(1, 31)}  # fmt: skip
    found: list[dict[str, Any]] = []
    while len([each for each in found if each["event"] == "span_ended"]) < len(wanted):
        found += map(json.loads, following.lines_until("span_ended"))
    assert [writer.process.wait(_PATIENCE_S) for writer in writers] == [0, 0]
    _, rest, _ = following.interrupt()
    found += map(json.loads, rest.splitlines())

    ended = [(each["trace_id"], each["span_id"]) for each in found if each["event"] == "span_ended"]
    assert (len(ended), set(ended)) == (len(wanted), wanted)
    assert len([each for each in found if each["event"] == "run_started"]) == 120
    for each in found[:100]:
        check_shape("trace tail", each)


def test_a_reader_that_has_seen_enough_ends_it(store_url: str) -> None:
    """`| head` is noticed also where nothing more is ever printed."""
    command = f"{sys.executable} -m otel_agenttrace trace tail --since 2020-01-01 --store {store_url} | head -1"
    script = f"set -o pipefail; {command}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=False, timeout=_PATIENCE_S
    )  # fmt: skip

    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)


def test_a_store_that_goes_away_is_waited_for(tail: Callable[..., Program], tmp_path: Path) -> None:
    """It is said once; when it is back, what was stored meanwhile is told."""
    url = url_in(tmp_path)
    path, elsewhere = tmp_path / "runs.db", tmp_path / "moved.db"
    spans = recorded_spans()
    with open_store(url) as store:
        store.write_spans(spans[:3])
    following = tail("--since", "2020-01-01", "--store", url)
    following.lines_until("failure show")
    path.rename(elsewhere)
    following.lines_until("waiting for sqlite:.*: it is gone", stream="stderr")
    with open_store(f"sqlite:///{elsewhere}") as store:
        store.write_spans(spans[3:])
    elsewhere.rename(path)

    following.lines_until("invoke_agent retry")
    code, _, err = following.interrupt()
    assert (code, err) == (0, "")
    assert len([line for line in following.seen if BOOKING[:12] in line and "search_flights" in line]) == 1


def test_a_store_that_stays_locked_is_waited_for(tail: Callable[..., Program], store_url: str) -> None:
    """As soon as it is free, following goes on."""
    path = store_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        following = tail("--since", "2020-01-01", "--store", store_url)
        following.lines_until("waiting for sqlite:.*locked", stream="stderr")

    following.lines_until("failed invoke_agent booking")
    assert following.interrupt()[0] == 0


def test_a_session_may_be_still_to_come(
    waiting_tail: Callable[..., Program],
    start: Callable[..., Program],
    tmp_path: Path,
    check_shape: Callable[[str, Any], None],
) -> None:
    """Runs of others are not told of."""
    following = waiting_tail("--session", "order-1", "--json")
    with open_store(url_in(tmp_path)) as store:
        store.write_spans(recorded_spans())
    start("-c", AGENT, url_in(tmp_path)).say("go on")

    lines = [json.loads(line) for line in following.lines_until("run_ended")]

    assert {line["resource"]["attributes"]["service.name"] for line in lines} == {"travel"}
    assert lines[-1]["run"]["status"] == "passed"
    for line in lines:
        check_shape("trace tail", line)


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["--store", "memory"], (2, "own process")),
        (["--store", "nosql://x"], (2, "is no store")),
        (["--since", "yesterday"], (2, "neither an age")),
        (["--store", "text.db"], (3, "not an SQLite database")),
        (["--store", "runs.db", "--session", "order-"], (1, "more than one")),
    ],
)
def test_what_can_never_be_followed_is_an_error(
    arguments: list[str],
    answer: tuple[int, str],
    run: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Waiting would not help."""
    monkeypatch.chdir(tmp_path)
    Path("text.db").write_text("not a database " * 100, "utf-8")
    with open_store("runs.db") as store:
        store.write_spans([make_span(attributes={"session.id": "order-1"})])
        store.write_spans([make_span(trace_id=OTHER_TRACE_ID, attributes={"session.id": "order-2"})])

    result = run("trace", "tail", *arguments)

    assert (result.code, result.out) == (answer[0], "")
    assert answer[1] in result.err


def test_a_terminal_gets_colours(store_url: str) -> None:
    """Unless `NO_COLOR` is set; elsewhere there are none."""
    assert b"\x1b[" in _on_terminal(store_url, os.environ)
    assert b"\x1b[" not in _on_terminal(store_url, {**os.environ, "NO_COLOR": "1"})


def _on_terminal(store_url: str, environment: Mapping[str, str]) -> bytes:
    """What a terminal gets to see."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "otel_agenttrace", "trace", "tail", "--since", "2020-01-01", "--store", store_url]
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        with os.fdopen(theirs, "wb") as stdout:
            process = subprocess.Popen(command, stdout=stdout, text=True, env=environment)
        seen = b""
        with process, _killed_after(process):
            while b"failure show" not in seen:
                seen += terminal.read(1 << 16)
            process.send_signal(signal.SIGINT)
        assert process.returncode == 0
    return seen


def test_the_schema_of_a_line_has_all_of_a_span() -> None:
    """JSON Schema cannot add to a closed object, so that it is repeated."""
    shapes = json.loads(SCHEMAS.read_text("utf-8"))["$defs"]

    added = {name for name in shapes["trace tail"]["properties"] if name not in shapes["span"]["properties"]}
    assert added == {"event", "failure", "run"}
    assert shapes["trace tail"]["properties"].items() >= shapes["span"]["properties"].items()
    assert set(shapes["trace tail"]["required"]) == {*shapes["span"]["required"], *added}
