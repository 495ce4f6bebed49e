"""Several processes and one SQLite store: real ones, really killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.errors import StoreUnavailableError
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
from otel_agenttrace.testing.programs import run_program
from otel_agenttrace.testing.spans import TRACE_ID, make_span
from otel_agenttrace.testing.store_cases import OTHER_TRACE_ID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WRITER = """
import sys
from pathlib import Path
from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
from otel_agenttrace.testing.spans import make_span

path, first, batches = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
store = SqliteSpanStore(path)
for number in range(first, first + batches):
    trace_id = f"{number:032x}"
    store.write_spans([make_span(trace_id=trace_id, span_id=f"{span:016x}") for span in range(1, 11)])
    print(trace_id, flush=True)
store.close()
"""


@pytest.fixture
def writers(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes that are about to open the same new store."""
    arguments = [sys.executable, "-c", WRITER, str(tmp_path / "new" / "traces.db")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [
        subprocess.Popen([*arguments, str(first), "60"], **pipes)  # type: ignore[call-overload]
        for first in (1_000, 2_000)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def start(process: subprocess.Popen[str]) -> None:
    """Let a writer go on."""
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def test_two_processes_write_at_once(tmp_path: Path, writers: list[subprocess.Popen[str]]) -> None:
    """They may even make the file at the same time; all that both wrote is there, each trace whole."""
    for process in writers:
        start(process)
    written = [line for process in writers for line in process.communicate()[0].split()]
    assert [process.returncode for process in writers] == [0, 0]
    with closing(SqliteSpanStore(tmp_path / "new" / "traces.db")) as store:
        assert set(store.find_trace_ids(SpanQuery(limit=1_000))) == set(written)
        assert store.info().spans == 1_200
        assert store.catch_up(10)
        assert len(store.find_spans(SpanQuery(text="booking", limit=2_000))) == 1_200
        assert store.check() == []


@pytest.mark.parametrize("written_before", [1, 5, 30])
def test_what_was_written_survives_a_kill(
    tmp_path: Path, writers: list[subprocess.Popen[str]], written_before: int
) -> None:
    """Of a process killed in the middle, every batch that `write_spans` returned for is there, and none in part."""
    start(writers[0])
    output = writers[0].stdout
    assert output
    returned = [output.readline().strip() for _ in range(written_before)]
    writers[0].send_signal(signal.SIGKILL)
    returned += output.read().split()
    assert writers[0].wait() == -signal.SIGKILL
    with closing(SqliteSpanStore(tmp_path / "new" / "traces.db")) as store:
        for trace_id in returned:
            assert len(store.get_trace(trace_id).spans) == 10
        assert store.info().spans == 10 * store.info().traces
        assert store.check() == []
        start(writers[1])
        writers[1].communicate()
        assert writers[1].returncode == 0
        assert store.catch_up(10)
        assert len(store.find_spans(SpanQuery(text="booking", limit=2_000))) == store.info().spans


def test_a_program_may_forget_to_close(tmp_path: Path) -> None:
    """It ends quietly in the middle of the index's work, all is stored, and whoever comes next goes on."""
    source = """
        from pathlib import Path
        from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
        from otel_agenttrace.testing.spans import make_span

        store = SqliteSpanStore(Path("traces.db"))
        for number in range(20):
            spans = range(number * 500, number * 500 + 500)
            store.write_spans([make_span(span_id=f"{span:016x}", attributes={"n": "word " * 50}) for span in spans])
    """
    for _ in range(2):
        assert not run_program(tmp_path, source).stderr
        with closing(SqliteSpanStore(tmp_path / "traces.db")) as store:
            assert store.info().spans == 10_000
    with closing(SqliteSpanStore(tmp_path / "traces.db")) as store:
        assert store.catch_up(60)
        assert store.check() == []


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_while_the_index_is_busy(tmp_path: Path) -> None:
    """Children that are forked again and again while a thread works on the index can write, search and index."""
    with closing(SqliteSpanStore(tmp_path / "traces.db")) as store:
        for number in range(10):
            batch = [
                make_span(span_id=f"{number:08x}{span:08x}", attributes={"n": "word " * 200}) for span in range(200)
            ]
            store.write_spans(batch)
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    store.write_spans([make_span(trace_id=OTHER_TRACE_ID, span_id=f"{number + 1:016x}", name="forked")])
                    found = store.find_spans(SpanQuery(text="forked"))
                    code = 0 if len(found) == number + 1 and store.catch_up(30) else 2
                    store.close()
                finally:
                    os._exit(code)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert store.catch_up(30)
        assert len(store.get_trace(TRACE_ID).spans) == 2_000
        assert len(store.find_spans(SpanQuery(text="forked"))) == 10
        assert store.check() == []


FORKED_WHILE_LOCKED = """
import os, sqlite3, sys, threading
from pathlib import Path
from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore
from otel_agenttrace.testing.spans import make_span

store = SqliteSpanStore(Path("traces.db"))
told, go_on = os.pipe(), os.pipe()
# A process of its own holds the lock, as no connection may be carried over a fork.
holder = os.fork()
if holder == 0:
    other = sqlite3.connect("traces.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    os.write(told[1], b"x")
    os.read(go_on[0], 1)
    other.execute("ROLLBACK")
    os._exit(0)
os.read(told[0], 1)
writer = threading.Thread(target=store.write_spans, args=[[make_span(name="parent", span_id=f"{99:016x}")]])
writer.start()
child = os.fork()
if child == 0:
    for number in range(3):
        store.write_spans([make_span(name=f"child {number}", span_id=f"{number + 1:016x}")])
        # Somebody who looks in between, and is the last one to close the file as far as he can see.
        look = "import sqlite3; c = sqlite3.connect('traces.db'); c.execute('SELECT 1 FROM spans'); c.close()"
        os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", look])
    os._exit(0)
os.write(go_on[1], b"x")
os.waitpid(holder, 0)
writer.join()
assert os.waitpid(child, 0)[1] == 0
os._exit(0)
"""


def test_a_fork_while_another_process_writes_loses_nothing(tmp_path: Path) -> None:
    """A thread that waits for a locked store does not wait inside SQLite, where a child would be stuck in its state."""
    run_program(tmp_path, FORKED_WHILE_LOCKED)
    with closing(SqliteSpanStore(tmp_path / "traces.db")) as store:
        names = sorted(span.name for span in store.find_spans(SpanQuery()))

    assert names == ["child 0", "child 1", "child 2", "parent"]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_file_that_was_in_use_at_the_fork_is_refused_in_the_child(tmp_path: Path) -> None:
    """A fork does not wait for ever; what the child would write then, would be lost, and is refused instead."""
    reading, read = threading.Event(), threading.Event()
    with closing(SqliteSpanStore(tmp_path / "traces.db")) as store:
        store.write_spans([make_span()])

        def read_slowly() -> None:
            with store._connections.reading():
                reading.set()
                read.wait(60)

        thread = threading.Thread(target=read_slowly)
        thread.start()
        assert reading.wait(30)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                store.write_spans([make_span(trace_id=OTHER_TRACE_ID)])
            except StoreUnavailableError as error:
                code = 0 if "was in use when this process was forked" in str(error) else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        read.set()
        thread.join()
        store.write_spans([make_span(name="parent")])

        assert store.info().traces == 1
