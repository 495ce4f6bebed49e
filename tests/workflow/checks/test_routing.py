"""Routing: the path that was taken is the one that the scores ask for."""

from __future__ import annotations

from typing import Any

import pytest

from otel_agenttrace.workflow.checks import check_routing


@pytest.mark.parametrize(
    ("scores", "score", "path"),
    [({"a": 10, "b": 20.5}, 30.5, "artisan"), ({"a": 10}, 10, "prime"), ({"a": 70, "b": 70}, 100, "artisan")],
)
def test_a_path_that_follows_from_the_scores_passes(scores: Any, score: float, path: str) -> None:
    """The score is the sum of its parts, 100 at most."""
    assert check_routing(scores, 30, complexity_score=score, selected_path=path).result == "pass"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"selected_path": "prime"},
            'the path was taken without cause: expected artisan (30, and artisan from 30), found "prime"',
        ),
        ({"complexity_score": 12}, "the complexity score is not the sum of its parts: expected 30, found 12"),
        ({"complexity_score": None}, "the complexity score is not the sum of its parts: expected 30, found null"),
        ({"scores": {"a": "hard"}}, 'the score of "a" is "hard", not a number'),
        ({"threshold": None}, "the threshold is null, not a number"),
        ({"scores": [1]}, "the scores are a list of 1 item, not an object by id"),
    ],
)
def test_a_path_without_cause_fails(fields: dict[str, Any], reason: str) -> None:
    """The verdict says which path was due, and why."""
    given = {"scores": {"a": 30}, "threshold": 30, "complexity_score": 30, "selected_path": "artisan", **fields}
    outcome = check_routing(
        given["scores"],
        given["threshold"],
        complexity_score=given["complexity_score"],
        selected_path=given["selected_path"],
    )

    assert (outcome.result, outcome.reason) == ("fail", reason)
    assert outcome.next_action


def test_without_scores_there_is_nothing_to_check() -> None:
    """That is skipped, never passed."""
    assert check_routing({}, 30, complexity_score=0, selected_path="prime").result == "skipped"
