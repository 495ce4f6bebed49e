"""Google's generateContent, see https://ai.google.dev/api/generate-content."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.frameworks.script import Answer, Question, Refusal, answered_model

if TYPE_CHECKING:
    from collections.abc import Iterator

_FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "tool_call": "STOP", "content_filter": "SAFETY"}


def read(body: dict[str, Any]) -> Question:
    """The question that a request asks; `model` and `stream`, which are in its path, were put into `body`."""
    said = [part for content in body["contents"] for part in content["parts"] if content.get("role") != "model"]
    texts = [part["text"] for part in said if "text" in part]
    declared = [function for tool in body.get("tools") or () for function in tool.get("functionDeclarations") or ()]
    response = said[-1].get("functionResponse")
    return Question(
        model=body["model"],
        text=texts[-1] if texts else "",
        tools=tuple(function["name"] for function in declared),
        result=None if response is None else json.dumps(response["response"]),
        is_stream=bool(body.get("stream")),
    )


def write(question: Question, answer: Answer) -> dict[str, Any]:
    """The answer as one object."""
    call, usage = answer.tool_call, answer.usage
    part: dict[str, Any] = {"text": answer.text}
    if call is not None:
        part = {"functionCall": {"id": call.id, "name": call.name, "args": call.arguments}}
    content = {"role": "model", "parts": [part]}
    return {
        "candidates": [{"index": 0, "content": content, "finishReason": _FINISH[answer.finish]}],
        "modelVersion": answered_model(question.model),
        "responseId": f"gemini_{question.number}",
        "usageMetadata": {
            "promptTokenCount": usage.input,
            "cachedContentTokenCount": usage.cache_read,
            "candidatesTokenCount": usage.output - usage.reasoning,
            "thoughtsTokenCount": usage.reasoning,
            "totalTokenCount": usage.input + usage.output,
        },
    }


def stream(question: Question, answer: Answer) -> Iterator[tuple[str, str]]:
    """The answer in one piece, as (name, data) of an event without a name."""
    yield "", json.dumps(write(question, answer))


def write_error(refusal: Refusal) -> dict[str, Any]:
    """The body of an error."""
    status = "RESOURCE_EXHAUSTED" if refusal.status == 429 else "INVALID_ARGUMENT"
    return {"error": {"code": refusal.status, "message": refusal.message, "status": status}}
