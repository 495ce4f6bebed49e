"""Spans of AG2."""

from __future__ import annotations

import pytest

from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.testing.spans import make_span


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        ("llm", "chat"),
        ("agent", "invoke_agent"),
        ("tool", "execute_tool"),
        ("conversation", "invoke_workflow"),
        ("speaker_selection", None),
    ],
)
def test_the_kind_of_a_span_is_its_operation(kind: str, operation: str | None) -> None:
    """Where it names none in OTel's words, which come first."""
    said = canonical(make_span(attributes={"ag2.span.type": kind, "ag2.agent.name": "planner"}))
    named = canonical(make_span(attributes={"ag2.span.type": kind, "gen_ai.operation.name": "plan"}))

    assert (said.dialect, said.operation, said.agent_name) == ("ag2", operation, "planner")
    assert named.operation == "plan"
