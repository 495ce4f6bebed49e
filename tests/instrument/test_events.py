"""`agent_event` and `get_current_trace_id`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, get_args

import pytest

from otel_agenttrace.instrument.context import TraceContext
from otel_agenttrace.instrument.events import agent_event, get_current_trace_id
from otel_agenttrace.model.kinds import AgentEventType

if TYPE_CHECKING:
    from tests.instrument.conftest import Recorded


def test_an_event_is_added_to_the_current_span(recorded: Recorded) -> None:
    """Fields of an agent event get their attributes, whatever else is said goes into the data."""
    with TraceContext("root"):
        agent_event(
            "tool_result",
            {"tool": "search"},
            result=[1, {"deep": object}],
            duration_ms=12.5,
            input_tokens=3,
            output_tokens=4,
            model_used="m",
            provider_used="p",
            estimated_cost_usd=0.1,
            raw_input="in",
            raw_output="out",
            session_id="s",
        )

    (event,) = recorded.span("root").events
    assert event.name == "agent.tool_result"
    assert event.attributes == {
        "agenttrace.event.data": {"tool": "search", "result": (1, {"deep": "<object>"})},
        "agenttrace.event.duration_ms": 12.5,
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 4,
        "gen_ai.response.model": "m",
        "gen_ai.provider.name": "p",
        "gen_ai.usage.cost": 0.1,
        "agenttrace.input": "in",
        "agenttrace.output": "out",
        "session.id": "s",
    }


@pytest.mark.parametrize("type_", get_args(AgentEventType))
def test_every_type_has_its_event(type_: AgentEventType, recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    """An event is named after its type, and may have nothing else to say."""
    with TraceContext("root"):
        agent_event(type_)

    assert [(event.name, dict(event.attributes or {})) for event in recorded.span("root").events] == [
        (f"agent.{type_}", {})
    ]
    assert caplog.messages == []


def test_an_unknown_type_is_recorded_with_one_warning(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    """A typing mistake does not stop an agent: the event is kept, and the known types are logged once."""
    with TraceContext("root"):
        for _ in range(3):
            agent_event("stat_change", {"state": "x"})  # type: ignore[arg-type]

    assert [event.name for event in recorded.span("root").events] == ["agent.stat_change"] * 3
    (message,) = caplog.messages
    assert "'stat_change'" in message
    assert "state_change" in message


def test_outside_of_any_span_an_event_is_passed_over(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    """Without a span that records nothing happens and nothing is raised."""
    with caplog.at_level(logging.DEBUG):
        agent_event("message", {"role": "user"})

    assert recorded.spans == []
    assert caplog.messages == []


def test_content_stays_out_when_the_standard_variable_forbids_it(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Raw input and output are content; what the event is about is not."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "NO_CONTENT")

    with TraceContext("root"):
        agent_event("message", {"role": "user"}, raw_input="in", raw_output="out")

    (event,) = recorded.span("root").events
    assert event.attributes == {"agenttrace.event.data": {"role": "user"}}


def test_the_current_trace_id_is_in_hex(recorded: Recorded) -> None:
    """Inside of a span the id is that of its trace, outside of any it is None."""
    with TraceContext("root"):
        inside = get_current_trace_id()

    assert inside == f"{recorded.span('root').context.trace_id:032x}"
    assert get_current_trace_id() is None
