"""Precision and recall on claims as agents make them, labelled by hand; `docs/grounding.md` publishes the figures."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from otel_agenttrace.grounding import ground

CASES: list[dict[str, Any]] = [
    json.loads(line) for line in (Path(__file__).parent / "labelled.jsonl").read_text("utf-8").splitlines()
]
PAGE = Path(__file__).parents[2] / "docs" / "grounding.md"
MIN_PRECISION = 0.97
MIN_RECALL = 0.92


@pytest.fixture(scope="module")
def flags() -> list[bool]:
    """Whether each case is flagged."""
    return [bool(ground(case["claim"], case["sources"]).unsupported) for case in CASES]


def test_the_set_has_enough_of_both() -> None:
    """A figure on a handful of cases would say nothing."""
    counts = Counter(case["supported"] for case in CASES)

    assert len(CASES) >= 120
    assert min(counts.values()) >= 50


def test_supported_claims_are_not_flagged(flags: list[bool]) -> None:
    """A flag is nearly always right: at most 5 % of what is supported is flagged."""
    wrong = [case["claim"] for case, flag in zip(CASES, flags, strict=True) if flag and case["supported"]]

    assert 1 - len(wrong) / sum(flags) >= MIN_PRECISION, wrong
    assert len(wrong) <= 0.05 * sum(case["supported"] for case in CASES), wrong


def test_unsupported_claims_are_flagged(flags: list[bool]) -> None:
    """Most of what agents make up is found."""
    missed = [case["claim"] for case, flag in zip(CASES, flags, strict=True) if not flag and not case["supported"]]

    assert 1 - len(missed) / sum(not case["supported"] for case in CASES) >= MIN_RECALL, missed


def test_the_page_says_what_was_measured(flags: list[bool]) -> None:
    """The table of found claims by reason is the one in the documentation."""
    found, all_of = Counter[str](), Counter[str]()
    for case, flag in zip(CASES, flags, strict=True):
        if not case["supported"]:
            all_of[case["reason"]] += 1
            found[case["reason"]] += flag
    page = PAGE.read_text("utf-8")

    for reason, count in all_of.items():
        assert f"| `{reason}` | {count} | {found[reason]} |" in page
