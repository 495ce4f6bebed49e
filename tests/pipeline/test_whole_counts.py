"""All tokens of a call, whatever an emitter counts beside the others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.normalize import normalize
from otel_agenttrace.pipeline.whole_counts import whole_counts
from otel_agenttrace.testing.spans import make_span

_SOME = st.integers(0, 1000)
_TOLD = {"cached": 0, "reasoning": 0, "total": None, "uncached_input": None}


def _whole(taken_in: int | None, given_out: int | None, **told: int | None) -> tuple[int | None, int | None]:
    return whole_counts(taken_in, given_out, **(_TOLD | told))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("counts", "told", "expected"),
    [
        ((200, 30), {"cached": 200, "total": 430}, (400, 30)),  # Bedrock
        ((2100, 50), {"cached": 2000, "total": 2150}, (2100, 50)),  # OpenAI, and whoever follows OTel
        ((100, 200), {"reasoning": 150, "total": 450}, (100, 350)),  # Gemini
        ((100, 200), {"reasoning": 150, "total": 300}, (100, 200)),
        ((100, 200), {"cached": 50, "reasoning": 150, "total": 500}, (150, 350)),
        ((100, 200), {"cached": 50, "reasoning": 150, "total": 417}, (100, 200)),  # counts something else too
        ((100, None), {"cached": 50, "total": 150}, (150, None)),
    ],
)
def test_the_total_decides(counts: Any, told: Any, expected: Any) -> None:
    """What it lacks stands beside the other counts; what it does not lack is in them."""
    assert _whole(*counts, **told) == expected


def test_parts_that_are_more_than_the_whole_are_beside_it() -> None:
    """No total is needed to see that, and none proves the opposite."""
    assert _whole(10, 5, cached=2000) == (2010, 5)
    assert _whole(10, 5, reasoning=50) == (10, 55)
    assert _whole(39, 6, cached=10, reasoning=50, total=95) == (39, 56)
    assert _whole(10, 5, cached=2000, total=15) == (2010, 5)


def test_an_emitter_may_be_known_to_leave_cached_tokens_out() -> None:
    """Its own total of the two counts does not prove the opposite; a count that is whole already is left."""
    assert _whole(5000, 30, cached=2100, uncached_input=5000, total=5030) == (7100, 30)
    assert _whole(7100, 30, cached=2100, uncached_input=5000, total=5030) == (7100, 30)


def test_what_is_unknown_stays_unknown() -> None:
    """Parts alone are no whole."""
    assert _whole(None, None, cached=5, reasoning=5, total=10) == (None, None)


@given(fresh=_SOME, spoken=_SOME, cached=_SOME, thought=_SOME, apart=st.tuples(st.booleans(), st.booleans()))
def test_counts_are_whole_whichever_way_they_are_told(
    fresh: int, spoken: int, cached: int, thought: int, apart: tuple[bool, bool]
) -> None:
    """With a total, and parts that can be told from each other; reading what was read changes nothing."""
    whole = fresh + cached, spoken + thought
    told = {"cached": cached, "reasoning": thought, "total": sum(whole)}
    counts = whole[0] - cached * apart[0], whole[1] - thought * apart[1]

    if cached != thought:
        assert _whole(*counts, **told) == whole
    assert _whole(*_whole(*counts, **told), **told) == _whole(*counts, **told)


@given(
    fresh=_SOME, spoken=_SOME, cached=_SOME, thought=_SOME,
    apart=st.tuples(st.booleans(), st.booleans()), has_standard=st.tuples(st.booleans(), st.booleans()),
    provider=st.sampled_from(["anthropic.messages", "google.generative-ai"]),
)  # fmt: skip
def test_normalizing_does_not_count_twice(  # noqa: PLR0917  # one for each thing that may vary
    fresh: int, spoken: int, cached: int, thought: int, apart: Any, has_standard: Any, provider: str
) -> None:
    """The sums that are written under OTel's names are whole, and stay so when they are read again."""
    taken_in, given_out = fresh + cached * (not apart[0]), spoken + thought * (not apart[1])
    span = make_span(
        attributes={
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.model.id": "m",
            "ai.model.provider": provider,
            "ai.usage.inputTokens": taken_in,
            "ai.usage.outputTokens": given_out,
            "ai.usage.totalTokens": fresh + spoken + cached + thought,
            "ai.usage.cachedInputTokens": cached,
            "ai.usage.reasoningTokens": thought,
            **({"gen_ai.usage.input_tokens": taken_in} if has_standard[0] else {}),
            **({"gen_ai.usage.output_tokens": given_out} if has_standard[1] else {}),
        }
    )

    assert canonical(normalize(span)) == canonical(span)
