"""Attribute values as JSON can say them."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue

_MAX_DEPTH = 100
_NON_FINITE_NAMES = {math.inf: "Infinity", -math.inf: "-Infinity"}


def plain_value(value: AnyValue, depth: int = 0) -> Any:
    """A copy of `value` that any JSON encoder takes: bytes as base64, NaN and infinities by name.

    Nesting beyond 100 levels is cut, an unpaired surrogate is spelled out.
    """
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (list, dict)):
        return _plain_container(value, depth + 1)
    if isinstance(value, float) and not math.isfinite(value):
        return _NON_FINITE_NAMES.get(value, "NaN")
    return value


def _plain_container(value: list[AnyValue] | dict[str, AnyValue], depth: int) -> Any:
    if depth > _MAX_DEPTH:
        return "<nested too deeply>"
    if isinstance(value, list):
        return [plain_value(item, depth) for item in value]
    return {plain_text(key): plain_value(item, depth) for key, item in value.items()}


def plain_text(text: str) -> str:
    """`text` as UTF-8 can say it."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
