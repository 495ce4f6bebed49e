"""Spans of OpenInference's instrumentors, from its published conventions and from recorded runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.model.record import ScopeRecord
from otel_agenttrace.otlp.jsonl import read_jsonl
from otel_agenttrace.pipeline.canonical import Canonical, canonical
from otel_agenttrace.pipeline.content import drop_content
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
    from otel_agenttrace.model.record import AnyValue, SpanRecord

TRACES = Path(__file__).parents[4] / "shared" / "traces"
IN = "llm.input_messages"
OUT = "llm.output_messages"


def _said(kind: str | None, attributes: dict[str, Any], name: str = "step") -> Canonical:
    told = {} if kind is None else {"openinference.span.kind": kind}
    return canonical(make_span(name=name, attributes={**told, **attributes}))


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        ("LLM", "chat"),
        ("EMBEDDING", "embeddings"),
        ("CHAIN", "invoke_workflow"),
        ("RETRIEVER", "retrieval"),
        ("RERANKER", "rerank"),
        ("TOOL", "execute_tool"),
        ("AGENT", "invoke_agent"),
        ("GUARDRAIL", "guardrail"),
        ("EVALUATOR", "evaluate"),
        ("PROMPT", "prompt"),
        ("UNKNOWN", None),
    ],
)
def test_each_kind_of_span_is_an_operation(kind: str, operation: str | None) -> None:
    """Where OTel has no name for it, the kind's own is taken."""
    assert (_said(kind, {}).dialect, _said(kind, {}).operation) == ("openinference", operation)


def test_a_completion_is_no_chat() -> None:
    """The kind of a span is the same for both, but their inputs have other names."""
    said = _said("LLM", {"llm.prompts.0.prompt.text": "def fib(n):", "llm.choices.0.completion.text": " return n"})

    assert said.operation == "text_completion"
    assert said.input_messages == (Message("user", (TextPart("def fib(n):"),)),)
    assert said.output_messages == (Message("assistant", (TextPart(" return n"),)),)


def test_prompts_of_a_completion_may_be_a_plain_list() -> None:
    """LlamaIndex has it so, and beside it the arguments of its own function."""
    said = _said("LLM", {"llm.prompts": ["Why?"], "input.value": '{"args": ["Why?"]}', "output.value": "So."})
    alone = _said("LLM", {"input.value": '{"args": ["Why?"]}'})
    whole = _said("LLM", {"input.value": '{"args": ["Why?", 1]}'})

    assert said.operation == "text_completion"
    assert said.input_messages == alone.input_messages == (Message("user", (TextPart("Why?"),)),)
    assert whole.input_messages == (Message("user", (TextPart('{"args": ["Why?", 1]}'),)),)


def test_a_tool_of_smolagents_is_called_by_the_names_of_its_parameters() -> None:
    """They stand without a schema around them, and beside the arguments stands one of the library's own."""
    parameters = {"tool.parameters": '{"query": {"type": "string", "description": "What."}}'}
    named = '{"args": [], "sanitize_inputs_outputs": true, "kwargs": {"query": "cats"}}'
    positional = '{"args": ["cats"], "sanitize_inputs_outputs": true, "kwargs": {}}'

    assert _said("TOOL", {**parameters, "input.value": named}).input == {"query": "cats"}
    assert _said("TOOL", {**parameters, "input.value": positional}).input == {"query": "cats"}
    assert _said("TOOL", {"tool.parameters": '{"query": "cats"}', "input.value": positional}).input == "cats"


def test_events_of_beeai_are_calls_where_they_start_one() -> None:
    """Each is a span; their messages have a text, and tools have no name but that of the event."""
    start = {"target": "backend.openai.chat.start", "input.value": '[{"text": "Be brief.", "role": "system"}]'}
    model = _said("LLM", start, "backend.openai.chat.start-15")
    end = _said("LLM", {"target": "backend.openai.chat.finish"}, "backend.openai.chat.finish-16")
    tool = _said("TOOL", {"target": "tool.search.wikipedia.start"}, "tool.search.wikipedia.start-12")
    update = _said("AGENT", {"target": "agent.react.update", "tool.name": "wikipedia"}, "agent.react.update-9")
    answer = _said("AGENT", {"output.value": "{'role': 'assistant', 'text': 'Sunny.'}"})

    assert (model.operation, end.operation) == ("chat", None)
    assert model.input_messages == (Message("system", (TextPart("Be brief."),)),)
    assert (tool.operation, tool.tool_name) == ("execute_tool", "tool.search.wikipedia")
    assert (update.operation, update.tool_name) == (None, None)
    assert answer.output_messages == (Message("assistant", (TextPart("Sunny."),)),)
    assert _said("LLM", {"target": "Oslo"}).operation == "chat"


