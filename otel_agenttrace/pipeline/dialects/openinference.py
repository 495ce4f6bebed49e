"""OpenInference, as Arize Phoenix's instrumentors write it.

https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otel_agenttrace.pipeline.dialects.dialect import Dialect
from otel_agenttrace.pipeline.dialects.finish_reasons import finish_reasons_in
from otel_agenttrace.pipeline.dialects.openinference_content import (
    chat_messages,
    completion_texts,
    documents,
    embedded_texts,
    kind_of,
    said,
    tool_arguments,
    tool_result,
    tools,
)
from otel_agenttrace.pipeline.dialects.tool_values import tool_call_id_in
from otel_agenttrace.pipeline.message_parts import parsed
from otel_agenttrace.pipeline.numbers import as_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.model.record import AnyValue, SpanRecord

_OPERATIONS = {
    "agent": "invoke_agent",
    "chain": "invoke_workflow",
    "embedding": "embeddings",
    "evaluator": "evaluate",
    "guardrail": "guardrail",
    "llm": "chat",
    "prompt": "prompt",
    "reranker": "rerank",
    "retriever": "retrieval",
    "text_completion": "text_completion",
    "tool": "execute_tool",
}
_MAX_PARAMETERS = 64 * 1024
_START = ".start"

_GRAPH_AGENT = re.compile(r'"lc_agent_name"\s*:\s*"([^"\\]{1,256})"')


def _completion(record: SpanRecord) -> AnyValue:
    # The kind is the same for the completions API of before chat models.
    attributes = record.attributes
    is_completion = "llm.prompts.0.prompt.text" in attributes or "llm.prompts" in attributes
    return "text_completion" if is_completion and kind_of(record) == "LLM" else None


def _kind(record: SpanRecord) -> AnyValue:
    # BeeAI makes a span of every event, so that the start of a call and its end are two of the call's kind.
    target = _target(record)
    return None if target and not target.endswith(_START) else kind_of(record)


def _target(record: SpanRecord) -> str:
    """What a span of BeeAI's is an event of; empty on all others."""
    target = record.attributes.get("target")
    return target if isinstance(target, str) and target and record.name.startswith(f"{target}-") else ""


def _requested_model(record: SpanRecord) -> AnyValue:
    text = record.attributes.get("llm.invocation_parameters")
    if not isinstance(text, str) or len(text) > _MAX_PARAMETERS:
        return None
    parameters = parsed(text)
    return (parameters.get("model") or parameters.get("model_name")) if isinstance(parameters, dict) else None


def _agent(name: str) -> Callable[[SpanRecord], AnyValue]:
    """Nodes of a graph are agents where the span is of that kind."""

    def read_agent(record: SpanRecord) -> AnyValue:
        return record.attributes[name] if name in record.attributes and kind_of(record) == "AGENT" else None

    return read_agent


def _graph_agent(record: SpanRecord) -> AnyValue:
    """The agent that LangChain runs a span for, which its instrumentor leaves in the metadata."""
    metadata = record.attributes.get("metadata")
    found = _GRAPH_AGENT.search(metadata[:_MAX_PARAMETERS]) if isinstance(metadata, str) else None
    return found[1] if found is not None else None


def _run_of_agent(record: SpanRecord) -> AnyValue:
    # LangChain runs an agent as a graph of its name, which is a chain to the instrumentor.
    return "agent" if kind_of(record) == "CHAIN" and _graph_agent(record) == record.name else None


def _tool_name(record: SpanRecord) -> AnyValue:
    """The name of a tool, which a span of another kind may tell of a tool that it is not about to call."""
    kind, name = _kind(record), record.attributes.get("tool.name")
    if kind != "TOOL":
        return name if kind == "" else None
    return name or _target(record).removesuffix(_START) or record.name


def _tool_call_id(record: SpanRecord) -> AnyValue:
    return tool_call_id_in(record.attributes.get("output.value")) if kind_of(record) == "TOOL" else None


def _summed_cost(record: SpanRecord) -> AnyValue:
    if "llm.cost.prompt" not in record.attributes and "llm.cost.completion" not in record.attributes:
        return None
    costs = [as_number(record.attributes.get(f"llm.cost.{part}")) for part in ("prompt", "completion")]
    told = [cost for cost in costs if cost is not None]
    return sum(told) if told else None


def _finish_reasons(record: SpanRecord) -> AnyValue:
    return finish_reasons_in(record.attributes.get("output.value")) if kind_of(record) == "LLM" else None


_CHAT_IN = chat_messages("llm.input_messages", "user")
_CHAT_OUT = chat_messages("llm.output_messages", "assistant")
_PROMPTS = completion_texts("llm.prompts", "prompt.text", "user")
_CHOICES = completion_texts("llm.choices", "completion.text", "assistant")

OPENINFERENCE = Dialect(
    name="openinference",
    marks=(
        "openinference",
        "embedding.embeddings",
        "embedding.model_name",
        "input.mime_type",
        "input.value",
        "llm.choices",
        "llm.cost",
        "llm.input_messages",
        "llm.invocation_parameters",
        "llm.model_name",
        "llm.output_messages",
        "llm.prompt_template",
        "llm.provider",
        "llm.system",
        "llm.token_count",
        "llm.tools",
        "output.mime_type",
        "output.value",
        "reranker",
        "retrieval.documents",
    ),
    scopes=("openinference",),
    operation=(_completion, _run_of_agent, _kind),
    operations=_OPERATIONS,
    request_model=("llm.request.model_name", "embedding.model_name", "reranker.model_name", _requested_model),
    response_model=("llm.response.model_name", "llm.model_name"),
    provider=("llm.provider", "llm.system"),
    agent_name=("agent.name", _agent("graph.node.name"), _agent("graph.node.id"), _graph_agent),
    tool_name=(_tool_name,),
    tool_call_id=("tool.id", "tool_call.id", _tool_call_id),
    input_tokens=("llm.token_count.prompt",),
    output_tokens=("llm.token_count.completion",),
    cache_read_tokens=("llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_input"),
    cache_write_tokens=("llm.token_count.prompt_details.cache_write",),
    reasoning_tokens=("llm.token_count.completion_details.reasoning",),
    total_tokens=("llm.token_count.total",),
    finish_reasons=("llm.finish_reason", _finish_reasons),
    reported_cost_usd=("llm.cost.total", _summed_cost),
    tool_definitions=(tools,),
    input_messages=(_CHAT_IN, _PROMPTS, said("input.value")),
    output_messages=(_CHAT_OUT, _CHOICES, said("output.value")),
    input=(tool_arguments, _CHAT_IN, _PROMPTS, "reranker.query", embedded_texts, "input.value"),
    output=(
        tool_result,
        _CHAT_OUT,
        _CHOICES,
        documents("reranker.output_documents"),
        documents("retrieval.documents"),
        "output.value",
    ),
)
