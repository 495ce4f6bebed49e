"""Numbers in attributes, where many emitters and back ends turn them into text."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,40})?(?:[eE][-+]?[0-9]{1,3})?")


def as_number(value: AnyValue) -> int | float | None:
    """A finite number, or one written as text; None for anything else, booleans too."""
    if isinstance(value, str):
        return _read(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def _read(text: str) -> int | float | None:
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text) if _DECIMAL.fullmatch(text) else math.nan
    return number if math.isfinite(number) else None