def test_what_instructor_wraps_around_a_model_is_no_tool() -> None:
    """Its instrumentor calls it one."""
    scope = ScopeRecord("openinference.instrumentation.instructor")
    span = make_span(name="instructor.patch", attributes={"openinference.span.kind": "TOOL"}, scope=scope)

    assert (canonical(span).dialect, canonical(span).operation) == ("openinference", None)
    assert canonical(span).tool_name is None


def test_a_tool_without_a_kind_says_nothing() -> None:
    """Its values are arguments and a result, by OTel's name for the tool beside them."""
    said = _said(None, {"gen_ai.tool.name": "hello", "input.value": '{"name": "Bob"}', "output.value": "Hello Bob!"})

    assert (said.operation, said.input, said.output) == ("execute_tool", {"name": "Bob"}, "Hello Bob!")
    assert (said.input_messages, said.output_messages) == ((), ())


def test_requested_and_answering_models_are_told_apart() -> None:
    """The model's name is that of the answer where the API tells it; the request stands among the parameters."""
    both = {"llm.request.model_name": "claude-x", "llm.response.model_name": "claude-y", "llm.model_name": "claude-z"}
    parameters = {"llm.model_name": "gpt-5-2025", "llm.invocation_parameters": '{"model": "gpt-5", "temperature": 0}'}

    assert [_said("LLM", both).request_model, _said("LLM", both).response_model] == ["claude-x", "claude-y"]
    assert [_said("LLM", parameters).request_model, _said("LLM", parameters).response_model] == ["gpt-5", "gpt-5-2025"]
    assert _said("EMBEDDING", {"embedding.model_name": "text-embedding-3-small"}).model == "text-embedding-3-small"
    assert _said("RERANKER", {"reranker.model_name": "MiniLM"}).model == "MiniLM"


@pytest.mark.parametrize(
    ("attributes", "provider"),
    [
        ({"llm.system": "openai"}, "openai"),
        ({"llm.system": "anthropic", "llm.provider": "aws"}, "aws.bedrock"),
        ({"llm.provider": "OpenAI"}, "openai"),
        ({"llm.provider": "azure", "llm.system": "openai"}, "azure.ai.openai"),
        ({"llm.system": "mistralai"}, "mistral_ai"),
        ({"llm.provider": "zai"}, "zai"),
    ],
)
def test_the_host_of_a_model_is_its_provider(attributes: dict[str, Any], provider: str) -> None:
    """It says more than the maker's name; those that OTel has a name for get it."""
    assert _said("LLM", attributes).provider == provider


def test_details_of_tokens_are_parts_of_the_counts() -> None:
    """An older name for cached tokens is read, too."""
    said = _said(
        "LLM",
        {
            "llm.token_count.prompt": 178,
            "llm.token_count.completion": "23",
            "llm.token_count.total": 201,
            "llm.token_count.prompt_details.cache_read": 128,
            "llm.token_count.prompt_details.cache_write": 7,
            "llm.token_count.completion_details.reasoning": 8,
        },
    )

    assert (said.input_tokens, said.output_tokens) == (178, 23)
    assert (said.cache_read_tokens, said.cache_write_tokens, said.reasoning_tokens) == (128, 7, 8)
    assert _said("LLM", {"llm.token_count.prompt_details.cache_input": 3}).cache_read_tokens == 3


@pytest.mark.parametrize("kind", ["AGENT", "CHAIN", "TOOL"])
def test_a_wrapper_that_repeats_tokens_is_no_model_call(kind: str) -> None:
    """Its children have used them."""
    repeated = {"llm.model_name": "gpt-5", "llm.token_count.prompt": 10, "llm.token_count.completion": 5}

    assert _said("LLM", repeated).is_model_call
    assert not _said(kind, repeated).is_model_call


