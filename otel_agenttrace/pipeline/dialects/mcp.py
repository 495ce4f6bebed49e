"""The Model Context Protocol, on the side of the client and of the server.

https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.contract.attributes import MCP_METHOD_NAME
from otel_agenttrace.pipeline.dialects.dialect import Dialect
from otel_agenttrace.pipeline.message_parts import parsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.model.record import SpanRecord

_CALL = "tools/call"
_METHOD = "rpc.method"
_LOGFIRE = "logfire.mcp"
"""A scope; https://logfire.pydantic.dev/docs/integrations/llms/mcp/"""


def _tool_name(record: SpanRecord) -> Any:
    """The conventions name the span after the method and its target."""
    is_call = record.attributes.get(str(MCP_METHOD_NAME)) == _CALL and f"{_CALL} " in record.name
    return record.name.partition(f"{_CALL} ")[2] if is_call else None


def _of_request(name: str) -> Callable[[SpanRecord], Any]:
    """A source: a parameter of the call of a tool that Logfire records, of which it keeps the whole request."""

    def read(record: SpanRecord) -> Any:
        request = parsed(record.attributes.get("request")) if _is_logfires_call(record) else None
        parameters = request.get("params") if isinstance(request, dict) else None
        return parameters.get(name) if isinstance(parameters, dict) else None

    return read


def _response(record: SpanRecord) -> Any:
    return record.attributes.get("response") if _is_logfires_call(record) else None


def _is_logfires_call(record: SpanRecord) -> bool:
    return record.scope.name == _LOGFIRE and record.attributes.get(_METHOD) == _CALL


MCP = Dialect(
    name="mcp",
    marks=("mcp",),
    scopes=(_LOGFIRE,),
    operation=(MCP_METHOD_NAME, _METHOD),
    operations={_CALL: "execute_tool"},
    tool_name=("mcp.tool.name", _tool_name, _of_request("name")),
    input=("mcp.request.argument", "mcp.request.params", _of_request("arguments")),
    output=("mcp.response.value", _response),
)
