"""What a span takes over from the one above it, whoever starts it."""

from __future__ import annotations

import threading
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import baggage, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from otel_agenttrace.processors.inherit import InheritingSpanProcessor

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

TASK = {"task.id": "T-1", "task.phase": "TEST_VALIDATE", "session.id": "s-1", "task.status": "in_progress"}


class _Setup:
    def __init__(self, project: str | None = None) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(InheritingSpanProcessor(project))
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer: Tracer = provider.get_tracer("theirs")

    def attributes(self, name: str) -> dict[str, Any]:
        (span,) = [span for span in self.exporter.get_finished_spans() if span.name == name]
        return dict(span.attributes or {})


@pytest.fixture
def setup() -> _Setup:
    """A provider of somebody else's, with our processor and an exporter."""
    return _Setup()


def test_descendants_inherit_task_phase_and_session(setup: _Setup) -> None:
    """A span below a task can be asked for by task and phase, at any depth, and is no task itself."""
    with (
        setup.tracer.start_as_current_span("task", attributes=TASK),
        setup.tracer.start_as_current_span("step"),
        setup.tracer.start_as_current_span("call"),
    ):
        pass

    expected = {"task.id": "T-1", "task.phase": "TEST_VALIDATE", "session.id": "s-1"}
    assert setup.attributes("step") == expected
    assert setup.attributes("call") == expected


def test_a_span_keeps_its_own(setup: _Setup) -> None:
    """What a span sets itself is never overwritten."""
    with setup.tracer.start_as_current_span("task", attributes=TASK):
        setup.tracer.start_span("child", attributes={"task.id": "T-2"}).end()

    assert setup.attributes("child")["task.id"] == "T-2"
    assert setup.attributes("child")["task.phase"] == "TEST_VALIDATE"


def test_what_is_set_later_reaches_later_children(setup: _Setup) -> None:
    """A span that learns its task after it has started passes it on to the children it starts from then on."""
    with setup.tracer.start_as_current_span("task") as task:
        setup.tracer.start_span("before").end()
        task.set_attribute("task.id", "T-1")
        setup.tracer.start_span("after").end()

    assert setup.attributes("before") == {}
    assert setup.attributes("after") == {"task.id": "T-1"}


def test_blocked_attributes_stay_where_they_are(setup: _Setup) -> None:
    """Why a task is blocked is no property of what runs within it."""
    blocked = {"task.blocked_reason": "stale input", "task.blocked_on_span_id": "T-0", "task.next_action": "export"}
    with setup.tracer.start_as_current_span("task", attributes=TASK | blocked):
        setup.tracer.start_span("child").end()

    assert not blocked.keys() & setup.attributes("child").keys()


def test_nothing_is_taken_from_outside(setup: _Setup) -> None:
    """Baggage and remote parents decide nothing: what comes over the wire is not trusted with tasks."""
    remote = NonRecordingSpan(SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1)))
    context = baggage.set_baggage("task.id", "T-9", trace.set_span_in_context(remote))
    setup.tracer.start_span("served", context).end()

    assert setup.attributes("served") == {}


def test_a_copied_context_carries_it_into_a_thread(setup: _Setup) -> None:
    """Work handed to a thread with its context belongs to the task that handed it over."""
    with setup.tracer.start_as_current_span("task", attributes=TASK):
        context = copy_context()
        thread = threading.Thread(target=lambda: context.run(lambda: setup.tracer.start_span("work").end()))
        thread.start()
        thread.join()

    assert setup.attributes("work")["task.id"] == "T-1"


def test_the_project_is_for_tasks_and_their_parts() -> None:
    """Spans of a task get the project unless they have or inherit one; other spans do not."""
    setup = _Setup("travel")
    setup.tracer.start_span("plain").end()
    with setup.tracer.start_as_current_span("task", attributes=TASK):
        setup.tracer.start_span("child").end()
    with setup.tracer.start_as_current_span("own", attributes=TASK | {"project.id": "other"}):
        setup.tracer.start_span("grandchild").end()

    projects = {name: setup.attributes(name).get("project.id") for name in ("plain", "task", "child", "grandchild")}
    assert projects == {"plain": None, "task": "travel", "child": "travel", "grandchild": "other"}
