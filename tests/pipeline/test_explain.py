"""A failure in one sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.model.record import EventRecord, SpanRecord
from otel_agenttrace.pipeline.explain import explain
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.testing.spans import SECOND, SPAN_ID, START, TRACE_ID, make_span
from otel_agenttrace.testing.strategies import span_records

_AGENT = make_span(attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "travel_planner"})
_TOOL = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "get_weather",
    "gen_ai.tool.call.arguments": '{"city":"Oslo"}',
}
_CHAT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-5-mini",
    "gen_ai.input.messages": [
        {"role": "system", "parts": [{"type": "text", "content": "You plan."}]},
        {"role": "user", "parts": [{"type": "text", "content": "A week\nin Oslo"}]},
    ],
}


def _error(kind: str = "", message: str = "") -> dict[str, Any]:
    said: Any = {"exception.type": kind, "exception.message": message}
    return {"status_code": "ERROR", "events": (EventRecord("exception", START, said),)}


def _span(number: int, parent: str = SPAN_ID, *, lasted: int = 5 * SECOND, **fields: Any) -> SpanRecord:
    ids = {"span_id": f"{number:016x}", "parent_span_id": parent, "name": f"span {number}"}
    times = {"start_time_unix_nano": START + number, "end_time_unix_nano": START + number + lasted}
    return make_span(**ids | times | fields)


def _told(*spans: SpanRecord) -> str:
    return explain(find_failures(spans)[0])


def _failed_agent(**fields: Any) -> SpanRecord:
    return make_span(attributes=_AGENT.attributes, end_time_unix_nano=START + 9 * SECOND, **fields)


def test_a_failure_is_told_with_its_place_its_input_and_what_became_of_it() -> None:
    """The tool by its name, the error by its class, the agent that called it, and the arguments."""
    failing = _error("builtins.TimeoutError")

    assert _told(_failed_agent(**failing), _span(2, attributes=_TOOL, **failing)) == (
        '`get_weather` raised TimeoutError after 5.0 s, called by agent travel_planner with {"city": "Oslo"};'
        " the trace failed by it."
    )


def test_a_message_and_a_code_are_told_once() -> None:
    """A message that repeats the class, or the code, is not told twice."""
    tool = _span(2, attributes=_TOOL, lasted=SECOND // 50, **_error("KeyError", "KeyError: 'date'"))
    request = _span(
        3, tool.span_id, name="POST", kind="CLIENT", attributes={"http.response.status_code": 503}, status_code="ERROR"
    )

    assert _told(_AGENT, tool).startswith("`get_weather` raised KeyError: 'date' after 20.0 ms, called by")
    tool = replace(tool, end_time_unix_nano=START + 6 * SECOND)
    assert _told(_AGENT, tool, request).startswith("`POST` raised KeyError (HTTP 503): 'date' after 5.0 s in")
    request = replace(request, parent_span_id=SPAN_ID)
    assert _told(_AGENT, request).startswith("`POST` failed with HTTP 503 after 5.0 s, in agent travel_planner;")


def test_the_place_is_the_tool_or_the_model_whose_part_it_was() -> None:
    """A request says in which call it was made; a model's input is what was said to it last."""
    chat = _span(2, attributes=_CHAT)
    request = _span(3, chat.span_id, name="POST", **_error("ConnectionError", "refused"))
    tool = _span(4, attributes=_TOOL, **_error("ConnectionError", "refused"))
    below = _span(5, tool.span_id, name="GET", **_error("ConnectionError", "refused"))

    assert _told(_AGENT, chat, request) == (
        "`POST` raised ConnectionError: refused after 5.0 s, in agent travel_planner"
        ' with "A week in Oslo"; the trace recovered from it.'
    )
    assert "in `get_weather`, called by agent travel_planner with {" in _told(_AGENT, tool, below)
    failed = _span(2, attributes=_CHAT, **_error("RateLimitError", "slow down"))
    assert _told(_AGENT, failed).startswith("`gpt-5-mini` raised RateLimitError: slow down after 5.0 s, called by")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"attributes": {"task.timeout_ms": 1000}}, "`span 2` ran longer than its task.timeout_ms of 1000, for 5.0 s"),
        ({"attributes": {"agenttrace.ended_by": "x"}}, "`span 2` never ended, its process was gone"),
        (_error("asyncio.exceptions.CancelledError"), "`span 2` was called off after 5.0 s"),
        ({"status_code": "ERROR"}, "`span 2` failed with status ERROR after 5.0 s"),
        ({"status_code": "ERROR", "status_message": "no luck"}, "`span 2` failed with no luck after 5.0 s"),
        ({"attributes": {"error.type": "tool_error"}}, "`span 2` failed with tool_error after 5.0 s"),
        ({"attributes": {"error.type": "timeout"}}, "`span 2` failed with timeout after 5.0 s"),
        (_error("ValueError") | {"name": ""}, "`a span without a name` raised ValueError after 5.0 s"),
        (_error("ValueError") | {"end_time_unix_nano": START - SECOND}, "`span 2` raised ValueError,"),
    ],
)
def test_other_kinds_of_failures_have_words_of_their_own(fields: dict[str, Any], expected: str) -> None:
    """What is not known is left out."""
    assert _told(_AGENT, _span(2, **fields)).startswith(expected)


def test_a_call_may_name_its_agent_itself() -> None:
    """Some emitters write it on every span; an agent is not told to have been called by itself."""
    tool = _span(2, attributes=_TOOL | {"gen_ai.agent.name": "helper"}, **_error("KeyError"))

    assert ", called by agent helper with" in _told(_AGENT, tool)
    assert _told(_failed_agent(**_error("KeyError"))) == (
        "`invoke_agent booking` raised KeyError after 9.0 s; the trace failed by it."
    )


def test_a_hallucination_is_told_by_its_claim() -> None:
    """Nobody noticed it, or the trace would not have ended well."""
    said: Any = {"gen_ai.evaluation.score.label": "hallucinated", "gen_ai.evaluation.explanation": "412 employees"}
    judged = _span(2, attributes=_CHAT, events=(EventRecord("gen_ai.evaluation.result", START, said),))

    assert _told(_AGENT, judged) == (
        "`gpt-5-mini` said what its sources do not (412 employees), called by agent travel_planner"
        ' with "A week in Oslo"; nobody noticed.'
    )


def test_what_may_still_be_recovered_from_is_told_as_such() -> None:
    """While a span above is open."""
    running = make_span(end_time_unix_nano=None)

    assert _told(running, _span(2, **_error("ValueError"))).endswith("; the trace may yet recover from it.")


def test_long_texts_are_cut() -> None:
    """A sentence stays one, on one line."""
    arguments = _TOOL | {"gen_ai.tool.call.arguments": {"text": "x\n" * 5000}}
    sentence = _told(_AGENT, _span(2, attributes=arguments, **_error("E" * 500, "m\n" * 5000)))

    assert len(sentence) < 600
    assert "\n" not in sentence
    assert sentence.count("…") >= 2


@given(st.lists(span_records, min_size=1, max_size=4))
def test_any_failure_can_be_told(records: list[SpanRecord]) -> None:
    """Whatever the spans hold."""
    for failure in find_failures([_own(record) for record in records]):
        explain(failure).encode()


def _own(record: SpanRecord) -> SpanRecord:
    return make_span(
        trace_id=TRACE_ID,
        span_id=record.span_id,
        status_code="ERROR",
        status_message=record.status_message,
        attributes=record.attributes | _TOOL | {"gen_ai.tool.call.arguments": record.attributes},
        name=record.name,
    )
