"""OpenLLMetry, Traceloop's instrumentors, with the flattened messages that they wrote before OTel had names for them.

https://www.traceloop.com/docs/openllmetry/contributing/semantic-conventions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.contract.attributes import GEN_AI_COMPLETION, GEN_AI_PROMPT, MCP_METHOD_NAME
from otel_agenttrace.pipeline.dialects.dialect import Dialect
from otel_agenttrace.pipeline.dialects.flattened import chat_role, column, numbered, without_absent
from otel_agenttrace.pipeline.dialects.tool_values import arguments_of, result_of, tool_call_id_in
from otel_agenttrace.pipeline.message_parts import parsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.model.record import AnyValue, Attributes, SpanRecord

_IN = (str(GEN_AI_PROMPT), "llm.prompts")
_OUT = (str(GEN_AI_COMPLETION), "llm.completions")
_KIND = "traceloop.span.kind"
_NAME = "traceloop.entity.name"
_INPUT = "traceloop.entity.input"
_OUTPUT = "traceloop.entity.output"
_PROPERTIES = "traceloop.association.properties"
_PARTS_OF_BEDROCK = frozenset({"text", "toolUse", "toolResult", "image", "reasoningContent"})

_OPERATIONS = {
    "acompletion": "chat",
    "agent": "invoke_agent",
    "chat": "chat",
    "completion": "text_completion",
    "embedding": "embeddings",
    "rerank": "rerank",
    "tool": "execute_tool",
    "workflow": "invoke_workflow",
}

_MCP_CALL = "tools/call"
_CREWS_MODEL = "crewai.llm."


def _chat(record: SpanRecord) -> AnyValue:
    """A completion that is a chat: LiteLLM's function for chats is of that name, and so is Bedrock's `InvokeModel`.

    The instrumentors of LangChain and of OpenAI give the one prompt of a completion a role, too.
    """
    if record.attributes.get("llm.request.type") != "completion" or f"{_IN[0]}.0.role" not in record.attributes:
        return None
    return "chat" if record.name == "bedrock.completion" or not record.name.endswith(".completion") else None


def _crews_model(record: SpanRecord) -> AnyValue:
    is_call = record.name.endswith(".llm") and any(name.startswith(_CREWS_MODEL) for name in record.attributes)
    return "chat" if is_call else None


def _kind(record: SpanRecord) -> AnyValue:
    """The kind of the entity; whatever a server is asked for is a tool to the instrumentor of MCP."""
    kind = record.attributes.get(_KIND)
    return None if kind == "tool" and record.attributes.get(MCP_METHOD_NAME, _MCP_CALL) != _MCP_CALL else kind


def _name_of(kind: str) -> Callable[[SpanRecord], AnyValue]:
    def read_name(record: SpanRecord) -> AnyValue:
        return record.attributes.get(_NAME) if _kind(record) == kind else None

    return read_name


def _tool_call_id(record: SpanRecord) -> AnyValue:
    return tool_call_id_in(record.attributes.get(_OUTPUT)) if record.attributes.get(_KIND) == "tool" else None


def _messages(prefixes: tuple[str, ...], role: str) -> Callable[[SpanRecord], AnyValue]:
    def read_list(record: SpanRecord) -> Any:
        for prefix in prefixes:
            found = [_message(item, role) for item in numbered(record.attributes, prefix)]
            if found:
                return found
        return None

    return read_list


def _message(item: Attributes, default_role: str) -> dict[str, Any]:
    # LangSmith documents a second form: `gen_ai.prompt.0.message.role`.
    item = {name.removeprefix("message."): value for name, value in item.items()}
    content = parsed(item.get("content"))
    if _is_calls(content):  # Koog writes what a model asked for as if the tool said it
        return {"role": "assistant", "tool_calls": content}
    return without_absent(
        {
            "role": chat_role(item.get("role"), default_role),
            "content": content if _is_parts(content) else item.get("content"),
            "reasoning": item.get("reasoning"),
            "tool_calls": [_call(call) for call in numbered(item, "tool_calls")],
            "tool_call_id": item.get("tool_call_id"),
            "name": item.get("name"),
            "finish_reason": item.get("finish_reason"),
        }
    )


def _is_parts(content: AnyValue) -> bool:
    """Whether a content is the parts of a message, which stand there as JSON text."""
    return isinstance(content, list) and all(
        isinstance(part, dict) and ("type" in part or (len(part) == 1 and part.keys() <= _PARTS_OF_BEDROCK))
        for part in content
    )


def _is_calls(content: AnyValue) -> bool:
    """Whether a content is nothing but calls of tools, in the form of OpenAI's."""
    return (
        isinstance(content, list)
        and bool(content)
        and all(
            isinstance(call, dict) and call.get("type") == "function" and isinstance(call.get("function"), dict)
            for call in content
        )
    )


