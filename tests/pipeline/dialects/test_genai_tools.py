"""Arguments and results of tools, where emitters put them on events or among messages."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from otel_agenttrace.model.record import EventRecord
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.testing.spans import make_span

TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "calc"}
DETAILS = "gen_ai.client.inference.operation.details"


def _tool(*events: tuple[str, dict[str, Any]], **more: Any) -> Any:
    records = tuple(EventRecord(name, index, attributes) for index, (name, attributes) in enumerate(events))
    return canonical(make_span(attributes=TOOL | more, events=records))


@pytest.mark.parametrize("arguments", ['{"e": "2+2"}', "{'e': '2+2'}"])
def test_a_tools_events_are_its_arguments_and_its_result(arguments: str) -> None:
    """Strands writes what a tool was given and what it answered as if they were messages."""
    said = _tool(
        ("gen_ai.tool.message", {"role": "tool", "content": arguments, "id": "t1"}),
        ("gen_ai.choice", {"message": '[{"text": "4 apples"}]', "id": "t1"}),
    )

    assert (said.input, said.output) == ({"e": "2+2"}, "4 apples")
    assert said.input_messages == said.output_messages == ()


@pytest.mark.parametrize("is_event", [False, True], ids=["span", "event"])
def test_arguments_and_results_come_out_of_the_messages_of_a_tools_span(*, is_event: bool) -> None:
    """As Strands writes them in the newest form: a message with the call, and one with its response."""
    asked = [{"role": "tool", "parts": [{"type": "tool_call", "name": "calc", "id": "t1", "arguments": {"e": "1"}}]}]
    answered = [{"role": "tool", "parts": [{"type": "tool_call_response", "id": "t1", "response": [{"text": "one"}]}]}]
    content = {
        "gen_ai.input.messages": orjson.dumps(asked).decode(),
        "gen_ai.output.messages": orjson.dumps(answered).decode(),
    }
    said = _tool((DETAILS, content)) if is_event else _tool(**content)

    assert (said.input, said.output) == ({"e": "1"}, "one")
    assert said.input_messages == said.output_messages == ()


def test_what_stands_under_the_names_for_it_comes_first() -> None:
    """Events repeat it at most."""
    said = _tool(
        ("gen_ai.tool.message", {"content": "{}"}),
        **{"gen_ai.tool.call.arguments": '{"a": 1}', "gen_ai.tool.call.result": "soup"},
    )

    assert (said.input, said.output) == ({"a": 1}, "soup")


def test_results_that_were_merged_are_no_call_of_a_tool() -> None:
    """ADK writes one span more where a model asked for several tools at once."""
    said = canonical(
        make_span(
            attributes={
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "(merged tools)",
                "gen_ai.tool.call.id": "e1",
            }
        )
    )

    assert (said.operation, said.tool_name, said.tool_call_id) == (None, None, None)


def test_a_call_without_an_id_has_none() -> None:
    """ADK writes words in its place."""
    assert _tool(**{"gen_ai.tool.call.id": "<not specified>"}).tool_call_id is None
    assert _tool(**{"gen_ai.tool.call.id": "c1"}).tool_call_id == "c1"


@pytest.mark.parametrize("odd", [None, 5, "", "[", "[5]", '[{"parts": 3}]', '[{"parts": [{"type": ["x"]}]}]', [[]], {}])
def test_odd_values_are_no_harm(odd: Any) -> None:
    """Whatever stands there, a span can be read."""
    content = {"gen_ai.input.messages": odd, "gen_ai.output.messages": odd}
    for said in (
        _tool(**content),
        _tool((DETAILS, content), ("gen_ai.tool.message", {"content": odd}), ("gen_ai.choice", {"message": odd})),
    ):
        _ = said.input, said.output
