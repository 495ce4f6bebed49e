"""RecordingSpanProcessor: what happens on the agent's thread, in anybody's OpenTelemetry set-up."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from otel_agenttrace.config import resolve_config
from otel_agenttrace.contract.attributes import TASK_ID
from otel_agenttrace.model.codec import deserialize
from otel_agenttrace.pipeline.stages import staged
from otel_agenttrace.processors.intake import Intake
from otel_agenttrace.processors.recorded import RecordedSpan
from otel_agenttrace.processors.recording import RecordingSpanProcessor
from otel_agenttrace.processors.sites import FOLLOWED_FIRST
from otel_agenttrace.processors.starts import start_rule

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Tracer

    from otel_agenttrace.config import StartRecords
    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.model.record import SpanRecord

SECRET = "sk-proj-" + "a1B2c3D4" * 6


def _tracer(processor: SpanProcessor, **settings: Any) -> Tracer:
    provider = TracerProvider(shutdown_on_exit=False, **settings)
    provider.add_span_processor(processor)
    return provider.get_tracer("agent")


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """What somebody's set-up exports to."""
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter: InMemorySpanExporter) -> Tracer:
    """A tracer of somebody's provider, with our processor in front of their exporter."""
    return _tracer(RecordingSpanProcessor(SimpleSpanProcessor(exporter)))


def _violations(span: ReadableSpan) -> dict[str, Any]:
    """The line that each violation names, by attribute."""
    return {
        str((event.attributes or {})["agenttrace.contract.attribute"]): (event.attributes or {}).get("code.line.number")
        for event in span.events
        if event.name == "agenttrace.contract.violation"
    }


def _line() -> int:
    """The line of the caller."""
    import sys  # noqa: PLC0415

    return sys._getframe(1).f_lineno


def test_any_exporter_gets_spans_without_secrets(exporter: InMemorySpanExporter, tracer: Tracer) -> None:
    """It stands alone in front of any exporter; the span itself is left as it is."""
    with tracer.start_as_current_span("call") as span:
        span.set_attribute("header", f"Bearer {SECRET}")
    (exported,) = exporter.get_finished_spans()

    assert isinstance(exported, RecordedSpan)
    assert SECRET not in str(dict(exported.attributes or {}))
    assert SECRET.encode() not in exported.serialized.span
    assert SECRET in str(span.attributes)  # type: ignore[attr-defined]


def test_a_violation_names_the_line_that_set_the_attribute(exporter: InMemorySpanExporter, tracer: Tracer) -> None:
    """What breaks the contract is recorded with the line of code behind it."""
    with tracer.start_as_current_span("task", attributes={"task.status": "done"}) as span:
        started = _line() - 1
        span.set_attribute("task.phase", "SOMETIME")
        phase = _line() - 1
    (exported,) = exporter.get_finished_spans()
    violations = _violations(exported)

    assert violations["task.status"] == started
    assert violations["task.phase"] == phase
    assert violations["task.id"] == started


def test_what_a_violation_quotes_is_redacted(exporter: InMemorySpanExporter, tracer: Tracer) -> None:
    """A secret in a wrong place does not get out by the complaint about it."""
    tracer.start_span("task", attributes={"task.status": SECRET}).end()
    (exported,) = exporter.get_finished_spans()

    assert "task.status" in _violations(exported)
    assert SECRET[8:24] not in exported.to_json()


def test_spans_of_one_name_share_what_is_known_of_their_code(exporter: InMemorySpanExporter, tracer: Tracer) -> None:
    """Past the first spans of a name not each is followed, and still each violation has its line."""
    for _ in range(FOLLOWED_FIRST * 3):
        with tracer.start_as_current_span("task") as span:
            span.set_attribute("task.status", "done")
            line = _line() - 1

    assert {_violations(span)["task.status"] for span in exporter.get_finished_spans()} == {line}


def test_a_line_that_is_not_certain_is_not_claimed(exporter: InMemorySpanExporter, tracer: Tracer) -> None:
    """Where spans of one name come from several lines, one that was not followed names none of them."""
    for index in range(FOLLOWED_FIRST * 2):
        if index % 2:
            tracer.start_span("task", attributes={"task.status": "done"}).end()
        else:
            tracer.start_span("task", attributes={"task.status": "done"}).end()
    lines = [_violations(span)["task.status"] for span in exporter.get_finished_spans()]

    assert len(set(lines[:FOLLOWED_FIRST])) == 2
    assert None not in lines[:FOLLOWED_FIRST]
    assert None in lines[FOLLOWED_FIRST:]


