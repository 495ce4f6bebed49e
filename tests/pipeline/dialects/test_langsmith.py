"""Spans of LangSmith's SDK, from its published attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.model.record import ScopeRecord
from otel_agenttrace.pipeline.canonical import Canonical, canonical
from otel_agenttrace.pipeline.messages import Message, TextPart, ToolCallPart
from otel_agenttrace.pipeline.normalize import normalize
from otel_agenttrace.testing.spans import make_span
from otel_agenttrace.testing.strategies import any_values

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue


def _said(kind: str, attributes: dict[str, Any], name: str = "run") -> Canonical:
    return canonical(make_span(name=name, attributes={"langsmith.span.kind": kind, **attributes}))


@pytest.mark.parametrize(
    ("kind", "told", "operation"),
    [
        ("llm", "chat", "chat"),
        ("tool", "execute_tool", "execute_tool"),
        ("retriever", "embeddings", "retrieval"),
        ("embedding", "embeddings", "embeddings"),
        ("prompt", "chat", "prompt"),
        ("chain", "chain", "invoke_workflow"),
        ("parser", "parser", "parser"),
    ],
)
def test_the_kind_of_a_run_says_more_than_the_operation_beside_it(kind: str, told: str, operation: str) -> None:
    """The SDK calls the rendering of a template a chat."""
    said = _said(kind, {"gen_ai.operation.name": told})

    assert (said.dialect, said.operation) == ("langsmith", operation)
    assert said.is_model_call is (operation in ("chat", "embeddings"))


def test_a_chain_that_repeats_tokens_is_no_model_call() -> None:
    """The SDK finds them in the outputs of every run around the model's."""
    told = {"gen_ai.operation.name": "chain", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 131}

    assert not _said("chain", told).is_model_call


def test_a_model_call_has_what_otel_and_langchain_say() -> None:
    """The details of the tokens are what Python writes of a mapping."""
    said = _said(
        "llm",
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "langchain",
            "gen_ai.usage.input_tokens": 178,
            "gen_ai.usage.output_tokens": 23,
            "gen_ai.usage.input_token_details": "{'audio': 0, 'cache_read': 128, 'cache_creation': 7}",
            "gen_ai.usage.output_token_details": "{'reasoning': 8}",
            "gen_ai.completion": '{"generations": [[{"message": {"response_metadata": {"model_name": "llama-4-x"}}}]]}',
            "langsmith.metadata.ls_provider": "groq",
            "langsmith.metadata.ls_model_name": "llama-4",
        },
    )

    assert (said.provider, said.request_model, said.response_model) == ("groq", "llama-4", "llama-4-x")
    assert (said.input_tokens, said.output_tokens) == (178, 23)
    assert (said.cache_read_tokens, said.cache_write_tokens, said.reasoning_tokens) == (128, 7, 8)


def test_otels_name_of_a_model_comes_before_that_of_langchain() -> None:
    """It is the one of the request itself."""
    told = {"gen_ai.request.model": "a", "gen_ai.response.model": "b", "langsmith.metadata.ls_model_name": "c"}

    assert (_said("llm", told).request_model, _said("llm", told).response_model) == ("a", "b")


def test_usage_may_stand_in_the_metadata() -> None:
    """As JSON."""
    usage = (
        '{"input_tokens":131,"input_token_details":{"audio":0,"cache_read":64},"output_token_details":{"reasoning":4}}'
    )
    said = _said("llm", {"langsmith.metadata.usage_metadata": usage})

    assert (said.cache_read_tokens, said.reasoning_tokens) == (64, 4)


@pytest.mark.parametrize(
    ("told", "reasons"),
    [
        ({"gen_ai.response.finish_reasons": "stop, length"}, ("stop", "length")),
        ({"gen_ai.response.finish_reasons": ["stop"]}, ("stop",)),
        ({"gen_ai.response.finish_reasons": '["stop"]'}, ("stop",)),
        ({"gen_ai.completion": '{"generations":[[{"generation_info":{"finish_reason":"length"}}]]}'}, ("length",)),
        ({}, ()),
    ],
)
def test_why_a_model_stopped_is_told_in_a_text_or_in_the_answer(told: dict[str, Any], reasons: tuple[str, ...]) -> None:
    """The SDK joins several reasons, and writes none for models of LangChain's."""
    assert _said("llm", told).finish_reasons == reasons


