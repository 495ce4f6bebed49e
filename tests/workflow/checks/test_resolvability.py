"""Resolvability: every name that is used is declared, with a value."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agenttrace.workflow.checks import check_resolvability


def test_names_that_are_declared_with_a_value_pass() -> None:
    """0 and false are values; an item may use one name, several, or none."""
    outcome = check_resolvability({"a": ["x", "y"], "b": "x", "c": []}, {"x": 0, "y": False, "unused": "text"})

    assert (outcome.result, outcome.reason) == ("pass", "every parameter that is used is declared, and has a value: 3")
    assert [each.description for each in outcome.evidence] == [
        "uses x, y",
        "uses x",
        "uses no parameter",
        "is declared as 0",
        "is declared as false",
        'is declared as "text"',
    ]


@pytest.mark.parametrize("used", [None, {}, {"a": []}, {"a": None, "b": []}])
def test_where_nothing_is_used_or_declared_nothing_is_checked(used: Any) -> None:
    """Items that use no name prove nothing: that is skipped, never passed."""
    assert check_resolvability(used, {}).result == "skipped"


def test_what_is_declared_is_checked_though_nobody_uses_it() -> None:
    """It has a value, and the evidence says so."""
    outcome = check_resolvability({}, {"x": 1})

    assert (outcome.result, [each.ref for each in outcome.evidence]) == ("pass", ["x"])


@pytest.mark.parametrize(
    ("used", "declared", "reason"),
    [
        ({"a": ["x", "z"]}, {"x": 1}, '"a" uses parameter "z", which is not declared'),
        ({"a": ["x"]}, {"x": None}, 'parameter "x" is declared as null, which is no value'),
        ({}, {"x": " "}, 'parameter "x" is declared as " ", which is no value'),
        ({}, {"x": "over ${limit}"}, 'parameter "x" is declared as "over ${limit}", which has a placeholder in it'),
        ({}, {"x": "{{ limit }}"}, 'parameter "x" is declared as "{{ limit }}", which has a placeholder in it'),
        ({"a": [5]}, {"x": 1}, "parameter of a 1 of the list is 5, not an id"),
        ({"a": None, "b": 5}, {"x": 1}, "the parameters of b are 5, not a list of ids"),
        (["a"], {"x": 1}, "the used parameters are a list of 1 item, not an object"),
    ],
)
def test_a_name_that_leads_nowhere_is_named(used: Any, declared: Any, reason: str) -> None:
    """So is a value that is none, whoever uses it."""
    outcome = check_resolvability(used, declared)

    assert outcome.result == "fail"
    assert outcome.reason == reason
    assert outcome.next_action


def test_the_word_is_that_of_the_project() -> None:
    """Services are declared likewise."""
    outcome = check_resolvability({"gap-a": "billing"}, {"checkout": "team-payments"}, what="service")

    assert outcome.reason == '"gap-a" uses service "billing", which is not declared'
    assert outcome.next_action == "declare service billing, or take it out of gap-a"


def test_without_names_there_is_nothing_to_check() -> None:
    """That is skipped, never passed."""
    assert check_resolvability(None, {}).result == "skipped"
