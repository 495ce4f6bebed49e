"""How much of a sentence stands in its sources."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.grounding import ground
from otel_agenttrace.grounding.overlap import common_row

words = st.lists(st.sampled_from("abcd"), max_size=12)

SOURCE = "The mayor of Bergen opened a new bridge over the harbour after years of delays."


def _longest(one: list[str], other: list[str]) -> int:
    if not one or not other:
        return 0
    if one[0] == other[0]:
        return 1 + _longest(one[1:], other[1:])
    return max(_longest(one[1:], other), _longest(one, other[1:]))


@given(words, words)
def test_the_longest_common_row_is_found(one: list[str], other: list[str]) -> None:
    """As by trying all of them."""
    assert common_row(one, other) == _longest(one, other)


def _support(sentence: str) -> float:
    (claim,) = ground(sentence, [SOURCE]).claims
    return claim.support


def test_a_copied_sentence_has_more_support_than_a_reworded_one() -> None:
    """And that has more than one in which the words are others', or none of the sources'."""
    copied = _support("The mayor of Bergen opened a new bridge over the harbour.")
    reworded = _support("After delays, a new bridge was opened by the mayor of Bergen.")
    mixed = _support("The harbour opened years of delays over a new mayor.")
    invented = _support("The minister praised cheerful volunteers during the carnival parade.")

    assert copied > mixed > invented
    assert copied > reworded > invented
