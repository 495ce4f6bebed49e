"""The Model Context Protocol, on the side of the client and of the server.

https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.contract.attributes import MCP_METHOD_NAME
from otel_agenttrace.pipeline.dialects.dialect import Dialect

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord

_CALL = "tools/call"


def _tool_name(record: SpanRecord) -> Any:
    """The conventions name the span after the method and its target."""
    is_call = record.attributes.get(str(MCP_METHOD_NAME)) == _CALL and f"{_CALL} " in record.name
    return record.name.partition(f"{_CALL} ")[2] if is_call else None


MCP = Dialect(
    name="mcp",
    marks=("mcp",),
    operation=(MCP_METHOD_NAME,),
    operations={_CALL: "execute_tool"},
    tool_name=("mcp.tool.name", _tool_name),
    input=("mcp.request.argument", "mcp.request.params"),
    output=("mcp.response.value",),
)
