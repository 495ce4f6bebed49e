"""Who said what to whom, put together from the spans of a trace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from otel_agenttrace.pipeline.messages import TextPart
from otel_agenttrace.testing.spans import make_span
from otel_agenttrace.views.conversation import find_conversations
from otel_agenttrace.views.rows import TraceRows
from otel_agenttrace.views.text import to_json
from otel_agenttrace.views.tool_uses import ToolUse
from tests.views.talking import ANSWER, ASKED, TOLD, USER, make_agent, make_call, make_tool, said, trace_of

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord


def told(*spans: SpanRecord) -> dict[str, list[str]]:
    """Who said what in each conversation; `!` is a call of a tool, with its result."""
    return {
        conversation.title: [
            f"{utterance.role}: {_text(piece)}" for utterance in conversation.utterances for piece in utterance.pieces
        ]
        for conversation in find_conversations(TraceRows(trace_of(*spans)))
    }


def _text(piece: object) -> str:
    if isinstance(piece, ToolUse):
        return f"!{piece.name} {to_json(piece.result)}"
    assert isinstance(piece, TextPart)
    return piece.content


def test_a_wrapper_is_not_heard_beside_what_it_wraps() -> None:
    """Calls within calls tell the same: the inner ones count, unless the outer one has more to say."""
    wrapper = make_call(2, [USER], [ANSWER])

    assert told(make_agent(), wrapper, make_call(3, [USER], [ANSWER], parent=2)) == {
        "forecaster": ["user: Weather in Oslo?", "assistant: It rains."]
    }
    assert told(make_agent(), wrapper, make_call(3, [], [], parent=2)) == told(make_agent(), wrapper)
    blob = [said("user", "user: Weather in Oslo?")]
    assert told(make_agent(), wrapper, make_call(3, blob, [], parent=2)) == told(make_agent(), wrapper)


def test_an_agent_stands_in_for_its_models() -> None:
    """Where no model call has messages, what went into the agent and its tools and came out is told."""
    agent = make_agent(given=[USER], answered=[ANSWER])
    expected = ["user: Weather in Oslo?", 'tool: !get_weather "rain"', "assistant: It rains."]

    assert told(agent, make_call(2, [], []), make_tool(3, result="rain")) == {"forecaster": expected}
    heard = (agent, make_call(2, [said("user", "else")], [said("assistant", "what")]))
    assert told(*heard) == {"forecaster": ["user: else", "assistant: what"]}


def test_an_agent_stands_in_for_what_its_models_do_not_tell() -> None:
    """Some emitters keep only what models were given, some only what they answered."""
    agent = make_agent(given=[USER], answered=[ANSWER])

    assert told(agent, make_call(2, [USER], [])) == told(agent, make_call(2, [], [ANSWER]))


def test_a_root_that_is_no_agent_has_inputs_and_outputs() -> None:
    """A traced function is neither user nor assistant."""
    content = {"agenttrace.input": {"city": "Oslo"}, "agenttrace.output": "rain"}

    assert told(make_span(name="main", attributes=content)) == {"main": ['input: {"city":"Oslo"}', "output: rain"]}


def test_an_agent_in_a_tool_has_a_conversation_of_its_own() -> None:
    """What the outer agent hears of it is the tool's result."""
    asked = {"role": "assistant", "parts": [{"type": "tool_call", "id": "t", "name": "research", "arguments": {}}]}
    spans = (
        make_agent(1, "boss"),
        make_call(2, [USER], [asked]),
        make_tool(3, "research", id="t", result="rain"),
        make_agent(4, "researcher", parent=3),
        make_call(5, [said("user", "Look it up")], [said("assistant", "rain")], parent=4),
    )

    assert told(*spans) == {
        "boss": ["user: Weather in Oslo?", 'assistant: !research "rain"'],
        "researcher": ["user: Look it up", "assistant: rain"],
    }


