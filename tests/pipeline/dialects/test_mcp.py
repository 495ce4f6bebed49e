"""Spans of the Model Context Protocol."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agenttrace.model.record import ScopeRecord
from otel_agenttrace.pipeline.canonical import Canonical, canonical
from otel_agenttrace.testing.spans import make_span


@pytest.mark.parametrize("name", ["tools/call get_weather", "MCP send tools/call get_weather"])
def test_a_call_of_a_tool_is_named_after_it(name: str) -> None:
    """The conventions name the span after method and target; the tool's own attribute comes first."""
    method = {"mcp.method.name": "tools/call"}
    said = canonical(make_span(name=name, attributes=method))

    assert (said.dialect, said.operation, said.tool_name) == ("mcp", "execute_tool", "get_weather")
    assert canonical(make_span(name=name, attributes={**method, "gen_ai.tool.name": "w"})).tool_name == "w"


@pytest.mark.parametrize("method", ["initialize", "tools/list", "resources/read", "prompts/get", 5])
def test_what_is_no_call_of_a_tool_has_no_operation(method: object) -> None:
    """Listing tools is not using them."""
    said = canonical(make_span(name=f"{method} x", attributes={"mcp.method.name": method}))

    assert (said.operation, said.tool_name, said.is_tool_call) == (None, None, False)


def test_a_call_that_logfire_records_is_a_call_of_a_tool() -> None:
    """It keeps the request and the response whole, under names of its own."""
    request = '{"method":"tools/call","params":{"name":"add","arguments":{"a":1}}}'
    response = '{"content":[{"type":"text","text":"3"}],"isError":false}'
    said = _of_logfire({"rpc.method": "tools/call", "request": request, "response": response})

    assert (said.operation, said.tool_name, said.input) == ("execute_tool", "add", {"a": 1})
    assert said.output == {"content": [{"type": "text", "text": "3"}], "isError": False}


@pytest.mark.parametrize("odd", [None, 5, [], "{", '{"params":5}', '{"params":{"name":5}}', b"x"])
def test_other_requests_of_logfire_are_no_calls(odd: Any) -> None:
    """Neither other methods, nor requests of odd form, and no remote call outside of MCP."""
    listed = _of_logfire({"rpc.method": "tools/list", "request": odd, "response": odd})
    elsewhere = canonical(make_span(attributes={"rpc.method": "tools/call", "request": odd, "mcp.session.id": "1"}))
    said = _of_logfire({"rpc.method": "tools/call", "request": odd})

    assert (listed.operation, listed.tool_name, listed.input, listed.output) == (None, None, None, None)
    assert (elsewhere.tool_name, elsewhere.input) == (None, None)
    assert (said.tool_name, said.input) == (None, None)


def _of_logfire(attributes: dict[str, Any]) -> Canonical:
    return canonical(make_span(name="MCP request", attributes=attributes, scope=ScopeRecord("logfire.mcp")))