def test_a_name_may_be_one_of_our_constants(exporter: InMemorySpanExporter, tracer: Tracer) -> None:
    """They are of a subclass of str, and where they were set is noted like that of any name."""
    with tracer.start_as_current_span("s") as span:
        span.set_attribute(TASK_ID, "")
        line = _line() - 1

    (recorded,) = exporter.get_finished_spans()
    assert _violations(recorded) == {"task.id": line}


def test_a_span_that_becomes_a_task_has_the_project(exporter: InMemorySpanExporter) -> None:
    """A status set after the start makes a span a task all the same."""
    tracer = _tracer(RecordingSpanProcessor(SimpleSpanProcessor(exporter), intake=Intake(project="travel")))
    with tracer.start_as_current_span("task") as span:
        span.set_attribute("task.status", "completed")
    (exported,) = exporter.get_finished_spans()

    assert (exported.attributes or {})["project.id"] == "travel"


def test_a_span_that_cannot_be_recorded_is_counted(
    exporter: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of ours costs that span and nothing else, and what was in the span is not logged."""

    class Broken(Intake):
        def recorded(self, span: ReadableSpan) -> RecordedSpan:
            if span.name == "bad":
                raise RuntimeError(SECRET)
            return super().recorded(span)

    processor = RecordingSpanProcessor(SimpleSpanProcessor(exporter), intake=Broken())
    tracer = _tracer(processor)
    for name in ("one", "bad", "two"):
        tracer.start_span(name).end()

    assert [span.name for span in exporter.get_finished_spans()] == ["one", "two"]
    assert processor.losses.counts == {"recorder": 1}
    assert "a span could not be recorded (RuntimeError)" in caplog.text
    assert SECRET not in caplog.text


def test_nothing_downstream_reaches_the_agent(caplog: pytest.LogCaptureFixture) -> None:
    """A processor that raises is logged; the agent's code does not notice."""

    class Raising(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            raise RuntimeError(span.name)

    _tracer(RecordingSpanProcessor(Raising())).start_span("run").end()

    assert "could not hand over a span; the agent goes on" in caplog.text


def test_an_exception_of_the_agent_passes_untouched(exporter: InMemorySpanExporter, tracer: Tracer) -> None:
    """The agent's own errors are recorded and go where they would have gone."""
    error = ValueError("date")
    with pytest.raises(ValueError, match="date") as raised, tracer.start_as_current_span("run"):
        raise error

    assert raised.value is error
    assert [event.name for event in exporter.get_finished_spans()[0].events] == ["exception"]


def test_unsampled_spans_are_counted_and_not_recorded(exporter: InMemorySpanExporter) -> None:
    """A span that is recorded but not sampled goes nowhere, and is counted."""

    class RecordOnly(Sampler):
        def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
            del args, kwargs
            return SamplingResult(Decision.RECORD_ONLY)

        def get_description(self) -> str:
            return "RecordOnly"

    processor = RecordingSpanProcessor(SimpleSpanProcessor(exporter))
    span = _tracer(processor, sampler=RecordOnly()).start_span("run", attributes={"task.timeout_ms": 60_000})
    span.end()
    processor.shutdown()

    assert processor.unsampled_count == 1
    assert exporter.get_finished_spans() == ()
    assert not vars(span).keys() & {"set_attribute", "set_attributes"}


def test_values_of_all_kinds_survive(exporter: InMemorySpanExporter, tracer: Tracer) -> None:
    """Structured values, bytes, None, numbers beyond 64 bits and odd floats come through as they are."""
    values = {
        "dict": {"a": [1, {"b": None}]},
        "list": ["x", 1, 2.5, True],
        "bytes": b"\x00\xff",
        "big": 2**70,
        "infinite": float("inf"),
        "text": "\ud800 lone",
    }
    tracer.start_span("run", attributes=values).end()  # type: ignore[arg-type]
    (exported,) = exporter.get_finished_spans()
    attributes = exported.attributes or {}

    assert attributes["dict"] == {"a": (1, {"b": None})}
    assert attributes["bytes"] == b"\x00\xff"
    assert attributes["infinite"] == float("inf")
    assert "lone" in str(attributes["text"])


class _Spool:
    """A spool in memory: what it was given, and whether a span was open then."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, SpanRecord]] = []
        self.has_open = threading.Event()

    def record_open(self, span: SerializedSpan) -> None:
        """Take a span that has not ended."""
        self.taken.append(("open", staged(deserialize(span))))
        self.has_open.set()

    def record(self, span: RecordedSpan) -> None:
        """Take a span that has ended."""
        self.taken.append(("ended", staged(span.record)))

    def flush(self, timeout_s: float) -> bool:
        """Say that nothing was left."""
        del timeout_s
        return True

    @property
    def names(self) -> list[tuple[str, str]]:
        """What was taken, in order."""
        return [(what, record.name) for what, record in self.taken]


def test_an_overdue_span_is_seen_while_it_runs() -> None:
    """A span past its `task.timeout_ms` goes to the spool before it ends, as still open."""
    spool = _Spool()
    processor = RecordingSpanProcessor(spool=spool)
    span = _tracer(processor).start_span("slow", attributes={"task.timeout_ms": 1})
    assert spool.has_open.wait(10)
    span.end()
    processor.shutdown()
    (_, running), (_, ended) = spool.taken

    assert running.end_time_unix_nano is None
    assert running.attributes["failure.type"] == "timeout"
    assert ended.end_time_unix_nano is not None


@pytest.mark.parametrize(
    ("wanted", "recorded"),
    [
        ("these", ["root", "chat", "tool", "task", "of another process"]),
        ("all", ["root", "chat", "tool", "task", "helper", "of another process"]),
        ("none", []),
    ],
)
def test_spans_that_tell_what_an_agent_does_are_recorded_when_they_start(
    wanted: StartRecords, recorded: list[str]
) -> None:
    """Roots, tasks, and spans of agents, models and tools, unless it is set otherwise; all again when they end."""
    spool = _Spool()
    tracer = _tracer(RecordingSpanProcessor(spool=spool, starts=start_rule(wanted)))
    with tracer.start_as_current_span("root"):
        tracer.start_span("chat", attributes={"gen_ai.operation.name": "chat"}).end()
        tracer.start_span("tool", attributes={"openinference.span.kind": "TOOL"}).end()
        tracer.start_span("task", attributes={"task.status": "in_progress"}).end()
        tracer.start_span("helper", attributes={"rows": 3}).end()
    far = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    tracer.start_span("of another process", context=set_span_in_context(NonRecordingSpan(far))).end()

    assert [name for what, name in spool.names if what == "open"] == recorded
    assert len([name for what, name in spool.names if what == "ended"]) == 6


def test_the_spool_takes_what_ends_after_the_shutdown(exporter: InMemorySpanExporter) -> None:
    """Those downstream get it no more; once another recorder has taken over, nobody gets anything."""
    spool = _Spool()
    processor = RecordingSpanProcessor(SimpleSpanProcessor(exporter), spool=spool)
    tracer = _tracer(processor)
    processor.shutdown()
    tracer.start_span("late").end()
    processor.detach()
    tracer.start_span("too late").end()

    assert spool.names == [("ended", "late")]
    assert exporter.get_finished_spans() == ()


def test_after_it_was_stopped_nothing_is_recorded(exporter: InMemorySpanExporter) -> None:
    """Spans that end after the end of the recording are left to others."""
    processor = RecordingSpanProcessor(SimpleSpanProcessor(exporter))
    tracer = _tracer(processor)
    processor.stop()
    tracer.start_span("late").end()

    assert exporter.get_finished_spans() == ()


def test_the_contract_can_be_off(exporter: InMemorySpanExporter) -> None:
    """With `contract="off"` nothing is checked, and spans are left without notes."""
    intake = Intake.from_config(resolve_config({"contract": "off"}))
    tracer = _tracer(RecordingSpanProcessor(SimpleSpanProcessor(exporter), intake=intake))
    tracer.start_span("task", attributes={"task.status": "done"}).end()

    assert exporter.get_finished_spans()[0].events == ()