def _call(item: Attributes) -> dict[str, Any]:
    return {
        "id": item.get("id"),
        "name": item.get("name", item.get("function.name")),
        "arguments": item.get("arguments", item.get("function.arguments")),
    }


def _finish_reasons(record: SpanRecord) -> Any:
    for prefix in _OUT:
        if f"{prefix}.0.finish_reason" in record.attributes:
            return column(record.attributes, prefix, "finish_reason")
    return None


def _input(record: SpanRecord) -> Any:
    """What a function or a runnable was given: the SDK's decorators and callbacks put it in envelopes."""
    value = arguments_of(record.attributes.get(_INPUT))
    if isinstance(value, dict) and value.keys() == {"tool_name", "arguments"}:  # MCP's
        return value["arguments"]
    inputs = value.get("inputs") if isinstance(value, dict) else None
    if isinstance(value, dict) and record.attributes.get(_KIND) == "tool":
        inputs = inputs or arguments_of(value.get("input_str"))
    return value if inputs is None else inputs


def _output(record: SpanRecord) -> Any:
    value = parsed(record.attributes.get(_OUTPUT))
    keys = [key for key in ("outputs", "output") if isinstance(value, dict) and key in value]
    inner = value[keys[0]] if keys else value
    return result_of(inner) if record.attributes.get(_KIND) == "tool" else inner


def _said(read: Callable[[SpanRecord], AnyValue]) -> Callable[[SpanRecord], AnyValue]:
    """Values of tools are arguments and results, not what somebody said."""

    def read_value(record: SpanRecord) -> AnyValue:
        return None if record.attributes.get(_KIND) == "tool" else read(record)

    return read_value


def _tools(record: SpanRecord) -> AnyValue:
    return [
        {name: parsed(value) if name in ("parameters", "input_schema") else value for name, value in item.items()}
        for item in numbered(record.attributes, "llm.request.functions")
    ] or None


_PROMPTS = _messages(_IN, "user")
_COMPLETIONS = _messages(_OUT, "assistant")

OPENLLMETRY = Dialect(
    name="openllmetry",
    marks=(
        "traceloop",
        "crewai",
        "gen_ai.completion.",
        "gen_ai.prompt.",
        "llm.completions",
        "llm.prompts",
        "llm.request.functions",
        "llm.request.model",
        "llm.request.type",
        "llm.response",
        "llm.usage",
        "llm.vendor",
    ),
    operation=(_chat, "llm.request.type", _kind, _crews_model),
    operations=_OPERATIONS,
    request_model=("llm.request.model", f"{_PROPERTIES}.ls_model_name"),
    response_model=("llm.response.model",),
    provider=("llm.vendor", f"{_PROPERTIES}.ls_provider"),
    agent_name=("crewai.agent.role", _name_of("agent"), f"{_PROPERTIES}.lc_agent_name"),
    tool_name=(_name_of("tool"),),
    tool_call_id=(_tool_call_id,),
    conversation=(
        f"{_PROPERTIES}.session_id",
        f"{_PROPERTIES}.conversation_id",
        f"{_PROPERTIES}.thread_id",
        f"{_PROPERTIES}.chat_id",
    ),
    input_tokens=("llm.usage.prompt_tokens",),
    output_tokens=("llm.usage.completion_tokens",),
    total_tokens=("llm.usage.total_tokens",),
    finish_reasons=(_finish_reasons, "llm.response.finish_reason", "llm.response.stop_reason"),
    tool_definitions=(_tools,),
    input_messages=(_PROMPTS, _said(_input)),
    output_messages=(_COMPLETIONS, _said(_output)),
    input=(_PROMPTS, _input),
    output=(_COMPLETIONS, _output),
)
