"""Where spans are started and attributes are set, in real code with the real SDK."""

from __future__ import annotations

import gc
import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

from otel_agenttrace.instrument.faults import fault_counts
from otel_agenttrace.processors.locations import NO_LOCATIONS, Locations, OpenSpans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span
    from opentelemetry.trace import Tracer


class Follower(SpanProcessor):
    """Follows every span and keeps what was noted."""

    def __init__(self, max_open: int = 100) -> None:
        self.open_spans = OpenSpans(lambda name: name.startswith("task."), max_open)
        self.noted: dict[str, Locations] = {}

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Start following."""
        del parent_context
        self.open_spans.start(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Stop following."""
        self.noted[span.name] = self.open_spans.end(span)

    def line(self, name: str, attribute: str) -> int | None:
        """The line noted for an attribute of a span."""
        location = self.noted[name].of(attribute)
        assert location is not None
        assert location.file_path == __file__
        return location.line_number


@pytest.fixture
def follower() -> Follower:
    """A processor that has seen no span yet."""
    return Follower()


@pytest.fixture
def tracer(follower: Follower) -> Iterator[Tracer]:
    """A real tracer whose spans are followed."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(follower)
    yield provider.get_tracer("tests")
    provider.shutdown()


def first_line(function: Any) -> int:
    """The line of a function's `def`."""
    line: int = function.__code__.co_firstlineno
    return line


def test_each_way_to_set_an_attribute_is_noted(tracer: Tracer, follower: Follower) -> None:
    """The line that set an attribute last counts, whichever method it called."""

    def work() -> None:
        with tracer.start_as_current_span("s", attributes={"task.a": 1, "task.b": 1}) as span:
            span.set_attribute("task.b", 2)
            span.set_attributes({"task.c": 3, "other": 4})
            span.set_attribute(key="task.d", value=4)
            span.set_attribute("task.d", 5)

    work()

    start = first_line(work)
    lines = {name: follower.line("s", f"task.{name}") for name in "abcde"}
    assert lines == {"a": start + 1, "b": start + 2, "c": start + 3, "d": start + 5, "e": start + 1}
    location = follower.noted["s"].of("task.b")
    assert location is not None
    assert location.function_name.endswith("work")


def test_the_attributes_themselves_arrive(tracer: Tracer) -> None:
    """Noting changes nothing about the span."""
    span = tracer.start_span("s", attributes={"task.a": 1})
    span.set_attribute("task.b", 2)
    span.set_attributes({"task.c": 3})
    assert dict(span.attributes) == {"task.a": 1, "task.b": 2, "task.c": 3}  # type: ignore[attr-defined]
    span.end()


def test_a_span_started_without_a_with_block_is_located(tracer: Tracer, follower: Follower) -> None:
    """`start_span` and `start_as_current_span` have different frames between them and the caller."""

    def work() -> None:
        tracer.start_span("s").end()

    work()

    assert follower.line("s", "task.missing") == first_line(work) + 1


def test_helpers_of_context_managers_are_looked_through(tracer: Tracer, follower: Follower) -> None:
    """The caller's line counts, not that of contextlib; a helper in the caller's own code is the caller's code."""

    @contextmanager
    def helper() -> Iterator[None]:
        with tracer.start_as_current_span("s"):
            yield

    with helper():
        pass

    assert follower.line("s", "task.missing") == first_line(helper.__wrapped__) + 2  # type: ignore[attr-defined]


def test_attributes_set_from_another_thread_are_located(tracer: Tracer, follower: Follower) -> None:
    """The line is the other thread's."""

    def work() -> None:
        span.set_attribute("task.a", 1)

    span = tracer.start_span("s")
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    span.end()

    assert follower.line("s", "task.a") == first_line(work) + 1


def test_a_span_that_ended_has_its_own_methods_back(tracer: Tracer) -> None:
    """Nothing of ours stays on a span, and no reference cycle keeps it."""
    span = tracer.start_span("s")
    assert "set_attribute" in vars(span)
    span.end()
    assert "set_attribute" not in vars(span)
    assert "set_attributes" not in vars(span)

    gc.disable()
    try:
        kept = weakref.ref(span)
        del span
        assert kept() is None
    finally:
        gc.enable()


def test_a_span_that_never_ends_is_not_kept(tracer: Tracer, follower: Follower) -> None:
    """The table of open spans holds what was noted, not the span."""
    kept = weakref.ref(tracer.start_span("lost"))
    gc.collect()

    assert kept() is None
    assert len(follower.open_spans._open) == 1


def test_the_table_of_open_spans_is_bounded(tracer: Tracer, follower: Follower) -> None:
    """Beyond the bound the older half is forgotten and counted; those spans have no location and their methods back."""
    spans = [tracer.start_span(f"s{number}") for number in range(150)]

    assert len(follower.open_spans._open) <= 100
    assert follower.open_spans.forgotten == 51
    assert "set_attribute" not in vars(spans[0])
    for span in spans:
        span.end()
    assert follower.noted["s0"] is NO_LOCATIONS
    assert follower.noted["s149"].of("task.a") is not None


def test_two_followers_of_one_span_do_not_disturb_each_other(follower: Follower) -> None:
    """Two processors of ours on one provider both get their notes, and the span its methods back."""
    other = Follower()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(follower)
    provider.add_span_processor(other)
    span = provider.get_tracer("tests").start_span("s")
    span.set_attribute("task.a", 1)
    span.end()
    provider.shutdown()

    assert follower.line("s", "task.a") == other.line("s", "task.a")


def test_the_sdk_answers_to_wrong_keys_as_ever(tracer: Tracer, follower: Follower) -> None:
    """A key that is no text is the SDK's business; noting adds no exception of its own."""
    faults = dict(fault_counts)
    span = tracer.start_span("s")
    span.set_attribute(5, 1)  # type: ignore[arg-type]
    span.set_attribute("", 1)
    span.set_attribute("task." + "x" * 10_000, 1)
    span.end()

    assert dict(fault_counts) == faults
    assert follower.noted["s"].notes == {}


def test_names_are_sorted_out_once(tracer: Tracer) -> None:
    """Ever new attribute names do not pile up."""
    follower = Follower()
    span = tracer.start_span("s")
    follower.open_spans.start(span)  # type: ignore[arg-type]
    for number in range(6000):
        span.set_attribute(f"x{number}", 1)

    assert len(follower.open_spans._subjects) <= 4096
    span.end()
