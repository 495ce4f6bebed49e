"""Spans of OpenLLMetry's instrumentors and of Traceloop's SDK, from their published conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.pipeline.canonical import Canonical, canonical
from otel_agenttrace.pipeline.content import drop_content
from otel_agenttrace.pipeline.failures import classify
from otel_agenttrace.pipeline.messages import (
    MediaPart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from otel_agenttrace.pipeline.normalize import normalize
from otel_agenttrace.testing.spans import make_span
from otel_agenttrace.testing.strategies import any_values

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue

PROPERTIES = "traceloop.association.properties"


def _said(attributes: dict[str, Any], name: str = "step") -> Canonical:
    return canonical(make_span(name=name, attributes=attributes))


@pytest.mark.parametrize(
    ("name", "word", "operation"),
    [
        ("llm.request.type", "chat", "chat"),
        ("llm.request.type", "completion", "text_completion"),
        ("llm.request.type", "acompletion", "chat"),
        ("llm.request.type", "embedding", "embeddings"),
        ("llm.request.type", "rerank", "rerank"),
        ("llm.request.type", "unknown", None),
        ("traceloop.span.kind", "workflow", "invoke_workflow"),
        ("traceloop.span.kind", "agent", "invoke_agent"),
        ("traceloop.span.kind", "tool", "execute_tool"),
        ("traceloop.span.kind", "task", None),
    ],
)
def test_types_of_requests_and_kinds_of_entities_are_operations(name: str, word: str, operation: str | None) -> None:
    """A task is any step, so it is none."""
    assert (_said({name: word}).dialect, _said({name: word}).operation) == ("openllmetry", operation)


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("litellm_request", "chat"),
        ("bedrock.completion", "chat"),
        ("openai.completion", "text_completion"),
        ("VertexAI.completion", "text_completion"),
    ],
)
def test_a_completion_whose_prompts_have_roles_is_a_chat(name: str, operation: str) -> None:
    """Except with the instrumentors that make up a role for the prompt of a completion."""
    told = {"llm.request.type": "completion", "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Weather?"}

    assert _said(told, name).operation == operation


def test_what_litellm_sent_is_no_call_of_its_own() -> None:
    """It stands on a span below the call's."""
    raw = _said({"llm.openai.model": "gpt-4o-mini", "llm.openai.id": "chatcmpl-1"}, "raw_gen_ai_request")

    assert not raw.is_model_call


def test_a_crew_names_its_agents_and_calls_models() -> None:
    """By the agent's role, and by the model's name as the span's."""
    agent = _said({"traceloop.span.kind": "agent", "crewai.agent.role": "Researcher"}, "Researcher.agent")
    model = _said({"gen_ai.request.model": "gpt-4o-mini", "crewai.llm.temperature": "0.1"}, "gpt-4o-mini.llm")

    assert (agent.operation, agent.agent_name) == ("invoke_agent", "Researcher")
    assert (model.dialect, model.operation, model.is_model_call) == ("openllmetry", "chat", True)
    assert _said({"crewai.task.description": "Search."}, "search.task").operation is None


def test_only_calls_of_tools_are_tools_of_a_server() -> None:
    """The instrumentor of MCP makes a tool of whatever else a server is asked for."""
    listed = {"traceloop.span.kind": "tool", "traceloop.entity.name": "tools/list", "mcp.method.name": "tools/list"}
    called = {
        "traceloop.span.kind": "tool",
        "traceloop.entity.name": "add",
        "traceloop.entity.input": '{"tool_name": "add", "arguments": {"a": 1, "b": 2}}',
    }

    assert (_said(listed).operation, _said(listed).tool_name) == (None, None)
    assert (_said(called).operation, _said(called).tool_name) == ("execute_tool", "add")
    assert _said(called).input == {"a": 1, "b": 2}


