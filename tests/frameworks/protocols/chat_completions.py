"""OpenAI's chat completions, see https://platform.openai.com/docs/api-reference/chat."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.frameworks.script import Answer, Question, Refusal, answered_model

if TYPE_CHECKING:
    from collections.abc import Iterator

_FINISH = {"stop": "stop", "length": "length", "tool_call": "tool_calls", "content_filter": "content_filter"}


def read(body: dict[str, Any]) -> Question:
    """The question that a request asks."""
    messages = body["messages"]
    asked = [message for message in messages if message["role"] == "user"]
    return Question(
        model=body["model"],
        text=_text(asked[-1]["content"]) if asked else "",
        tools=tuple(tool["function"]["name"] for tool in body.get("tools") or ()),
        result=_text(messages[-1]["content"]) if messages[-1]["role"] == "tool" else None,
        is_stream=bool(body.get("stream")),
    )


def write(question: Question, answer: Answer) -> dict[str, Any]:
    """The answer as one object."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": None}
    if answer.tool_call is not None:
        message["tool_calls"] = _tool_calls(answer)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _FINISH[answer.finish]}
    return _head(question, "chat.completion") | {"choices": [choice], "usage": _usage(answer)}


def stream(question: Question, answer: Answer) -> Iterator[tuple[str, str]]:
    """The answer in pieces, usage in the last: (name, data) of each event, the name empty."""
    head = _head(question, "chat.completion.chunk")
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if answer.tool_call is not None:
        deltas.append({"tool_calls": [{"index": 0} | call for call in _tool_calls(answer)]})
    deltas += [{"content": piece} for piece in answer.text.split(" ")[:1] if piece]
    deltas += [{"content": f" {piece}"} for piece in answer.text.split(" ")[1:]]
    for delta in deltas:
        yield "", json.dumps(head | {"choices": [_chunk(delta, None)], "usage": None})
    yield "", json.dumps(head | {"choices": [_chunk({}, _FINISH[answer.finish])], "usage": None})
    yield "", json.dumps(head | {"choices": [], "usage": _usage(answer)})
    yield "", "[DONE]"


def write_error(refusal: Refusal) -> dict[str, Any]:
    """The body of an error."""
    kind = "rate_limit_error" if refusal.status == 429 else "invalid_request_error"
    code = "rate_limit_exceeded" if refusal.status == 429 else "invalid_value"
    return {"error": {"message": refusal.message, "type": kind, "param": None, "code": code}}


def _head(question: Question, kind: str) -> dict[str, Any]:
    model = answered_model(question.model)
    return {
        "id": f"chatcmpl-{question.number}",
        "object": kind,
        "created": 1_790_000_000,
        "model": model,
        "service_tier": "default",
    }


def _chunk(delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _tool_calls(answer: Answer) -> list[dict[str, Any]]:
    call = answer.wish
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    return [{"id": call.id, "type": "function", "function": function}]


def _usage(answer: Answer) -> dict[str, Any]:
    usage = answer.usage
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": 0},
    }


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content or ())
