"""Calls of models that two spans tell of side by side."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.model.record import ScopeRecord
from otel_agenttrace.model.tree import SpanTree
from otel_agenttrace.pipeline.repeats import repeated_calls
from otel_agenttrace.pipeline.usage import totals
from otel_agenttrace.testing.spans import START, make_span


def _call(number: int, start: int, end: int | None, scope: str, response_id: Any = "msg_1", **changes: Any) -> Any:
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.response.id": response_id,
        "gen_ai.usage.input_tokens": 5,
    }
    return make_span(
        span_id=f"{number:016x}",
        parent_span_id=changes.get("parent", f"{1:016x}"),
        start_time_unix_nano=START + start,
        end_time_unix_nano=None if end is None else START + end,
        scope=ScopeRecord(scope),
        attributes=said | changes.get("attributes", {}),
    )


_ROOT = make_span(span_id=f"{1:016x}", parent_span_id=None, attributes={"gen_ai.operation.name": "invoke_agent"})
_OUTER = _call(2, 0, 9, "instrumentor")


def _repeats(*spans: Any) -> list[int]:
    return sorted(int(node.record.span_id, 16) for node in repeated_calls(SpanTree([_ROOT, *spans])))


def test_the_sdks_own_span_beside_the_instrumentors_is_a_repeat() -> None:
    """The inner of the two by time is; it counts neither for tokens nor for cost."""
    inner = _call(3, 1, 8, "sdk")

    assert _repeats(_OUTER, inner) == [3]
    assert _repeats(inner, _OUTER) == [3]
    assert totals([_ROOT, _OUTER, inner]).input_tokens == 5


def test_a_span_that_never_became_current_may_hold_the_answer_itself() -> None:
    """The framework's span is deep in the tree, the client's at its top; the answer in the one names the other's id."""
    answer = '{"generations": [[{"message": {"response_metadata": {"id": "msg_1"}}}]]}'
    said = {
        "gen_ai.response.id": None,
        "openinference.span.kind": "LLM",
        "llm.model_name": "m",
        "llm.token_count.prompt": 5,
        "output.value": answer,
    }
    agent = make_span(span_id=f"{9:016x}", parent_span_id=f"{1:016x}")
    framework = _call(2, 0, 9, "openinference", parent=f"{9:016x}", attributes=said)
    another = _call(4, 2, 3, "client", "msg_2")

    assert _repeats(agent, framework, _call(3, 1, 8, "client"), another) == [3]


def _of_openinference(number: int, start: int, end: int, scope: str, answer: str, **changes: Any) -> Any:
    said = {
        "gen_ai.response.id": None,
        "gen_ai.usage.input_tokens": None,
        "openinference.span.kind": "LLM",
        "llm.model_name": "m",
        "llm.token_count.prompt": changes.pop("taken_in", 5),
        "llm.token_count.completion": 2,
        "output.value": answer,
    }
    return _call(number, start, end, scope, attributes=said, **changes)


def test_two_answers_may_hold_the_response_id() -> None:
    """Instrumentors of the framework and of the SDK below it; an id alone, such as a tool's, is not enough."""
    outer = _of_openinference(2, 0, 9, "langchain", '{"message": {"id": ["langchain"], "meta": {"id": "resp_1"}}}')
    agent = make_span(span_id=f"{9:016x}", parent_span_id=f"{1:016x}")
    answer, elsewhere = '{"id": "resp_1"}', f"{9:016x}"

    assert _repeats(agent, outer, _of_openinference(3, 1, 8, "openai", answer, parent=elsewhere)) == [3]
    assert _repeats(agent, outer, _of_openinference(3, 1, 8, "openai", answer, parent=elsewhere, taken_in=6)) == []
    assert _repeats(agent, outer, _of_openinference(3, 1, 8, "openai", '{"id": "x"}', parent=elsewhere)) == []


def test_without_a_response_id_all_else_must_agree() -> None:
    """A wrapper that names no response, beside the instrumentor's span: parent, times, model and tokens."""
    tokens = {"gen_ai.usage.output_tokens": 2, "gen_ai.response.model": "m-2025"}
    wrapper = _call(2, 0, 9, "wrapper", None, attributes=tokens)
    agent = make_span(span_id=f"{9:016x}", parent_span_id=f"{1:016x}")

    assert _repeats(wrapper, _call(3, 1, 8, "sdk", attributes=tokens)) == [3]
    assert _repeats(wrapper, _call(3, 1, 10, "sdk", attributes=tokens)) == []
    assert _repeats(wrapper, _call(3, 1, 8, "wrapper", attributes=tokens)) == []
    assert _repeats(agent, wrapper, _call(3, 1, 8, "sdk", attributes=tokens, parent=f"{9:016x}")) == []
    assert _repeats(wrapper, _call(3, 1, 8, "sdk", attributes=tokens | {"gen_ai.usage.output_tokens": 3})) == []
    other = {"gen_ai.request.model": "n", "gen_ai.response.model": None}
    assert _repeats(wrapper, _call(3, 1, 8, "sdk", attributes=tokens | other)) == []
    assert (
        _repeats(_call(2, 0, 9, "wrapper", "msg_2", attributes=tokens), _call(3, 1, 8, "sdk", attributes=tokens)) == []
    )


def test_of_two_at_the_same_time_one_is_a_repeat() -> None:
    """Which of them depends on their ids alone."""
    assert _repeats(_OUTER, _call(3, 0, 9, "sdk")) == [3]
    assert _repeats(_call(3, 0, 9, "sdk"), _OUTER) == [3]


def test_calls_of_their_own_are_no_repeats() -> None:
    """Another response or none, one below, one after the other, one scope, one that still runs, no model call."""
    nested = _call(3, 1, 8, "sdk", parent=f"{2:016x}")
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}

    assert _repeats(_OUTER, _call(3, 1, 8, "sdk", "msg_2")) == []
    assert _repeats(_call(2, 0, 9, "instrumentor", ""), _call(3, 1, 8, "sdk", "")) == []
    assert _repeats(_call(2, 0, 9, "instrumentor", 7), _call(3, 1, 8, "sdk", 7)) == []
    assert _repeats(_OUTER, nested) == []
    assert _repeats(_OUTER, _call(3, 10, 12, "sdk")) == []
    assert _repeats(_OUTER, _call(3, 5, 12, "sdk")) == []
    assert _repeats(_OUTER, _call(3, 1, 8, "instrumentor")) == []
    assert _repeats(_OUTER, _call(3, 1, None, "sdk")) == []
    assert _repeats(_OUTER, _call(3, 1, 8, "sdk", attributes=tool)) == []


def test_a_span_that_alone_tells_tokens_is_no_repeat() -> None:
    """What only the inner of two spans knows is not lost."""
    unknowing = _call(2, 0, 9, "instrumentor", attributes={"gen_ai.usage.input_tokens": None})
    inner = _call(3, 1, 8, "sdk")

    assert _repeats(unknowing, inner) == []
    assert totals([_ROOT, unknowing, inner]).input_tokens == 5


@given(st.permutations([_ROOT, _OUTER, _call(3, 1, 8, "sdk"), _call(4, 2, 3, "third"), _call(5, 20, 21, "sdk")]))
def test_the_order_of_the_spans_does_not_matter(spans: list[Any]) -> None:
    """The same spans are repeats however they come."""
    assert _repeats(*[span for span in spans if span is not _ROOT]) == [3, 4]