def test_a_tool_that_failed_says_so_by_its_message() -> None:
    """The message comes out of LangChain's dump of it, whole."""
    message = {"content": "Error: no city", "status": "error", "tool_call_id": "call_1"}
    dump = {"output": {"lc": 1, "type": "constructor", "id": ["ToolMessage"], "kwargs": message}, "kwargs": {}}
    told = {"traceloop.span.kind": "tool", "traceloop.entity.output": orjson.dumps(dump).decode()}
    failure = classify(normalize(make_span(attributes={**told, "traceloop.entity.name": "get_weather"})))

    assert _said(told).output == message
    assert failure is not None
    assert failure.message == "Error: no city"


def test_an_entity_is_an_agent_or_a_tool_by_its_kind() -> None:
    """Every entity has a name."""
    entity = {"traceloop.entity.name": "weather"}

    assert _said({**entity, "traceloop.span.kind": "agent"}).agent_name == "weather"
    assert _said({**entity, "traceloop.span.kind": "tool"}).tool_name == "weather"
    task = _said({**entity, "traceloop.span.kind": "task"})
    assert (task.agent_name, task.tool_name) == (None, None)


def test_a_tool_of_langchain_has_its_callbacks_under_otels_names() -> None:
    """Arguments and result come out of all that the callbacks were given."""
    message = {"content": "4 degrees", "tool_call_id": "call_1", "status": "success"}
    told = {
        "traceloop.span.kind": "tool",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.call.arguments": {"input_str": "{'city': 'Oslo'}", "tags": [], "inputs": {"city": "Oslo"}},
        "gen_ai.tool.call.result": {"output": {"lc": 1, "type": "constructor", "id": [], "kwargs": message}},
    }
    said = _said(told)
    own = _said(told | {"gen_ai.tool.call.arguments": {"input_str": "x"}, "gen_ai.tool.call.result": {"output": 1}})

    assert (said.input, said.output) == ({"city": "Oslo"}, "4 degrees")
    assert (own.input, own.output) == ({"input_str": "x"}, {"output": 1})


def test_models_and_tokens_have_otels_names_or_older_ones() -> None:
    """From before there were `gen_ai` names, and from when caches had none."""
    said = _said(
        {
            "llm.vendor": "Anthropic",
            "llm.request.type": "chat",
            "llm.request.model": "claude-x",
            "llm.response.model": "claude-y",
            "llm.usage.prompt_tokens": 130,
            "llm.usage.completion_tokens": 5,
            "gen_ai.usage.cache_read_input_tokens": 100,
            "gen_ai.usage.cache_creation_input_tokens": 20,
            "gen_ai.usage.reasoning_tokens": 2,
        }
    )

    assert (said.provider, said.request_model, said.response_model) == ("anthropic", "claude-x", "claude-y")
    assert (said.input_tokens, said.output_tokens) == (130, 5)
    assert (said.cache_read_tokens, said.cache_write_tokens, said.reasoning_tokens) == (100, 20, 2)
    assert said.is_model_call


@pytest.mark.parametrize("name", ["session_id", "conversation_id", "thread_id", "chat_id"])
def test_associations_name_the_conversation(name: str) -> None:
    """Each program chooses its own name among the usual ones."""
    assert _said({f"{PROPERTIES}.{name}": "visit-1"}).conversation == "visit-1"


def test_metadata_of_langchain_stands_among_the_associations() -> None:
    """Where the instrumentor of LangChain itself says nothing."""
    said = _said({f"{PROPERTIES}.ls_provider": "google_genai", f"{PROPERTIES}.ls_model_name": "gemini-2.5-flash"})

    assert (said.provider, said.model) == ("gcp.gemini", "gemini-2.5-flash")


