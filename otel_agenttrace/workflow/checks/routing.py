"""Routing: the path that was taken is the one that the scores ask for."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from otel_agenttrace.workflow.checks.bounds import DEFAULT_BOUNDS, Bounds
from otel_agenttrace.workflow.checks.findings import conclude, evidence, finding, shown
from otel_agenttrace.workflow.checks.numbers import exact
from otel_agenttrace.workflow.outcome import skipped

if TYPE_CHECKING:
    from otel_agenttrace.workflow.outcome import CheckOutcome

_MOST = 100


def check_routing(
    scores: Mapping[str, object] | None,
    threshold: object,
    *,
    complexity_score: object,
    selected_path: object,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> CheckOutcome:
    """Whether the score is the sum of its parts, 100 at most, and the path is the one that follows from it.

    Args:
        scores: what each item adds to the score. Without any there is nothing to check: skipped.
        threshold: from this score on the path is `artisan`, below it `prime`.
        complexity_score: that was recorded.
        selected_path: that was recorded.
        bounds: of what is told.
    """
    if scores is not None and not isinstance(scores, Mapping):
        problem = f"the scores are {shown(scores)}, not an object by id"
        return conclude([finding(problem, "give the scores by id", "count", "scores")], (), "", bounds)
    if not scores:
        return skipped("there are no scores", "score the items, and choose the path by them")
    parts = {item: exact(value) for item, value in scores.items()}
    limit = exact(threshold)
    findings = [
        finding(f"the score of {shown(item)} is {shown(scores[item])}, not a number", f"score {item}", "count", item)
        for item, value in parts.items()
        if value is None
    ]
    if limit is None:
        problem = f"the threshold is {shown(threshold)}, not a number"
        findings.append(finding(problem, "declare the threshold", "count", "threshold"))
    if findings or limit is None:
        return conclude(findings, (), "", bounds)
    total = min(sum((value for value in parts.values() if value is not None), Fraction(0)), Fraction(_MOST))
    path = "artisan" if total >= limit else "prime"
    told = exact(complexity_score)
    if told is None or abs(told - total) >= Fraction(1, 1000):
        problem = f"the complexity score is not the sum of its parts: expected {float(total):g}, "
        problem += f"found {shown(complexity_score)}"
        findings.append(finding(problem, "score the work again", "count", "complexity_score"))
    if selected_path != path:
        problem = f"the path was taken without cause: expected {path} ({float(total):g}, and artisan from "
        problem += f"{float(limit):g}), found {shown(selected_path)}"
        findings.append(finding(problem, f"route the work to {path}, or say which score is wrong", "id", "path"))
    looked_at = [evidence("count", item, f"scores {value}") for item, value in scores.items()]
    words = "at or above" if path == "artisan" else "below"
    return conclude(findings, looked_at, f"{path}: {float(total):g} is {words} {float(limit):g}", bounds)
