"""Calibration: what is planned or made is as large as its kind is meant to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from otel_agenttrace.workflow.checks.bounds import DEFAULT_BOUNDS, Bounds
from otel_agenttrace.workflow.checks.findings import Finding, conclude, evidence, finding, shown
from otel_agenttrace.workflow.checks.numbers import exact
from otel_agenttrace.workflow.outcome import skipped

if TYPE_CHECKING:
    from fractions import Fraction

    from otel_agenttrace.workflow.outcome import CheckOutcome

    _Range = tuple[Fraction | None, Fraction | None]


def check_calibration(
    planned: Mapping[str, object] | None,
    allowed: Mapping[str, object] | None,
    *,
    name: str = "lines",
    bounds: Bounds = DEFAULT_BOUNDS,
) -> CheckOutcome:
    """Whether each value is within the range that is allowed for it; the ends of the range are within.

    An item without a range fails, and so does a range without an item: one of the two was left out.

    Args:
        planned: from the id of an item to a number. Without items and ranges there is nothing to check: skipped.
        allowed: from the id of an item to `{"min": ..., "max": ...}`, or a pair; one end may be None.
        name: what is counted, for the verdict.
        bounds: of what is told.
    """
    findings = [
        finding(f"the {what} {name} are {shown(values)}, not an object by id", f"give the {what} by id", "count", what)
        for what, values in (("planned", planned), ("allowed", allowed))
        if values is not None and not isinstance(values, Mapping)
    ]
    found = planned if isinstance(planned, Mapping) else {}
    ranges = allowed if isinstance(allowed, Mapping) else {}
    if not found and not ranges and not findings:
        return skipped(f"there are no {name} to hold against a range", f"give the {name} and their ranges")
    looked_at = []
    for item in dict.fromkeys([*found, *ranges]):
        wrong = _problem(item, found, ranges, name)
        if wrong is not None:
            findings.append(wrong)
        else:
            looked_at.append(evidence("count", item, f"{found[item]} {name}, {_words(_range(ranges[item]))} allowed"))
    return conclude(findings, looked_at, f"{name} within their ranges: {len(looked_at)}", bounds)


def _problem(item: str, found: Mapping[str, object], ranges: Mapping[str, object], name: str) -> Finding | None:
    if item not in found:
        problem = f"{shown(item)} has a range of {name}, and no {name}"
        return finding(problem, f"plan {item}, or take its range away", "id", item)
    if item not in ranges:
        problem = f"{shown(item)} has {shown(found[item])} {name}, and no range to hold them against"
        return finding(problem, f"declare how many {name} {item} may have", "id", item)
    limits = _range(ranges[item])
    if limits is None:
        problem = f"the range of {shown(item)} is {shown(ranges[item])}, not a least and a most number of {name}"
        return finding(problem, f"declare how many {name} {item} may have", "count", item)
    value = exact(found[item])
    if value is None:
        problem = f"{shown(item)} has {shown(found[item])} {name}, not a number"
        return finding(problem, f"give the {name} of {item} as a number", "count", item)
    least, most = limits
    if (least is None or value >= least) and (most is None or value <= most):
        return None
    problem = f"{shown(item)} is out of range: expected {_words(limits)} {name}, found {found[item]}"
    action = f"bring {item} to {_words(limits)} {name}, or calibrate its kind anew"
    return finding(problem, action, "count", item)


def _range(value: object) -> _Range | None:
    """The two ends; None for what is no range."""
    ends: Sequence[object]
    if isinstance(value, Mapping):
        ends = [value.get("min"), value.get("max")]
    elif isinstance(value, (list, tuple)) and len(value) == 2:
        ends = value
    else:
        return None
    least, most = map(exact, ends)
    if (least is None) != (ends[0] is None) or (most is None) != (ends[1] is None) or least is most is None:
        return None
    return None if least is not None and most is not None and least > most else (least, most)


def _words(limits: _Range | None) -> str:
    least, most = (None if end is None else f"{float(end):g}" for end in limits or (None, None))
    if least is None or most is None:
        return f"at most {most}" if least is None else f"at least {least}"
    return f"{least} to {most}"
