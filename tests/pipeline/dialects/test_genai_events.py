"""Messages of events as Strands writes them: contents are JSON text of Bedrock's parts, or plain text."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from otel_agenttrace.model.record import EventRecord
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.messages import Message, TextPart, ToolCallPart, ToolResultPart
from otel_agenttrace.testing.spans import make_span

CALL = {"toolUse": {"toolUseId": "t1", "name": "calc", "input": {"e": "2+2"}}}
RESULT = {"toolResult": {"toolUseId": "t1", "status": "success", "content": [{"text": "4"}]}}


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _chat(*events: tuple[str, dict[str, Any]]) -> Any:
    return canonical(
        make_span(
            attributes={"gen_ai.operation.name": "chat"},
            events=tuple(EventRecord(name, index, attributes) for index, (name, attributes) in enumerate(events)),
        )
    )


def test_contents_are_read_out_of_their_json_text() -> None:
    """Calls of tools and their results are such, not words."""
    said = _chat(
        ("gen_ai.user.message", {"content": _json([{"text": "2+2?"}])}),
        ("gen_ai.assistant.message", {"content": _json([CALL])}),
        ("gen_ai.tool.message", {"content": _json([RESULT])}),
        ("gen_ai.choice", {"message": _json([{"text": "It is"}, CALL]), "finish_reason": "tool_use"}),
    )

    assert said.input_messages == (
        Message("user", (TextPart("2+2?"),)),
        Message("assistant", (ToolCallPart("t1", "calc", {"e": "2+2"}),)),
        Message("tool", (ToolResultPart("t1", "", "4"),)),
    )
    assert said.output_messages == (
        Message("assistant", (TextPart("It is"), ToolCallPart("t1", "calc", {"e": "2+2"})), "tool_use"),
    )


@pytest.mark.parametrize("answer", ["4", "[1, 2]", '{"answer": 4}', '[{"city": "Oslo"}]', "{"])
def test_an_answer_that_only_looks_like_parts_is_words(answer: str) -> None:
    """Models answer in JSON too."""
    said = _chat(("gen_ai.choice", {"message": answer}), ("gen_ai.user.message", {"content": answer}))

    assert [message.text for message in (*said.output_messages, *said.input_messages)] == [answer, answer]


@pytest.mark.parametrize("message", [{"role": "assistant", "content": "4"}, [{"text": "4"}], "4"])
@pytest.mark.parametrize("is_text", [False, True], ids=["structured", "json"])
def test_a_choice_holds_a_message_or_its_content(*, message: Any, is_text: bool) -> None:
    """An object, parts, or a text."""
    told = _json(message) if is_text and not isinstance(message, str) else message

    assert [message.text for message in _chat(("gen_ai.choice", {"message": told})).output_messages] == ["4"]


@pytest.mark.parametrize("odd", [None, 5, True, "", [[]], [5], {"content": {"a": [1]}}, {"tool_calls": "x"}])
def test_odd_bodies_are_no_harm(odd: Any) -> None:
    """Whatever an event holds, its span can be read."""
    said = _chat(
        ("gen_ai.choice", {"message": odd}),
        ("gen_ai.tool.message", {"content": odd}),
        ("gen_ai.user.message", {"gen_ai.event.content": odd}),
    )

    _ = said.input_messages, said.output_messages
