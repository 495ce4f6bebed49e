"""Units of measure: what the number before one is worth in another, and which units a number cannot be in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.grounding.words import word_set

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
    "g": (0.001,),
    "kg": (1_000.0, 1 / 0.45359237),
    "pound": (0.45359237, 453.59237),
    "kb": (1e3, 1024.0),
    "mb": (1e6, 1024.0**2, 1e3, 1024.0),
    "gb": (1e9, 1024.0**3, 1e6, 1024.0**2, 1e3, 1024.0),
    "tb": (1e12, 1024.0**4, 1e3, 1024.0),
}
_NAMES = {
    "s": "second", "sec": "second", "secs": "second", "seconds": "second", "sekunden": "second",
    "millisecond": "ms", "milliseconds": "ms", "msec": "ms", "millis": "ms", "microseconds": "us", "µs": "us",
    "nanoseconds": "ns", "min": "minute", "mins": "minute", "minutes": "minute", "minuten": "minute",
    "h": "hour", "hr": "hour", "hrs": "hour", "hours": "hour", "stunden": "hour", "stunde": "hour",
    "d": "day", "days": "day", "tage": "day", "tagen": "day", "nights": "day", "weeks": "week", "wochen": "week",
    "months": "month", "monate": "month", "years": "year", "jahre": "year",
    "kilometers": "km", "kilometres": "km", "kilometer": "km", "miles": "mile", "mi": "mile",
    "metre": "m", "meters": "m", "metres": "m", "meter": "m", "ft": "feet", "foot": "feet",
    "millimeters": "mm", "millimetres": "mm", "centimeters": "cm", "centimetres": "cm",
    "lb": "pound", "lbs": "pound", "kilograms": "kg", "kilogram": "kg", "kilos": "kg", "grams": "g", "gram": "g",
    "gramm": "g", "milligrams": "mg", "bytes": "byte", "kib": "kb", "mib": "mb", "gib": "gb", "tib": "tb",
    "celsius": "celsius", "fahrenheit": "fahrenheit",
}  # fmt: skip
# What one of each is worth in the first of its kind; several where people differ. Pounds are money too, so in no kind.
_SIZES: dict[str, dict[str, tuple[float, ...]]] = {
    "time": {
        "second": (1.0,), "ns": (1e-9,), "us": (1e-6,), "ms": (1e-3,), "minute": (60.0,), "hour": (3_600.0,),
        "day": (86_400.0,), "week": (604_800.0,),
    },
    "months": {"month": (1.0,), "year": (12.0,)},
    "length": {"m": (1.0,), "mm": (0.001,), "cm": (0.01,), "km": (1_000.0,), "mile": (1_609.344,), "feet": (0.3048,)},
    "mass": {"g": (1.0,), "mg": (0.001,), "kg": (1_000.0,)},
    "data": {
        "byte": (1.0,), "kb": (1e3, 1024.0), "mb": (1e6, 1024.0**2), "gb": (1e9, 1024.0**3), "tb": (1e12, 1024.0**4),
    },
}  # fmt: skip
_UNIT = re.compile(r"[ \u00a0\u202f-]?([^\W\d_]{1,12})")
_DEGREES = re.compile(r"\s?(?:(?:°\s?|degrees\s+)([CF])(?:elsius|ahrenheit)?|([CF])(?:elsius|ahrenheit)?)\b")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_KEY_WORDS = word_set(
    "ms millis milliseconds seconds secs minutes mins hours days weeks months years km kilometers meters metres "
    "miles mm cm feet kg grams bytes kb mb gb tb celsius fahrenheit"
)
_LAST_KEY_WORDS = {"s": "second", "sec": "second", "h": "hour", "g": "g", "c": "celsius", "f": "fahrenheit"}
_WEATHER = word_set("temp temperature max min high low feels like dew avg mean average current")
_MONEY_BEFORE = re.compile(r"(?:[$\u20ac\u00a3\u00a5]|EUR|USD|GBP|CHF)\s?-?$")


class Measure(NamedTuple):
    """A unit of a kind, and what turns a number of it into the first unit of that kind: factors and summands."""

    kind: str
    forms: tuple[tuple[float, float], ...]


_MEASURES = {
    unit: Measure(kind, tuple((factor, 0.0) for factor in factors))
    for kind, units in _SIZES.items()
    for unit, factors in units.items()
} | {
    "celsius": Measure("temperature", ((1.0, 0.0),)),
    "fahrenheit": Measure("temperature", ((5 / 9, -160 / 9),)),
}


def measure_of(unit: str) -> Measure | None:
    """What is known of a unit, None for words that are none."""
    return _MEASURES.get(unit)


def conversions_of(number: Number, unit: str) -> list[tuple[float, float]]:
    """Factor and summand that turn a number into other units it may have where the sources name none."""
    if number.is_percent:
        return [(0.01, 0.0)]
    if unit == "fahrenheit":
        return [(5 / 9, -160 / 9)]
    if unit == "celsius":
        return [(1.8, 32.0)]
    return [(factor, 0.0) for factor in _FACTORS.get(unit, ())]


def unit_of(number: Number, text: str) -> str:
    """The unit a number is followed by, as this module names it; the word as it is for others, perhaps empty."""
    match = _UNIT.match(text, number.end)
    word = match[1].lower() if match else ""
    if word in ("", "c", "f", "degrees") and (degrees := _DEGREES.match(text, number.end)):
        return "celsius" if (degrees[1] or degrees[2]) == "C" else "fahrenheit"
    return _NAMES.get(word, word)


def unit_named(name: str) -> str:
    """A unit by its name, as this module names it."""
    bare = name.strip(" \u00b0").lower()
    return {"c": "celsius", "f": "fahrenheit"}.get(bare) or _NAMES.get(bare, bare)


def unit_of_key(key: str = "") -> str:
    """The unit that a key says its value is in (`duration_ms`); empty if none, or several, or a rate (`per`)."""
    words = [word.lower() for word in _CAMEL.split(key) if word]
    if "per" in words or not words:
        return ""
    units = {_NAMES.get(word, word) for word in words if word in _KEY_WORDS}
    if not units and len(words) > 1:
        unit = _LAST_KEY_WORDS.get(words[-1], "")
        return unit if unit not in ("celsius", "fahrenheit") or _WEATHER.intersection(words) else ""
    return units.pop() if len(units) == 1 else ""


def is_measured(number: Number, sentence: str) -> bool:
    """Whether a number is an amount of money, heat, length, mass or data, so that it counts no things."""
    measure = measure_of(unit_of(number, sentence))
    if measure is not None and measure.kind not in ("time", "months"):
        return True
    return _MONEY_BEFORE.search(sentence, max(0, number.start - 5), number.start) is not None
