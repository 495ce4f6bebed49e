"""Spans of Langfuse's SDKs, from the published attributes and from a recorded run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.otlp.jsonl import read_jsonl
from otel_agenttrace.pipeline.canonical import Canonical, canonical
from otel_agenttrace.pipeline.content import drop_content
from otel_agenttrace.pipeline.messages import Message, TextPart, ToolCallPart, ToolResultPart
from otel_agenttrace.pipeline.normalize import normalize
from otel_agenttrace.testing.spans import make_span
from otel_agenttrace.testing.strategies import any_values

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue

TRACE = Path(__file__).parents[4] / "shared" / "traces" / "langfuse-langgraph-python-2025-08-22.jsonl"
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


def _said(kind: str, name: str = "observation", **fields: Any) -> Canonical:
    """An observation; the SDK writes what is no text as JSON."""
    told = {
        f"langfuse.observation.{field}": value if isinstance(value, str) else orjson.dumps(value).decode()
        for field, value in fields.items()
    }
    return canonical(make_span(name=name, attributes={"langfuse.observation.type": kind, **told}))


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        ("generation", "chat"),
        ("embedding", "embeddings"),
        ("agent", "invoke_agent"),
        ("tool", "execute_tool"),
        ("chain", "invoke_workflow"),
        ("retriever", "retrieval"),
        ("evaluator", "evaluate"),
        ("guardrail", "guardrail"),
        ("span", None),
        ("event", None),
    ],
)
def test_each_type_of_observation_is_an_operation(kind: str, operation: str | None) -> None:
    """A span is any step, so it is none."""
    assert (_said(kind).dialect, _said(kind).operation) == ("langfuse", operation)


def test_agents_and_tools_are_named_by_their_observation() -> None:
    """There is no attribute for it."""
    agent, tool, model = (_said(kind, "weather") for kind in ("agent", "tool", "generation"))

    assert (agent.agent_name, agent.tool_name) == ("weather", None)
    assert (tool.agent_name, tool.tool_name) == (None, "weather")
    assert (model.agent_name, model.tool_name) == (None, None)


def test_a_generation_tells_its_model_tokens_and_cost() -> None:
    """Amounts whose names have `input` in them add up, as in Langfuse itself."""
    attributes = {
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": "claude-sonnet-4-5",
        "langfuse.observation.usage_details": '{"input": 10, "cache_read_input_tokens": 100, "output": 5}',
        "langfuse.observation.cost_details": '{"input": 0.25, "output": 0.5}',
        "langfuse.session.id": "visit-1",
    }
    said = canonical(make_span(attributes=attributes))

    assert (said.model, said.input_tokens, said.output_tokens) == ("claude-sonnet-4-5", 110, 5)
    assert (said.cache_read_tokens, said.cache_write_tokens, said.reasoning_tokens) == (100, None, None)
    assert (said.reported_cost_usd, said.conversation) == (0.75, "visit-1")
    assert said.is_model_call


def test_messages_are_read_from_requests_with_their_tools() -> None:
    """As the SDK's wrapper of OpenAI's client records them."""
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}
    said = _said(
        "generation",
        input={"tools": [TOOL], "messages": [{"role": "user", "content": "Weather?"}]},
        output={"role": "assistant", "content": None, "tool_calls": [call]},
    )

    assert said.input_messages == (Message("user", (TextPart("Weather?"),)),)
    assert said.output_messages[0].tool_calls == (ToolCallPart("call_1", "get_weather", {"city": "Oslo"}),)
    assert said.tool_definitions == [TOOL]


def test_tools_among_the_messages_are_no_messages() -> None:
    """The callbacks for LangChain put the tools that a model was offered behind what it was told."""
    result = {"role": "tool", "content": "4 degrees", "tool_call_id": "call_1"}
    said = _said("generation", input=[result, {"role": "tool", "content": TOOL}])

    assert said.input_messages == (Message("tool", (ToolResultPart("call_1", "", "4 degrees"),)),)
    assert said.tool_definitions == [TOOL]


@pytest.mark.parametrize(
    ("told", "arguments"),
    [
        ({"args": [], "kwargs": {"city": "Oslo"}}, {"city": "Oslo"}),
        ({"args": ["Oslo"], "kwargs": {}}, "Oslo"),
        ({"city": "Oslo"}, {"city": "Oslo"}),
        ("{'city': 'Oslo'}", {"city": "Oslo"}),
    ],
)
def test_arguments_of_a_tool_are_told_by_decorators_and_callbacks(told: Any, arguments: Any) -> None:
    """They are not messages."""
    said = _said("tool", input=told, output="4 degrees")

    assert (said.input, said.output) == (arguments, "4 degrees")
    assert (said.input_messages, said.output_messages) == ((), ())


def test_what_an_agent_was_asked_is_a_message() -> None:
    """Decorated functions are given it as an argument."""
    said = _said("agent", input={"args": ["Weather?"], "kwargs": {}}, output="4 degrees.")

    assert said.input_messages == (Message("user", (TextPart("Weather?"),)),)
    assert said.output_messages == (Message("assistant", (TextPart("4 degrees."),)),)
    assert _said("generation", output="None").output_messages == ()


def test_an_object_that_an_agent_was_given_is_what_it_was_told() -> None:
    """As JSON, where it holds no messages; the state of a graph that has none yet is nothing anybody said."""
    told = [
        (_said(kind, input=given, output="4 degrees.").input_messages)
        for kind, given in (
            ("agent", {"question": "Weather?"}),
            ("chain", {"args": ["Oslo", 1], "kwargs": {}}),
            ("chain", {"messages": []}),
            ("agent", {"args": [], "kwargs": {}}),
            ("retriever", {"query": "Oslo"}),
        )
    ]

    assert told == [
        (Message("user", (TextPart('{"question":"Weather?"}'),)),),
        (Message("user", (TextPart('{"args":["Oslo",1],"kwargs":{}}'),)),),
        (),
        (),
        (),
    ]


def test_a_tool_of_older_sdks_is_known_by_its_answer() -> None:
    """Tools were spans until there was a type for them; a message of a tool is only the output of one."""
    answer = {"content": "4 degrees", "type": "tool", "name": "get_weather", "tool_call_id": "call_1"}
    said = _said("span", "get_weather", output=answer)

    assert (said.operation, said.tool_name, said.tool_call_id) == ("execute_tool", "get_weather", "call_1")
    assert _said("span", output={"messages": [answer]}).operation is None
    assert _said("span", output={"content": "x", "type": "ai"}).operation is None


def test_a_span_without_content_says_nothing_of_it() -> None:
    """The model and the tokens stay."""
    kept = {"langfuse.observation.type": "generation", "langfuse.observation.usage_details": '{"input": 1}'}
    told = {f"langfuse.{part}": "secret" for part in ("observation.input", "observation.output", "trace.input")}

    assert drop_content(make_span(attributes={**kept, **told})).attributes == kept


NAMES = ("cost_details", "input", "model.name", "output", "type", "usage_details")
ODD = any_values | st.sampled_from(["tool", "span", "agent", '{"content"', "{", '[{"role":"tool","content":[1]}]'])


@given(st.dictionaries(st.sampled_from(NAMES), ODD, max_size=6))
def test_odd_values_are_no_harm(fields: dict[str, AnyValue]) -> None:
    """Whatever the attributes hold, a span can be read, and reads the same once it is normalized."""
    span = make_span(attributes={f"langfuse.observation.{name}": value for name, value in fields.items()})
    said = canonical(span)

    _ = said.input, said.output, said.input_messages, said.output_messages, said.tool_definitions
    assert canonical(normalize(span)) == said


def test_a_recorded_run_of_langgraph() -> None:
    """An agent that calls a model, a tool and the model again, with steps of a graph around; checked by hand."""
    if not TRACE.exists():
        pytest.skip("there is no ../shared/traces")
    spans = {span.span_id: span for line in read_jsonl(TRACE) for span in line.spans or ()}
    said = {key: canonical(span) for key, span in spans.items()}

    operations = {key: one.operation for key, one in said.items() if one.operation is not None}
    assert operations == {
        "4f6535aaebcda355": "chat",
        "21441266a9f21251": "execute_tool",
        "5ba09605e0929d78": "chat",
    }
    first, tool, last = (said[key] for key in ("4f6535aaebcda355", "21441266a9f21251", "5ba09605e0929d78"))
    assert [(one.model, one.input_tokens, one.output_tokens) for one in (first, last)] == [
        ("gpt-4o-2024-08-06", 60, 15),
        ("gpt-4o-2024-08-06", 108, 51),
    ]
    assert (tool.tool_name, tool.tool_call_id, tool.input) == (
        "Web-Search", "call_1oGK863sxQHlPreFhDdEs3yl", {"query": "example"},
    )  # fmt: skip
    assert [message.role for message in last.input_messages] == ["user", "user", "assistant", "tool"]
    assert first.output_messages[0].tool_calls[0].arguments == {"query": "example"}
    run = said["b024c7ee7680b708"]
    assert [message.role for message in run.output_messages] == ["user", "assistant", "tool", "assistant"]
    assert run.output_messages[-1].text == last.output_messages[0].text