def test_flattened_prompts_and_completions_are_messages() -> None:
    """The names that were OTel's, by whoever writes them."""
    said = _said(
        {
            "gen_ai.prompt.3.role": "tool",
            "gen_ai.prompt.3.tool_call_id": "call_1",
            "gen_ai.prompt.3.content": "4 degrees",
            "gen_ai.prompt.2.role": "assistant",
            "gen_ai.prompt.2.tool_calls.0.id": "call_1",
            "gen_ai.prompt.2.tool_calls.0.name": "get_weather",
            "gen_ai.prompt.2.tool_calls.0.arguments": '{"city": "Oslo"}',
            "gen_ai.prompt.1.role": "user",
            "gen_ai.prompt.1.content": "Weather?",
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.0.content": "Be brief.",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.reasoning": "It is cold.",
            "gen_ai.completion.0.content": "4 degrees.",
            "gen_ai.completion.0.finish_reason": "stop",
        }
    )

    assert said.input_messages == (
        Message("system", (TextPart("Be brief."),)),
        Message("user", (TextPart("Weather?"),)),
        Message("assistant", (ToolCallPart("call_1", "get_weather", {"city": "Oslo"}),)),
        Message("tool", (ToolResultPart("call_1", "", "4 degrees"),)),
    )
    assert said.output_messages == (
        Message("assistant", (ReasoningPart("It is cold."), TextPart("4 degrees.")), "stop"),
    )
    assert said.finish_reasons == ("stop",)


def test_parts_of_a_message_stand_in_its_content_as_json() -> None:
    """JSON that is no parts is a text."""
    uses = '[{"text": "Let me see."}, {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}}]'
    bedrock = _said({"gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": uses})
    image = '{"type": "image_url", "image_url": {"url": "https://example.com/oslo.jpg"}}'
    said = _said(
        {
            "gen_ai.prompt.0.content": f'[{{"type": "text", "text": "Where?"}}, {image}]',
            "gen_ai.prompt.1.role": "unknown",
            "gen_ai.prompt.1.content": '["Oslo", "Bergen"]',
        }
    )

    assert said.input_messages == (
        Message("user", (TextPart("Where?"), MediaPart("image", "", "https://example.com/oslo.jpg"))),
        Message("user", (TextPart('["Oslo", "Bergen"]'),)),
    )
    assert bedrock.output_messages == (
        Message("assistant", (TextPart("Let me see."), ToolCallPart("t1", "f", {"a": 1}))),
    )


def test_calls_that_koog_puts_in_a_tools_mouth_are_the_models() -> None:
    """A tool asks for nothing; what it answered is the next message."""
    calls = (
        '[{"function": {"name": "hello", "arguments": "{\\"name\\": \\"Bob\\"}"}, "id": "call_1", "type": "function"}]'
    )
    said = _said(
        {
            "gen_ai.prompt.0.role": "tool",
            "gen_ai.prompt.0.content": calls,
            "gen_ai.prompt.1.role": "tool",
            "gen_ai.prompt.1.content": "Hello Bob!",
        }
    )

    assert said.input_messages == (
        Message("assistant", (ToolCallPart("call_1", "hello", {"name": "Bob"}),)),
        Message("tool", (ToolResultPart("", "", "Hello Bob!"),)),
    )


def test_other_spellings_of_flattened_messages_are_read() -> None:
    """The oldest prefixes, and the second form that LangSmith takes."""
    oldest = _said({"llm.prompts.0.content": "Weather?", "llm.completions.0.content": "4 degrees."})
    nested = _said({"gen_ai.prompt.0.message.role": "system", "gen_ai.prompt.0.message.content": "Be brief."})

    assert oldest.input_messages == (Message("user", (TextPart("Weather?"),)),)
    assert oldest.output_messages == (Message("assistant", (TextPart("4 degrees."),)),)
    assert nested.input_messages == (Message("system", (TextPart("Be brief."),)),)


def test_prompts_that_are_not_flattened_are_no_sign_of_it() -> None:
    """OTel itself had the name without an index."""
    assert _said({"gen_ai.prompt": "Weather?"}).dialect == "otel_genai"


