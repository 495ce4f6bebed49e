"""The MCP SDK's own spans: a client and a server in processes of their own, over stdio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_agenttrace import open_store
from otel_agenttrace.pipeline.canonical import canonical
from tests.frameworks.framework import STORE, play, require
from tests.frameworks.run import RecordedTrace
from tests.frameworks.script import TOOL

if TYPE_CHECKING:
    from tests.frameworks.run import Run

_SERVER = f"""
from otel_agenttrace import configure_tracing

configure_tracing("weather-tools", store={STORE!r}, instrument=False)

from mcp.server.mcpserver import MCPServer

server = MCPServer("weather", log_level="CRITICAL")


@server.tool()
def get_weather(city: str) -> str:
    "The weather in a city."
    if city == "Atlantis":
        raise LookupError(f"no weather station in {{city}}")
    return "4 degrees and rain"


server.run("stdio")
"""

_CLIENT = f"""
import asyncio
import os
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from opentelemetry import trace

from otel_agenttrace import configure_tracing

configure_tracing("weather", store={STORE!r}, instrument=False)


async def main():
    server = StdioServerParameters(command=sys.executable, args=["server.py"], env=dict(os.environ))
    async with stdio_client(server) as (incoming, outgoing), ClientSession(incoming, outgoing) as session:
        await session.initialize()
        for city in ("Oslo", "Atlantis"):
            with trace.get_tracer("weather").start_as_current_span(f"visit {{city}}"):
                result = await session.call_tool("get_weather", {{"city": city}})
                print(result.is_error, result.content[0].text)


asyncio.run(main())
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A client that had its tool server called twice, both recorded into one store."""
    require("mcp")
    folder = tmp_path_factory.mktemp("mcp")
    (folder / "server.py").write_text(_SERVER, encoding="utf-8")
    return play(folder, _CLIENT)


@pytest.fixture(scope="module")
def visits(run: Run) -> dict[str, RecordedTrace]:
    """The traces of both visits, by the name of their root."""
    listed = [trace for trace in run.command("trace", "list") if trace["root_name"].startswith("visit ")]
    with open_store(run.url) as store:
        return {
            trace["root_name"]: RecordedTrace(run, trace["trace_id"], store.spans.get_trace(trace["trace_id"]).spans)
            for trace in listed
        }


def test_both_sides_are_one_trace(visits: dict[str, RecordedTrace]) -> None:
    """The server's span hangs below the client's, which hangs below the agent's; both name the tool."""
    trace = visits["visit Oslo"]
    client, server = trace.tool_nodes

    assert client.parent is trace.tree.root
    assert server.parent is client
    assert server.record.resource.service_name == "weather-tools"
    for node in (client, server):
        said = canonical(node.record)
        assert (said.operation, said.tool_name) == ("execute_tool", TOOL)
    assert trace.shown["tools"] == [TOOL]
    assert trace.shown["status"] == "passed"


def test_a_tool_that_fails_at_the_server(run: Run, visits: dict[str, RecordedTrace]) -> None:
    """The failure is found where it happened, at the server's call of the tool; the agent went on."""
    trace = visits["visit Atlantis"]
    _, server = trace.tool_nodes

    (failure,) = run.command("failure", "list", "--all")
    assert failure["failure_id"].endswith(server.record.span_id)
    assert trace.shown["error_count"] == 1
    assert run.stdout.splitlines()[0] == "False 4 degrees and rain"
