"""Spans of agents that talk: what the tests of conversations are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.stores.api import StoredTrace
from otel_agenttrace.testing.spans import START, TRACE_ID, make_span

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord

MILLISECOND = 1_000_000

USER = {"role": "user", "parts": [{"type": "text", "content": "Weather in Oslo?"}]}
ASKED = {
    "role": "assistant",
    "parts": [{"type": "tool_call", "id": "c1", "name": "get_weather", "arguments": {"city": "Oslo"}}],
    "finish_reason": "tool_calls",
}
TOLD = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "rain"}]}
ANSWER = {"role": "assistant", "parts": [{"type": "text", "content": "It rains."}], "finish_reason": "stop"}


def said(role: str, text: str) -> dict[str, Any]:
    """A message of words."""
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def make_agent(
    number: int = 1,
    name: str = "forecaster",
    *,
    parent: int | None = None,
    given: list[Any] | None = None,
    answered: list[Any] | None = None,
) -> SpanRecord:
    """The span of an agent's run. Span `number` starts after so many hundredths of a second."""
    names = {"operation.name": "invoke_agent", "agent.name": name}
    return _span(number, parent, {**names, **_content(given, answered)})


def make_call(
    number: int, given: list[Any], answered: list[Any], *, parent: int | None = 1, **fields: Any
) -> SpanRecord:
    """The span of a model call."""
    names = {"operation.name": "chat", "request.model": "m-1"}
    return _span(number, parent, {**names, **_content(given, answered)}, **fields)


def make_tool(number: int, name: str = "get_weather", *, parent: int = 1, **attributes: Any) -> SpanRecord:
    """The span of a tool call; `id`, `arguments` and `result` may be given."""
    names = {"id": "tool.call.id", "arguments": "tool.call.arguments", "result": "tool.call.result"}
    content = {names[key]: attributes.pop(key) for key in tuple(attributes) if key in names}
    return _span(number, parent, {"operation.name": "execute_tool", "tool.name": name, **content}, **attributes)


def trace_of(*spans: SpanRecord) -> StoredTrace:
    """A trace of some spans."""
    return StoredTrace(TRACE_ID, spans)


def _content(given: list[Any] | None, answered: list[Any] | None) -> dict[str, Any]:
    messages = {"input.messages": given, "output.messages": answered}
    return {name: value for name, value in messages.items() if value}


def _span(number: int, parent: int | None, attributes: dict[str, Any], **fields: Any) -> SpanRecord:
    start = START + number * 10 * MILLISECOND
    given = {
        "span_id": f"{number:016x}",
        "parent_span_id": None if parent is None else f"{parent:016x}",
        "name": f"span {number}",
        "start_time_unix_nano": start,
        "end_time_unix_nano": start + 5 * MILLISECOND,
        "attributes": {f"gen_ai.{name}": value for name, value in attributes.items()},
    }
    return make_span(**(given | fields))
