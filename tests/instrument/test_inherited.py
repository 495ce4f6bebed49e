"""Attributes that travel in the OTel Context."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.context import Context

from otel_agenttrace.instrument.inherited import attach_inherited, current_inherited, with_inherited

if TYPE_CHECKING:
    from tests.instrument.conftest import Recorded


def test_nothing_is_inherited_from_an_empty_context() -> None:
    """Where nothing was attached, nothing is inherited."""
    assert current_inherited(Context()) == {}


def test_only_what_can_be_inherited_is() -> None:
    """The task, its phase, its project, the session and the user are inherited; a task's status never is."""
    values = {
        "project.id": "p",
        "task.id": "t",
        "task.phase": "OTHER",
        "session.id": "s",
        "user.id": "u",
        "task.status": "completed",
        "task.blocked_reason": "r",
        "custom": "c",
    }

    inherited = current_inherited(with_inherited(values))

    assert inherited == {key: values[key] for key in ("project.id", "task.id", "task.phase", "session.id", "user.id")}


def test_a_value_set_further_down_replaces_one_from_above() -> None:
    """Of two values for one name the later one is inherited, the rest is kept, and None takes a value away."""
    outer = with_inherited({"session.id": "s1", "user.id": "u"})
    inner = with_inherited({"session.id": "s2"}, outer)

    assert current_inherited(inner) == {"session.id": "s2", "user.id": "u"}
    assert current_inherited(with_inherited({"session.id": None}, inner)) == {"user.id": "u"}
    assert current_inherited(outer) == {"session.id": "s1", "user.id": "u"}


def test_the_parents_own_attributes_are_inherited(recorded: Recorded) -> None:
    """What a recorded parent says of itself goes before what was set in the context above it."""
    above = with_inherited({"task.id": "above", "session.id": "s"})
    parent = recorded.tracer.start_span("parent", above, attributes={"task.id": "own", "task.status": "in_progress"})

    assert current_inherited(trace.set_span_in_context(parent, above)) == {"task.id": "own", "session.id": "s"}
    parent.end()


def test_what_is_set_below_a_span_goes_before_its_attributes(recorded: Recorded) -> None:
    """A value attached while a span is current holds for the span's children, whatever the span itself says."""
    parent = recorded.tracer.start_span("parent", attributes={"session.id": "before"})
    below = with_inherited({"session.id": "since"}, trace.set_span_in_context(parent))

    assert current_inherited(below) == {"session.id": "since"}
    child = recorded.tracer.start_span("child", below, attributes={"session.id": "child's"})
    assert current_inherited(trace.set_span_in_context(child, below)) == {"session.id": "child's"}
    child.end()
    parent.end()


def test_attached_values_go_when_they_are_detached() -> None:
    """What `attach_inherited` gives to the API's `detach` undoes it."""
    token = attach_inherited({"session.id": "s"})
    assert current_inherited() == {"session.id": "s"}

    context_api.detach(token)

    assert current_inherited() == {}


@pytest.mark.parametrize("span", [trace.INVALID_SPAN, trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=True))])
def test_a_parent_that_cannot_be_read_adds_nothing(span: trace.Span) -> None:
    """A remote or unsampled parent has no attributes here; the context's values are inherited all the same."""
    context = trace.set_span_in_context(span, with_inherited({"session.id": "s"}))

    assert current_inherited(context) == {"session.id": "s"}
