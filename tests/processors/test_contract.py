"""ContractSpanProcessor in a plain OpenTelemetry set-up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext

from otel_agenttrace.contract.validate import Contract
from otel_agenttrace.errors import ConfigError, ContractError
from otel_agenttrace.instrument.faults import fault_counts
from otel_agenttrace.processors.contract import ContractSpanProcessor, check_before_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Tracer

CONTRACT = Contract.load()


class SetUp:
    """Somebody's provider with our processor in front of theirs."""

    def __init__(self, mode: Any = "observe") -> None:
        self.exporter = InMemorySpanExporter()
        self.processor = ContractSpanProcessor(SimpleSpanProcessor(self.exporter), CONTRACT, mode)
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(self.processor)
        self.tracer: Tracer = self.provider.get_tracer("tests")

    @property
    def span(self) -> ReadableSpan:
        """The only span that was exported."""
        (span,) = self.exporter.get_finished_spans()
        return span


@pytest.fixture
def set_up() -> Iterator[Callable[..., SetUp]]:
    """Make set-ups and shut them down."""
    made: list[SetUp] = []

    def make(mode: Any = "observe") -> SetUp:
        made.append(SetUp(mode))
        return made[-1]

    yield make
    for each in made:
        each.provider.shutdown()


def first_line(function: Any) -> int:
    """The line of a function's `def`."""
    line: int = function.__code__.co_firstlineno
    return line


def test_a_violation_is_exported_with_the_line_that_caused_it(set_up: Callable[..., SetUp]) -> None:
    """The exporter behind the processor gets the span's own events and one for the violation."""
    ours = set_up()

    def work() -> None:
        with ours.tracer.start_as_current_span("work") as span:
            span.add_event("mine")
            span.set_attribute("quality.coverage_percent", 120)

    work()

    mine, violation = ours.span.events
    assert mine.name == "mine"
    assert violation.name == "agenttrace.contract.violation"
    assert violation.timestamp == ours.span.end_time
    assert dict(violation.attributes or {}) == {
        "agenttrace.contract.attribute": "quality.coverage_percent",
        "agenttrace.contract.rule": "range",
        "agenttrace.contract.message": "quality.coverage_percent is 120; expected 0 to 100",
        "code.file.path": __file__,
        "code.line.number": first_line(work) + 3,
        "code.function.name": work.__code__.co_qualname if hasattr(work.__code__, "co_qualname") else "work",
    }


def test_what_is_missing_is_blamed_on_the_start_of_the_span(set_up: Callable[..., SetUp]) -> None:
    """No line set what is not there; the span was started somewhere."""
    ours = set_up()

    def work() -> None:
        ours.tracer.start_span("work", attributes={"task.status": "completed"}).end()

    work()

    lines = {event.attributes["code.line.number"] for event in ours.span.events if event.attributes}
    assert lines == {first_line(work) + 1}


def test_violations_are_counted_by_rule(set_up: Callable[..., SetUp]) -> None:
    """An operator can see how much is wrong without reading spans."""
    ours = set_up()
    ours.tracer.start_span("a", attributes={"task.status": "done"}).end()
    ours.tracer.start_span("b", attributes={"task.phse": 1}).end()

    assert ours.processor.violation_counts == {"required": 3, "enum": 1, "unknown": 1}


def test_a_span_that_keeps_the_contract_is_handed_on_as_it_is(set_up: Callable[..., SetUp]) -> None:
    """Nothing is rebuilt without need."""
    ours = set_up()
    ours.tracer.start_span("fine", attributes={"session.id": "s"}).end()

    assert type(ours.span).__module__.startswith("opentelemetry.")


def test_mode_off_looks_at_nothing(set_up: Callable[..., SetUp]) -> None:
    """Spans pass unseen."""
    ours = set_up("off")
    span = ours.tracer.start_span("work", attributes={"task.phse": 1})
    check_before_end(span)
    span.end()

    assert ours.span.events == ()
    assert ours.processor.violation_counts == {}


def test_another_mode_is_refused() -> None:
    """The error names the setting and what it accepts."""
    with pytest.raises(ConfigError, match="mode='strict' is not accepted; expected one of off, observe, enforce"):
        ContractSpanProcessor(SimpleSpanProcessor(InMemorySpanExporter()), CONTRACT, "strict")  # type: ignore[arg-type]


def test_enforce_raises_for_helpers_that_ask(set_up: Callable[..., SetUp]) -> None:
    """A helper asks before it ends a span, and gets an error with every violation and its line."""
    ours = set_up("enforce")

    def work() -> None:
        span = ours.tracer.start_span("work", attributes={"task.status": "blocked"})
        span.set_attribute("task.phase", "LUNCH")
        check_before_end(span)

    with pytest.raises(ContractError) as caught:
        work()

    assert [(item.attribute, item.rule) for item in caught.value.violations] == [
        ("project.id", "required"),
        ("task.id", "required"),
        ("task.phase", "enum"),
        ("task.blocked_reason", "required"),
        ("task.next_action", "required"),
    ]
    assert caught.value.violations[2].line_number == first_line(work) + 2
    place = f"({__file__}:{first_line(work) + 1})"
    assert str(caught.value) == f"project.id is missing: required on every task span {place}, and 4 more"


def test_enforce_lets_good_spans_and_other_peoples_spans_be(set_up: Callable[..., SetUp]) -> None:
    """Nothing is raised where the contract is kept, by a span that anybody else ends, or for one not recorded."""
    ours = set_up("enforce")
    good = ours.tracer.start_span("good", attributes={"session.id": "s"})
    check_before_end(good)
    good.end()
    ours.tracer.start_span("theirs", attributes={"task.phse": 1}).end()

    check_before_end(NonRecordingSpan(SpanContext(1, 1, is_remote=False)))
    check_before_end(set_up("observe").tracer.start_span("observed", attributes={"task.phse": 1}))


def test_a_fault_of_ours_costs_the_check_and_not_the_span(
    set_up: Callable[..., SetUp], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong in the check, the span goes on and the fault is counted."""
    ours = set_up()
    monkeypatch.setattr(Contract, "check", lambda *_: 1 / 0)
    before = fault_counts["check a span against the contract"]

    ours.tracer.start_span("work", attributes={"task.phse": 1}).end()

    assert ours.span.name == "work"
    assert fault_counts["check a span against the contract"] == before + 1


def test_the_processor_passes_on_what_it_is_told() -> None:
    """Starts, flushes and shutdowns reach the processor behind it."""
    told: list[str] = []

    class Next(SpanProcessor):
        def on_start(self, span: object, parent_context: object = None) -> None:
            del span, parent_context
            told.append("start")

        def shutdown(self) -> None:
            told.append("shutdown")

        def force_flush(self, timeout_millis: int = 30000) -> bool:
            told.append(f"flush {timeout_millis}")
            return False

    processor = ContractSpanProcessor(Next(), CONTRACT)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    provider.get_tracer("tests").start_span("s").end()
    assert processor.force_flush(5) is False
    provider.shutdown()

    assert told == ["start", "flush 5", "shutdown"]
