"""Errors that emitters tell of in words of their own, where the span's status says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import (
    GEN_AI_OPERATION_NAME,
    GEN_AI_RESPONSE_FINISH_REASONS,
    GEN_AI_TOOL_NAME,
    MCP_METHOD_NAME,
)
from otel_agenttrace.pipeline.canonical import canonical, tool_output_of

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue, SpanRecord

# Plain strings: a dict finds a subclass of str more slowly.
_OPERATION, _FINISH_REASONS = str(GEN_AI_OPERATION_NAME), str(GEN_AI_RESPONSE_FINISH_REASONS)
_TOOL_NAME, _MCP_METHOD = str(GEN_AI_TOOL_NAME), str(MCP_METHOD_NAME)

_LANGFUSE_LEVEL = "langfuse.observation.level"
_LANGFUSE_MESSAGE = "langfuse.observation.status_message"
"""https://langfuse.com/docs/observability/features/log-levels"""

_TOOL_STATUS = "gen_ai.tool.status"
"""Strands' word for whether a tool succeeded; the span's status is OK in any case."""

_MAX_PARTS = 16
_MAX_MESSAGE = 2000


def error_told(record: SpanRecord) -> str | None:
    """What the span says of its error, perhaps nothing; None if it tells of none.

    Looked at are Langfuse's level, Strands' status of a tool, a model that stopped with the reason `error`, and the
    result of a tool that says of itself that it is an error.
    """
    attributes = record.attributes
    if tool_failed(record):
        return _text_of(canonical(record).output)[:_MAX_MESSAGE]
    if _LANGFUSE_LEVEL in attributes and attributes[_LANGFUSE_LEVEL] == "ERROR":
        message = attributes.get(_LANGFUSE_MESSAGE)
        return message if isinstance(message, str) else ""
    if _FINISH_REASONS in attributes:
        reasons = attributes[_FINISH_REASONS]
        return "the model stopped with an error" if isinstance(reasons, list) and "error" in reasons else None
    if _TOOL_NAME in attributes or _MCP_METHOD in attributes or _is_tool(attributes):
        return _told_by_result(tool_output_of(record))
    return None


def tool_failed(record: SpanRecord) -> bool:
    """Whether the emitter says of a tool that it failed, which holds whatever the status of the span."""
    return record.attributes.get(_TOOL_STATUS) == "error"


def _is_tool(attributes: dict[str, AnyValue]) -> bool:
    return attributes.get(_OPERATION) == "execute_tool"


def _told_by_result(result: AnyValue) -> str | None:
    """MCP's `isError`, Anthropic's `is_error`, LangChain's `status`; a list of parts is an error if one of them is."""
    parts = result[:_MAX_PARTS] if isinstance(result, list) else [result]
    for part in parts:
        if isinstance(part, dict) and _is_error(part):
            return _text_of(part.get("content"))[:_MAX_MESSAGE]
    return None


def _is_error(result: dict[str, AnyValue]) -> bool:
    if result.get("isError") is True or result.get("is_error") is True:
        return True
    return result.get("status") == "error" and "tool_call_id" in result


def _text_of(content: AnyValue) -> str:
    if isinstance(content, str):
        return content
    parts = content[:_MAX_PARTS] if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    return "\n".join(text for text in texts if isinstance(text, str))
