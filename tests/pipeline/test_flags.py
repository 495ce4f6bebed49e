"""What is remarkable in a trace without being a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.flags import find_flags
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.testing.spans import make_span

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.pipeline.flag import Flag

ROOT = "00000000000000a0"


def _answer(*parts: dict[str, Any], reason: str = "stop") -> list[dict[str, Any]]:
    return [{"role": "assistant", "parts": list(parts), "finish_reason": reason}]


def _text(content: str) -> dict[str, Any]:
    return {"type": "text", "content": content}


def _span(index: int, attributes: dict[str, Any], **fields: Any) -> SpanRecord:
    start = 1_000_000_000 + index * 1_000_000
    given = {"parent_span_id": ROOT, "start_time_unix_nano": start, "end_time_unix_nano": start + 1000, **fields}
    return make_span(span_id=f"{index + 1:016x}", attributes=attributes, status_code="UNSET", **given)


def _call(index: int, output: Any = None, **attributes: Any) -> SpanRecord:
    said = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5", **attributes}
    return _span(index, said if output is None else {**said, "gen_ai.output.messages": output})


def _tool(index: int, arguments: Any, result: Any, name: str = "search", **fields: Any) -> SpanRecord:
    said = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
    content = {"gen_ai.tool.call.arguments": arguments, "gen_ai.tool.call.result": result}
    return _span(index, said | {key: value for key, value in content.items() if value is not None}, **fields)


def _flags(*spans: SpanRecord) -> tuple[Flag, ...]:
    root = make_span(
        span_id=ROOT,
        parent_span_id=None,
        start_time_unix_nano=1,
        end_time_unix_nano=9_000_000_000,
        attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"},
        status_code="UNSET",
    )
    flags = find_flags(SpanTree([root, *spans]))
    assert find_flags(SpanTree([*reversed(spans), root])) == flags
    return flags


def _kinds(*spans: SpanRecord) -> list[str]:
    return [flag.kind for flag in _flags(*spans)]


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS", "FinishReason.MAX_TOKENS", "incomplete"])
def test_an_answer_that_was_cut_is_flagged(reason: str) -> None:
    """Whatever the provider calls it, on the span or on the message."""
    on_span = _call(0, _answer(_text("On and")), **{"gen_ai.response.finish_reasons": [reason]})
    (flag,) = _flags(on_span)

    assert (flag.kind, flag.span_id) == ("truncated", on_span.span_id)
    assert _kinds(_call(0, _answer(_text("On and"), reason=reason))) == ["truncated"]


@pytest.mark.parametrize("reason", ["content_filter", "content-filter", "SAFETY", "RECITATION", "guardrail_intervened"])
def test_an_answer_that_a_filter_stopped_is_flagged(reason: str) -> None:
    """It is not flagged as empty too: it is known why there is nothing."""
    assert _kinds(_call(0, _answer(reason=reason))) == ["content_filter"]


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I\N{RIGHT SINGLE QUOTATION MARK}m sorry, I cannot assist with this request.",
        "I cannot provide instructions for that.",
        "I am unable to comply.",
    ],
)
def test_a_refusal_is_flagged(text: str) -> None:
    """The model says at once that it will not."""
    (flag,) = _flags(_call(0, _answer(_text(text))))

    assert (flag.kind, flag.evidence) == ("refusal", {"text": text})


def test_a_refusal_may_be_told_by_the_finish_reason() -> None:
    """As some providers do."""
    assert _kinds(_call(0, _answer(_text("No."), reason="refusal"))) == ["refusal"]


@pytest.mark.parametrize(
    "text",
    [
        "I can't find any flights on that day.",
        "I'm sorry, the 10:40 is fully booked. Shall I try the next one?",
        "The clerk said: I cannot help with that.",
        "I can help with that.",
        "I can't help but admire this.",
        "I won't create such a file twice: it is there.",
    ],
)
def test_what_is_no_refusal_is_not_flagged(text: str) -> None:
    """Not to find something, to be sorry, and to quote somebody is none."""
    assert _kinds(_call(0, _answer(_text(text)))) == []


def test_an_empty_answer_is_flagged() -> None:
    """Neither words nor calls; reasoning alone is no answer."""
    assert _kinds(_call(0, _answer())) == ["empty_answer"]
    assert _kinds(_call(0, _answer(_text(" \n")))) == ["empty_answer"]
    assert _kinds(_call(0, _answer({"type": "reasoning", "content": "Hm."}))) == ["empty_answer"]
    assert _kinds(_call(0, **{"gen_ai.usage.output_tokens": 0})) == ["empty_answer"]


def test_what_was_not_recorded_is_not_called_empty() -> None:
    """Content may be off; a call may ask for tools, give an image, fail, or still run."""
    call = {"type": "tool_call", "id": "c", "name": "w", "arguments": {}}

    assert _kinds(_call(0)) == []
    assert _kinds(_call(0, _answer(call, reason="tool_calls"))) == []
    assert _kinds(_call(0, _answer({"type": "uri", "modality": "image", "uri": "x.png"}))) == []
    assert _kinds(_span(0, {"gen_ai.operation.name": "embeddings", "gen_ai.usage.output_tokens": 0})) == []


def test_the_same_call_of_a_tool_again_and_again_is_a_loop() -> None:
    """The flag stands at the last call and names them all; the order of an object's keys makes no difference."""
    calls = [_tool(index, {"q": "x", "n": 1} if index % 2 else '{"n": 1, "q": "x"}', "nothing") for index in range(4)]
    (flag,) = _flags(*calls)

    assert (flag.kind, flag.span_id) == ("tool_loop", calls[-1].span_id)
    assert flag.message == "search was called 4 times with the same arguments and the same result"
    assert flag.evidence == {
        "tool": "search",
        "arguments": {"q": "x", "n": 1},
        "count": 4,
        "span_ids": [call.span_id for call in calls],
    }


