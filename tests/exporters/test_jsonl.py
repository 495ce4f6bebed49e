"""The exporter to OTLP JSON lines."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult

from otel_agenttrace.exporters.jsonl import JsonlSpanExporter
from otel_agenttrace.model.codec import serialize_record
from otel_agenttrace.model.readable import to_readable_span
from otel_agenttrace.otlp.jsonl import read_jsonl
from otel_agenttrace.processors.recorded import RecordedSpan
from otel_agenttrace.testing.spans import make_span

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord

SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE


def spans_of(path: Path) -> list[SpanRecord]:
    """All spans of a file without errors."""
    lines = list(read_jsonl(path))
    assert not [error for line in lines for error in line.errors]
    return [span for line in lines for span in line.spans]


def run(program: str, *arguments: str) -> None:
    """Run a Python program to its good end."""
    subprocess.run([sys.executable, "-c", program, *arguments], check=True, timeout=60)


def test_ended_spans_are_in_the_file(tmp_path: Path) -> None:
    """What a provider ends can be read from the file at once, structured values included."""
    path = tmp_path / "spans.jsonl"
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(JsonlSpanExporter(path)))
    tracer = provider.get_tracer("tests")
    with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner") as inner:
        inner.set_attributes({"nested": {"list": [1, None, b"\xff"]}})
    provider.shutdown()

    spans = spans_of(path)
    assert [span.name for span in spans] == ["inner", "outer"]
    assert spans[0].attributes == {"nested": {"list": [1, None, b"\xff"]}}
    assert spans[0].parent_span_id == spans[1].span_id


def test_a_batch_is_one_line(tmp_path: Path) -> None:
    """Spans of any traces that come together stand in one TracesData."""
    exporter = JsonlSpanExporter(tmp_path / "spans.jsonl")
    spans = [make_span(trace_id=f"{number:032x}") for number in (1, 2)]

    assert exporter.export([to_readable_span(span) for span in spans]) is SUCCESS
    assert exporter.export([]) is SUCCESS
    assert exporter.path.read_bytes().count(b"\n") == 1
    assert [span.trace_id for span in spans_of(exporter.path)] == [span.trace_id for span in spans]


def test_a_recorded_span_is_written_as_its_record_says(tmp_path: Path) -> None:
    """What redaction hid in the record stays hidden."""
    exporter = JsonlSpanExporter(tmp_path / "spans.jsonl")
    record = make_span(attributes={"password": "***"})
    context = to_readable_span(record).context
    assert context is not None
    exporter.export([RecordedSpan(serialize_record(record), context)])

    assert spans_of(exporter.path) == [record]


def test_secrets_do_not_reach_the_file(tmp_path: Path) -> None:
    """Behind any processor, in anybody's setup: what is not redacted yet is redacted here."""
    exporter = JsonlSpanExporter(tmp_path / "spans.jsonl")
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.get_tracer("tests").start_span("call", attributes={"api_key": "sk-proj-" + "a1B2" * 10}).end()
    provider.shutdown()

    assert b"sk-proj-" not in exporter.path.read_bytes()
    assert spans_of(exporter.path)[0].name == "call"


def test_the_path_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entry points call the class without arguments; a later change of folder moves nothing."""
    monkeypatch.chdir(tmp_path)
    assert JsonlSpanExporter().path == tmp_path / "agenttrace.jsonl"

    monkeypatch.setenv("AGENTTRACE_JSONL_PATH", "~/elsewhere.jsonl")
    assert JsonlSpanExporter().path == Path.home() / "elsewhere.jsonl"


def test_the_file_is_private_and_its_folder_made(tmp_path: Path) -> None:
    """Prompts are nobody else's business."""
    exporter = JsonlSpanExporter(tmp_path / "new" / "folder" / "spans.jsonl")
    exporter.export([to_readable_span(make_span())])

    assert exporter.path.stat().st_mode & 0o777 == 0o600


def test_what_is_in_the_file_stays(tmp_path: Path) -> None:
    """A second exporter appends; a line that somebody left unfinished takes no later one with it."""
    path = tmp_path / "spans.jsonl"
    for number in (1, 2):
        JsonlSpanExporter(path).export([to_readable_span(make_span(span_id=f"{number:016x}"))])
    path.write_bytes(path.read_bytes()[:-20])
    JsonlSpanExporter(path).export([to_readable_span(make_span(span_id=f"{3:016x}"))])

    lines = list(read_jsonl(path))
    assert [[span.span_id[-1] for span in line.spans] for line in lines] == [["1"], [], ["3"]]


