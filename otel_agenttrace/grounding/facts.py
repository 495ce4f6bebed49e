"""Whether a number, date or time of day stands in the sources, in whatever form."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cached_property
from typing import TYPE_CHECKING

from otel_agenttrace.grounding.units import conversions_of, measure_of, unit_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
_UNSIGNED = re.compile(
    r"\b(?:fell|falls?|fallen|drop(?:s|ped)?|declin\w+|decreas\w+|reduc\w+|down|lower|less|cheaper|lost|los[es]\w*|"
    r"shr[iau]nk\w*|negative|minus|below|under|deficit|debt|debit\w*|ow(?:e|es|ed|ing)|overd\w+|outflow\w*|spen[dt]\w*|"
    r"paid|pay\w*|charg\w+|cost\w*|fees?|bought|purchas\w+|refund\w*|withdr\w+|deduct\w+|discount\w*|credit\w*|"
    r"sav(?:e|es|ed|ings?)|off|behind|south|west|difference|chang\w+|gap|gesunken|gefallen|verlust|rückgang|weniger)\b|"
    r"[\u2193\u2b07\u25bc]",
    re.IGNORECASE,
)  # words that say themselves that a number is below zero
_LETTERS = {"m": ("m", "minute"), "b": ("byte",)}
_HOUR = re.compile(
    r"\b(?:(?P<part>half|quarter)\s(?P<side>past|to)|at|from|until|till|by|after|before|around|um|ab|bis)\s$",
    re.IGNORECASE,
)
_PARTS = {"half": 30, "quarter": 15}  # minutes
_TINY = 1e-9
_ABOUT_SHARE = 0.1  # of the value: what `about` excuses
_BOUND_SHARE = 0.5  # of the value: what `more than` and `less than` excuse, to one side


class _Sorted:
    """Numbers in order."""

    def __init__(self, values: Iterable[float]) -> None:
        found = set(values)
        self._values = sorted(found)
        self._negated = sorted(-value for value in found if value < 0)

    def has(self, low: float, high: float, *, sentence: str = "") -> bool:
        """Whether one of them lies between two bounds, given in any order; for its size if the words say its sign."""
        low, high = min(low, high), max(low, high)
        slack = _TINY * max(1.0, abs(low), abs(high))
        if _reaches(self._values, low - slack, high + slack):
            return True
        return _reaches(self._negated, low - slack, high + slack) and _UNSIGNED.search(sentence) is not None


def _reaches(values: Sequence[float], low: float, high: float) -> bool:
    index = bisect_left(values, low)
    return index < len(values) and values[index] <= high


class Facts:
    """The numbers and dates of the sources, arranged for looking things up."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._agreed: dict[tuple[int | None, int | None, int | None, int | None], bool] = {}

    def has_number(self, number: Number, sentence: str) -> bool:
        """Whether a number stands in the sources, rounded or in another unit."""
        before = sentence[max(0, number.start - 24) : number.start]
        unit = unit_of(number, sentence)
        for place, value in enumerate(number.values):
            low, high = _range(number, value, before)
            units = _LETTERS.get(number.letter, ()) if place else (unit,)
            if any(self._has_in(one, low, high, sentence=sentence) for one in units):
                return True
            is_free = number.letter == "" and not number.is_percent and measure_of(unit) is None
            for factor, summand in ((1.0, 0.0), *conversions_of(number, unit)):
                span = (low * factor + summand, high * factor + summand)
                if (self._all if is_free else self._bare).has(*span, sentence=sentence):
                    return True
        return False

    def _has_in(self, unit: str, low: float, high: float, *, sentence: str) -> bool:
        """Whether the sources have an amount of a unit, said in any unit of its kind."""
        measure = measure_of(unit)
        known = self._measured.get(measure.kind) if measure else None
        if measure is None or known is None:
            return False
        return any(known.has(low * by + plus, high * by + plus, sentence=sentence) for by, plus in measure.forms)

    @cached_property
    def _all(self) -> _Sorted:
        """All numbers: one said without a unit may be any of them."""
        values = [value for amount in self._material.amounts for value in amount.worth()]
        return _Sorted([*values, *self._years])

    @cached_property
    def _bare(self) -> _Sorted:
        """The numbers whose unit is not known, so that it may be any."""
        values = [amount.value for amount in self._material.amounts if measure_of(amount.unit) is None]
        return _Sorted([*values, *self._years])

    @cached_property
    def _measured(self) -> dict[str, _Sorted]:
        """The numbers whose unit is known, by kind, each in the first unit of its kind."""
        kinds: dict[str, list[float]] = {}
        for amount in self._material.amounts:
            if (measure := measure_of(amount.unit)) is not None:
                values = kinds.setdefault(measure.kind, [])
                values += [amount.value * factor + summand for factor, summand in measure.forms]
        return {kind: _Sorted(values) for kind, values in kinds.items()}

    @cached_property
    def _years(self) -> set[float]:
        return {float(day.year) for day in self._material.days if day.year is not None}

    def has_hour(self, number: Number, sentence: str) -> bool:
        """Whether a number is the hour of a time that stands in the sources: `at 9`, `half past nine`."""
        match = _HOUR.search(sentence, max(0, number.start - 16), number.start)
        hour = number.values[0]
        if match is None or hour != int(hour) or not 0 <= hour <= 24:
            return False
        minutes = int(hour) * 60 + _PARTS.get((match["part"] or "").lower(), 0) * (-1 if match["side"] == "to" else 1)
        return bool({minutes % 1440, (minutes + 720) % 1440 if hour <= 12 else minutes} & self._material.clocks)

    def has_day(self, readings: list[Day]) -> bool:
        """Whether any reading of a date agrees with a date of the sources."""
        if any(self._agrees(day) for day in readings):
            return True
        alone = (day.year if day.is_year else day.day if day.is_of_month else None for day in readings)
        return any(self._all.has(float(number), float(number)) for number in alone if number is not None)

    def _agrees(self, day: Day) -> bool:
        said = day[:4]
        if said not in self._agreed:
            is_whole = day.month is not None and day.day is not None and day.weekday is None
            others = self._by_day.get((day.month, day.day), ()) if is_whole else self._material.days
            self._agreed[said] = any(day.agrees(other) for other in others)
        return self._agreed[said]

    @cached_property
    def _by_day(self) -> dict[tuple[int | None, int | None], list[Day]]:
        days: dict[tuple[int | None, int | None], list[Day]] = {}
        for day in self._material.days:
            days.setdefault((day.month, day.day), []).append(day)
        return days

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
