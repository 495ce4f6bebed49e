"""LangSmith's SDK, which writes a run of LangSmith's as a span.

Beside its own names it writes OTel's, but its word for the kind of a run says more than the operation that it makes of
it: retrievers become embeddings there, and templates become chats. Hence this dialect is asked first.
https://docs.langchain.com/langsmith/trace-with-opentelemetry (attribute mapping)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from otel_agenttrace.contract.attributes import (
    GEN_AI_COMPLETION,
    GEN_AI_PROMPT,
    GEN_AI_REQUEST_MODEL,
    GEN_AI_RESPONSE_FINISH_REASONS,
    GEN_AI_RESPONSE_MODEL,
)
from otel_agenttrace.pipeline.dialects.dialect import Dialect
from otel_agenttrace.pipeline.dialects.finish_reasons import finish_reasons_in
from otel_agenttrace.pipeline.dialects.tool_values import arguments_of, result_of, tool_call_id_in
from otel_agenttrace.pipeline.message_parts import parsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.model.record import AnyValue, SpanRecord

_KIND = "langsmith.span.kind"
_AGENT = "langsmith.metadata.lc_agent_name"
_PROMPT, _COMPLETION = str(GEN_AI_PROMPT), str(GEN_AI_COMPLETION)
_FINISH_REASONS = str(GEN_AI_RESPONSE_FINISH_REASONS)
_USAGE = "langsmith.metadata.usage_metadata"
_USAGE_DETAILS = ("gen_ai.usage.input_token_details", "gen_ai.usage.output_token_details", _USAGE)
_MAX_LENGTH = 8192

_RESPONSE_MODEL = re.compile(r'"model_name"\s*:\s*"([^"\\]{1,256})"')
_MAX_ANSWER = 256 * 1024

_OPERATIONS = {
    "agent": "invoke_agent",
    "chain": "invoke_workflow",
    "embedding": "embeddings",
    "llm": "chat",
    "prompt": "prompt",
    "retriever": "retrieval",
    "tool": "execute_tool",
}


def _is(kind: str, record: SpanRecord) -> bool:
    return record.attributes.get(_KIND) == kind


def _run_of_agent(record: SpanRecord) -> AnyValue:
    # LangChain runs an agent as a graph of its name, which is a chain to LangSmith.
    return "agent" if _is("chain", record) and record.attributes.get(_AGENT) == record.name else None


def _response_model(record: SpanRecord) -> AnyValue:
    """The model that LangChain says to have answered; LangSmith itself only tells it of OpenAI's own answers."""
    told = record.attributes.get(GEN_AI_RESPONSE_MODEL)
    answer = record.attributes.get(_COMPLETION) if told is None and _is("llm", record) else None
    found = _RESPONSE_MODEL.search(answer[:_MAX_ANSWER]) if isinstance(answer, str) else None
    return told if found is None else found[1]


def _tool_name(record: SpanRecord) -> AnyValue:
    return (record.attributes.get("langsmith.trace.name") or record.name) if _is("tool", record) else None


def _tool_call_id(record: SpanRecord) -> AnyValue:
    return tool_call_id_in(record.attributes.get(_COMPLETION)) if _is("tool", record) else None


def _provider(record: SpanRecord) -> AnyValue:
    # The SDK writes `langchain` as the system of whatever it finds no model's name in.
    provider = record.attributes.get("langsmith.metadata.ls_provider")
    return provider if _is("llm", record) or _is("embedding", record) else None


def _detail(name: str) -> Callable[[SpanRecord], AnyValue]:
    """One of the details of LangChain's `usage_metadata`, as JSON or as Python writes a mapping."""
    pattern = re.compile(rf"""["']{name}["']\s*:\s*([0-9]{{1,15}})""")

    def read_detail(record: SpanRecord) -> AnyValue:
        for source in _USAGE_DETAILS:
            text = record.attributes.get(source)
            found = pattern.search(text[:_MAX_LENGTH]) if isinstance(text, str) else None
            if found is not None:
                return int(found[1])
        return None

    return read_detail


def _finish_reasons(record: SpanRecord) -> AnyValue:
    told = record.attributes.get(_FINISH_REASONS)
    if isinstance(told, str) and not told.startswith("["):
        return [reason.strip() for reason in told.split(",")]
    if told is None and _is("llm", record):
        return finish_reasons_in(record.attributes.get(_COMPLETION))
    return None


def _arguments(record: SpanRecord) -> Any:
    if not _is("tool", record):
        return None
    value = arguments_of(record.attributes.get(_PROMPT))
    if isinstance(value, dict) and value.keys() == {"input"}:  # all that the callbacks tell of a tool's arguments
        return arguments_of(value["input"])
    return value


def _result(record: SpanRecord) -> AnyValue:
    value = parsed(record.attributes.get(_COMPLETION))
    # A run's outputs are always a mapping, so the SDK wraps what is none.
    return result_of(value["output"]) if isinstance(value, dict) and value.keys() == {"output"} else None


LANGSMITH = Dialect(
    name="langsmith",
    marks=("langsmith",),
    scopes=("langsmith",),
    operation=(_run_of_agent, _KIND),
    operations=_OPERATIONS,
    request_model=(GEN_AI_REQUEST_MODEL, "langsmith.metadata.ls_model_name"),
    response_model=(_response_model,),
    provider=(_provider,),
    agent_name=(_AGENT,),
    tool_name=(_tool_name,),
    tool_call_id=(_tool_call_id,),
    conversation=(
        "langsmith.metadata.session_id",
        "langsmith.metadata.thread_id",
        "langsmith.metadata.conversation_id",
    ),
    cache_read_tokens=(_detail("cache_read"),),
    cache_write_tokens=(_detail("cache_creation"),),
    reasoning_tokens=(_detail("reasoning"),),
    finish_reasons=(_finish_reasons,),
    input=(_arguments,),
    output=(_result,),
)
