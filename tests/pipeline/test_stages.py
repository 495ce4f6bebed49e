"""The span stages, and that every entrance runs the same."""

from __future__ import annotations

from otel_agenttrace import open_store
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.failures import failure_stage
from otel_agenttrace.pipeline.stages import SPAN_STAGES, staged
from otel_agenttrace.pipeline.trace_stages import judged
from otel_agenttrace.processors.intake import Intake
from otel_agenttrace.testing.spans import TRACE_ID, make_span

FAILED = make_span(status_code="ERROR", attributes={"gen_ai.operation.name": "chat"})


def test_failures_are_looked_for_last() -> None:
    """So that detection sees what the other stages have written."""
    assert SPAN_STAGES[-1] is failure_stage


def test_every_entrance_stages() -> None:
    """A span that is read and one that is handed to a store come out the same; staged ones are stored as they are."""
    with open_store("memory:") as store:
        store.write_spans([FAILED])
        (stored,) = store.spans.get_trace(TRACE_ID).spans
    with open_store("memory:") as store:
        store.write_staged([FAILED])
        (as_given,) = store.spans.get_trace(TRACE_ID).spans

    assert stored == staged(FAILED) == Intake().admitted(FAILED)
    assert stored.attributes["failure.type"] == "exception"
    assert as_given == FAILED


def test_a_verdict_is_left_as_it_was_made() -> None:
    """It tells of a trace, and no stage for spans adds to it, at any entrance."""
    verdict = judged(SpanTree([FAILED]))
    assert verdict is not None

    assert staged(verdict) is verdict
    assert Intake.from_environment().admitted(verdict) == verdict
