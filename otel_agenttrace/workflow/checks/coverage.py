"""Coverage threshold: enough of what there is has been covered, counted exactly."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from otel_agenttrace.workflow.checks.bounds import DEFAULT_BOUNDS, Bounds
from otel_agenttrace.workflow.checks.findings import Finding, FindingError, conclude, evidence, finding, ids_in, shown
from otel_agenttrace.workflow.outcome import skipped

if TYPE_CHECKING:
    from collections.abc import Collection

    from otel_agenttrace.workflow.outcome import CheckOutcome

_ROUNDING = Fraction(1, 200)
"""A declared share may be rounded to whole percent."""


_MOST = 2**63 - 1
"""More than that is no count, of telemetry (https://opentelemetry.io/docs/specs/otel/common/) or of anything."""


def check_coverage(
    *,
    covered: int | Collection[str] | None = None,
    total: int | Collection[str] | None = None,
    percent: float | None = None,
    ratio: float | None = None,
    min_percent: float | None = None,
    min_ratio: float | None = None,
    min_count: int | None = None,
    name: str = "coverage",
    bounds: Bounds = DEFAULT_BOUNDS,
) -> CheckOutcome:
    """Whether the coverage reaches each of the thresholds that are given; just reaching one is enough.

    Nothing to count (a total of 0, or no coverage given), and no threshold: skipped. A share that is declared beside
    the counts has to be theirs, to half a percent; the counts decide.

    Args:
        covered: how many are covered, or the ids of those that are; ids that are not in `total` do not count.
        total: how many there are, or their ids; then the verdict names those that are not covered.
        percent: the coverage as 0 to 100.
        ratio: the coverage as 0 to 1.
        min_percent: the least percent, 0 to 100.
        min_ratio: the least ratio, 0 to 1.
        min_count: the least number of covered ones; needs `covered`.
        name: what verdicts call the coverage.
        bounds: of what is told.
    """
    try:
        measured = _measure(covered, total, percent, ratio, name)
        thresholds = _thresholds(min_percent, min_ratio, min_count, name)
    except FindingError as error:
        return error.outcome
    if measured is None:
        return skipped(f"{name}: there is nothing to count", "give what is to be covered, and what is")
    if not thresholds:
        return skipped(f"{name}: no threshold is given", "give the least coverage that is enough")
    findings: list[Finding] = []
    for least, is_count, words in thresholds:
        reached = measured.count if is_count else measured.share
        if reached is None:
            problem = f"{name}: expected at least {words}, found {measured.words}, which cannot be compared"
            findings.append(finding(problem, f"give {name} as counts of covered and total", "count", name))
        elif reached < least:
            problem = f"{name} is too low: expected at least {words}, found {measured.words}"
            findings.append(finding(problem, _cover(name, measured.uncovered), "count", name))
    looked_at = [evidence("count", name, measured.words)]
    if findings:
        looked_at = [evidence("id", each, f"not covered by {name}") for each in measured.uncovered]
    enough = " and ".join(words for *_, words in thresholds)
    return conclude(findings, looked_at, f"{name}: {measured.words}, at least {enough} is enough", bounds)


@dataclass(frozen=True, slots=True)
class _Measured:
    count: int | None
    share: Fraction | None
    words: str
    uncovered: tuple[str, ...] = ()


def _measure(covered: object, total: object, percent: object, ratio: object, name: str) -> _Measured | None:
    """What was measured; None if that is nothing."""
    declared = _share(percent, 100, f"{name} in percent") if percent is not None else None
    as_ratio = _share(ratio, 1, f"{name} as ratio") if ratio is not None else None
    if declared is not None and as_ratio is not None and abs(declared - as_ratio) > _ROUNDING:
        raise _contradicts(name, declared, as_ratio)
    declared = as_ratio if declared is None else declared
    counted = _count(covered, total, name)
    if counted is None:
        return None if declared is None or total is not None else _Measured(None, declared, _percent(declared))
    if declared is not None and counted.share is not None and abs(declared - counted.share) > _ROUNDING:
        raise _contradicts(name, declared, counted.share)
    return counted


def _count(covered: object, total: object, name: str) -> _Measured | None:
    """What the counts say; None where there is nothing to count."""
    total_ids, all_of_them = _number_or_ids(total, f"total of {name}")
    covered_ids, number = _number_or_ids(covered, f"covered count of {name}")
    uncovered: tuple[str, ...] = ()
    if total_ids is not None and covered_ids is not None:
        known = set(covered_ids)
        uncovered = tuple(each for each in total_ids if each not in known)
        number = all_of_them - len(uncovered)
    if (covered is None and total is None) or (total is not None and not all_of_them and not number):
        return None
    if covered is None:
        problem = f"{name}: {all_of_them} are to be covered, and how many are is not said"
        raise FindingError(finding(problem, f"give how many {name} covers", "count", name))
    if total is None:
        return _Measured(number, None, f"{number} covered")
    if number > all_of_them:
        problem = f"{name}: {number} are covered of {all_of_them}, more than there are"
        raise FindingError(finding(problem, f"correct the counts of {name}", "count", name))
    share = Fraction(number, all_of_them)
    return _Measured(number, share, f"{number} of {all_of_them} ({_percent(share)})", uncovered)


def _number_or_ids(value: object, what: str) -> tuple[list[str] | None, int]:
    """The ids if there are any, and the number; 0 where nothing is given."""
    if value is None:
        return None, 0
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= _MOST:
            raise FindingError(_no_number(value, what, "a whole number from 0"))
        return None, value
    ids, findings = ids_in(value, f"item of the {what}", f"items of the {what}")
    if findings:
        raise FindingError(findings[0])
    return ids, len(ids)


def _share(value: object, whole: int, what: str) -> Fraction:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= whole:
        return Fraction(str(value)) / whole  # as it is written: 0.1 is a tenth
    raise FindingError(_no_number(value, what, f"a number from 0 to {whole}"))


def _thresholds(percent: object, ratio: object, count: object, name: str) -> list[tuple[Fraction, bool, str]]:
    """The least values, whether each is a count, and its words."""
    found = []
    if percent is not None:
        least = _share(percent, 100, f"least percent of {name}")
        found.append((least, False, _percent(least)))
    if ratio is not None:
        least = _share(ratio, 1, f"least ratio of {name}")
        found.append((least, False, _percent(least)))
    if count is not None:
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= _MOST:
            raise FindingError(_no_number(count, f"least count of {name}", "a whole number from 0"))
        found.append((Fraction(count), True, f"{count} covered"))
    return found


def _percent(share: Fraction) -> str:
    """In percent, cut rather than rounded: 79.999 is never told as the 80 that it misses."""
    hundredths = int(share * 10_000)
    return f"{hundredths // 100}.{hundredths % 100:02d}".rstrip("0").rstrip(".") + " %"


def _cover(name: str, uncovered: tuple[str, ...]) -> str:
    if not uncovered:
        return f"raise {name}"
    more = f" and {len(uncovered) - 5} more" if len(uncovered) > 5 else ""
    return f"cover {', '.join(uncovered[:5])}{more}"


def _contradicts(name: str, declared: Fraction, counted: Fraction) -> FindingError:
    problem = f"{name} contradicts itself: it is declared as {_percent(declared)}, and counts as {_percent(counted)}"
    return FindingError(finding(problem, f"compute {name} again", "count", name))


def _no_number(value: object, what: str, expected: str) -> Finding:
    return finding(f"the {what} is {shown(value)}, {expected} is expected", f"correct the {what}", "count", what)
