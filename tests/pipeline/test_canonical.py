"""What a span says about models, tools and agents."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from otel_agenttrace.model.record import EventRecord, SpanRecord
from otel_agenttrace.pipeline.canonical import Canonical, agent_name_of, canonical
from otel_agenttrace.testing.spans import make_span
from otel_agenttrace.testing.strategies import span_records


def _said(**attributes: Any) -> Canonical:
    return canonical(make_span(attributes={name.replace("__", "."): value for name, value in attributes.items()}))


def test_a_span_that_says_nothing_has_no_fields() -> None:
    """What is absent is None, not a guess."""
    assert _said() == Canonical()
    assert (_said().input, _said().output) == (None, None)


def test_the_names_of_the_genai_conventions_are_read() -> None:
    """A model call as the current conventions write it."""
    said = canonical(
        make_span(
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-5-mini",
                "gen_ai.response.model": "gpt-5-mini-2025-08-07",
                "gen_ai.usage.input_tokens": 77,
                "gen_ai.usage.output_tokens": 86,
                "gen_ai.usage.cost": 0.0031,
                "gen_ai.agent.name": "booking",
                "gen_ai.input.messages": [{"role": "user"}],
                "gen_ai.output.messages": '[{"role":"assistant"}]',
            }
        )
    )

    assert said == Canonical(
        dialect="otel_genai",
        operation="chat",
        request_model="gpt-5-mini",
        response_model="gpt-5-mini-2025-08-07",
        provider="openai",
        agent_name="booking",
        input_tokens=77,
        output_tokens=86,
        cost_usd=0.0031,
        reported_cost_usd=0.0031,
    )
    assert said.model == "gpt-5-mini-2025-08-07"
    assert (said.input, said.output) == ([{"role": "user"}], [{"role": "assistant"}])
    assert (said.is_model_call, said.is_tool_call) == (True, False)


def test_the_names_that_were_used_before_are_read() -> None:
    """A recording of last year, and the events that held its content."""
    events = (
        EventRecord("gen_ai.content.prompt", 1, {"gen_ai.prompt": "hello"}),
        EventRecord("gen_ai.content.completion", 2, {"gen_ai.completion": "hi"}),
    )
    old = {
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.prompt_tokens": 5,
        "gen_ai.usage.completion_tokens": 6,
    }
    said = canonical(make_span(attributes=old, events=events))

    assert (said.provider, said.model, said.input_tokens, said.output_tokens) == ("openai", "gpt-4o", 5, 6)
    assert (said.input, said.output) == ("hello", "hi")
    assert said.is_model_call


def test_a_tool_call_is_known_by_its_operation_or_its_tool() -> None:
    """MCP's call of a tool as well."""
    said = _said(
        gen_ai__tool__name="search", gen_ai__tool__call__arguments='{"q": 1}', gen_ai__tool__call__result="none"
    )

    assert (said.operation, said.tool_name, said.input, said.output) == ("execute_tool", "search", {"q": 1}, "none")
    assert said.is_tool_call
    assert _said(mcp__method__name="tools/call").is_tool_call
    assert _said(gen_ai__operation__name="invoke_agent", gen_ai__tool__name="x").operation == "invoke_agent"


def test_what_traced_span_records_is_input_and_output() -> None:
    """Functions that are no tool have arguments and results too."""
    said = _said(agenttrace__input={"day": "15/02/2026"}, agenttrace__output=[1, 2])

    assert (said.input, said.output) == ({"day": "15/02/2026"}, [1, 2])


@pytest.mark.parametrize(
    ("operation", "is_model_call"),
    [("chat", True), ("embeddings", True), ("invoke_agent", False), ("execute_tool", False), ("call_llm", True)],
)
def test_an_operation_of_an_unknown_name_is_a_model_call_if_it_used_tokens(operation: str, is_model_call: bool) -> None:
    """Emitters invent names; an agent or a tool that reports tokens is none all the same."""
    said = _said(gen_ai__operation__name=operation, gen_ai__request__model="m", gen_ai__usage__input_tokens=1)

    assert said.is_model_call is is_model_call
    assert not _said(gen_ai__request__model="m").is_model_call
    assert not _said(gen_ai__usage__input_tokens=1).is_model_call


