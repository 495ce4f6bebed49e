"""CheckOutcome: what a check has found, before anybody decides what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_agenttrace.model.gate import Evidence, GateVerdict


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """The outcome of one check.

    Attributes:
        result: `skipped` where there was nothing to check, which is no pass.
        reason: why it is no pass; of a pass, what was checked.
        next_action: what to do about it; empty for a pass.
        evidence: what was looked at.
    """

    result: GateVerdict
    reason: str = ""
    next_action: str = ""
    evidence: tuple[Evidence, ...] = ()


def passed(reason: str = "", evidence: Iterable[Evidence] = ()) -> CheckOutcome:
    """Everything is in order."""
    return CheckOutcome("pass", reason, "", tuple(evidence))


def failed(reason: str, next_action: str, evidence: Iterable[Evidence] = ()) -> CheckOutcome:
    """Something is not in order."""
    return CheckOutcome("fail", reason, next_action, tuple(evidence))


def skipped(reason: str, next_action: str = "", evidence: Iterable[Evidence] = ()) -> CheckOutcome:
    """There was nothing to check."""
    return CheckOutcome("skipped", reason, next_action, tuple(evidence))
