"""The same amount in another unit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_agenttrace.grounding.numbers import Number

_FACTORS: dict[str, tuple[float, ...]] = {
    "second": (1_000.0, 1 / 60),
    "minute": (60.0, 60_000.0, 1 / 60),
    "hour": (60.0, 3_600.0, 3_600_000.0, 1 / 24),
    "day": (24.0, 1_440.0, 86_400.0, 1 / 7),
    "week": (7.0,),
    "month": (1 / 12,),
    "year": (12.0,),
    "km": (1_000.0, 1 / 1.609344),
    "mile": (1.609344, 1_609.344),
    "m": (0.001, 100.0, 1 / 0.3048),
    "cm": (0.01, 10.0),
    "feet": (0.3048,),
    "kg": (1_000.0, 1 / 0.45359237),
    "pound": (0.45359237, 453.59237),
    "kb": (1e3, 1024.0),
    "mb": (1e6, 1024.0**2, 1e3, 1024.0),
    "gb": (1e9, 1024.0**3, 1e6, 1024.0**2, 1e3, 1024.0),
    "tb": (1e12, 1024.0**4, 1e3, 1024.0),
    "percent": (0.01,),
}
_NAMES = {
    "s": "second", "sec": "second", "secs": "second", "seconds": "second", "sekunden": "second",
    "min": "minute", "mins": "minute", "minutes": "minute", "minuten": "minute",
    "h": "hour", "hr": "hour", "hrs": "hour", "hours": "hour", "stunden": "hour", "stunde": "hour",
    "d": "day", "days": "day", "tage": "day", "tagen": "day", "nights": "day", "weeks": "week", "wochen": "week",
    "months": "month", "monate": "month", "years": "year", "jahre": "year",
    "kilometers": "km", "kilometres": "km", "kilometer": "km", "miles": "mile", "mi": "mile",
    "metre": "m", "meters": "m", "metres": "m", "meter": "m", "ft": "feet", "foot": "feet",
    "lb": "pound", "lbs": "pound", "pounds": "pound", "kilograms": "kg", "kilos": "kg",
    "kib": "kb", "mib": "mb", "gib": "gb", "tib": "tb",
}  # fmt: skip
_UNIT = re.compile(r"[ \u00a0\u202f-]?([^\W\d_]{1,12})")
_FAHRENHEIT = re.compile(r"\s?(?:°\s?|degrees\s+)?F(?:ahrenheit)?\b")
_CELSIUS = re.compile(r"\s?(?:°\s?|degrees\s+)?C(?:elsius)?\b")


def conversions_of(number: Number, sentence: str) -> list[tuple[float, float]]:
    """Factor and summand that turn a number into other units it may have in the sources."""
    if number.is_percent:
        return [(0.01, 0.0)]
    if _FAHRENHEIT.match(sentence, number.end):
        return [(5 / 9, -160 / 9)]
    if _CELSIUS.match(sentence, number.end):
        return [(1.8, 32.0)]
    unit = unit_of(number, sentence)
    return [(factor, 0.0) for factor in _FACTORS.get(unit, ())]


def unit_of(number: Number, sentence: str) -> str:
    """The unit a number is followed by, as this module names it; the word as it is for others, perhaps empty."""
    match = _UNIT.match(sentence, number.end)
    word = match[1].lower() if match else ""
    return _NAMES.get(word, word)