def test_a_model_call_that_does_not_say_what_it_does_is_a_chat() -> None:
    """A model and tokens are enough; a model alone is not, for agents and tools have one too."""
    assert _said(gen_ai__request__model="m", gen_ai__usage__output_tokens=1).operation == "chat"
    assert _said(gen_ai__request__model="m").operation is None
    assert _said(gen_ai__usage__input_tokens=1).operation is None


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.usage.cache_read_input_tokens": 200, "gen_ai.usage.total_tokens": 430},
        {"gen_ai.usage.cache_read_input_tokens": 200, "llm.usage.total_tokens": 430},
        {"llm.token_count.prompt_details.cache_read": 200, "llm.token_count.total": 430},
    ],
)
def test_cached_tokens_are_input_in_every_dialect(attributes: dict[str, Any]) -> None:
    """The total shows that they stand beside the others."""
    counts = {"gen_ai.usage.input_tokens": 200, "gen_ai.usage.output_tokens": 30}

    assert canonical(make_span(attributes=counts | attributes)).input_tokens == 400


def test_usage_is_read_out_of_the_response_that_a_span_holds() -> None:
    """Logfire has Anthropic's cached tokens, and ADK Gemini's, nowhere else; both stand beside the counts."""
    counts = {"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 5000, "gen_ai.usage.output_tokens": 60}
    usage = '{"input_tokens": 5000, "cache_read_input_tokens": 1000, "cache_creation_input_tokens": 2000}'
    response = '{"thoughts_token_count": 50, "cached_content_token_count": 10, "total_token_count": 5110}'
    of_logfire = canonical(make_span(attributes=counts | {"logfire.msg": "", "response_data": f'{{"usage": {usage}}}'}))
    of_adk = canonical(make_span(attributes=counts | {"gcp.vertex.agent.llm_response": response}))

    assert (of_logfire.input_tokens, of_logfire.cache_read_tokens, of_logfire.cache_write_tokens) == (8000, 1000, 2000)
    assert (of_adk.input_tokens, of_adk.output_tokens) == (5000, 110)
    assert (of_adk.cache_read_tokens, of_adk.reasoning_tokens) == (10, 50)


@pytest.mark.parametrize(("tokens", "expected"), [("12", 12), ("1e2", 100), (3.0, 3), ("0.5", 0), (0, 0)])
def test_a_number_may_be_written_as_text(tokens: Any, expected: int) -> None:
    """As back ends leave it that keep all attributes as text."""
    assert _said(gen_ai__usage__input_tokens=tokens).input_tokens == expected


@pytest.mark.parametrize(
    "tokens", ["12 tokens", "nan", "9e999", "", True, -1, float("nan"), float("inf"), 10**30, None, [1]]
)
def test_a_value_of_a_wrong_type_counts_as_absent(tokens: Any) -> None:
    """Totals are not spoilt by one odd emitter."""
    assert _said(gen_ai__usage__input_tokens=tokens).input_tokens is None
    assert _said(gen_ai__usage__input_tokens=tokens, gen_ai__usage__prompt_tokens=3.0).input_tokens == 3
    assert _said(gen_ai__agent__name=["x"], gen_ai__request__model="").model is None


@pytest.mark.parametrize("text", ["{broken", "[1", " plain", "", "5", "true"])
def test_text_that_is_no_json_object_stays_text(text: str) -> None:
    """A message may start like JSON and be none."""
    assert _said(gen_ai__input__messages=text).input == text


@given(span_records)
def test_no_span_is_too_odd_to_be_read(record: SpanRecord) -> None:
    """Whatever a span holds, its fields can be asked for."""
    said = canonical(record)

    assert said.agent_name == agent_name_of(record)
    _ = said.input, said.output, said.is_model_call
