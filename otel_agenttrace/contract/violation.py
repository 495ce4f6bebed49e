"""Violation: one broken rule of the contract."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule.

    Attributes:
        rule: type, range, pattern, enum, empty, required, not_expected, unknown or protocol.
        message: what is wrong and what is expected; quotes at most 64 characters of a value.
        file_path: where the attribute was set, else where the span was started; None if neither is known.
        line_number: counted from 1.
    """

    attribute: str
    rule: str
    message: str
    file_path: str | None = None
    line_number: int | None = None
    function_name: str | None = None
