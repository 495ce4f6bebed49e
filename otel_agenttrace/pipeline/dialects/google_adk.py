"""Google's Agent Development Kit, where it uses words of its own beside OTel's.

https://google.github.io/adk-docs/observability/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.pipeline.dialects.counts_in_json import count_in
from otel_agenttrace.pipeline.dialects.dialect import Dialect
from otel_agenttrace.pipeline.message_forms import read_messages
from otel_agenttrace.pipeline.message_parts import parsed, read_parts
from otel_agenttrace.pipeline.messages import Message

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord

_MODEL_CALL = "call_llm"
_AGENT_RUN = "agent_run ["
"""How the name of an agent's span began, before it spoke of `invoke_agent`."""


def _operation(record: SpanRecord) -> Any:
    return _MODEL_CALL if record.name == _MODEL_CALL else "agent_run" if record.name.startswith(_AGENT_RUN) else None


def _agent_name(record: SpanRecord) -> Any:
    return record.name[len(_AGENT_RUN) : -1] if record.name.startswith(_AGENT_RUN) else None


def _request(record: SpanRecord) -> tuple[Message, ...]:
    request = parsed(record.attributes.get("gcp.vertex.agent.llm_request"))
    if not isinstance(request, dict):
        return ()
    config = request.get("config")
    instructions = config.get("system_instruction") if isinstance(config, dict) else None
    parts = read_parts(instructions.get("parts") if isinstance(instructions, dict) else instructions)
    asked = read_messages(request.get("contents"), "user")
    return (Message("system", parts), *asked) if parts else asked


def _filled(name: str) -> str:
    return f"gcp.vertex.agent.{name}"


def _arguments(record: SpanRecord) -> Any:
    """The arguments of a tool. Where its response is told, an empty object is what it was given."""
    arguments = record.attributes.get(_filled("tool_call_args"))
    return arguments if arguments == "{}" and _tool_response(record) else _unless_empty(arguments)


def _tool_response(record: SpanRecord) -> Any:
    return _unless_empty(record.attributes.get(_filled("tool_response")))


def _answer(record: SpanRecord) -> Any:
    return _unless_empty(record.attributes.get(_filled("llm_response")))


def _asked(record: SpanRecord) -> Any:
    return _unless_empty(record.attributes.get(_filled("llm_request")))


def _unless_empty(value: Any) -> Any:
    # What it leaves out it still writes, as an empty object.
    return None if value in ("{}", "N/A", "") else value


GOOGLE_ADK = Dialect(
    name="google_adk",
    marks=("gcp.vertex.agent", "adk"),
    scopes=("gcp.vertex.agent", "openinference.instrumentation.google_adk"),
    operation=(_operation,),
    operations={_MODEL_CALL: "generate_content", "agent_run": "invoke_agent"},
    agent_name=(_agent_name,),
    conversation=(_filled("session_id"),),
    cache_read_tokens=(count_in(_filled("llm_response"), "cached_content_token_count"),),
    reasoning_tokens=(
        "gen_ai.usage.experimental.reasoning_tokens",
        count_in(_filled("llm_response"), "thoughts_token_count"),
    ),
    total_tokens=(count_in(_filled("llm_response"), "total_token_count"),),
    input_messages=(_request,),
    output_messages=(_answer,),
    input=(_arguments, _asked, _filled("data")),
    output=(_tool_response, _answer),
)