@pytest.mark.parametrize("key", ["session_id", "thread_id", "conversation_id"])
def test_metadata_names_the_conversation(key: str) -> None:
    """What LangSmith calls a session of a trace is the project."""
    said = _said("chain", {f"langsmith.metadata.{key}": "visit-1", "langsmith.trace.session_id": "project-1"})

    assert said.conversation == "visit-1"
    assert _said("chain", {"langsmith.trace.session_id": "project-1"}).conversation is None


def test_a_tool_is_named_by_its_run() -> None:
    """Its call is told by the message that it answers with."""
    answer = '{"output": {"content": "4 degrees", "type": "tool", "tool_call_id": "call_1"}}'
    said = _said("tool", {"gen_ai.prompt": "{\"input\": \"{'city': 'Oslo'}\"}", "gen_ai.completion": answer}, "weather")

    assert (said.tool_name, said.tool_call_id, said.input) == ("weather", "call_1", {"city": "Oslo"})
    assert said.output == "4 degrees"
    assert _said("tool", {"langsmith.trace.name": "forecast"}).tool_name == "forecast"
    assert _said("tool", {"gen_ai.prompt": '{"city": "Oslo"}'}).input == {"city": "Oslo"}
    assert _said("chain", {}, "weather").tool_name is None


@pytest.mark.parametrize("kind", ["tool", "retriever"])
def test_nobody_says_what_goes_into_a_tool(kind: str) -> None:
    """The SDK has one name for prompts and for the inputs of every run."""
    said = _said(kind, {"gen_ai.prompt": '{"query": "Oslo"}', "gen_ai.completion": '{"documents": []}'})

    assert said.input == {"query": "Oslo"}
    assert (said.input_messages, said.output_messages) == ((), ())


def test_the_run_of_langchains_agent_is_told_from_the_chains_within() -> None:
    """All of them are chains of one agent; the run has its name."""
    told = {"langsmith.metadata.lc_agent_name": "forecaster"}

    run, node = _said("chain", told, "forecaster"), _said("chain", told, "model")
    assert (run.operation, run.agent_name) == ("invoke_agent", "forecaster")
    assert (node.operation, node.agent_name) == ("invoke_workflow", "forecaster")


def test_inputs_and_outputs_of_a_model_are_messages() -> None:
    """LangChain's own serialisation, in lists of lists."""
    human = '{"lc": 1, "id": ["langchain", "schema", "messages", "HumanMessage"], "kwargs": {"content": "Weather?"}}'
    call = '{"name": "get_weather", "args": {"city": "Oslo"}, "id": "call_1", "type": "tool_call"}'
    answer = (
        f'{{"lc": 1, "id": ["langchain", "schema", "messages", "AIMessage"], "kwargs": {{"tool_calls": [{call}]}}}}'
    )
    said = _said(
        "llm",
        {
            "gen_ai.prompt": f'{{"messages": [[{human}]]}}',
            "gen_ai.completion": f'{{"generations": [[{{"text": "", "message": {answer}}}]]}}',
        },
    )

    assert said.input_messages == (Message("user", (TextPart("Weather?"),)),)
    assert said.output_messages[0].tool_calls == (ToolCallPart("call_1", "get_weather", {"city": "Oslo"}),)


def test_the_sdk_is_known_by_its_scope() -> None:
    """A span that is still open may have none of its attributes."""
    assert canonical(make_span(scope=ScopeRecord("langsmith"))).dialect == "langsmith"


NAMES = (
    "gen_ai.completion", "gen_ai.operation.name", "gen_ai.prompt", "gen_ai.response.finish_reasons",
    "gen_ai.usage.input_token_details", "langsmith.metadata.lc_agent_name", "langsmith.metadata.ls_provider",
    "langsmith.metadata.thread_id", "langsmith.metadata.usage_metadata", "langsmith.span.kind", "langsmith.trace.name",
)  # fmt: skip
ODD = any_values | st.sampled_from(["tool", "llm", "chain", "{", '{"output": 5}', '{"input": "{\'a\': {1}}"}', ", ,"])


@given(st.dictionaries(st.sampled_from(NAMES), ODD, max_size=8))
def test_odd_values_are_no_harm(attributes: dict[str, AnyValue]) -> None:
    """Whatever the attributes hold, a span can be read, and reads the same once it is normalized."""
    span = make_span(attributes=attributes)
    said = canonical(span)

    _ = said.input, said.output, said.input_messages, said.output_messages, said.tool_definitions
    assert canonical(normalize(span)) == said