def test_other_steps_between_the_calls_do_not_hide_a_loop() -> None:
    """A model is asked each time before it calls the tool again."""
    steps = [step for index in range(3) for step in (_call(index * 2), _tool(index * 2 + 1, {"q": 1}, "nothing"))]

    assert _kinds(*steps) == ["tool_loop"]


def test_polling_and_paging_are_no_loops() -> None:
    """Other results or other arguments are progress; so are two tries."""
    assert _kinds(*(_tool(index, {"id": 7}, f"{index * 10} %") for index in range(8))) == []
    waiting = [_tool(index, {"id": 7}, "running") for index in range(5)]
    assert _kinds(*waiting, _tool(5, {"id": 7}, "done")) == []
    assert _kinds(*(_tool(index, {"page": index}, "nothing") for index in range(8))) == []
    assert _kinds(_tool(0, {"q": 1}, "nothing"), _tool(1, {"q": 1}, "nothing")) == []
    assert _kinds(*(_tool(index, None, None) for index in range(5))) == []


def test_the_client_and_the_server_of_a_tool_are_one_call() -> None:
    """Three calls over a protocol are six spans, and two calls are no loop."""
    calls = []
    for index in range(2):
        client = _tool(index * 2, {"q": 1}, "nothing")
        calls += [client, _tool(index * 2 + 1, {"q": 1}, "nothing", parent_span_id=client.span_id)]

    assert _kinds(*calls) == []


def test_the_same_answer_again_and_again_is_no_progress() -> None:
    """What a model answers is compared, not what it was asked, which grows."""
    answers = [
        _call(index, _answer(_text("Let me check.")), **{"gen_ai.input.messages": f"{index}"}) for index in range(3)
    ]
    (flag,) = _flags(*answers)

    assert (flag.kind, flag.message) == ("no_progress", "the agent took the same step 3 times in a row")
    assert flag.evidence == {"rounds": 3, "steps": 1, "span_ids": [answer.span_id for answer in answers]}
    assert _kinds(*answers[:2]) == []


def test_a_round_of_several_steps_is_recognised() -> None:
    """Two answers of a model that alternate three times."""
    answers = [_call(index, _answer(_text(("Left.", "Right.")[index % 2]))) for index in range(6)]
    (flag,) = _flags(*answers)

    assert flag.message == "the agent took the same 2 steps 3 times in a row"
    assert flag.span_id == answers[-1].span_id


def test_ever_longer_inputs_burn_tokens() -> None:
    """Many calls, each with all that was said before."""
    calls = [_call(index, **{"gen_ai.usage.input_tokens": 2000 * (index + 1)}) for index in range(9)]
    (flag,) = _flags(*calls)

    assert flag.kind == "token_burn"
    assert flag.evidence == {
        "count": 9,
        "first_input_tokens": 2000,
        "most_input_tokens": 18000,
        "total_input_tokens": 90000,
    }
    assert _kinds(*calls, _call(9, **{"gen_ai.usage.input_tokens": 500})) == ["token_burn"]
    assert _kinds(*calls[:7]) == []
    assert _kinds(*(_call(index, **{"gen_ai.usage.input_tokens": 10000}) for index in range(9))) == []


def test_a_wrapper_around_a_client_is_one_call() -> None:
    """Both spans tell of one answer, which is flagged once, on the inner one."""
    outer = _call(0, _answer(_text("On and"), reason="length"))
    inner = _call(1, _answer(_text("On and"), reason="length"))
    inner = make_span(**{**_fields(inner), "parent_span_id": outer.span_id})

    assert [(flag.kind, flag.span_id) for flag in _flags(outer, inner)] == [("truncated", inner.span_id)]


def _fields(record: SpanRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


def test_flags_are_no_failures() -> None:
    """A trace with flags has passed."""
    assert find_failures([_call(0, _answer(reason="length"))]) == ()
