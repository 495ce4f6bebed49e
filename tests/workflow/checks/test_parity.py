"""Gap parity: every gap is closed by a feature, and every feature closes a gap."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.workflow.checks import Bounds, check_gap_parity

IDS = st.sets(st.sampled_from("abcdef"))


def test_gaps_and_features_that_fit_pass() -> None:
    """The evidence names each gap with the features that close it; several may close one."""
    outcome = check_gap_parity(["gap-a", "gap-b"], {"f1": "gap-a", "f2": ["gap-a", "gap-b"]})

    assert outcome.result == "pass"
    assert outcome.reason == "every gap has a feature, and every feature a gap: 2 and 2"
    assert [(each.ref, each.description) for each in outcome.evidence] == [
        ("gap-a", "closed by f1, f2"),
        ("gap-b", "closed by f2"),
    ]


def test_plain_features_have_the_id_of_their_gap() -> None:
    """A dropped feature leaves its gap missing."""
    assert check_gap_parity(["a", "b"], ["b", "a"]).result == "pass"

    outcome = check_gap_parity(["gap-latency-panel", "b"], ["b"])

    assert outcome.result == "fail"
    assert outcome.reason == 'gap "gap-latency-panel" has no feature (missing)'
    assert outcome.next_action == "add a feature that closes gap-latency-panel"
    assert outcome.evidence[0].ref == "gap-latency-panel"


@pytest.mark.parametrize(
    ("features", "verdict"),
    [
        ({"f": "a", "g": "nosuch"}, 'feature "g" closes "nosuch", which is no gap (orphan)'),
        ({"f": ["a", "nosuch"]}, 'feature "f" closes "nosuch", which is no gap (orphan)'),
        ({"f": "a", "g": None}, 'feature "g" names no gap (orphan)'),
        ({"f": "a", "g": []}, 'feature "g" names no gap (orphan)'),
        ({"f": "a", "g": 5}, 'feature "g" closes "5", which is no gap (orphan)'),
        (["a", "b"], 'feature "b" is no gap (orphan)'),
    ],
)
def test_a_feature_without_a_gap_is_an_orphan(features: Any, verdict: str) -> None:
    """It is named, whatever it names itself."""
    outcome = check_gap_parity(["a"], features)

    assert outcome.result == "fail"
    assert outcome.reason == verdict
    assert "remove" in outcome.next_action


def test_missing_and_orphan_are_told_together() -> None:
    """A renamed gap is both, and both are told."""
    outcome = check_gap_parity(["new"], ["old"])

    assert outcome.reason == 'gap "new" has no feature (missing); feature "old" is no gap (orphan)'


def test_many_findings_are_counted() -> None:
    """The reason spells out the first, the evidence is bounded, and both say how many more there are."""
    outcome = check_gap_parity([f"g{i}" for i in range(20)], [], bounds=Bounds(evidence=5, reason_problems=2))

    assert outcome.reason == 'gap "g0" has no feature (missing); gap "g1" has no feature (missing); and 18 more'
    assert [each.ref for each in outcome.evidence] == ["g0", "g1", "g2", "g3", "more"]
    assert outcome.evidence[-1].description == "and 16 more that are not shown"


@pytest.mark.parametrize(("gaps", "features"), [(None, None), ([], []), ([], {})])
def test_no_gaps_and_no_features_are_skipped(gaps: Any, features: Any) -> None:
    """There is nothing to check, which is no pass."""
    outcome = check_gap_parity(gaps, features)

    assert outcome.result == "skipped"
    assert outcome.next_action


@pytest.mark.parametrize(
    ("gaps", "features", "verdict"),
    [
        ("gap", [], 'the gaps are "gap", not a list of ids'),
        (["a", "a"], ["a"], 'gap "a" is listed twice'),
        (["a"], ["a", "a"], 'feature "a" is listed twice'),
        ([{"id": "a"}], ["a"], "gap 1 of the list is an object of 1 property, not an id"),
        (["\ud800\n"], [], 'gap "\\\\ud800\\\\x0a" has no feature'),
    ],
)
def test_values_of_other_forms_fail(gaps: Any, features: Any, verdict: str) -> None:
    """A verdict each, in text that any telemetry can carry."""
    outcome = check_gap_parity(gaps, features)

    assert outcome.result == "fail"
    assert verdict in outcome.reason
    assert (outcome.reason + outcome.next_action).isprintable()


@given(IDS, IDS)
def test_it_passes_exactly_if_both_are_one_set(gaps: set[str], features: set[str]) -> None:
    """All that differs is named: gaps alone as missing, features alone as orphans."""
    outcome = check_gap_parity(sorted(gaps), sorted(features))

    named = {each.ref for each in outcome.evidence if "missing" in each.description or "orphan" in each.description}
    assert named == gaps ^ features
    assert outcome.result == ("skipped" if not gaps | features else "pass" if gaps == features else "fail")
