"""Gap parity: every gap is closed by a feature, and every feature closes a gap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from otel_agenttrace.workflow.checks.bounds import DEFAULT_BOUNDS, Bounds
from otel_agenttrace.workflow.checks.findings import Finding, conclude, evidence, finding, ids_in, shown
from otel_agenttrace.workflow.outcome import skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_agenttrace.workflow.outcome import CheckOutcome


def check_gap_parity(
    gaps: Iterable[str] | None,
    features: Mapping[str, object] | Iterable[str] | None,
    *,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> CheckOutcome:
    """Whether every gap has a feature (else it is missing) and every feature a gap (else it is an orphan).

    Args:
        gaps: the ids of the gaps. Without gaps and features there is nothing to check: skipped.
        features: from the id of a feature to the gap that it closes, or a list of them; or plain ids, where a feature
            has the id of its gap. Several features may close one gap.
        bounds: of what is told.
    """
    gap_ids, findings = ids_in(gaps, "gap")
    feature_ids, wrong = ids_in(features, "feature")
    findings += wrong
    if not gap_ids and not feature_ids and not findings:
        return skipped("there are no gaps and no features", "give the gaps that were found, and the features for them")
    closed_by: dict[str, list[str]] = {gap: [] for gap in gap_ids}
    orphans = []
    for feature in feature_ids:
        closes = _closes(features[feature]) if isinstance(features, Mapping) else [feature]
        orphans += [_orphan(feature, gap) for gap in closes if gap not in closed_by] if closes else [_idle(feature)]
        for gap in closes:
            if gap in closed_by:
                closed_by[gap].append(feature)
    findings += [_missing(gap) for gap, by in closed_by.items() if not by] + orphans
    looked_at = [evidence("id", gap, f"closed by {', '.join(by)}") for gap, by in closed_by.items() if by]
    fine = f"every gap has a feature, and every feature a gap: {len(gap_ids)} and {len(feature_ids)}"
    return conclude(findings, looked_at, fine, bounds)


def _closes(value: object) -> list[str]:
    """The gaps that a feature names; what is no text is told as the text that it makes."""
    listed = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
    return [each if isinstance(each, str) else shown(each) for each in listed if each is not None and each != ""]


def _missing(gap: str) -> Finding:
    return finding(f"gap {shown(gap)} has no feature (missing)", f"add a feature that closes {gap}", "id", gap)


def _orphan(feature: str, gap: str) -> Finding:
    closes = "" if feature == gap else f" closes {shown(gap)}, which"
    problem = f"feature {shown(feature)}{closes} is no gap (orphan)"
    return finding(problem, f"remove {feature}, or add the gap that it closes", "id", feature)


def _idle(feature: str) -> Finding:
    problem = f"feature {shown(feature)} names no gap (orphan)"
    return finding(problem, f"name the gap that {feature} closes, or remove it", "id", feature)