@pytest.mark.parametrize(
    ("told", "arguments"),
    [
        ('{"args": [], "kwargs": {"city": "Oslo"}}', {"city": "Oslo"}),
        ('{"input_str": "{\'city\': \'Oslo\'}", "tags": [], "metadata": {}}', {"city": "Oslo"}),
        ('{"input_str": "x", "inputs": {"city": "Oslo"}, "tags": []}', {"city": "Oslo"}),
        ("Oslo", "Oslo"),
    ],
)
def test_arguments_and_results_of_a_tool_come_out_of_their_envelopes(told: str, arguments: Any) -> None:
    """Decorators and the callbacks of LangChain have different ones; neither are messages."""
    result = '{"output": {"content": "4 degrees", "type": "tool", "tool_call_id": "call_1"}, "kwargs": {}}'
    said = _said({"traceloop.span.kind": "tool", "traceloop.entity.input": told, "traceloop.entity.output": result})

    assert said.input == arguments
    assert said.output == "4 degrees"
    assert said.tool_call_id == "call_1"
    assert (said.input_messages, said.output_messages) == ((), ())


def test_what_a_workflow_was_asked_and_answered_are_messages() -> None:
    """A chain's state holds them."""
    said = _said(
        {
            "traceloop.span.kind": "workflow",
            "traceloop.entity.input": '{"inputs": {"messages": [["user", "Weather?"]]}, "tags": [], "kwargs": {}}',
            "traceloop.entity.output": '{"outputs": {"messages": [{"type": "ai", "content": "4 degrees."}]}}',
        }
    )

    assert said.input_messages == (Message("user", (TextPart("Weather?"),)),)
    assert said.output_messages == (Message("assistant", (TextPart("4 degrees."),)),)


def test_functions_that_a_model_was_offered_are_defined() -> None:
    """Their parameters are JSON text."""
    function = "llm.request.functions.0"
    said = _said(
        {f"{function}.name": "a", f"{function}.description": "A.", f"{function}.parameters": '{"type": "object"}'}
    )

    assert said.tool_definitions == [{"name": "a", "description": "A.", "parameters": {"type": "object"}}]


def test_a_span_without_content_says_nothing_of_it() -> None:
    """The model and the tokens stay."""
    kept = {"llm.request.type": "chat", "llm.usage.prompt_tokens": 1}
    told = {
        "gen_ai.prompt.0.content": "secret",
        "gen_ai.completion.0.content": "secret",
        "llm.prompts.0.content": "secret",
        "llm.completions.0.content": "secret",
        "llm.request.functions.0.description": "secret",
        "traceloop.entity.input": "secret",
        "traceloop.entity.output": "secret",
    }

    assert drop_content(make_span(attributes={**kept, **told})).attributes == kept


NAMES = (
    "gen_ai.prompt.0.role", "gen_ai.prompt.0.content", "gen_ai.prompt.0.tool_calls.0.arguments", "gen_ai.prompt.x",
    "gen_ai.completion.0.finish_reason", "gen_ai.completion.0.tool_calls.9.id", "gen_ai.usage.reasoning_tokens",
    "llm.request.type", "llm.request.functions.0.parameters", "llm.usage.prompt_tokens", "llm.vendor",
    "traceloop.entity.input", "traceloop.entity.name", "traceloop.entity.output", "traceloop.span.kind",
    f"{PROPERTIES}.thread_id", "crewai.agent.role", "crewai.llm.x", "mcp.method.name",
)  # fmt: skip
ODD = any_values | st.sampled_from(["tool", "agent", "{", '{"inputs": [], "input_str": 5}', '[{"type": []}]'])


@given(st.dictionaries(st.sampled_from(NAMES), ODD, max_size=10))
def test_odd_values_are_no_harm(attributes: dict[str, AnyValue]) -> None:
    """Whatever the attributes hold, a span can be read, and reads the same once it is normalized."""
    span = make_span(attributes=attributes)
    said = canonical(span)

    _ = said.input, said.output, said.input_messages, said.output_messages, said.tool_definitions
    assert canonical(normalize(span)) == said
