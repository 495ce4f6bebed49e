"""Verdicts end to end: every store and exporter of a recording process has them, whenever and however it ends."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_agenttrace import Tracing, configure_tracing, open_store
from otel_agenttrace.exporters.store import StoreSpanExporter
from otel_agenttrace.grounding import GroundingReport
from otel_agenttrace.instrument.faults import fault_counts
from otel_agenttrace.model.codec import deserialize, serialize_readable
from otel_agenttrace.model.readable import to_readable_span
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.stores.api import SpanQuery
from otel_agenttrace.stores.memory import MemorySpanStore
from otel_agenttrace.testing.programs import run_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import SpanStore

    Configure = Callable[..., Tracing]

CHAT = {"gen_ai.operation.name": "chat"}


@pytest.fixture
def configure() -> Iterator[Configure]:
    """configure_tracing without instrumentors; what it starts is shut down."""
    started: list[Tracing] = []

    def start(**settings: Any) -> Tracing:
        started.append(configure_tracing(**({"instrument": False} | settings)))
        return started[-1]

    yield start
    for tracing in started:
        tracing.shutdown()


def _run(*, fails: bool = False) -> None:
    tracer = trace.get_tracer("tests")
    with tracer.start_as_current_span("run"), tracer.start_as_current_span("chat gpt", attributes=CHAT) as span:
        if fails:
            span.record_exception(TimeoutError("no answer"))


def _verdicts(store: SpanStore) -> list[SpanRecord]:
    return [span for span in store.find_spans(SpanQuery(limit=100_000, order="stored_asc")) if is_verdict(span)]


def _exported(exporter: InMemorySpanExporter) -> list[SpanRecord]:
    spans = [deserialize(serialize_readable(span)) for span in exporter.get_finished_spans()]
    return [span for span in spans if is_verdict(span)]


def _as_exported(spans: Sequence[SpanRecord]) -> list[SpanRecord]:
    """As they are read from a ReadableSpan, whose flags always tell of the parent."""
    return [deserialize(serialize_readable(to_readable_span(span))) for span in spans]


def _stored(folder: Path) -> list[SpanRecord]:
    with open_store(f"sqlite:///{folder / '.agenttrace' / 'traces.db'}") as store:
        return store.spans.find_spans(SpanQuery(order="stored_asc"))


def test_a_flush_brings_the_verdicts(configure: Configure, tmp_path: Path) -> None:
    """After it the store has them, without any waiting; another flush adds nothing."""
    tracing = configure(store=str(tmp_path / "traces.db"))
    _run(fails=True)

    assert tracing.flush()
    assert tracing.flush()
    with open_store(str(tmp_path / "traces.db")) as store:
        (verdict,) = _verdicts(store.spans)
    assert verdict.attributes["agenttrace.verdict.span_count"] == 2
    assert verdict.attributes["failure.type"] == "timeout"


def test_a_flush_in_the_middle_of_a_run_judges_nothing(configure: Configure) -> None:
    """The steps that have ended are stored; what becomes of the run is not known yet."""
    store, exporter = MemorySpanStore(), InMemorySpanExporter()
    tracing = configure(store=store, exporters=[exporter])
    with trace.get_tracer("tests").start_as_current_span("run"):
        _run()
        assert tracing.flush()
        assert len(exporter.get_finished_spans()) == 2
    tracing.flush()

    assert [span.attributes["agenttrace.verdict.span_count"] for span in _verdicts(store)] == [3]
    assert _exported(exporter) == _as_exported(_verdicts(store))


def test_the_shutdown_brings_the_verdicts(
    configure: Configure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are no spans of the agent's: the line at exit counts its traces."""
    with configure(store=str(tmp_path / "traces.db")):
        _run()
        _run(fails=True)
    with open_store(str(tmp_path / "traces.db")) as store:
        assert len(_verdicts(store.spans)) == 2

    assert "agenttrace: 2 traces, none failed" in capsys.readouterr().err


