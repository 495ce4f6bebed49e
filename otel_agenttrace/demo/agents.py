"""Five small agents, some of which fail on purpose, instrumented as a user of plain OpenTelemetry would do it.

The calls of model and tools are spans by OTel's own API, the HTTP requests below them by instrumented httpx. Only the
span around a whole run is started with a helper of this package, see `demo.run`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
from opentelemetry import trace

from otel_agenttrace.contract.attributes import (
    GEN_AI_AGENT_NAME,
    GEN_AI_INPUT_MESSAGES,
    GEN_AI_OPERATION_NAME,
    GEN_AI_PROVIDER_NAME,
    GEN_AI_TOOL_CALL_ARGUMENTS,
    GEN_AI_TOOL_CALL_ID,
    GEN_AI_TOOL_CALL_RESULT,
    GEN_AI_TOOL_NAME,
    MCP_METHOD_NAME,
    RPC_RESPONSE_STATUS_CODE,
)
from otel_agenttrace.demo.model import PROVIDER, ScriptedModel, ToolCall, message, tool_message


class ToolError(Exception):
    """A tool answered with an error."""


@dataclass(frozen=True)
class Agent:
    """One agent: a scripted model that calls tools.

    Attributes:
        task: what the user asks of it.
        script: what its model says, in order; the last is the answer.
        tool_timeout_s: how long it waits for a tool, in seconds.
        tells_errors: its model is told when a call fails, and may try again; otherwise that ends the run.
    """

    name: str
    task: str
    script: tuple[str | ToolCall, ...]
    tool_timeout_s: float = 5.0
    tells_errors: bool = False

    @property
    def span_name(self) -> str:
        """The name of the span around a run."""
        return f"invoke_agent {self.name}"

    @property
    def attributes(self) -> dict[str, Any]:
        """What the span around a run starts with."""
        return {
            GEN_AI_OPERATION_NAME: "invoke_agent",
            GEN_AI_AGENT_NAME: self.name,
            GEN_AI_PROVIDER_NAME: PROVIDER,
            GEN_AI_INPUT_MESSAGES: [message("user", self.task)],
        }

    def answer(self, tools_url: str) -> str:
        """Talk with the model and call the tools it asks for, until it has an answer.

        Raises:
            ToolError: a tool refused a call.
            httpx.HTTPError: a tool could not be reached, or not in time.
        """
        model, messages = ScriptedModel(self.script), [message("user", self.task)]
        # trust_env: the tools are on loopback, where no proxy of the environment leads.
        with httpx.Client(timeout=self.tool_timeout_s, trust_env=False) as http:
            while isinstance(reply := model.chat(messages), ToolCall):
                messages += [message("assistant", reply), tool_message(reply, self._call(http, tools_url, reply))]
        return reply

    def _call(self, http: httpx.Client, tools_url: str, call: ToolCall) -> object:
        try:
            return call_tool(http, tools_url, call)
        except (ToolError, httpx.HTTPError) as error:
            if self.tells_errors:
                return {"error": str(error)}
            raise


def call_tool(http: httpx.Client, tools_url: str, call: ToolCall) -> Any:
    """Call a tool, as a span.

    See https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/#execute-tool-span, and for the two attributes
    of the protocol https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/.

    Raises:
        ToolError: the tool refused the call.
        httpx.HTTPError: it could not be reached, not in time, or answered with an HTTP error.
    """
    attributes: dict[str, Any] = {
        GEN_AI_OPERATION_NAME: "execute_tool",
        GEN_AI_TOOL_NAME: call.name,
        GEN_AI_TOOL_CALL_ID: call.id,
        GEN_AI_TOOL_CALL_ARGUMENTS: call.arguments,
        MCP_METHOD_NAME: "tools/call",
    }
    params = {"name": call.name, "arguments": call.arguments}
    tracer = trace.get_tracer(__name__)
    with tracer.start_as_current_span(f"execute_tool {call.name}", attributes=attributes) as span:
        request = {"jsonrpc": "2.0", "id": call.id, "method": "tools/call", "params": params}
        reply = http.post(tools_url, json=request).raise_for_status().json()
        if "error" in reply:
            span.set_attribute(RPC_RESPONSE_STATUS_CODE, str(reply["error"]["code"]))
            raise ToolError(reply["error"]["message"])
        result = reply["result"]["structuredContent"]
        span.set_attribute(GEN_AI_TOOL_CALL_RESULT, result)
        return result


AGENTS = (
    Agent(
        name="booking",
        task="Book me a flight to Oslo on 15 February.",
        script=(
            # The model writes the date as people do; the tool's schema wants it as machines do.
            ToolCall("search_flights", {"destination": "Oslo", "date": "15/02/2026"}),
            "Your flight to Oslo is booked.",
        ),
    ),
    Agent(
        name="search",
        task="Find papers about flight recorders.",
        script=(ToolCall("search_papers", {"topic": "flight recorders"}), "I found three papers."),
        tool_timeout_s=0.2,
    ),
    Agent(
        name="summary",
        task="Sum up the report of Example Ltd for 2025.",
        script=(
            ToolCall("read_report", {"company": "Example Ltd", "year": 2025}),
            # Neither figure stands in the report, which says 4.1 million and 38.
            "In 2025 Example Ltd earned 5.3 million euros with 412 employees.",
        ),
    ),
    Agent(
        name="retry",
        task="How much is 10 euros in Swedish crowns?",
        script=(
            ToolCall("convert_currency", {"amount": 10, "currency": "SEK"}),
            ToolCall("convert_currency", {"amount": 10, "currency": "SEK"}),
            "10 euros are 115 Swedish crowns.",
        ),
        tells_errors=True,
    ),
    Agent(
        name="weather",
        task="Do I need an umbrella in Lisbon?",
        script=(ToolCall("get_weather", {"city": "Lisbon"}), "No: the sky over Lisbon is clear, at 21 degrees."),
    ),
)
