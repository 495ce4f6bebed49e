"""OpenAI's responses, see https://platform.openai.com/docs/api-reference/responses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.frameworks.protocols import chat_completions
from tests.frameworks.script import Answer, Question, answered_model

if TYPE_CHECKING:
    from collections.abc import Iterator

write_error = chat_completions.write_error


def read(body: dict[str, Any]) -> Question:
    """The question that a request asks."""
    items = body["input"]
    if isinstance(items, str):
        items = [{"role": "user", "content": items}]
    asked = [item for item in items if item.get("role") == "user"]
    results = [item["output"] for item in items[-1:] if item.get("type") == "function_call_output"]
    return Question(
        model=body["model"],
        text=_text(asked[-1]["content"]) if asked else "",
        tools=tuple(tool["name"] for tool in body.get("tools") or () if tool["type"] == "function"),
        result=_text(results[0]) if results else None,
        is_stream=bool(body.get("stream")),
    )


def write(question: Question, answer: Answer) -> dict[str, Any]:
    """The answer as one object."""
    is_cut = answer.finish in ("length", "content_filter")
    reason = "max_output_tokens" if answer.finish == "length" else "content_filter"
    return {
        "id": f"resp_{question.number}",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "incomplete" if is_cut else "completed",
        "error": None,
        "incomplete_details": {"reason": reason} if is_cut else None,
        "instructions": None,
        "metadata": {},
        "model": answered_model(question.model),
        "output": [_output(answer)],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": _usage(answer),
    }


def stream(question: Question, answer: Answer) -> Iterator[tuple[str, str]]:
    """The answer in pieces: (name, data) of each event; the last holds the whole answer."""
    whole = write(question, answer)
    item = whole["output"][0]
    events: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": whole | {"status": "in_progress", "output": [], "usage": None}}),
        ("response.output_item.added", {"output_index": 0, "item": item | {"status": "in_progress"}}),
    ]
    if answer.tool_call is None:
        place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        events.append(("response.output_text.delta", place | {"delta": answer.text, "logprobs": []}))
    else:
        place = {"item_id": item["id"], "output_index": 0}
        events.append(("response.function_call_arguments.delta", place | {"delta": item["arguments"]}))
    events.append(("response.output_item.done", {"output_index": 0, "item": item}))
    events.append(("response.completed", {"response": whole}))
    for number, (name, event) in enumerate(events):
        yield name, json.dumps({"type": name, "sequence_number": number} | event)


def _output(answer: Answer) -> dict[str, Any]:
    call = answer.tool_call
    if call is not None:
        arguments = json.dumps(call.arguments)
        head = {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": call.id}
        return head | {"name": call.name, "arguments": arguments}
    content = [{"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}]
    return {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": content}


def _usage(answer: Answer) -> dict[str, Any]:
    usage = answer.usage
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cache_read},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content or ())