def test_the_reported_cost_is_the_total_or_the_sum_of_its_parts() -> None:
    """All of them are US dollars."""
    parts = {"llm.cost.prompt": 0.25, "llm.cost.completion": 0.5}

    assert _said("LLM", {**parts, "llm.cost.total": 0.8}).reported_cost_usd == 0.8
    assert _said("LLM", parts).reported_cost_usd == 0.75
    assert _said("LLM", {"llm.cost.prompt": 0.25}).cost_usd == 0.25
    assert _said("LLM", {"llm.cost.prompt": "free"}).reported_cost_usd is None


@pytest.mark.parametrize(
    ("kind", "attributes", "reasons"),
    [
        ("LLM", {"llm.finish_reason": "length"}, ("length",)),
        (
            "LLM",
            {"output.value": '{"choices":[{"finish_reason":"stop"},{"finish_reason":"length"}]}'},
            ("stop", "length"),
        ),
        ("LLM", {"output.value": '{"content": [], "stop_reason" : "max_tokens"'}, ("max_tokens",)),
        ("LLM", {"output.value": '{"incomplete_details":{"reason":"max_output_tokens"}}'}, ("max_output_tokens",)),
        ("LLM", {"output.value": '{"choices":[{"finish_reason":null}]}'}, ()),
        ("LLM", {"output.value": '{"content": "say {\\"finish_reason\\": \\"stop\\"}"}'}, ()),
        ("CHAIN", {"output.value": '{"choices":[{"finish_reason":"stop"}]}'}, ()),
    ],
)
def test_why_a_model_stopped_is_read_from_its_answer_where_no_attribute_tells(
    kind: str, attributes: dict[str, Any], reasons: tuple[str, ...]
) -> None:
    """The answer may be cut; what a model writes about finish reasons is none."""
    assert _said(kind, attributes).finish_reasons == reasons


def test_an_agent_is_named_by_itself_or_by_its_node() -> None:
    """A node of another kind of span is no agent, nor is the name of a span."""
    node = {"graph.node.id": "n-1", "graph.node.name": "Researcher"}

    assert _said("AGENT", {"agent.name": "writer", **node}).agent_name == "writer"
    assert _said("AGENT", node).agent_name == "Researcher"
    assert _said("AGENT", {"graph.node.id": "n-1"}).agent_name == "n-1"
    assert _said("CHAIN", node).agent_name is None
    assert _said("AGENT", {}, name="Agent workflow").agent_name is None


def test_the_run_of_langchains_agent_is_told_from_the_chains_within() -> None:
    """All of them are chains; the agent's name stands in the metadata of each, and is the name of the run."""
    metadata = {"metadata": '{"ls_integration": "langchain_create_agent", "lc_agent_name": "forecaster"}'}

    run, node = _said("CHAIN", metadata, name="forecaster"), _said("CHAIN", metadata, name="model")
    assert (run.operation, run.agent_name) == ("invoke_agent", "forecaster")
    assert (node.operation, node.agent_name) == ("invoke_workflow", "forecaster")
    assert _said("LLM", metadata, name="forecaster").operation == "chat"


def test_a_tool_has_a_name_a_call_arguments_and_a_result() -> None:
    """Its arguments and its result are no messages."""
    said = _said(
        "TOOL",
        {
            "tool.name": "get_weather",
            "tool.id": "call_1",
            "input.value": '{"city": "Oslo"}',
            "input.mime_type": "application/json",
            "output.value": "4 degrees",
        },
    )

    assert (said.tool_name, said.tool_call_id) == ("get_weather", "call_1")
    assert (said.input, said.output) == ({"city": "Oslo"}, "4 degrees")
    assert (said.input_messages, said.output_messages) == ((), ())
    assert _said("TOOL", {}, name="search").tool_name == "search"
    assert _said("CHAIN", {}, name="search").tool_name is None


def test_a_tool_of_langchain_tells_its_call_in_its_result() -> None:
    """The result is the dump of a message, and the arguments are what Python writes of a mapping."""
    dump = '{"type": "tool", "data": {"content": "4 degrees", "tool_call_id": "call_1", "status": "success"}}'
    said = _said("TOOL", {"input.value": "{'city': 'Oslo'}", "output.value": dump})

    assert said.tool_call_id == "call_1"
    assert said.input == {"city": "Oslo"}
    assert said.output == "4 degrees"


