"""Tokens and cost: stamped on each call, and summed up with each call once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.normalize import normalize
from otel_agenttrace.pipeline.usage import Totals, totals, usage_stage
from otel_agenttrace.testing.spans import make_span

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord


def _span(
    number: int, parent: int | None, operation: str, tokens: int | None = None, cost: float | None = None
) -> SpanRecord:
    said: dict[str, Any] = {"gen_ai.operation.name": operation, "gen_ai.request.model": "m"}
    if tokens is not None:
        said |= {"gen_ai.usage.input_tokens": tokens, "gen_ai.usage.output_tokens": tokens * 10}
    if cost is not None:
        said["gen_ai.usage.cost"] = cost
    ids = {"span_id": f"{number:016x}", "parent_span_id": None if parent is None else f"{parent:016x}"}
    return make_span(**ids, attributes=said)


def _tokens(*spans: SpanRecord) -> int:
    return totals(spans).input_tokens


def test_model_calls_are_added_up() -> None:
    """Input, output and cost each."""
    spans = [_span(1, None, "invoke_agent"), _span(2, 1, "chat", 5, 0.25), _span(3, 1, "chat", 7, 0.5)]

    assert totals(spans) == Totals(12, 120, 0.75, cost_complete=True, reported_cost_usd=0.75)


def test_a_parent_that_repeats_its_childrens_usage_adds_nothing() -> None:
    """Neither an agent's totals nor a second instrumentation of the same call."""
    agent = [_span(1, None, "invoke_agent", 12), _span(2, 1, "chat", 5), _span(3, 1, "chat", 7)]
    twice = [_span(1, None, "invoke_agent"), _span(2, 1, "chat", 5), _span(3, 2, "chat", 5)]
    through = [_span(1, None, "invoke_agent", 5), _span(2, 1, "plan"), _span(3, 2, "chat", 5)]

    assert (_tokens(*agent), _tokens(*twice), _tokens(*through)) == (12, 5, 5)


def test_what_a_parent_reports_beyond_its_children_is_counted() -> None:
    """Calls of which there is no span; less than the children is the last call alone."""
    assert _tokens(_span(1, None, "invoke_agent", 20), _span(2, 1, "chat", 5), _span(3, 1, "chat", 7)) == 20
    assert _tokens(_span(1, None, "invoke_agent", 7), _span(2, 1, "chat", 5), _span(3, 1, "chat", 7)) == 12
    assert _tokens(_span(1, None, "invoke_agent", 20)) == 20


def test_what_a_tool_used_comes_on_top_of_the_call_it_belongs_to() -> None:
    """A tool may ask a model itself: another call, but a part of what the agent reports."""
    inner = [_span(2, 1, "execute_tool"), _span(3, 2, "chat", 8)]

    assert _tokens(_span(1, None, "chat", 10), *inner) == 18
    assert _tokens(_span(1, None, "invoke_agent", 18), _span(4, 1, "chat", 10), *inner) == 18
    assert _tokens(_span(1, None, "invoke_agent"), _span(4, 1, "chat", 10), *inner) == 18


def test_a_model_call_without_a_cost_leaves_the_sum_incomplete() -> None:
    """What is unknown is not zero; a cost reported further up covers it."""
    unknown = [_span(1, None, "invoke_agent"), _span(2, 1, "chat", 5, 0.25), _span(3, 1, "chat", 7)]
    covered = [_span(1, None, "invoke_agent", cost=0.5), *unknown[1:]]

    assert totals(unknown) == Totals(12, 120, 0.25, cost_complete=False, reported_cost_usd=0.25, unpriced_models=("m",))
    assert totals(covered) == Totals(12, 120, 0.5, cost_complete=True, reported_cost_usd=0.5)
    assert totals([_span(1, None, "chat")]) == Totals(0, 0, None, cost_complete=False, unpriced_models=("m",))


