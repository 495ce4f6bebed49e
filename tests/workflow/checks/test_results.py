"""Test results: all tests have passed, and some were run."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agenttrace.workflow.checks import check_test_results

PASSED = {"id": "a", "outcome": "passed"}


def test_tests_that_passed_pass() -> None:
    """The counts beside the list are those of the list."""
    outcome = check_test_results([PASSED, {"id": "b", "outcome": "passed", "message": ""}], passed=2, failed=0)

    assert (outcome.result, outcome.reason) == ("pass", "tests that passed: 2 of 2")


@pytest.mark.parametrize(
    ("tests", "reason"),
    [
        ([PASSED, {"id": "b", "outcome": "failed", "message": "no"}], 'test "b" is "failed", expected "passed": no'),
        ([{"id": "b", "outcome": "skipped"}], 'test "b" is "skipped", expected "passed"'),
        ([{"id": "b"}], 'test "b" is null, expected "passed"'),
        ([PASSED, PASSED], 'test "a" has two results'),
        ([{"outcome": "passed"}], "result 1 of the list is an object of 1 property without the id of a test"),
        (["a"], 'result 1 of the list is "a" without the id of a test'),
        ("all", 'the tests are "all", not a list of results'),
    ],
)
def test_what_did_not_pass_is_named(tests: Any, reason: str) -> None:
    """With the message of the test, if it has one."""
    outcome = check_test_results(tests)

    assert (outcome.result, outcome.reason) == ("fail", reason)
    assert outcome.next_action


def test_a_summary_that_says_otherwise_fails() -> None:
    """Nobody turns failures into passes by the summary alone."""
    outcome = check_test_results([PASSED], passed=2, failed=True)

    assert outcome.reason == "the summary says 2 passed, the list has 1; the summary says true failed, the list has 0"


@pytest.mark.parametrize("nothing", [None, []])
def test_without_tests_there_is_nothing_to_check(nothing: Any) -> None:
    """That is skipped, never passed."""
    assert check_test_results(nothing).result == "skipped"