def test_parameters_of_a_tool_are_its_schema_or_its_arguments() -> None:
    """The convention says schema; some instrumentors write the arguments there."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    text = '{"type": "object", "properties": {"city": {"type": "string"}}}'

    assert _said("TOOL", {"tool.parameters": '{"city": "Oslo"}'}).input == {"city": "Oslo"}
    assert _said("TOOL", {"tool.name": "w", "tool.parameters": text}).input is None
    assert _said("TOOL", {"tool.name": "w", "tool.parameters": text}).tool_definitions == [
        {"name": "w", "parameters": schema}
    ]


def test_flattened_messages_are_read_with_their_tool_calls() -> None:
    """Attributes come in any order, and SDKs drop some of them past a limit."""
    call = f"{IN}.10.message.tool_calls.0.tool_call"
    said = _said(
        "LLM",
        {
            f"{IN}.11.message.role": "tool",
            f"{IN}.11.message.content": '{"degrees": 4}',
            f"{IN}.11.message.tool_call_id": "call_1",
            f"{IN}.11.message.name": "get_weather",
            f"{call}.function.arguments": '{"city": "Oslo"}',
            f"{call}.function.name": "get_weather",
            f"{call}.id": "call_1",
            f"{IN}.10.message.role": "assistant",
            f"{IN}.2.message.role": "user",
            f"{IN}.2.message.content": "Weather?",
            f"{IN}.0.message.role": "developer",
            f"{IN}.0.message.content": "Be brief.",
            f"{OUT}.0.message.content": "4 degrees.",
            "llm.finish_reason": "stop",
        },
    )

    assert said.input_messages == (
        Message("system", (TextPart("Be brief."),)),
        Message("user", (TextPart("Weather?"),)),
        Message("assistant", (ToolCallPart("call_1", "get_weather", {"city": "Oslo"}),)),
        Message("tool", (ToolResultPart("call_1", "get_weather", {"degrees": 4}),)),
    )
    assert said.output_messages == (Message("assistant", (TextPart("4 degrees."),), "stop"),)


def test_contents_of_a_message_may_be_of_many_kinds() -> None:
    """Text, images, reasoning and tools, in their order."""
    part = f"{OUT}.0.message.contents"
    said = _said(
        "LLM",
        {
            f"{OUT}.0.message.role": "assistant",
            f"{part}.0.message_content.type": "reasoning",
            f"{part}.0.message_content.text": "Oslo is cold.",
            f"{part}.1.message_content.type": "text",
            f"{part}.1.message_content.text": "See:",
            f"{part}.2.message_content.type": "image",
            f"{part}.2.message_content.image.image.url": "https://example.com/oslo.jpg",
            f"{part}.3.message_content.type": "tool_use",
            f"{part}.3.tool_call.id": "call_1",
            f"{part}.3.tool_call.function.name": "get_weather",
            f"{part}.3.tool_call.function.arguments": '{"city": "Oslo"}',
        },
    )

    assert said.output_messages[0].parts == (
        ReasoningPart("Oslo is cold."),
        TextPart("See:"),
        MediaPart("image", "", "https://example.com/oslo.jpg"),
        ToolCallPart("call_1", "get_weather", {"city": "Oslo"}),
    )


def test_calls_of_functions_in_the_older_form_are_read() -> None:
    """From before models could call several tools at once."""
    said = _said(
        "LLM",
        {
            f"{IN}.0.message.role": "function",
            f"{IN}.0.message.content": "6",
            f"{IN}.0.message.function_call_name": "multiply",
            f"{OUT}.0.message.role": "assistant",
            f"{OUT}.0.message.function_call_name": "multiply",
            f"{OUT}.0.message.function_call_arguments_json": '{"x": 2}',
        },
    )

    assert said.input_messages == (Message("tool", (ToolResultPart("", "multiply", "6"),)),)
    assert said.output_messages[0].tool_calls == (ToolCallPart("", "multiply", {"x": 2}),)


def test_roles_that_only_some_emitters_use_are_known() -> None:
    """An unknown one is that of the side on which the message stands."""
    roles = {f"{IN}.{index}.message.role": role for index, role in enumerate(["agent", "tool-response", "ipython"])}
    texts = {f"{IN}.{index}.message.content": "x" for index in range(3)}

    assert [message.role for message in _said("LLM", {**roles, **texts}).input_messages] == [
        "assistant",
        "tool",
        "user",
    ]


@pytest.mark.parametrize("kind", ["LLM", "AGENT", "CHAIN"])
def test_values_are_messages_where_there_are_no_others(kind: str) -> None:
    """They are texts, or requests and answers of an API."""
    plain = _said(kind, {"input.value": "Weather?", "output.value": "4 degrees."})
    chat = _said(kind, {"input.value": '{"messages": [{"role": "system", "content": "Be brief."}]}'})

    assert plain.input_messages == (Message("user", (TextPart("Weather?"),)),)
    assert plain.output_messages == (Message("assistant", (TextPart("4 degrees."),)),)
    assert chat.input_messages == (Message("system", (TextPart("Be brief."),)),)


def test_retrieved_documents_are_the_output_of_a_retriever() -> None:
    """Each with what is told of it."""
    said = _said(
        "RETRIEVER",
        {
            "input.value": "time formats",
            "retrieval.documents.1.document.content": "Second.",
            "retrieval.documents.0.document.id": "d-0",
            "retrieval.documents.0.document.content": "First.",
            "retrieval.documents.0.document.score": 0.9,
            "output.value": "{}",
        },
    )

    assert said.input == "time formats"
    assert said.output == [{"id": "d-0", "content": "First.", "score": 0.9}, {"content": "Second."}]


def test_a_reranker_and_an_embedding_have_input_too() -> None:
    """The query, and the texts without their vectors."""
    reranked = _said(
        "RERANKER",
        {"reranker.query": "time?", "reranker.output_documents.0.document.content": "First."},
    )
    embedded = _said(
        "EMBEDDING",
        {"embedding.embeddings.0.embedding.text": "Oslo", "embedding.embeddings.0.embedding.vector": [0.5]},
    )

    assert (reranked.input, reranked.output) == ("time?", [{"content": "First."}])
    assert embedded.input == ["Oslo"]


def test_tools_that_a_model_was_offered_are_defined() -> None:
    """Their schema is the whole definition, or that of the arguments beside a name."""
    whole = '{"type": "function", "function": {"name": "a", "parameters": {}}}'
    said = _said(
        "LLM",
        {
            "llm.tools.0.tool.json_schema": whole,
            "llm.tools.1.tool.name": "b",
            "llm.tools.1.tool.description": "B.",
            "llm.tools.1.tool.json_schema": '{"type": "object"}',
        },
    )

    assert said.tool_definitions == [
        {"type": "function", "function": {"name": "a", "parameters": {}}},
        {"name": "b", "description": "B.", "parameters": {"type": "object"}},
    ]


def test_an_instrumentor_of_openinference_is_known_by_its_scope() -> None:
    """The span may not yet have any attribute."""
    assert canonical(make_span(scope=ScopeRecord("openinference.instrumentation.agno"))).dialect == "openinference"


def test_a_span_without_content_says_nothing_of_it() -> None:
    """The model and the tokens stay."""
    told = {
        "input.value": "secret",
        "output.value": "secret",
        f"{IN}.0.message.content": "secret",
        f"{OUT}.0.message.content": "secret",
        "llm.prompts.0.prompt.text": "secret",
        "llm.choices.0.completion.text": "secret",
        "llm.invocation_parameters": '{"instructions": "secret"}',
        "llm.tools.0.tool.json_schema": "secret",
        "retrieval.documents.0.document.content": "secret",
        "reranker.query": "secret",
        "embedding.embeddings.0.embedding.text": "secret",
        "tool.parameters": "secret",
    }
    kept = {"openinference.span.kind": "LLM", "llm.model_name": "m", "embedding.model_name": "e"}

    assert drop_content(make_span(attributes={**told, **kept})).attributes == kept


NAMES = (
    "agent.name", "embedding.embeddings.0.embedding.text", "graph.node.id", "input.value", "llm.cost.completion",
    "llm.cost.total", "llm.finish_reason", "llm.input_messages", f"{IN}.0", f"{IN}.0.message.role",
    f"{IN}.0.message.content", f"{IN}.0.message.contents.0.message_content.type", f"{IN}.0.message.tool_calls.0.x",
    f"{OUT}.99999999999999999999.message.content", f"{OUT}.-1.x", f"{OUT}.²", "llm.invocation_parameters",
    "llm.model_name", "llm.prompts.0.prompt.text", "llm.provider", "llm.token_count.prompt",
    "llm.token_count.prompt_details.cache_read", "llm.tools.0.tool.json_schema", "metadata",
    "openinference.span.kind", "output.value", "retrieval.documents.0.document.content", "tool.id", "tool.name",
    "tool.parameters",
)  # fmt: skip
ODD = any_values | st.sampled_from(["LLM", "TOOL", "AGENT", "{", "[[]]", '{"a": [1, {"b": null}]}', "{'a': {1}}"])


@given(st.dictionaries(st.sampled_from(NAMES), ODD, max_size=12))
def test_odd_values_are_no_harm(attributes: dict[str, AnyValue]) -> None:
    """Whatever the attributes hold, a span can be read, and reads the same once it is normalized."""
    span = make_span(attributes=attributes)
    said = canonical(span)

    _ = said.input, said.output, said.input_messages, said.output_messages, said.tool_definitions
    assert canonical(normalize(span)) == said


def _recorded(name: str) -> dict[str, SpanRecord]:
    path = TRACES / name
    if not path.exists():
        pytest.skip("there is no ../shared/traces")
    return {span.span_id: span for line in read_jsonl(path) for span in line.spans or ()}


def test_a_recorded_run_of_openais_agents_sdk() -> None:
    """One agent that calls a model, a tool and the model again; checked by hand."""
    said = {key: canonical(span) for key, span in _recorded("langfuse-openai-agents-2025-09-30.jsonl").items()}

    assert {key: one.operation for key, one in said.items()} == {
        "e5a76f27f51ad40e": "invoke_agent",
        "d950b668796240b5": "invoke_agent",
        "98870087af69bf06": "chat",
        "5b99c3e3411ed17b": "execute_tool",
        "90d94774e8e3724d": "chat",
    }
    assert said["d950b668796240b5"].agent_name == "Hello world"
    first, tool, last = said["98870087af69bf06"], said["5b99c3e3411ed17b"], said["90d94774e8e3724d"]
    assert (first.model, first.provider, first.input_tokens, first.output_tokens) == (
        "gpt-4.1-2025-04-14", "openai", 55, 15,
    )  # fmt: skip
    assert (last.input_tokens, last.output_tokens, last.cache_read_tokens, last.reasoning_tokens) == (85, 29, 0, 0)
    assert (tool.tool_name, tool.input, tool.output) == (
        "get_weather", {"city": "Tokyo"}, "The weather in Tokyo is sunny.",
    )  # fmt: skip
    assert first.output_messages[0].tool_calls == (
        ToolCallPart("call_Kud0j0DxWSmLzv9W5m6qVqXn", "get_weather", {"city": "Tokyo"}),
    )
    assert [message.role for message in last.input_messages] == ["system", "user", "assistant", "tool"]
    assert last.output_messages[0].text.startswith("The weather in Tokyo is currently sunny.")


def test_a_recorded_run_of_agno() -> None:
    """Its spans of model calls tell the answers of the API, but no tokens; checked by hand."""
    said = {key: canonical(span) for key, span in _recorded("langfuse-agno-2025-06-11.jsonl").items()}

    run, first, tool, last = (
        said[key] for key in ("1cffdfa6fe3412e6", "ca136de468e156c9", "6581e147aec6793a", "b38a82eaa62b551e")
    )
    assert [one.operation for one in (run, first, tool, last)] == ["invoke_agent", "chat", "execute_tool", "chat"]
    assert (first.model, first.provider, first.finish_reasons) == ("gpt-4o-mini", "openai", ("tool_calls",))
    assert (first.input_tokens, last.finish_reasons) == (None, ("stop",))
    assert (tool.tool_name, tool.input) == ("duckduckgo_search", {"query": "currently trending on Twitter"})
    assert [call.name for call in first.output_messages[0].tool_calls] == ["duckduckgo_search"]
    assert [message.role for message in last.input_messages] == ["system", "user", "tool"]
    assert run.conversation == "35cc6c90-b657-4819-b66c-c931c03ad569"
