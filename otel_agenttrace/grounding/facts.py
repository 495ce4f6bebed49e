"""Whether a number, date or time of day stands in the sources, in whatever form."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cached_property
from typing import TYPE_CHECKING

from otel_agenttrace.grounding.units import conversions_of
from otel_agenttrace.grounding.words import stem

if TYPE_CHECKING:
    from otel_agenttrace.grounding.dates import Clock, Day
    from otel_agenttrace.grounding.numbers import Number
    from otel_agenttrace.grounding.sources import Material

_CURRENCY = r"\s*(?:[$\u20ac\u00a3]|EUR|USD|GBP)?\s*$"
_ABOUT = re.compile(
    rf"(?:about|around|approximately|approx\.?|roughly|some|estimated|ca\.?|circa|~|\u2248|etwa|rund){_CURRENCY}",
    re.IGNORECASE,
)
_ABOVE = re.compile(rf"(?:over|more than|above|exceed(?:s|ed|ing)?|über|mehr als|>|\u2265){_CURRENCY}", re.IGNORECASE)
_BELOW = re.compile(
    rf"(?:under|less than|fewer than|below|nearly|almost|fast|knapp|weniger als|<|\u2264){_CURRENCY}",
    re.IGNORECASE,
)
_ZONE = re.compile(r"\b(?:local|UTC|GMT|CES?T|BST|[ECMP][SD]?T|JST|IST|timezone|time zone)\b")
_HUNDREDTHS = frozenset(stem(word) for word in ("cents", "minor", "pence"))
_TINY = 1e-9
_ABOUT_SHARE = 0.1  # of the value: what `about` excuses
_BOUND_SHARE = 0.5  # of the value: what `more than` and `less than` excuse, to one side


class Facts:
    """The numbers and dates of the sources, arranged for looking things up."""

    def __init__(self, material: Material) -> None:
        self._material = material

    def has_number(self, number: Number, sentence: str) -> bool:
        """Whether a number stands in the sources, rounded or in another unit."""
        before = sentence[max(0, number.start - 24) : number.start]
        for value in number.values:
            low, high = _range(number, value, before)
            for factor, summand in ((1.0, 0.0), *conversions_of(number, sentence)):
                if self._has_between(low * factor + summand, high * factor + summand):
                    return True
        return False

    def _has_between(self, low: float, high: float) -> bool:
        low, high = min(low, high) - _TINY, max(low, high) + _TINY
        index = bisect_left(self._values, low)
        return index < len(self._values) and self._values[index] <= high

    @cached_property
    def _values(self) -> list[float]:
        values: set[float] = set()
        for amount in self._material.amounts:
            values.update((amount.value, abs(amount.value)))
            if _HUNDREDTHS.intersection(amount.key):
                values.add(amount.value / 100)
        for day in self._material.days:
            if day.year is not None:
                values.add(float(day.year))
        return sorted(values)

    def has_day(self, readings: list[Day]) -> bool:
        """Whether any reading of a date agrees with a date of the sources."""
        if any(day.agrees(other) for day in readings for other in self._material.days):
            return True
        return any(day.is_year and self._has_between(float(day.year or 0), float(day.year or 0)) for day in readings)

    def has_clock(self, clock: Clock, sentence: str) -> bool:
        """Whether a time of day stands in the sources, on a clock of 12 or 24 hours."""
        known = self._material.clocks
        for minutes in clock.minutes:
            if minutes in known or (minutes < 780 and (minutes + 720) % 1440 in known):
                return True
            if _ZONE.search(sentence) and any(minutes % 60 == other % 60 for other in known):
                return True  # the same moment elsewhere
        return False


def _range(number: Number, value: float, before: str) -> tuple[float, float]:
    """Between what a number of the sources may be so that this one is it, rounded, or as the words before it say."""
    half = number.step / 2
    if number.is_word or (number.step >= 10 and abs(value) < 1000):
        half = 0.0  # `20`, said flatly, is not 17
    if _ABOUT.search(before):
        half = max(half, abs(value) * _ABOUT_SHARE)
    low = high = half
    if _ABOVE.search(before):
        high = max(half, abs(value) * _BOUND_SHARE)
    elif _BELOW.search(before):
        low = max(half, abs(value) * _BOUND_SHARE)
    return value - low, value + high
