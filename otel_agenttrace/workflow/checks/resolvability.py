"""Resolvability: every name that is used is declared, with a value that says something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from otel_agenttrace.workflow.checks.bounds import DEFAULT_BOUNDS, Bounds
from otel_agenttrace.workflow.checks.findings import conclude, evidence, finding, ids_in, shown
from otel_agenttrace.workflow.outcome import skipped

if TYPE_CHECKING:
    from otel_agenttrace.model.gate import Evidence
    from otel_agenttrace.workflow.outcome import CheckOutcome

_PLACEHOLDERS = (("${", "}"), ("{{", "}}"))
"""What a template has where a value is due."""


def check_resolvability(
    used: Mapping[str, object] | None,
    declared: Mapping[str, object] | None,
    *,
    what: str = "parameter",
    bounds: Bounds = DEFAULT_BOUNDS,
) -> CheckOutcome:
    """Whether each name that an item uses is declared, and what is declared has a value.

    A value that is missing, empty, or still has a placeholder such as `${name}` in it fails, also if nobody uses it.

    Args:
        used: from the id of an item to the names that it uses: a list, or one.
        declared: from a name to its value. Where no item uses any, and none is declared, there is nothing to check:
            skipped.
        what: the word for what is declared, for the verdict.
        bounds: of what is told.
    """
    findings = [
        finding(f"the {side} {what}s are {shown(values)}, not an object", f"give the {side} {what}s by id", "id", side)
        for side, values in (("used", used), ("declared", declared))
        if values is not None and not isinstance(values, Mapping)
    ]
    users = used if isinstance(used, Mapping) else {}
    known = declared if isinstance(declared, Mapping) else {}
    looked_at: list[Evidence] = []
    declarations: list[Evidence] = []
    for name, value in known.items():
        if (problem := _open(value)) is not None:
            text = f"{what} {shown(name)} is declared as {shown(value)}, which {problem}"
            findings.append(finding(text, f"give {what} {name} a value", "id", name))
        else:
            declarations.append(evidence("id", name, f"is declared as {shown(value)}"))
    for item, value in users.items():
        names, wrong = ids_in([value] if isinstance(value, str) else value, f"{what} of {item}", f"{what}s of {item}")
        missing = [name for name in names if name not in known]
        findings += wrong
        for name in missing:
            text = f"{shown(item)} uses {what} {shown(name)}, which is not declared"
            findings.append(finding(text, f"declare {what} {name}, or take it out of {item}", "id", item))
        if not wrong and not missing:
            looked_at.append(evidence("id", item, f"uses {', '.join(names) or f'no {what}'}"))
    if not findings and not known:
        return skipped(f"nothing uses any {what}, and none is declared", f"give the {what}s that are used")
    fine = f"every {what} that is used is declared, and has a value: {len(known)}"
    return conclude(findings, [*looked_at, *declarations], fine, bounds)


def _open(value: object) -> str | None:
    """Why a value does not count as one; None if it does."""
    if value is None or (isinstance(value, (str, list, tuple, Mapping)) and not value):
        return "is no value"
    if isinstance(value, str) and not value.strip():
        return "is no value"
    if isinstance(value, str) and any(_has(value, *pair) for pair in _PLACEHOLDERS):
        return "has a placeholder in it"
    return None


def _has(text: str, first: str, last: str) -> bool:
    start = text.find(first)
    return start >= 0 and text.find(last, start + len(first)) >= 0
