"""Content: what people, models and tools said to each other, which not every place that spans go to may have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import (
    AGENTTRACE_EVENT_DATA,
    AGENTTRACE_FLAG_EVIDENCE,
    AGENTTRACE_FLAG_MESSAGE,
    AGENTTRACE_INPUT,
    AGENTTRACE_OUTPUT,
    FAILURE_TYPE,
    GEN_AI_COMPLETION,
    GEN_AI_EVALUATION_EXPLANATION,
    GEN_AI_INPUT_MESSAGES,
    GEN_AI_OUTPUT_MESSAGES,
    GEN_AI_PROMPT,
    GEN_AI_SYSTEM_INSTRUCTIONS,
    GEN_AI_TOOL_CALL_ARGUMENTS,
    GEN_AI_TOOL_CALL_RESULT,
    GEN_AI_TOOL_DEFINITIONS,
)
from otel_agenttrace.model.verdicts import is_verdict

if TYPE_CHECKING:
    from otel_agenttrace.model.record import Attributes, SpanRecord

_CONTENT = frozenset(
    {
        AGENTTRACE_EVENT_DATA,
        AGENTTRACE_INPUT,
        AGENTTRACE_OUTPUT,
        GEN_AI_COMPLETION,
        GEN_AI_INPUT_MESSAGES,
        GEN_AI_OUTPUT_MESSAGES,
        GEN_AI_PROMPT,
        GEN_AI_SYSTEM_INSTRUCTIONS,
        GEN_AI_TOOL_CALL_ARGUMENTS,
        GEN_AI_TOOL_CALL_RESULT,
        GEN_AI_TOOL_DEFINITIONS,
        "all_messages_events",
        "content",
        "events",
        "final_result",
        "gen_ai.event.content",
        "gen_ai.output",
        "gen_ai.retrieval.documents",
        "gen_ai.retrieval.query.text",
        "gen_ai.tool.args",
        "message",
        "model_request_parameters",
        "request",
        "request_data",
        "response",
        "response_data",
        "tool_arguments",
        "tool_calls",
        "tool_response",
    }
)

# What other families of instrumentors write it as; leaving out one name too many costs a detail, one too few a secret.
_CONTENT_PREFIXES = (
    f"{GEN_AI_PROMPT}.",
    f"{GEN_AI_COMPLETION}.",
    "ai.embedding",
    "ai.prompt",
    "ai.response.files",
    "ai.response.object",
    "ai.response.reasoning",
    "ai.response.text",
    "ai.response.toolCalls",
    "ai.toolCall.args",
    "ai.toolCall.result",
    "ai.value",
    "document.",
    "embedding.embeddings",
    "embedding.text",
    "embedding.vector",
    "gcp.vertex.agent.data",
    "gcp.vertex.agent.llm_request",
    "gcp.vertex.agent.llm_response",
    "gcp.vertex.agent.tool_call_args",
    "gcp.vertex.agent.tool_response",
    "input.audio",
    "input.images",
    "input.value",
    "langfuse.observation.input",
    "langfuse.observation.output",
    "langfuse.trace.input",
    "langfuse.trace.output",
    "langsmith.metadata.invocation_params",
    "langsmith.metadata.tools",
    "llm.choices",
    "llm.completions",
    "llm.function_call",
    "llm.input_messages",
    "llm.invocation_parameters",
    "llm.output_messages",
    "llm.prompt_template",
    "llm.prompts",
    "llm.request.functions",
    "llm.tools",
    "mcp.request.argument",
    "mcp.request.params",
    "mcp.response.value",
    "message.content",
    "message.tool_calls",
    "output.audio",
    "output.value",
    "pydantic_ai.all_messages",
    "reranker.input_documents",
    "reranker.output_documents",
    "reranker.query",
    "retrieval.documents",
    "tool.json_schema",
    "tool.parameters",
    "traceloop.entity.input",
    "traceloop.entity.output",
    "traceloop.prompt.template",
)


_QUOTING = frozenset({AGENTTRACE_FLAG_EVIDENCE, AGENTTRACE_FLAG_MESSAGE, GEN_AI_EVALUATION_EXPLANATION})
"""What events of a verdict say in sentences that quote, or as evidence."""


def drop_content(record: SpanRecord) -> SpanRecord:
    """A stage: the record without messages, arguments, results and the like, on the span and on its events.

    Names, models, counts, timings and errors stay; what an exception's message quotes stays with it. Of a verdict, the
    sentences go that quote outputs and arguments.
    """
    if is_verdict(record):
        return _without_quotations(record)
    events = tuple(replace(event, attributes=_without_content(event.attributes)) for event in record.events)
    return replace(record, attributes=_without_content(record.attributes), events=events)


def _without_quotations(verdict: SpanRecord) -> SpanRecord:
    events = tuple(
        replace(event, attributes={key: value for key, value in event.attributes.items() if key not in _QUOTING})
        for event in verdict.events
    )
    kind = verdict.attributes.get(FAILURE_TYPE)
    message = str(kind) if kind and verdict.status_message else ""
    return replace(verdict, status_message=message, events=events)


def _without_content(attributes: Attributes) -> Attributes:
    return {key: value for key, value in attributes.items() if not _is_content(key)}


def _is_content(key: str) -> bool:
    return key in _CONTENT or key.startswith(_CONTENT_PREFIXES)
