"""Agreement: what stands in two places is the same in both."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agenttrace.workflow.checks import check_agreement


def test_equal_values_agree() -> None:
    """Numbers by their value; lists and objects whole."""
    outcome = check_agreement({"a": 1, "b": ["x"], "c": None}, {"a": 1.0, "b": ["x"], "c": None}, what="parameter")

    assert (outcome.result, outcome.reason) == ("pass", "values that agree: 3")


@pytest.mark.parametrize(
    ("expected", "found", "reason"),
    [
        ({"a": 1}, {"a": 2}, 'value "a" differs: expected 1, found 2'),
        ({"a": 1}, {}, 'value "a" differs: expected 1, found nothing'),
        ({}, {"a": 1}, 'value "a" differs: expected nothing, found 1'),
        ({"a": 1}, {"a": True}, 'value "a" differs: expected 1, found true'),
        ({"a": [{"b": 0}]}, {"a": [{"b": False}]}, 'value "a" differs'),
        ({"a": None}, {"a": ""}, 'value "a" differs: expected null, found ""'),
        ({"a": 1}, 5, "the found values are 5, not an object"),
    ],
)
def test_a_difference_is_named(expected: Any, found: Any, reason: str) -> None:
    """With both sides."""
    outcome = check_agreement(expected, found)

    assert outcome.result == "fail"
    assert outcome.reason.startswith(reason)
    assert outcome.next_action


@pytest.mark.parametrize("what", ["handoff's", "lines of", "final"])
def test_no_word_is_made_of_the_one_that_is_given(what: str) -> None:
    """It may be a phrase, which has no plural: it stands in front of a name, and nowhere else."""
    sides: list[tuple[Any, Any]] = [({"a": 1}, {"a": 1}), ({}, {}), (5, {})]
    told = [check_agreement(*side, what=what) for side in sides]

    assert not any(what in outcome.reason + outcome.next_action for outcome in told)
    assert check_agreement({"a": 1}, {}, what=what).reason.startswith(f'{what} "a" differs')


def test_without_values_there_is_nothing_to_check() -> None:
    """That is skipped, never passed."""
    assert check_agreement({}, None).result == "skipped"
