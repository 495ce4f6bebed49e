"""Spans of Google's Agent Development Kit."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agenttrace.model.record import ScopeRecord
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.messages import Message, TextPart, ToolCallPart
from otel_agenttrace.testing.spans import make_span

REQUEST = (
    '{"model":"gemini-2.5-flash","config":{"system_instruction":"Be brief."},'
    '"contents":[{"role":"user","parts":[{"text":"Oslo?"}]}]}'
)
RESPONSE = '{"content":{"role":"model","parts":[{"function_call":{"name":"weather","args":{"city":"Oslo"}}}]}}'


def test_a_call_of_a_model_is_known_by_its_name() -> None:
    """It names no operation; request and response are Gemini's."""
    said = canonical(
        make_span(
            name="call_llm",
            attributes={
                "gen_ai.system": "gcp.vertex.agent",
                "gen_ai.request.model": "gemini-2.5-flash",
                "gen_ai.usage.input_tokens": 131,
                "gcp.vertex.agent.session_id": "s-1",
                "gcp.vertex.agent.llm_request": REQUEST,
                "gcp.vertex.agent.llm_response": RESPONSE,
            },
        )
    )

    assert (said.dialect, said.operation, said.conversation) == ("google_adk", "generate_content", "s-1")
    assert said.is_model_call
    assert said.input_messages == (Message("system", (TextPart("Be brief."),)), Message("user", (TextPart("Oslo?"),)))
    assert said.output_messages == (Message("assistant", (ToolCallPart("", "weather", {"city": "Oslo"}),)),)


def test_older_versions_name_the_agent_in_the_spans_name() -> None:
    """Newer ones say `invoke_agent` in OTel's words."""
    said = canonical(make_span(name="agent_run [planner]", attributes={"gcp.vertex.agent.invocation_id": "i"}))

    assert (said.operation, said.agent_name) == ("invoke_agent", "planner")


def test_a_tool_call_has_arguments_and_a_response() -> None:
    """What it leaves out it writes as an empty object, which is not what a tool was given."""
    said = canonical(
        make_span(
            name="execute_tool weather",
            attributes={
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "weather",
                "gcp.vertex.agent.llm_request": "{}",
                "gcp.vertex.agent.tool_call_args": '{"city":"Oslo"}',
                "gcp.vertex.agent.tool_response": '{"temp":3}',
            },
        )
    )
    empty = canonical(make_span(attributes={"gcp.vertex.agent.tool_call_args": "{}"}))

    assert (said.input, said.output) == ({"city": "Oslo"}, {"temp": 3})
    assert empty.input is None


def test_what_was_left_out_is_no_answer() -> None:
    """A tool's span has an empty object where that of a model has its answer."""
    told = {
        "gen_ai.operation.name": "execute_tool",
        "gcp.vertex.agent.llm_request": "{}",
        "gcp.vertex.agent.llm_response": "{}",
        "gcp.vertex.agent.tool_call_args": "{}",
    }
    silent = canonical(make_span(attributes=told))
    said = canonical(make_span(attributes=told | {"gcp.vertex.agent.tool_response": '{"temp":3}'}))

    assert (silent.input, silent.output, silent.output_messages) == (None, None, ())
    assert (said.input, said.output) == ({}, {"temp": 3})


def test_openinferences_instrumentor_names_agents_as_it_does() -> None:
    """Its spans bear none of its marks but the name of the scope."""
    scope = ScopeRecord("openinference.instrumentation.google_adk")
    said = canonical(
        make_span(name="agent_run [hello_agent]", scope=scope, attributes={"openinference.span.kind": "AGENT"})
    )

    assert (said.dialect, said.operation, said.agent_name) == ("openinference", "invoke_agent", "hello_agent")


@pytest.mark.parametrize(
    "odd", [None, 5, [], "{", '{"config": 5, "contents": 3}', '{"config": {"system_instruction": 3}}']
)
def test_odd_values_are_no_harm(odd: Any) -> None:
    """Whatever an attribute holds, a span can be read."""
    names = ("llm_request", "llm_response", "tool_call_args", "tool_response", "session_id")
    said = canonical(make_span(attributes={f"gcp.vertex.agent.{name}": odd for name in names}))

    _ = said.input_messages, said.output_messages, said.input, said.output
