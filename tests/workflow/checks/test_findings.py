"""Findings become outcomes in one way, of text that any telemetry can carry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.workflow.checks import Bounds, Finding, FindingError
from otel_agenttrace.workflow.checks.bounds import in_words
from otel_agenttrace.workflow.checks.findings import conclude, evidence, finding, printable, shown


def test_no_findings_are_a_pass() -> None:
    """With the reason that is given for it, and what was looked at."""
    outcome = conclude([], [evidence("id", "a", "fine")], "all is fine")

    assert (outcome.result, outcome.reason, outcome.next_action) == ("pass", "all is fine", "")
    assert [each.ref for each in outcome.evidence] == ["a"]


def test_findings_come_before_what_is_in_order() -> None:
    """Reasons and actions in their order, an action that serves several findings once."""
    findings = [finding(f"{name} is wrong", "do it again", "id", name) for name in "bc"]

    outcome = conclude(findings, [evidence("id", "a", "fine")], "")

    assert (outcome.result, outcome.reason) == ("fail", "b is wrong; c is wrong")
    assert outcome.next_action == "do it again"
    assert [each.ref for each in outcome.evidence] == ["b", "c", "a"]


def test_the_evidence_is_bounded() -> None:
    """Of a pass, too; the last piece says how many more there are."""
    outcome = conclude([], [evidence("id", str(i), "fine") for i in range(10)], "", Bounds(evidence=3))

    assert [each.ref for each in outcome.evidence] == ["0", "1", "more"]
    assert outcome.evidence[-1].description == "and 8 more that are not shown"


def test_a_finding_error_is_its_finding() -> None:
    """Its text is the problem, and it makes a failed outcome."""
    error = FindingError(finding("a is missing", "make a", "file", "a"))

    assert str(error) == "a is missing"
    assert isinstance(error.finding, Finding)
    assert (error.outcome.result, error.outcome.next_action) == ("fail", "make a")


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_any_text_can_be_told(name: str, problem: str) -> None:
    """Halves of surrogate pairs and control characters, which no telemetry carries, are spelled out."""
    outcome = conclude([finding(problem, problem, "id", name)], (), "")

    assert outcome.reason == outcome.next_action == printable(problem)
    for text in (outcome.reason, outcome.evidence[0].ref, outcome.evidence[0].description):
        assert text.isprintable()
        assert text.encode().decode() == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", '"a"'),
        ('say "a"', '"say \\"a\\""'),
        ("é", '"é"'),
        ("x" * 500, '"' + "x" * 98 + "…"),
        (None, "null"),
        (True, "true"),
        (1.5, "1.5"),
        ({}, "an object of 0 properties"),
        ({"a": 1}, "an object of 1 property"),
        ([1, 2], "a list of 2 items"),
        pytest.param(10**5000, "a value of type int", id="long int"),
    ],
)
def test_values_are_shown_short(value: object, text: str) -> None:
    """Whatever stands in a document, a verdict stays readable."""
    assert shown(value) == text


def test_texts_are_cut() -> None:
    """A name of any length makes a reference of at most 500 characters, and other texts of at most 1000."""
    found = finding("x" * 5000, "x" * 5000, "file", "x" * 5000)

    assert (len(found.problem), len(found.action)) == (1000, 1000)
    assert (len(found.evidence.ref), len(found.evidence.description)) == (500, 1000)


@pytest.mark.parametrize(
    ("size", "words"), [(10, "10 bytes"), (1536, "1536 bytes"), (2048, "2 KiB"), (8 << 20, "8 MiB")]
)
def test_bounds_are_told_in_units(size: int, words: str) -> None:
    """In the largest unit of which they are a multiple."""
    assert in_words(size) == words