def test_without_model_calls_nothing_is_missing() -> None:
    """No cost is known, and none is unknown."""
    assert totals([make_span()]) == totals([]) == Totals(0, 0, None, cost_complete=True)


def test_a_failed_model_call_without_usage_counts_as_a_call() -> None:
    """Its cost is unknown, even below a span that reports another."""
    assert not totals([_span(1, None, "execute_tool"), _span(2, 1, "chat")]).cost_complete


CALL: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 100,
}
COST = (1000 * 2.50 + 100 * 10) / 1e6
"""What `CALL` costs: GPT-4o is $2.50 and $10 per million tokens."""


def _node(number: int, parent: int | None, **changed: Any) -> SpanRecord:
    """A model call that has passed the stage, with some of its attributes changed, or removed by None."""
    named = {name.replace("__", "."): value for name, value in changed.items()}
    attributes = {name: value for name, value in {**CALL, **named}.items() if value is not None}
    ids = {"span_id": f"{number:016x}", "parent_span_id": None if parent is None else f"{parent:016x}"}
    return usage_stage(make_span(**ids, attributes=attributes))


def _agent(number: int, parent: int | None, **changed: Any) -> SpanRecord:
    return _node(number, parent, gen_ai__operation__name="invoke_agent", **changed)


NO_USAGE = {"gen_ai__usage__input_tokens": None, "gen_ai__usage__output_tokens": None}


def test_a_model_call_is_stamped_with_its_list_price() -> None:
    """Beside what the emitter reported, which stays."""
    stamped = _node(1, None, gen_ai__usage__cost=7.5)

    assert stamped.attributes["agenttrace.cost_usd"] == pytest.approx(COST)
    assert (canonical(stamped).cost_usd, canonical(stamped).reported_cost_usd) == (COST, 7.5)


def test_a_cost_that_is_there_stays() -> None:
    """The user's own, or that of the same stage in another process."""
    for given_cost in (0.5, 0, "0.5", None, "free"):
        span = make_span(attributes={**CALL, "agenttrace.cost_usd": given_cost})
        assert usage_stage(span) is span
    once = _node(1, None)
    assert usage_stage(once) is once


@pytest.mark.parametrize(
    "changed",
    [
        {"gen_ai.operation.name": "invoke_agent"},
        {"gen_ai.operation.name": "execute_tool"},
        {"gen_ai.request.model": "no-such-model"},
        {"gen_ai.request.model": 3},
        {"gen_ai.provider.name": "ollama"},
        {"gen_ai.usage.input_tokens": None},
        {"gen_ai.usage.output_tokens": "many"},
        {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0},
    ],
)
def test_what_has_no_known_price_is_left_as_it_is(changed: dict[str, Any]) -> None:
    """What is no model call, has no model with a price, or does not say how many tokens it used."""
    span = make_span(attributes={**CALL, **changed})

    assert usage_stage(span) is span


def test_the_stage_writes_into_nothing() -> None:
    """The record that it is given stays as it was."""
    span = make_span(attributes=dict(CALL))
    usage_stage(span)

    assert span.attributes == CALL


def test_the_model_asked_for_stands_in_for_one_without_a_price() -> None:
    """The answer may name a version that the prices do not know yet."""
    stamped = _node(1, None, gen_ai__response__model="gpt-4o-2099-01-01")

    assert stamped.attributes["agenttrace.cost_usd"] == pytest.approx(COST)


def test_stage_and_normalize_agree_in_either_order() -> None:
    """The price does not depend on whether a dialect was translated before."""
    span = make_span(
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.prompt_tokens": 1000,
            "gen_ai.usage.completion_tokens": 100,
        }
    )

    assert usage_stage(normalize(span)) == normalize(usage_stage(span))
    assert usage_stage(span).attributes["agenttrace.cost_usd"] == pytest.approx(COST)


