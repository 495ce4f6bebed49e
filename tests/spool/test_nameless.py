"""Logs of which nothing is to be left on disk once their process is gone."""

from __future__ import annotations

import os
import textwrap
import time
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.losses import LossLog
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.consumers import Consumers
from otel_agenttrace.spool.directory import list_logs, log_bytes
from otel_agenttrace.spool.drained import Drained
from otel_agenttrace.spool.draining import drain
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.nameless import open_segment
from otel_agenttrace.spool.reader import read
from otel_agenttrace.testing.programs import run_program
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode, names_of

if TYPE_CHECKING:
    from pathlib import Path

_AGENT = """
    import os, signal
    from opentelemetry import trace
    from otel_agenttrace import configure_tracing

    configure_tracing("agent", store="memory:", instrument=False)
    attributes = {"gen_ai.agent.name": "a", "text": "nee" + "dle"}
    with trace.get_tracer("agent").start_as_current_span("said", attributes=attributes):
        pass
    os.kill(os.getpid(), signal.SIGKILL)
"""


def holding(folder: Path, text: bytes) -> list[Path]:
    """The files under a folder that have a text in them."""
    return [path for path in folder.rglob("*") if path.is_file() and text in path.read_bytes()]


@pytest.fixture
def config(spool_dir: Path) -> SpoolConfig:
    """Segments of a few records each."""
    return SpoolConfig(spool_dir, segment_bytes=1 << 12, is_left_behind=False)


def test_no_record_is_in_a_file_that_has_a_name(config: SpoolConfig) -> None:
    """This process reads them all the same, and knows how much of the disk they take."""
    log = SpoolLog(config)
    append_spans(log, range(100), attributes={"text": "needle"})
    (path,) = log.logs

    assert holding(config.directory, b"needle") == []
    assert len([*path.glob("*.seg")]) > 3
    assert [entry.seq for entry in read(path)] == list(range(1, 101))
    assert log_bytes(path) > 100 * len("needle")


def test_what_is_delivered_takes_no_room_any_more(config: SpoolConfig) -> None:
    """Segments that everybody has go, and so does the log at the end, with the files behind them."""
    target = ListTarget("console")
    target.is_lasting = False
    consumers = Consumers(SpoolLog(config), [target], decode, LossLog())
    append_spans(consumers.log, range(100))
    assert consumers.flush(10)
    (path,) = consumers.log.logs
    deadline = time.monotonic() + 20
    while len(left := [*path.glob("*.seg")]) > 1 and time.monotonic() < deadline:
        consumers.tidy()  # nothing where another thread is at it
    (last,) = left
    assert target.names == names_of(range(100))
    consumers.shutdown(10)
    assert list_logs(config.directory) == []
    with pytest.raises(FileNotFoundError):
        open_segment(last)


def test_a_forked_child_does_not_keep_them(config: SpoolConfig) -> None:
    """What the parent has recorded is not the child's to read or to keep on the disk."""
    log = SpoolLog(config)
    append_spans(log, range(3))
    (path,) = log.logs
    pid = os.fork()
    if not pid:
        os._exit(len([*read(path)]))

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert len([*read(path)]) == 3


def test_a_killed_agent_with_a_store_in_memory_leaves_no_content(tmp_path: Path) -> None:
    """What is left is a log without a record, out of the user's home; the next one to look removes it."""
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    run_program(home, _AGENT, {"TMPDIR": str(temporary)}, status=-9)
    (spool_dir,) = temporary.glob("agenttrace-*/*")

    assert len(list_logs(spool_dir)) == 1
    assert not (home / ".agenttrace").exists()
    assert holding(temporary, b"needle") == []
    assert drain(spool_dir, [ListTarget()], decode, LossLog(), 10) == Drained(1, 0)
    assert list_logs(spool_dir) == []


def test_what_is_kept_is_for_this_user_alone(tmp_path: Path) -> None:
    """So are all directories that had to be made for it, whatever the umask lets others do."""
    source = "import os\nos.umask(0o022)\n" + textwrap.dedent(_AGENT)
    run_program(tmp_path, source, {"AGENTTRACE_SPOOL_DIR": "kept/spool"}, status=-9)
    folder = tmp_path / "kept"

    assert {path.stat().st_mode & 0o777 for path in (folder, folder / "spool")} == {0o700}
