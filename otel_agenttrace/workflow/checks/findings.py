"""What a check has found wrong, and the one way in which findings become an outcome."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_agenttrace.errors import AgentTraceError
from otel_agenttrace.model.gate import Evidence
from otel_agenttrace.workflow.checks.bounds import DEFAULT_BOUNDS, Bounds
from otel_agenttrace.workflow.outcome import CheckOutcome, failed, passed

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN_CHARS = 100
_REF_CHARS = 500
_TEXT_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not in order.

    Attributes:
        problem: what it is, naming the thing, what was expected and what was found.
        action: what to do about it.
        evidence: what was looked at.
    """

    problem: str
    action: str
    evidence: Evidence


class FindingError(AgentTraceError):
    """A file or value cannot be checked, or used; carries the finding that says so.

    Attributes:
        finding: what is wrong, and what to do about it.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.problem)
        self.finding = finding

    @property
    def outcome(self) -> CheckOutcome:
        """The error as the outcome of a check that this ended."""
        return conclude([self.finding], (), "")


def finding(problem: str, action: str, kind: str, ref: object, description: str = "") -> Finding:
    """A finding and its evidence, of printable text, cut if need be; the description is the problem if not given."""
    told = _cut(printable(problem), _TEXT_CHARS)
    return Finding(told, _cut(printable(action), _TEXT_CHARS), evidence(kind, ref, description or told))


def evidence(kind: str, ref: object, description: str) -> Evidence:
    """Evidence of printable text: names of files and fields may be any bytes, and any length."""
    name = ref if isinstance(ref, str) else str(ref)
    return Evidence(
        type=kind, ref=_cut(printable(name), _REF_CHARS), description=_cut(printable(description), _TEXT_CHARS)
    )


def conclude(
    findings: Sequence[Finding],
    looked_at: Sequence[Evidence],
    fine: str,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> CheckOutcome:
    """Pass with the reason `fine` where nothing was found, else fail with all that was.

    The reason spells out the first findings and counts the others; the evidence has them first, then what is in order.
    """
    if not findings:
        return passed(printable(fine), _bounded(looked_at, bounds))
    told, actions = findings[: bounds.reason_problems], list(dict.fromkeys(each.action for each in findings))
    problems = [each.problem for each in told]
    if len(findings) > len(told):
        problems.append(f"and {len(findings) - len(told)} more")
    wrong = [each.evidence for each in findings]
    return failed(
        printable("; ".join(problems)),
        printable("; ".join(actions[: bounds.reason_problems])),
        _bounded([*wrong, *looked_at], bounds),
    )


def _bounded(pieces: Sequence[Evidence], bounds: Bounds) -> Iterable[Evidence]:
    if len(pieces) <= bounds.evidence:
        return pieces
    more = len(pieces) - bounds.evidence + 1
    return [*pieces[: bounds.evidence - 1], evidence("count", "more", f"and {more} more that are not shown")]


def ids_in(values: object, what: str, plural: str = "") -> tuple[list[str], list[Finding]]:
    """The ids in a list from outside, and what is wrong with it: no list, no texts, empty ones, one twice.

    Args:
        values: the list; None counts as an empty one. Of a mapping, the keys are the ids.
        what: the word for one of them, such as `gap`.
        plural: that for several; with an s unless given.
    """
    if values is None:
        return [], []
    listed, several = items_in(values), plural or f"{what}s"
    if listed is None:
        problem = f"the {several} are {shown(values)}, not a list of ids"
        return [], [finding(problem, f"give the {several} as a list of ids", "id", several)]
    ids: dict[str, None] = {}
    findings = []
    for position, value in enumerate(listed):
        if not isinstance(value, str) or not value.strip():
            problem = f"{what} {position + 1} of the list is {shown(value)}, not an id"
            findings.append(finding(problem, f"give each {what} an id", "id", f"{several}[{position}]"))
        elif value in ids:
            problem = f"{what} {shown(value)} is listed twice"
            findings.append(finding(problem, f"list each {what} once", "id", value))
        else:
            ids[value] = None
    return list(ids), findings


def items_in(values: object) -> list[object] | None:
    """The items of anything that holds some; None for texts, numbers and the like."""
    if isinstance(values, (str, bytes, bytearray)):
        return None
    try:
        return list(values)  # type: ignore[call-overload, no-any-return]
    except TypeError:
        return None


def shown(value: object) -> str:
    """A value from outside as short, printable text: texts in quotation marks, lists and objects by their size."""
    if isinstance(value, str):
        return _cut(json.dumps(printable(value[: _SHOWN_CHARS * 2]), ensure_ascii=False))
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, Mapping):
        return f"an object of {_counted(len(value), 'property', 'properties')}"
    if isinstance(value, Sequence):
        return f"a list of {_counted(len(value), 'item', 'items')}"
    try:
        return _cut(printable(repr(value)))
    except Exception:  # noqa: BLE001 - what cannot even be shown (an int of 5,000 digits) still has a kind
        return f"a value of type {type(value).__name__}"


def printable(text: str) -> str:
    """The text without what no telemetry can carry: halves of surrogate pairs, and control characters."""
    if text.isprintable():
        return text
    safe = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in safe)


def _cut(text: str, limit: int = _SHOWN_CHARS) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