def test_shutting_down_the_provider_brings_the_verdicts(
    configure: Configure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As OpenTelemetry's own programs end; nothing is left to do for us, and nothing counts as dropped."""
    exporter = InMemorySpanExporter()
    tracing = configure(store=str(tmp_path / "traces.db"), exporters=[exporter])
    _run()
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    provider.shutdown()

    assert tracing.shutdown()
    with open_store(str(tmp_path / "traces.db")) as store:
        assert len(_verdicts(store.spans)) == 1
    assert "dropped" not in capsys.readouterr().err


def test_an_exporter_alone_gets_them(configure: Configure) -> None:
    """Without a store a trace is judged by what went by."""
    exporter = InMemorySpanExporter()
    tracing = configure(store=False, exporters=[exporter])
    _run(fails=True)
    tracing.flush()
    (verdict,) = _exported(exporter)

    assert verdict.attributes["agenttrace.verdict.span_count"] == 2
    assert [link.attributes["failure.type"] for link in verdict.links] == ["timeout"]


def test_all_targets_get_the_same_verdict(configure: Configure) -> None:
    """The store and two exporters: one verdict each, equal in every field."""
    store, exporters = MemorySpanStore(), [InMemorySpanExporter(), InMemorySpanExporter()]
    tracing = configure(store=store, exporters=exporters)
    _run(fails=True)
    tracing.flush()
    tracing.shutdown()
    stored = _as_exported(_verdicts(store))

    assert len(stored) == 1
    assert [_exported(exporter) for exporter in exporters] == [stored, stored]


def test_a_target_without_content_gets_no_quotations(configure: Configure) -> None:
    """What an answer made up is named in the store alone; an exporter that may not have it is told what and where."""
    store, exporter = MemorySpanStore(), InMemorySpanExporter()
    tracing = configure(store=store, exporters=[exporter], content=["store"])
    tracer = trace.get_tracer("tests")
    agent, tool = {"gen_ai.operation.name": "invoke_agent"}, {"gen_ai.operation.name": "execute_tool"}
    answer = [{"role": "assistant", "parts": [{"type": "text", "content": "Oslo costs 9876543210 euros."}]}]
    found = "Flights to Oslo: 120 euros on Monday, 140 euros on Tuesday"
    with tracer.start_as_current_span(
        "invoke_agent booking", attributes=agent | {"gen_ai.output.messages": json.dumps(answer)}
    ):
        tracer.start_span("execute_tool search", attributes=tool | {"gen_ai.tool.call.result": found}).end()
    tracing.flush()
    (stored,), (exported,) = _verdicts(store), _exported(exporter)

    assert "9876543210" in stored.status_message
    assert "9876543210" in str(stored.events)
    assert "9876543210" not in repr(exported)
    assert (exported.status_message, exported.status_code) == ("hallucination_flag", "ERROR")
    assert exported.attributes == stored.attributes


def test_a_verdict_comes_by_itself(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody need flush: once a trace has been quiet, its verdict is stored."""
    arrived = threading.Event()

    class Store(MemorySpanStore):
        def write_spans(self, spans: Sequence[SpanRecord]) -> None:
            super().write_spans(spans)
            if any(map(is_verdict, spans)):
                arrived.set()

    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    configure(store=Store())
    _run()

    assert arrived.wait(60)


def test_late_spans_bring_another_verdict(configure: Configure) -> None:
    """Of one span id and a greater revision: the store keeps that one, and exporters get both."""
    store, exporter = MemorySpanStore(), InMemorySpanExporter()
    tracing = configure(store=store, exporters=[exporter])
    tracer = trace.get_tracer("tests")
    with tracer.start_as_current_span("run") as root:
        context = trace.set_span_in_context(root)
    tracer.start_span("chat", context, attributes=CHAT).end()
    tracing.flush()
    tracer.start_span("chat", context, attributes=CHAT).end()
    tracing.flush()

    assert [span.attributes["agenttrace.verdict.span_count"] for span in _exported(exporter)] == [2, 3]
    assert _as_exported(_verdicts(store)) == _exported(exporter)[1:]


def test_an_existing_store_exporter_is_seen_too(configure: Configure, tmp_path: Path) -> None:
    """A provider that stores already keeps its own queue; that store has the verdicts, and so has our exporter."""
    provider, exporter = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(BatchSpanProcessor(StoreSpanExporter(str(tmp_path / "traces.db"))))
    trace.set_tracer_provider(provider)
    tracing = configure(store=str(tmp_path / "traces.db"), exporters=[exporter])
    _run()

    assert tracing.flush()
    assert tracing.shutdown()
    provider.shutdown()
    with open_store(str(tmp_path / "traces.db")) as store:
        assert len(store.spans.find_spans(SpanQuery())) == 3
        assert _as_exported(_verdicts(store.spans)) == _exported(exporter)


def test_traces_that_nobody_had_time_to_judge_are_told_at_exit(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    """A checker that takes too long costs verdicts, and the line at exit says how many."""
    is_over = threading.Event()

    def slow(_output: str, _sources: Sequence[str], /) -> GroundingReport:
        is_over.wait(60)
        return GroundingReport.of([])

    result = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t", "gen_ai.tool.call.result": "rooms: 12"}
    said = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "There are 15 rooms."}]}])
    tracing = configure(store=MemorySpanStore(), grounding=slow)
    tracer = trace.get_tracer("tests")
    for _ in range(3):
        with tracer.start_as_current_span("run"):
            tracer.start_span("look", attributes=result).end()
            tracer.start_span("chat m", attributes=CHAT | {"gen_ai.output.messages": said}).end()

    assert not tracing.shutdown(timeout_s=1.0)
    is_over.set()
    assert "3 traces without a verdict" in capsys.readouterr().err


def test_ten_thousand_traces_at_a_flush(configure: Configure) -> None:
    """More verdicts than a queue holds: each gets through, to every target, and nothing is dropped."""
    store, exporter = MemorySpanStore(), InMemorySpanExporter()
    tracing = configure(store=store, exporters=[exporter])
    tracer = trace.get_tracer("tests")
    for number in range(10_000):
        tracer.start_span("chat", attributes=CHAT).end()
        if number % 1000 == 0:
            tracing.flush(0)

    assert tracing.flush(120)
    assert len(_verdicts(store)) == len(_exported(exporter)) == store.info().spans / 2


def test_the_agent_goes_on_without_a_judge(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verdict that cannot be made is counted; spans arrive, and flush says so."""

    def broken(_tree: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("otel_agenttrace.pipeline.trace_stages.judged", broken)
    before = fault_counts["make the verdict of a trace"]
    store = MemorySpanStore()
    tracing = configure(store=store)
    _run()

    assert tracing.flush()
    assert (store.info().spans, fault_counts["make the verdict of a trace"]) == (2, before + 1)


def test_an_exporter_that_hangs_does_not_keep_the_store_from_its_verdicts(configure: Configure) -> None:
    """The flush comes back in time, and the store has been given its verdict."""
    release = threading.Event()

    class Hanging(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            del spans
            release.wait(60)
            return SpanExportResult.SUCCESS

    store = MemorySpanStore()
    tracing = configure(store=store, exporters=[Hanging()])
    _run()

    assert tracing.flush(1.0)
    assert len(_verdicts(store)) == 1
    release.set()


_AGENT = """
import os, subprocess, sys
from opentelemetry import propagate, trace
from otel_agenttrace import configure_tracing

tracing = configure_tracing("agent", instrument=False)
tracer = trace.get_tracer("agent")
CHAT = {"gen_ai.operation.name": "chat"}
"""


def test_a_trace_over_two_processes(tmp_path: Path) -> None:
    """Both write to one store: the verdict that counts was made from the spans of both."""
    there = (
        _AGENT.replace("agent", "tool").replace("otel_tooltrace", "otel_agenttrace")
        + """
context = propagate.extract({"traceparent": os.environ["TRACEPARENT"]})
tracer.start_span("chat there", context, attributes=CHAT).end()
"""
    )
    (tmp_path / "tool.py").write_text(there)
    run_program(
        tmp_path,
        _AGENT
        + """
with tracer.start_as_current_span("run", attributes=CHAT):
    carrier = {}
    propagate.inject(carrier)
    subprocess.run([sys.executable, "tool.py"], env=os.environ | {"TRACEPARENT": carrier["traceparent"]}, check=True)
""",
    )
    spans = _stored(tmp_path)
    newest = max(filter(is_verdict, spans), key=lambda span: str(span.attributes["agenttrace.revision"]))

    assert {span.resource.service_name for span in spans if not is_verdict(span)} == {"agent", "tool"}
    assert newest.attributes["agenttrace.verdict.span_count"] == 2
    assert newest.resource.service_name == "agent"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_judges_its_own_traces_only(tmp_path: Path) -> None:
    """What was waiting in the parent is the parent's: each trace has one verdict, and nothing is dropped."""
    done = run_program(
        tmp_path,
        _AGENT
        + """
tracer.start_span("before", attributes=CHAT).end()
tracing.flush()
tracer.start_span("before too", attributes=CHAT).end()
child = os.fork()
if child == 0:
    tracer.start_span("child", attributes=CHAT).end()
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
tracer.start_span("after", attributes=CHAT).end()
""",
    )
    spans = _stored(tmp_path)

    assert sorted(span.name for span in spans if not is_verdict(span)) == ["after", "before", "before too", "child"]
    assert len({span.trace_id for span in spans if is_verdict(span)}) == len(list(filter(is_verdict, spans))) == 4
    # From 3.12 on Python warns of any fork beside a thread, such as those of the SDK's own queues.
    said = [line for line in done.stderr.splitlines() if "DeprecationWarning" not in line and "os.fork()" not in line]
    assert [line for line in said if "traces" not in line and "1 trace," not in line] == []


def test_starting_costs_what_it_cost(tmp_path: Path) -> None:
    """Recording starts neither the thread nor what verdicts are made with before there is something to judge."""
    run_program(
        tmp_path,
        _AGENT
        + """
import threading
assert "otel_agenttrace.pipeline.verdict" not in sys.modules
assert "agenttrace-settler" not in {thread.name for thread in threading.enumerate()}
""",
    )
