"""Pydantic AI and Logfire, where they use words of their own beside OTel's.

https://ai.pydantic.dev/logfire/ and https://logfire.pydantic.dev/docs/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.contract.attributes import GEN_AI_SYSTEM_INSTRUCTIONS, GEN_AI_TOOL_NAME
from otel_agenttrace.pipeline.dialects import logfire_calls
from otel_agenttrace.pipeline.dialects.counts_in_json import count_in
from otel_agenttrace.pipeline.dialects.dialect import Dialect
from otel_agenttrace.pipeline.message_forms import read_messages
from otel_agenttrace.pipeline.message_parts import parsed, read_parts
from otel_agenttrace.pipeline.messages import Message, TextPart

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord

_CHOICE = "gen_ai.choice"
_RUN = ("pydantic_ai.all_messages", "all_messages_events", "final_result", "agent_name")
"""Any of these is on the span of an agent's run, and on no other."""


def _operation(record: SpanRecord) -> Any:
    is_run = GEN_AI_TOOL_NAME not in record.attributes and any(name in record.attributes for name in _RUN)
    return "invoke_agent" if is_run else None


def _history(record: SpanRecord) -> tuple[Message, ...]:
    """All messages of an agent's run, its answer among them."""
    attributes = record.attributes
    return read_messages(attributes.get("pydantic_ai.all_messages") or attributes.get("all_messages_events"), "user")


def _asked(record: SpanRecord) -> tuple[Message, ...]:
    history = _history(record)
    asked = history[:-1] if history and history[-1].role == "assistant" else history
    instructions = read_parts(parsed(record.attributes.get(GEN_AI_SYSTEM_INSTRUCTIONS)))
    is_told = not asked or not instructions or any(message.role == "system" for message in asked)
    return asked if is_told else (Message("system", instructions), *asked)


def _answered(record: SpanRecord) -> tuple[Message, ...]:
    history = _history(record)
    answer = history[-1:] if history and history[-1].role == "assistant" and history[-1].text else ()
    result = record.attributes.get("final_result")
    return answer or ((Message("assistant", (TextPart(result),)),) if isinstance(result, str) and result else ())


def _events(record: SpanRecord, *, choices: bool) -> tuple[Message, ...]:
    """The messages of a model call, which versions before 1.0 wrote as a list of events."""
    events = parsed(record.attributes.get("events"))
    wanted = [
        event
        for event in (events if isinstance(events, list) else ())
        if isinstance(event, dict) and (event.get("event.name") == _CHOICE) is choices
    ]
    return read_messages(wanted, "assistant" if choices else "user")


def _event_input(record: SpanRecord) -> tuple[Message, ...]:
    return _events(record, choices=False)


def _event_output(record: SpanRecord) -> tuple[Message, ...]:
    return _events(record, choices=True)


def _tools(record: SpanRecord) -> Any:
    """The tools of a request, with the schema under the name that the conventions use."""
    request = parsed(record.attributes.get("model_request_parameters"))
    kinds = [request.get(kind) for kind in ("function_tools", "output_tools")] if isinstance(request, dict) else []
    tools = [tool for kind in kinds if isinstance(kind, list) for tool in kind if isinstance(tool, dict)]
    return [{**tool, "parameters": tool.get("parameters_json_schema")} for tool in tools] or None


_cache_read = count_in("response_data", "cache_read_input_tokens")
_cache_write = count_in("response_data", "cache_creation_input_tokens")
_input_of_response = count_in("response_data", "input_tokens")


def _uncached_input(record: SpanRecord) -> Any:
    """Anthropic's count of the input, as Logfire passes it on; cached tokens are not in it."""
    return None if _cache_read(record) is None else _input_of_response(record)


PYDANTIC_AI = Dialect(
    name="pydantic_ai",
    marks=(
        "logfire",
        "pydantic_ai",
        "gen_ai.aggregated_usage",
        "model_request_parameters",
        "tool_arguments",
        "tool_response",
    ),
    scopes=("pydantic-ai", "logfire"),
    operation=(_operation,),
    operations={"invoke_agent": "invoke_agent"},
    request_model=("model_name",),
    agent_name=("agent_name",),
    input_tokens=("gen_ai.aggregated_usage.input_tokens",),
    output_tokens=("gen_ai.aggregated_usage.output_tokens",),
    cache_read_tokens=(
        "gen_ai.usage.details.cache_read_tokens",
        "gen_ai.usage.details.cached_tokens",
        "gen_ai.aggregated_usage.cache_read.input_tokens",
        "gen_ai.aggregated_usage.details.cache_read_tokens",
        _cache_read,
    ),
    cache_write_tokens=(
        "gen_ai.usage.details.cache_write_tokens",
        "gen_ai.aggregated_usage.cache_write.input_tokens",
        "gen_ai.aggregated_usage.details.cache_write_tokens",
        _cache_write,
    ),
    reasoning_tokens=(
        "gen_ai.usage.details.reasoning_tokens",
        "gen_ai.aggregated_usage.details.reasoning_tokens",
    ),
    uncached_input_tokens=(_uncached_input,),
    reported_cost_usd=("operation.cost",),
    tool_definitions=(_tools, logfire_calls.tools),
    input_messages=(_asked, _event_input, logfire_calls.asked),
    output_messages=(_answered, _event_output, logfire_calls.answered),
    input=("tool_arguments",),
    output=("tool_response", "final_result"),
)
