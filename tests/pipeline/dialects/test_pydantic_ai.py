"""Spans of Pydantic AI, in the formats of its several versions."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agenttrace.model.record import ScopeRecord
from otel_agenttrace.pipeline.canonical import Canonical, canonical
from otel_agenttrace.pipeline.messages import Message, TextPart, ToolCallPart
from otel_agenttrace.pipeline.normalize import normalize
from otel_agenttrace.testing.spans import make_span

RUN = {
    "model_name": "gpt-4o-mini",
    "agent_name": "joker",
    "final_result": "Too many bugs!",
    "gen_ai.usage.input_tokens": 502,
    "gen_ai.usage.output_tokens": 14,
    "logfire.msg": "joker run",
}


def _said(attributes: dict[str, Any]) -> Canonical:
    return canonical(make_span(attributes=attributes, scope=ScopeRecord("pydantic-ai")))


def test_the_run_of_an_agent_is_no_model_call() -> None:
    """Before version 1.0 it named no operation, but a model and what all its calls used."""
    said = _said(RUN)

    assert (said.dialect, said.operation, said.agent_name) == ("pydantic_ai", "invoke_agent", "joker")
    assert (said.model, said.input_tokens, said.output_tokens) == ("gpt-4o-mini", 502, 14)
    assert not said.is_model_call
    assert [message.text for message in said.output_messages] == ["Too many bugs!"]


def test_what_a_run_used_in_all_is_not_written_as_usage() -> None:
    """The emitter calls it aggregated, so that nobody sums it up with that of the calls."""
    run = make_span(attributes={"agent_name": "joker", "gen_ai.aggregated_usage.input_tokens": 309})

    assert canonical(run).input_tokens == 309
    assert "gen_ai.usage.input_tokens" not in normalize(run).attributes


def test_all_messages_of_a_run_are_its_input_and_its_answer() -> None:
    """The last message is the answer; instructions come first where they stand apart."""
    messages = (
        '[{"role":"user","parts":[{"type":"text","content":"A joke?"}]},'
        '{"role":"assistant","parts":[{"type":"text","content":"Bugs!"}],"finish_reason":"stop"}]'
    )
    instructions = '[{"type":"text","content":"Be funny."}]'
    said = _said({**RUN, "pydantic_ai.all_messages": messages, "gen_ai.system_instructions": instructions})

    assert said.input_messages == (
        Message("system", (TextPart("Be funny."),)),
        Message("user", (TextPart("A joke?"),)),
    )
    assert said.output_messages == (Message("assistant", (TextPart("Bugs!"),), "stop"),)


def test_the_events_of_version_1_are_messages() -> None:
    """A list of events in JSON; a choice is the answer."""
    events = (
        '[{"event.name":"gen_ai.system.message","content":"Be brief.","role":"system"},'
        '{"event.name":"gen_ai.user.message","content":"Oslo?","role":"user"},'
        '{"event.name":"gen_ai.choice","index":0,"message":{"role":"assistant","tool_calls":'
        '[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{}"}}]}}]'
    )
    said = _said({"gen_ai.operation.name": "chat", "events": events, "logfire.msg": "chat gpt"})

    assert [message.role for message in said.input_messages] == ["system", "user"]
    assert said.output_messages == (Message("assistant", (ToolCallPart("c1", "weather", {}),)),)


def test_a_tool_call_and_the_cost_of_a_call_are_read() -> None:
    """Under its own names, beside OTel's."""
    tool = _said({"gen_ai.tool.name": "pun", "tool_arguments": '{"topic":"bugs"}', "tool_response": "Idea."})
    call = _said({"gen_ai.operation.name": "chat", "operation.cost": 0.0000837, "logfire.msg": "chat gpt"})

    assert (tool.operation, tool.input, tool.output) == ("execute_tool", {"topic": "bugs"}, "Idea.")
    assert call.reported_cost_usd == 0.0000837


def test_cached_and_reasoning_tokens_stand_among_the_details() -> None:
    """Of one call, or of all calls of a run."""
    details = {"details.cache_read_tokens": 64, "details.cache_write_tokens": 10, "details.reasoning_tokens": 8}
    call = _said({"logfire.msg": "chat", **{f"gen_ai.usage.{name}": value for name, value in details.items()}})
    run = _said({**RUN, **{f"gen_ai.aggregated_usage.{name}": value for name, value in details.items()}})

    for said in (call, run):
        assert (said.cache_read_tokens, said.cache_write_tokens, said.reasoning_tokens) == (64, 10, 8)


def test_the_tools_of_a_request_are_read() -> None:
    """Functions and the tools that end a run."""
    request = {"function_tools": [{"name": "pun", "parameters_json_schema": {"type": "object"}}], "output_tools": None}

    definitions = _said({"model_request_parameters": request}).tool_definitions

    assert definitions == [
        {"name": "pun", "parameters_json_schema": {"type": "object"}, "parameters": {"type": "object"}}
    ]


@pytest.mark.parametrize("odd", [None, 5, [], [5], {"a": []}, "[", "[5]", '{"function_tools": 3}', b"x"])
def test_odd_values_are_no_harm(odd: Any) -> None:
    """Whatever an attribute holds, a span can be read."""
    names = ("pydantic_ai.all_messages", "events", "model_request_parameters", "final_result", "all_messages_events")
    said = _said(dict.fromkeys(names, odd))

    _ = said.input_messages, said.output_messages, said.tool_definitions, said.output
