"""What stands in for a language model: a script. The demo needs no key, no network and no luck.

Tokens are counted as four characters each, and their price is made up; everything else about the spans is what an
instrumented model call leaves, see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/#inference.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from opentelemetry import trace

from otel_agenttrace.contract.attributes import (
    GEN_AI_INPUT_MESSAGES,
    GEN_AI_OPERATION_NAME,
    GEN_AI_OUTPUT_MESSAGES,
    GEN_AI_PROVIDER_NAME,
    GEN_AI_REQUEST_MODEL,
    GEN_AI_RESPONSE_FINISH_REASONS,
    GEN_AI_RESPONSE_MODEL,
    GEN_AI_USAGE_COST,
    GEN_AI_USAGE_INPUT_TOKENS,
    GEN_AI_USAGE_OUTPUT_TOKENS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

PROVIDER, MODEL = "demo", "scripted"

_USD_PER_INPUT_TOKEN, _USD_PER_OUTPUT_TOKEN = 5e-6, 15e-6

Message: TypeAlias = "dict[str, Any]"
"""A message as the conventions write it: a role and parts."""


@dataclass(frozen=True)
class ToolCall:
    """A model's wish to have a tool called."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    id: str = ""


class ScriptedModel:
    """Gives its replies in order, whatever it is told.

    Args:
        replies: what it says: text, or the calls it wants.
    """

    def __init__(self, replies: Iterable[str | ToolCall]) -> None:
        self._replies = iter(replies)
        self._calls = 0

    def chat(self, messages: list[Message]) -> str | ToolCall:
        """Return the next reply, as one model call in a span."""
        attributes: dict[str, Any] = {
            GEN_AI_OPERATION_NAME: "chat",
            GEN_AI_PROVIDER_NAME: PROVIDER,
            GEN_AI_REQUEST_MODEL: MODEL,
            GEN_AI_INPUT_MESSAGES: messages,
        }
        tracer = trace.get_tracer(__name__)
        with tracer.start_as_current_span(f"chat {MODEL}", kind=trace.SpanKind.CLIENT, attributes=attributes) as span:
            reply = self._next_reply()
            span.set_attributes(_response(messages, reply))
            return reply

    def _next_reply(self) -> str | ToolCall:
        reply = next(self._replies)
        if isinstance(reply, str):
            return reply
        self._calls += 1
        return replace(reply, id=f"call_{self._calls}")


def message(role: str, what: str | ToolCall) -> Message:
    """A message of one part: text, or a call of a tool."""
    if isinstance(what, str):
        return {"role": role, "parts": [{"type": "text", "content": what}]}
    part = {"type": "tool_call", "id": what.id, "name": what.name, "arguments": what.arguments}
    return {"role": role, "parts": [part]}


def tool_message(call: ToolCall, response: object) -> Message:
    """The message that tells a model what its call gave."""
    return {"role": "tool", "parts": [{"type": "tool_call_response", "id": call.id, "response": response}]}


def _response(messages: list[Message], reply: str | ToolCall) -> dict[str, Any]:
    finish_reason = "stop" if isinstance(reply, str) else "tool_call"
    output = [message("assistant", reply) | {"finish_reason": finish_reason}]
    input_tokens, output_tokens = len(json.dumps(messages)) // 4, len(json.dumps(output)) // 4
    return {
        GEN_AI_RESPONSE_MODEL: MODEL,
        GEN_AI_RESPONSE_FINISH_REASONS: [finish_reason],
        GEN_AI_OUTPUT_MESSAGES: output,
        GEN_AI_USAGE_INPUT_TOKENS: input_tokens,
        GEN_AI_USAGE_OUTPUT_TOKENS: output_tokens,
        GEN_AI_USAGE_COST: input_tokens * _USD_PER_INPUT_TOKEN + output_tokens * _USD_PER_OUTPUT_TOKEN,
    }
