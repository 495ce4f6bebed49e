"""Anthropic's messages, see https://docs.anthropic.com/en/api/messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.frameworks.script import Answer, Question, Refusal, answered_model

if TYPE_CHECKING:
    from collections.abc import Iterator

_FINISH = {"stop": "end_turn", "length": "max_tokens", "tool_call": "tool_use", "content_filter": "refusal"}


def read(body: dict[str, Any]) -> Question:
    """The question that a request asks."""
    said = [part for message in body["messages"] if message["role"] == "user" for part in _parts(message["content"])]
    texts = [part["text"] for part in said if part["type"] == "text"]
    last = said[-1]
    return Question(
        model=body["model"],
        text=texts[-1] if texts else "",
        tools=tuple(tool["name"] for tool in body.get("tools") or ()),
        result=_result(last) if last["type"] == "tool_result" else None,
        is_stream=bool(body.get("stream")),
    )


def write(question: Question, answer: Answer) -> dict[str, Any]:
    """The answer as one object."""
    return {
        "id": f"msg_{question.number}",
        "type": "message",
        "role": "assistant",
        "model": answered_model(question.model),
        "content": [_block(answer)],
        "stop_reason": _FINISH[answer.finish],
        "stop_sequence": None,
        "usage": _usage(answer),
    }


def stream(question: Question, answer: Answer) -> Iterator[tuple[str, str]]:
    """The answer in pieces, usage in the first and the last: (name, data) of each event."""
    whole = write(question, answer)
    block = _block(answer)
    if answer.tool_call is None:
        start, delta = block | {"text": ""}, {"type": "text_delta", "text": answer.text}
    else:
        start, delta = block | {"input": {}}, {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    begun = whole | {"content": [], "stop_reason": None, "usage": whole["usage"] | {"output_tokens": 1}}
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": start},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ended, "usage": {"output_tokens": answer.usage.output}},
        {"type": "message_stop"},
    ]
    for event in events:
        yield event["type"], json.dumps(event)


def write_error(refusal: Refusal) -> dict[str, Any]:
    """The body of an error."""
    kind = "rate_limit_error" if refusal.status == 429 else "invalid_request_error"
    return {"type": "error", "error": {"type": kind, "message": refusal.message}}


def _block(answer: Answer) -> dict[str, Any]:
    call = answer.tool_call
    if call is None:
        return {"type": "text", "text": answer.text}
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}


def _usage(answer: Answer) -> dict[str, Any]:
    """Here input counts neither what came from the cache nor what went into it."""
    usage = answer.usage
    return {
        "input_tokens": usage.input - usage.cache_read - usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation_input_tokens": usage.cache_write,
        "output_tokens": usage.output,
    }


def _parts(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _result(part: dict[str, Any]) -> str:
    content = part.get("content", "")
    return content if isinstance(content, str) else " ".join(piece.get("text", "") for piece in content)