def test_a_tool_that_asks_a_model_has_a_conversation_of_its_own() -> None:
    """It is told under the tool's name; the tool's own input and output are the outer agent's matter."""
    spans = (
        make_agent(),
        make_tool(2, "summarise", arguments={"text": "long"}, result="short"),
        make_call(3, [said("user", "Sum up: long")], [said("assistant", "short")], parent=2),
    )

    assert told(*spans) == {
        "forecaster": ['tool: !summarise "short"'],
        "summarise": ["user: Sum up: long", "assistant: short"],
    }


def test_the_same_agent_goes_on_where_it_ended() -> None:
    """A second run with the history of the first is no conversation of its own."""
    spans = (
        make_span(span_id=f"{1:016x}", name="chat loop"),
        make_agent(2, parent=1),
        make_call(3, [USER], [ANSWER], parent=2),
        make_agent(4, parent=1),
        make_call(5, [USER, ANSWER, said("user", "And Rome?")], [said("assistant", "Sun.")], parent=4),
    )

    assert told(*spans) == {
        "forecaster": ["user: Weather in Oslo?", "assistant: It rains.", "user: And Rome?", "assistant: Sun."]
    }


def test_two_spans_of_one_tool_call_are_one_call() -> None:
    """A client of MCP has a span of its own below that of the tool."""
    spans = (
        make_agent(),
        make_call(2, [USER], [ASKED]),
        make_tool(3, id="c1", result="rain"),
        make_tool(4, id="c1", result="rain", parent=3),
    )

    assert told(*spans) == {"forecaster": ["user: Weather in Oslo?", 'assistant: !get_weather "rain"']}


def test_a_call_is_shown_with_the_arguments_that_it_had() -> None:
    """Some emitters lose what the model asked for; the span of the tool knows."""
    lost = {"role": "assistant", "parts": [{"type": "tool_call", "name": "get_weather", "arguments": {}}]}
    spans = (make_agent(), make_call(2, [USER], [lost]), make_tool(3, arguments={"city": "Oslo"}))

    (conversation,) = find_conversations(TraceRows(trace_of(*spans)))

    assert [use.arguments for use in conversation.uses] == [{"city": "Oslo"}]


def test_what_was_asked_may_only_be_known_from_the_next_call() -> None:
    """Where answers are not recorded, the span of the tool and the next call's history tell of one call."""
    spans = (
        make_agent(),
        make_call(2, [USER], []),
        make_tool(3, id="c1"),
        make_call(4, [USER, ASKED, TOLD], []),
    )

    assert told(*spans) == {"forecaster": ["user: Weather in Oslo?", 'tool: !get_weather "rain"']}


def test_a_result_that_belongs_to_no_call_is_told() -> None:
    """A history may begin in its middle."""
    assert told(make_agent(), make_call(2, [TOLD], [ANSWER])) == {
        "forecaster": ['tool: ! "rain"', "assistant: It rains."]
    }


def test_orphans_speak_in_the_conversation_of_the_root() -> None:
    """Their parents are not there to say whose they are."""
    spans = (make_agent(), make_call(2, [USER], [ASKED], parent=99), make_tool(3, id="c1", result="rain", parent=98))

    assert told(*spans) == {"forecaster": ["user: Weather in Oslo?", 'assistant: !get_weather "rain"']}


def test_documents_that_were_found_are_told() -> None:
    """A retrieval is what a tool call is: asked for, and answered."""
    content = {"gen_ai.operation.name": "retrieval", "agenttrace.input": "Oslo", "agenttrace.output": ["a", "b"]}
    found = make_span(span_id=f"{2:016x}", parent_span_id=f"{1:016x}", name="search", attributes=content)

    assert told(make_agent(), found) == {"forecaster": ['tool: !search ["a","b"]']}


def test_messages_of_wrong_types_are_no_messages() -> None:
    """Nothing that a span holds may break the view of its trace."""
    odd = make_call(2, [1, None, {"role": 4, "parts": {"type": []}}], [{"role": "assistant", "content": {"a": [[]]}}])
    other = make_tool(3, id=5, arguments=b"\xff", result=json.dumps([[[{}]]]))

    assert told(make_agent(name=""), odd, other)
