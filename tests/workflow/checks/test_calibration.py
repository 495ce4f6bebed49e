"""Calibration: what is planned or made is as large as its kind is meant to be."""

from __future__ import annotations

import math
from typing import Any

import pytest

from otel_agenttrace.workflow.checks import check_calibration


def test_values_within_their_ranges_pass() -> None:
    """The ends of a range are within it; a range is an object or a pair, and may be open on one side."""
    planned = {"a": 10, "b": 40.0, "c": 7, "d": 1_000}
    allowed = {"a": {"min": 10, "max": 40}, "b": [10, 40], "c": {"max": 7}, "d": (5, None)}

    outcome = check_calibration(planned, allowed, name="planned lines")

    assert (outcome.result, outcome.reason) == ("pass", "planned lines within their ranges: 4")
    assert outcome.evidence[0].description == "10 planned lines, 10 to 40 allowed"


@pytest.mark.parametrize(
    ("planned", "allowed", "reason"),
    [
        ({"a": 9}, {"a": [10, 40]}, '"a" is out of range: expected 10 to 40 lines, found 9'),
        ({"a": 41}, {"a": {"max": 40}}, '"a" is out of range: expected at most 40 lines, found 41'),
        ({"a": 1}, {"a": {"min": 2}}, '"a" is out of range: expected at least 2 lines, found 1'),
        ({"a": 1}, {}, '"a" has 1 lines, and no range to hold them against'),
        ({}, {"a": [1, 2]}, '"a" has a range of lines, and no lines'),
        ({"a": "many"}, {"a": [1, 2]}, '"a" has "many" lines, not a number'),
        ({"a": True}, {"a": [0, 2]}, '"a" has true lines, not a number'),
        ({"a": 10**5000}, {"a": [0, 2]}, '"a" has a value of type int lines, not a number'),
        ({"a": 1}, {"a": [0, 10**400]}, 'the range of "a" is a list of 2 items, not'),
        ({"a": math.inf}, {"a": [0, None]}, '"a" has inf lines, not a number'),
        ({"a": 1}, {"a": "1-2"}, 'the range of "a" is "1-2", not a least and a most number of lines'),
        ({"a": 1}, {"a": [2, 1]}, 'the range of "a" is a list of 2 items, not a least and a most number of lines'),
        ({"a": 1}, {"a": {}}, 'the range of "a" is an object of 0 properties, not a least and a most number of lines'),
        ([1], {"a": [1, 2]}, "the planned lines are a list of 1 item, not an object by id"),
    ],
)
def test_what_is_out_of_range_is_named(planned: Any, allowed: Any, reason: str) -> None:
    """The verdict says what was expected and what was found, or which of the two is not there."""
    outcome = check_calibration(planned, allowed)

    assert outcome.result == "fail"
    assert outcome.reason.startswith(reason)
    assert outcome.next_action


@pytest.mark.parametrize("nothing", [None, {}])
def test_without_items_there_is_nothing_to_check(nothing: Any) -> None:
    """That is skipped, never passed."""
    assert check_calibration(nothing, nothing).result == "skipped"
