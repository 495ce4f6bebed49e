"""Spans of the Model Context Protocol."""

from __future__ import annotations

import pytest

from otel_agenttrace.pipeline.canonical import canonical
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
