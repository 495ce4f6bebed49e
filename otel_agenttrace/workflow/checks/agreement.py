"""Agreement: what stands in two places is the same in both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from otel_agenttrace.workflow.checks.bounds import DEFAULT_BOUNDS, Bounds
from otel_agenttrace.workflow.checks.findings import conclude, evidence, finding, shown
from otel_agenttrace.workflow.outcome import skipped

if TYPE_CHECKING:
    from otel_agenttrace.workflow.outcome import CheckOutcome


def check_agreement(
    expected: Mapping[str, object] | None,
    found: Mapping[str, object] | None,
    *,
    what: str = "value",
    bounds: Bounds = DEFAULT_BOUNDS,
) -> CheckOutcome:
    """Whether two places have the same values by the same names. 1 and 1.0 are the same, 1 and true are not.

    Args:
        expected: the values as they should be, by name. With nothing expected and nothing found: skipped.
        found: the values as they are.
        what: what stands before a name in the verdict: a word such as `checksum`, or a phrase such as `lines of`.
        bounds: of what is told.
    """
    findings = [
        finding(f"the {side} values are {shown(values)}, not an object", f"give the {side} values by name", "id", side)
        for side, values in (("expected", expected), ("found", found))
        if values is not None and not isinstance(values, Mapping)
    ]
    wanted = expected if isinstance(expected, Mapping) else {}
    there = found if isinstance(found, Mapping) else {}
    if not wanted and not there and not findings:
        return skipped("there are no values to compare", "give the values of both sides")
    looked_at = []
    for name in dict.fromkeys([*wanted, *there]):
        sides = [shown(values[name]) if name in values else "nothing" for values in (wanted, there)]
        if name in wanted and name in there and _is_same(wanted[name], there[name]):
            looked_at.append(evidence("id", name, f"{sides[0]} on both sides"))
            continue
        problem = f"{what} {shown(name)} differs: expected {sides[0]}, found {sides[1]}"
        findings.append(finding(problem, f"bring {what} {name} into line", "id", name))
    return conclude(findings, looked_at, f"values that agree: {len(looked_at)}", bounds)


def _is_same(one: object, other: object) -> bool:
    """Whether two values say the same: to Python, true is 1 as well."""
    try:
        return one == other and _truths(one) == _truths(other)
    except RecursionError:  # nested deeper than any file that is read
        return False


def _truths(value: object) -> object:
    """The shape of a value, and where in it there are truth values."""
    if isinstance(value, Mapping):
        return {key: _truths(below) for key, below in value.items()}
    return [_truths(below) for below in value] if isinstance(value, list) else isinstance(value, bool)
