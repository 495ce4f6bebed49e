"""Leaving out what was said, and keeping the rest."""

from __future__ import annotations

from otel_agenttrace.model.record import EventRecord
from otel_agenttrace.pipeline.content import drop_content
from otel_agenttrace.testing.spans import START, make_span

SAID = {
    "agenttrace.input": {"date": "15/02/2026"},
    "gen_ai.input.messages": "Hello",
    "gen_ai.tool.call.arguments": "{}",
    "gen_ai.prompt.0.content": "Hello",
    "input.value": "Hello",
    "llm.output_messages.0.message.content": "Hi",
    "request": "{}",
    "request_data": "{}",
    "response": "{}",
    "response_data": "{}",
}
KEPT = {
    "gen_ai.request.model": "gpt",
    "gen_ai.output.type": "text",
    "gen_ai.usage.input_tokens": 3,
    "task.id": "T-1",
    "error.type": "timeout",
}


def test_messages_arguments_and_results_go_and_the_rest_stays() -> None:
    """What was said is left out on the span and on its events, in whatever family's words."""
    event = EventRecord("agent.message", START, {"agenttrace.input": "Hello", "session.id": "s-1"})
    record = drop_content(make_span(attributes=SAID | KEPT, events=(event,)))

    assert record.attributes == KEPT
    assert record.events == (EventRecord("agent.message", START, {"session.id": "s-1"}),)


def test_doing_it_twice_changes_nothing() -> None:
    """Stages may run again over what they have made."""
    once = drop_content(make_span(attributes=SAID | KEPT))

    assert drop_content(once) == once