def test_tokens_of_all_kinds_are_added_up() -> None:
    """Cached ones are within the input, those of reasoning within the output."""
    details = {
        "gen_ai__usage__cache_read__input_tokens": 400,
        "gen_ai__usage__cache_write__input_tokens": 30,
    }
    spans = [_agent(1, None, **NO_USAGE), _node(2, 1, **details)]
    spans.append(_span(3, 1, "chat", 1))
    spans[2].attributes["gen_ai.usage.reasoning.output_tokens"] = 6

    used = totals(spans)

    assert (used.input_tokens, used.cache_read_tokens, used.cache_write_tokens) == (1001, 400, 30)
    assert (used.output_tokens, used.reasoning_tokens) == (110, 6)


def test_list_prices_come_before_an_emitters_own_sum() -> None:
    """What an agent reports for calls that all have a price is put beside it; what the user says is not doubted."""
    calls = [_node(2, 1), _node(3, 1)]
    doubled = {"gen_ai__usage__input_tokens": 2000, "gen_ai__usage__output_tokens": 200}
    reported = totals([_agent(1, None, gen_ai__usage__cost=9.5, **doubled), *calls])
    said = totals([_agent(1, None, agenttrace__cost_usd=9.5, **doubled), *calls])

    assert (reported.cost_usd, reported.reported_cost_usd, reported.cost_complete) == (
        2 * COST,
        9.5,
        True,
    )
    assert (said.cost_usd, said.cost_complete) == (9.5, True)


def test_a_model_call_seen_twice_costs_what_the_inner_span_says() -> None:
    """The outer instrumentation may not know of cached tokens, which are cheaper."""
    inner = _node(2, 1, gen_ai__usage__cache_read__input_tokens=800)

    assert (
        totals([_node(1, None), inner]).cost_usd == totals([inner]).cost_usd == pytest.approx(COST - 800 * 1.25 / 1e6)
    )


def test_an_agent_without_model_calls_is_priced_as_one_call() -> None:
    """Some emitters have no span for the call; the agent's own names the model and the tokens."""
    used = totals([_agent(1, None)])

    assert (used.cost_usd, used.cost_complete, used.unpriced_models) == (COST, True, ())
    assert totals([_agent(1, None, gen_ai__usage__cost=0.5)]).cost_usd == pytest.approx(COST)
    assert totals([_agent(1, None, agenttrace__cost_usd=0.5)]).cost_usd == 0.5


def test_an_agent_without_model_calls_and_price_is_of_unknown_cost() -> None:
    """Its model has no price, or it names none."""
    unpriced = totals([_agent(1, None, gen_ai__request__model="nameless")])
    nameless = totals([_agent(1, None, gen_ai__request__model=None)])

    assert (unpriced.cost_usd, unpriced.cost_complete, unpriced.unpriced_models) == (None, False, ("nameless",))
    assert (nameless.cost_usd, nameless.cost_complete, nameless.unpriced_models) == (None, False, ())
    assert totals([_agent(1, None, gen_ai__request__model="nameless", gen_ai__usage__cost=0.5)]).cost_usd == 0.5


def test_tokens_of_calls_without_a_span_are_of_unknown_cost() -> None:
    """What an agent used beyond the calls that are there may have been cached, or of another model."""
    used = totals([_agent(1, None, gen_ai__usage__input_tokens=1500), _node(2, 1)])

    assert (used.input_tokens, used.cost_usd, used.cost_complete) == (1500, COST, False)
    assert used.unpriced_models == ("gpt-4o",)


def test_models_without_a_price_are_named() -> None:
    """Each once and in order, and not more than anyone would read."""
    few = [_node(number, None, gen_ai__request__model=name) for number, name in enumerate("cabbage", 1)]
    many = [_node(number, None, gen_ai__request__model=f"m-{number:03}") for number in range(1, 50)]

    assert totals([*few, _node(9, None)]).unpriced_models == ("a", "b", "c", "e", "g")
    assert totals(many).unpriced_models == tuple(f"m-{number:03}" for number in range(1, 21))