def test_a_file_that_was_moved_away_is_made_anew(tmp_path: Path) -> None:
    """Log rotation needs no signal."""
    exporter = JsonlSpanExporter(tmp_path / "spans.jsonl")
    exporter.export([to_readable_span(make_span())])
    exporter.path.rename(tmp_path / "spans.1.jsonl")
    exporter.export([to_readable_span(make_span())])

    assert len(spans_of(exporter.path)) == 1


def test_a_path_that_cannot_be_written_costs_spans_not_the_agent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Lost spans are counted and a FAILURE; the log says so once, with the path, and without a traceback."""
    exporter = JsonlSpanExporter(tmp_path)
    with caplog.at_level(logging.ERROR, logger="otel_agenttrace"):
        results = [exporter.export([to_readable_span(make_span())] * 3) for _ in range(2)]

    assert results == [FAILURE, FAILURE]
    assert exporter.losses.counts == {"write": 6}
    assert [record.getMessage() for record in caplog.records] == [
        f"spans could not be written to {tmp_path}: Is a directory (3 spans so far)"
    ]
    assert not caplog.records[0].exc_info


def test_what_is_no_span_is_counted(tmp_path: Path) -> None:
    """Whatever is handed in, nothing is raised into the agent."""
    exporter = JsonlSpanExporter(tmp_path / "spans.jsonl")

    assert exporter.export(["no span"]) is FAILURE  # type: ignore[list-item]
    assert exporter.losses.counts == {"pipeline": 1}
    assert not exporter.path.exists()


def test_a_surprise_costs_spans_not_the_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody thought of is contained too."""

    def fail(_spans: object) -> bytes:
        raise RuntimeError("surprise")

    monkeypatch.setattr("otel_agenttrace.exporters.jsonl.encode_json", fail)
    exporter = JsonlSpanExporter(tmp_path / "spans.jsonl")

    assert exporter.export([to_readable_span(make_span())]) is FAILURE
    assert exporter.losses.counts == {"encode": 1}


def test_nothing_is_written_after_shutdown(tmp_path: Path) -> None:
    """Spans that come later are refused and counted."""
    exporter = JsonlSpanExporter(tmp_path / "spans.jsonl")
    assert exporter.force_flush()
    exporter.shutdown()
    exporter.shutdown()

    assert exporter.export([to_readable_span(make_span())]) is FAILURE
    assert exporter.losses.counts == {"shut_down": 1}
    assert not exporter.path.exists()


WRITER = """
import sys
from otel_agenttrace.exporters.jsonl import JsonlSpanExporter
from otel_agenttrace.model.readable import to_readable_span
from otel_agenttrace.testing.spans import make_span

exporter = JsonlSpanExporter(sys.argv[1])
for number in range(1, 101):
    span = make_span(trace_id=sys.argv[2] * 32, span_id=f"{number:016x}", attributes={"x": "y" * 50_000})
    exporter.export([to_readable_span(span)])
assert not exporter.losses.total
"""


def test_two_processes_may_write_at_once(tmp_path: Path) -> None:
    """Lines of one never stand inside lines of the other."""
    path = tmp_path / "spans.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), digit]) for digit in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]

    spans = spans_of(path)
    assert sorted({span.trace_id[0] for span in spans}) == ["a", "b"]
    assert len(spans) == 200


FULL_DISK = """
import resource, sys
from otel_agenttrace.exporters.jsonl import JsonlSpanExporter
from otel_agenttrace.model.readable import to_readable_span
from otel_agenttrace.testing.spans import make_span

resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
exporter = JsonlSpanExporter(sys.argv[1])
span = make_span(attributes={"x": "y" * 3000})
results = [exporter.export([to_readable_span(span)]).name for _ in range(3)]
assert results == ["SUCCESS", "FAILURE", "FAILURE"], results
assert exporter.losses.total == 2
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert exporter.export([to_readable_span(span)]).name == "SUCCESS"
"""


def test_a_full_disk_spoils_nothing_before_and_nothing_after(tmp_path: Path) -> None:
    """A write that stops half-way leaves one bad line; what was and what comes is whole."""
    path = tmp_path / "spans.jsonl"
    run(FULL_DISK, str(path))

    assert [len(line.spans) for line in read_jsonl(path)] == [1, 0, 1]


FORK = """
import os, sys
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from otel_agenttrace.exporters.jsonl import JsonlSpanExporter

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(JsonlSpanExporter(sys.argv[1])))
tracer = provider.get_tracer("tests")
tracer.start_span("before").end()
provider.force_flush()
child = os.fork()
tracer.start_span("parent" if child else "child").end()
provider.shutdown()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_writes_on(tmp_path: Path) -> None:
    """Parent and child write to the same file after a fork."""
    path = tmp_path / "spans.jsonl"
    run(FORK, str(path))

    assert sorted(span.name for span in spans_of(path)) == ["before", "child", "parent"]
