"""What both wire forms of OTLP are checked for, and what reading either gives."""

from __future__ import annotations

import re
import reprlib
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.errors import DecodeError

if TYPE_CHECKING:
    from otel_agenttrace.model.record import SpanRecord

TRACE_ID_DIGITS = 32
SPAN_ID_DIGITS = 16

_INT64_MAX = 2**63 - 1
_HEX = re.compile("[0-9a-f]*")


class Decoded(NamedTuple):
    """What a document held.

    Attributes:
        spans: the good ones, in the order they stand.
        refused: one error for each span that was refused, naming it by its place: `span 3: ...`.
        warnings: what was read although it is not as it should be.
    """

    spans: list[SpanRecord]
    refused: list[DecodeError]
    warnings: list[str]


def checked_id(value: object, digits: int, name: str) -> str:
    """Return an id in lower case.

    Raises:
        DecodeError: it has not that many hex digits, or they are all zero.
    """
    text = checked_optional_id(value, digits, name)
    if not text.strip("0"):
        raise DecodeError(f"{name} is all zeros" if text else f"{name} is missing")
    return text


def checked_optional_id(value: object, digits: int, name: str) -> str:
    """Return an id in lower case, an empty text if there is none; an id of zeros stays.

    Raises:
        DecodeError: it has not that many hex digits.
    """
    if value is None or value == "":
        return ""
    text = value.lower() if isinstance(value, str) else ""
    if len(text) != digits or not _HEX.fullmatch(text):
        raise DecodeError(f"{name} is not {digits} hex digits: {shown(value)}")
    return text


def checked_parent_id(value: object, name: str) -> str | None:
    """Return a parent's span id in lower case, None for a root: it has none, or one of zeros.

    Raises:
        DecodeError: it has not 16 hex digits.
    """
    text = checked_optional_id(value, SPAN_ID_DIGITS, name)
    return text if text.strip("0") else None


def checked_time(value: int, name: str) -> int:
    """Return nanoseconds since the Unix epoch.

    Raises:
        DecodeError: they are negative or beyond int64.
    """
    if not 0 <= value <= _INT64_MAX:
        raise DecodeError(f"{name} is not within int64 nanoseconds: {shown(value)}")
    return value


_shortener = reprlib.Repr()
_shortener.maxstring = _shortener.maxlong = _shortener.maxother = 60


def shown(value: object) -> str:
    """Return a value for an error message: short, and with everything escaped that could drive a terminal."""
    return _shortener.repr(value)