def test_a_call_without_tokens_is_not_free() -> None:
    """A stream may end without its usage."""
    used = totals([_node(1, None, **NO_USAGE)])

    assert (used.cost_usd, used.cost_complete, used.unpriced_models) == (None, False, ("gpt-4o",))


def test_a_call_that_the_provider_rejected_cost_nothing() -> None:
    """As one that was repeated after a 429: nothing is missing in the sum."""
    rejected = make_span(
        span_id=f"{2:016x}",
        parent_span_id=f"{1:016x}",
        status_code="ERROR",
        attributes={"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "error.type": "429"},
    )
    broken = make_span(
        span_id=f"{4:016x}", status_code="ERROR", attributes={**rejected.attributes, "error.type": "500"}
    )
    used = totals([_agent(1, None, **NO_USAGE), rejected, _node(3, 1)])

    assert (used.cost_usd, used.cost_complete) == (COST, True)
    assert (totals([rejected]).cost_usd, totals([rejected]).cost_complete) == (0.0, True)
    assert not totals([broken]).cost_complete


def test_a_model_call_around_tools_that_call_models_is_one_too() -> None:
    """Its own cost is unknown, whatever its tools' calls cost."""
    tool = make_span(
        span_id=f"{2:016x}", parent_span_id=f"{1:016x}", attributes={"gen_ai.operation.name": "execute_tool"}
    )
    used = totals([_node(1, None, **NO_USAGE), tool, _node(3, 2)])

    assert (used.cost_usd, used.cost_complete) == (COST, False)


@st.composite
def _calls(draw: st.DrawFn) -> list[SpanRecord]:
    """Model calls under agents and tools, some without usage or price."""
    kinds = draw(st.lists(st.sampled_from(["invoke_agent", "chat", "execute_tool"]), min_size=1, max_size=12))
    spans = []
    for number, kind in enumerate(kinds, 1):
        changed: dict[str, Any] = dict(NO_USAGE)
        if kind == "chat":
            changed = {"gen_ai__request__model": draw(st.sampled_from(["gpt-4o", "o3-mini", "m", "n"]))}
            tokens = draw(st.none() | st.integers(0, 10))
            changed |= {"gen_ai__usage__input_tokens": tokens, "gen_ai__usage__output_tokens": tokens}
        parent = draw(st.none() | st.integers(1, number - 1)) if number > 1 else None
        spans.append(_node(number, parent, gen_ai__operation__name=kind, **changed))
    return spans


@given(spans=_calls(), data=st.data())
def test_the_order_of_spans_does_not_matter(spans: list[SpanRecord], data: st.DataObject) -> None:
    """Nor does it that one comes twice."""
    shuffled = data.draw(st.permutations([*spans, spans[0]]))

    assert totals(shuffled) == totals(spans)


@given(spans=_calls())
def test_a_parent_that_repeats_all_usage_changes_nothing(spans: list[SpanRecord]) -> None:
    """An agent put above everything, with the tokens of everything, adds neither tokens nor cost."""
    used = totals(spans)
    tokens = {
        "gen_ai__usage__input_tokens": used.input_tokens,
        "gen_ai__usage__output_tokens": used.output_tokens,
    }
    top = _agent(99, None, **tokens)
    below = [
        make_span(span_id=span.span_id, parent_span_id=span.parent_span_id or top.span_id, attributes=span.attributes)
        for span in spans
    ]

    if any(span.attributes["gen_ai.operation.name"] == "chat" for span in spans):
        with_top = totals([top, *below])
        assert with_top.cost_usd == pytest.approx(used.cost_usd)
        assert (with_top.input_tokens, with_top.output_tokens) == (used.input_tokens, used.output_tokens)
        assert (with_top.cost_complete, with_top.unpriced_models) == (used.cost_complete, used.unpriced_models)
