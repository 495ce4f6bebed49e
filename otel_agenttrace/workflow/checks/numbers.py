"""Numbers from outside, read exactly."""

from __future__ import annotations

from fractions import Fraction

_MOST = 2**63 - 1
"""More than that is no count, of telemetry (https://opentelemetry.io/docs/specs/otel/common/) or of anything."""


def exact(value: object) -> Fraction | None:
    """A number as it is written, 0.1 as a tenth; None for what is no number, infinite, or beyond 64 bits."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= _MOST:
        return None
    return Fraction(str(value))
