"""Coverage threshold: counted exactly, and nothing to count is no coverage."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.workflow.checks import check_coverage


@pytest.mark.parametrize(
    "given_",
    [
        {"covered": 4, "total": 5, "min_percent": 80},
        {"covered": 4, "total": 5, "min_ratio": 0.8},
        {"covered": 4, "total": 5, "min_count": 4},
        {"covered": 4, "min_count": 4},
        {"percent": 80, "min_percent": 80.0},
        {"ratio": 0.8, "min_percent": 80},
        {"percent": 80.0, "min_ratio": 0.8},
        {"covered": ["a", "b", "c", "d", "other"], "total": ["a", "b", "c", "d", "e"], "min_percent": 80},
        {"covered": 4, "total": 5, "percent": 80.3, "ratio": 0.8, "min_percent": 80, "min_count": 1},
        {"covered": 0, "total": 5, "min_percent": 0},
    ],
)
def test_coverage_that_just_reaches_its_threshold_passes(given_: dict[str, Any]) -> None:
    """As counts, ids, percent or ratio, against a percent, a ratio or a count."""
    outcome = check_coverage(**given_)

    assert (outcome.result, outcome.next_action) == ("pass", "")
    assert [each.type for each in outcome.evidence] == ["count"]


@pytest.mark.parametrize(
    ("given_", "reason"),
    [
        (
            {"covered": 4, "total": 5, "min_percent": 80.1},
            "coverage is too low: expected at least 80.1 %, found 4 of 5 (80 %)",
        ),
        ({"covered": 2, "total": 3, "min_ratio": 0.67}, "expected at least 67 %, found 2 of 3 (66.66 %)"),
        ({"covered": 4, "total": 5, "min_count": 5}, "expected at least 5 covered, found 4 of 5 (80 %)"),
        ({"percent": 79.999, "min_percent": 80}, "expected at least 80 %, found 79.99 %"),
        ({"ratio": 0.0, "min_percent": 80}, "expected at least 80 %, found 0 %"),
        ({"covered": 4, "total": 5, "min_percent": 50, "min_count": 5}, "expected at least 5 covered"),
    ],
)
def test_coverage_below_its_threshold_fails(given_: dict[str, Any], reason: str) -> None:
    """With what was expected and found, never rounded up to what it misses."""
    outcome = check_coverage(**given_)

    assert outcome.result == "fail"
    assert reason in outcome.reason
    assert outcome.next_action == "raise coverage"


def test_what_is_not_covered_is_named() -> None:
    """Where ids are given, in the next action and in the evidence; ids beyond the total do not count."""
    outcome = check_coverage(covered=["a", "x", "y"], total=["a", "b", "c"], min_percent=100, name="dashboards")

    assert outcome.reason == "dashboards is too low: expected at least 100 %, found 1 of 3 (33.33 %)"
    assert outcome.next_action == "cover b, c"
    assert [(each.type, each.ref) for each in outcome.evidence] == [("count", "dashboards"), ("id", "b"), ("id", "c")]
    many = check_coverage(covered=[], total=[f"i{i}" for i in range(9)], min_percent=100)
    assert many.next_action == "cover i0, i1, i2, i3, i4 and 4 more"


@pytest.mark.parametrize(
    "given_",
    [
        {},
        {"covered": 0, "total": 0},
        {"covered": [], "total": []},
        {"covered": ["a"], "total": []},
        {"total": 0},
        {"covered": 0, "total": 0, "percent": 100.0},
        {"percent": 100.0, "total": 0},
        {"ratio": 1.0, "total": []},
    ],
)
def test_nothing_to_count_is_skipped(given_: dict[str, Any]) -> None:
    """A total of nothing is no full coverage, whatever is declared beside it."""
    outcome = check_coverage(min_percent=0, **given_)

    assert outcome.result == "skipped"
    assert "there is nothing to count" in outcome.reason


def test_no_threshold_is_skipped() -> None:
    """There is nothing that the coverage is held to."""
    assert check_coverage(covered=1, total=2).result == "skipped"


@pytest.mark.parametrize(
    ("given_", "verdict"),
    [
        ({"covered": 3, "total": 2}, "3 are covered of 2, more than there are"),
        ({"covered": 1, "total": 0}, "1 are covered of 0, more than there are"),
        ({"total": 2}, "2 are to be covered, and how many are is not said"),
        ({"covered": 4, "total": 5, "percent": 90.0}, "declared as 90 %, and counts as 80 %"),
        ({"covered": 4, "total": 5, "ratio": 0.9}, "declared as 90 %, and counts as 80 %"),
        ({"percent": 10, "ratio": 0.9}, "declared as 10 %, and counts as 90 %"),
        ({"covered": 5}, "which cannot be compared"),
        ({"percent": 101}, "is 101, a number from 0 to 100 is expected"),
        ({"percent": float("nan")}, "is nan, a number from 0 to 100 is expected"),
        ({"percent": "80"}, 'is "80", a number from 0 to 100 is expected'),
        ({"percent": True}, "is true, a number from 0 to 100 is expected"),
        ({"ratio": 80}, "is 80, a number from 0 to 1 is expected"),
        ({"covered": -1, "total": 2}, "is -1, a whole number from 0 is expected"),
        ({"covered": 1.5, "total": 2}, "the items of the covered count of coverage are 1.5, not a list of ids"),
        ({"covered": True, "total": 2}, "are true, not a list of ids"),
        ({"covered": "ab", "total": 2}, 'are "ab", not a list of ids'),
        ({"covered": ["a", "a"], "total": ["a"]}, 'item of the covered count of coverage "a" is listed twice'),
        ({"covered": 1, "total": 1, "min_percent": 101}, "is 101, a number from 0 to 100 is expected"),
        ({"covered": 1, "total": 1, "min_ratio": -1}, "is -1, a number from 0 to 1 is expected"),
        ({"covered": 1, "total": 1, "min_count": 0.5}, "is 0.5, a whole number from 0 is expected"),
    ],
)
def test_values_that_cannot_be_right_fail(given_: dict[str, Any], verdict: str) -> None:
    """Each is told with what is expected there."""
    outcome = check_coverage(**{"min_percent": 50, **given_})

    assert outcome.result == "fail"
    assert verdict in outcome.reason
    assert outcome.next_action


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 100))
def test_counts_are_compared_exactly(covered: int, total: int, least: int) -> None:
    """No rounding decides: it passes exactly if covered * 100 >= least * total."""
    covered = min(covered, total)

    outcome = check_coverage(covered=covered, total=total, min_percent=least)

    assert (outcome.result == "pass") == (covered * 100 >= least * total)
