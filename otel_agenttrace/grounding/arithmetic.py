"""Numbers that stand nowhere in the sources but follow from them: counts, sums, differences, products, shares."""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from itertools import combinations, permutations
from typing import TYPE_CHECKING

from otel_agenttrace.grounding.units import is_measured, unit_of
from otel_agenttrace.grounding.words import stem, word_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from otel_agenttrace.grounding.numbers import Number
    from otel_agenttrace.grounding.sources import Amount, Material

_SUM = re.compile(
    r"\b(?:total|totals|sum|altogether|combined|overall|together|in all|plus|adds? up|amounts?|both|gesamt|"
    r"insgesamt|zusammen)"
    r"\b|[=+]",
    re.IGNORECASE,
)
_DIFFERENCE = re.compile(
    r"\b\w{2,12}er than\b|"
    r"\b(?:difference|differ|more|less|fewer|cheaper|sav(?:e|es|ed|ings?)|increased?|decreased?|rises?|rose|"
    r"grew|grown|growth|"
    r"fell|falls?|drop(?:s|ped)?|higher|lower|longer|shorter|faster|slower|remain(?:s|ing)?|left|discount|off|"
    r"ahead|later|"
    r"earlier|older|younger|gap|up|down|change|gained|lost|over|under|lasts?|duration|takes?|teurer|billiger|"
    r"weniger|mehr)\b|[-=\u2212]",
    re.IGNORECASE,
)
_RATIO = re.compile(
    r"%|\b(?:percent|per cent|prozent|times|twice|double|half|share|ratio|average|averages|mean|durchschnitt)\b",
    re.IGNORECASE,
)
_PRODUCT = re.compile(
    r"[\u00d7*=]|\b(?:total|for|nights?|times|altogether|costs?|comes? to|pays?|insgesamt)\b", re.IGNORECASE
)
_FILTER = re.compile(
    r"\b(?:below|under|over|above|less|more|fewer|cheaper|at least|at most|between|within|before|after|of the|"
    r"of them|other|remaining|only|cheapest|best|top|first|last|mentioned|relevant|main|key|unter|über)\b",
    re.IGNORECASE,
)
_COUNTING = frozenset(
    map(
        stem,
        word_set(
            "nights guests adults quantity qty count people persons tickets seats days passengers rooms items units "
            "hours travelers travellers"
        ),
    )
)
_SPAN = re.compile(
    r"(\d{1,3})\s?(?:h|hrs?|hours?|std\.?|stunden?)[\s,]*(?:and\s|und\s)?(\d{1,2})\s?(?:m|mins?|minutes?|minuten)?\b",
    re.IGNORECASE,
)
_AGE = re.compile(r"\b(?:aged?|born|died|years old|anniversary|turned)\b", re.IGNORECASE)
_PERCENT = re.compile(r"(?<![\d.,])(\d{1,3}(?:\.\d{1,4})?)\s?(?:%|percent\b|per cent\b|prozent\b)", re.IGNORECASE)
_MAX_PERCENTS = 4  # of one sentence that are reckoned with
_MAX_EXPLAINED = 300  # numbers of one output; what comes after is not judged
_MAX_OPERANDS = 24
_MAX_COLUMNS = 50
_MAX_DAYS = 24
_MAX_CLOCKS = 24
_MAX_COUNT = 10_000
_MAX_FACTOR = 100  # nights, guests, pieces


class Derivations:
    """What follows from the numbers of the sources."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._budget = _MAX_EXPLAINED

    def explains(
        self, number: Number, sentence: str, said: Sequence[float], near: Sequence[float], items: frozenset[int]
    ) -> bool:
        """Whether a number follows from the sources by what an agent would do in its head.

        Args:
            number: as it stands in the sentence.
            sentence: whose words say what was done: `total`, `cheaper`, `per`.
            said: the other numbers of the sentence.
            near: numbers nearest to the matter, likeliest first.
            items: how many items the lists of the output itself have.
        """
        self._budget -= 1
        if self._budget < 0:
            return True
        if self._is_age(number, sentence):
            return True
        value = abs(number.values[0])
        slack = number.step * 0.5 + 1e-9 if number.step <= 1 or value >= 1000 else 1e-9
        if self._is_count(number, sentence, items) or self._is_span(number, sentence):
            return True
        operands = (*said, *near)
        if _is_factor(value, said, operands):
            return True
        return any(abs(result - value) <= slack for result in self._results(sentence, operands))

    def _is_count(self, number: Number, sentence: str, items: frozenset[int]) -> bool:
        value = number.values[0]
        if number.is_percent or value != int(value) or not 0 <= value <= _MAX_COUNT or is_measured(number, sentence):
            return False
        if value in self._counts or value in items:
            return True
        return value <= self._most and bool(_FILTER.search(sentence))

    @cached_property
    def _most(self) -> int:
        return max(self._counts, default=0)

    @cached_property
    def _counts(self) -> set[int]:
        counts = {items for _, items in self._material.lists}
        of_values = Counter(
            (field.key, field.content) for field in self._material.fields if isinstance(field.content, (str, bool))
        )
        return counts | {count for count in of_values.values() if count > 1} | set(self._of_keys.values())

    @cached_property
    def _of_keys(self) -> Counter[tuple[str, ...]]:
        return Counter(field.key for field in self._material.fields)

    def _is_span(self, number: Number, sentence: str) -> bool:
        """Days between two dates, minutes between two times, in hours and minutes too."""
        unit = unit_of(number, sentence)
        if unit in ("day", "night", "week"):
            days = self._days
            wanted = number.values[0] * (7 if unit == "week" else 1)
            return any((after - before).days in (wanted, wanted - 1) for before, after in combinations(days, 2))
        if unit == "year":
            return any(later - earlier == number.values[0] for earlier, later in combinations(self._years, 2))
        for match in _SPAN.finditer(sentence):
            if match.start() <= number.start < match.end():
                return self._has_minutes(int(match[1]) * 60 + int(match[2]))
        if unit in ("minute", "hour"):
            return self._has_gap(number.values[0] * (60 if unit == "hour" else 1))
        return False

    def _is_age(self, number: Number, sentence: str) -> bool:
        """`She was 36 when she died`: the years between two dates, or one fewer."""
        value = number.values[0]
        if number.is_percent or not 1 <= value <= 130 or not _AGE.search(sentence):
            return False
        return any(later - earlier in (value, value + 1) for earlier, later in combinations(self._years, 2))

    @cached_property
    def _days(self) -> list[date]:
        return sorted({known for day in self._material.days if (known := day.as_date())})[:_MAX_DAYS]

    @cached_property
    def _years(self) -> list[int]:
        return sorted({day.year for day in self._material.days if day.year})[:_MAX_DAYS]

    @cached_property
    def _clocks(self) -> list[int]:
        return sorted(self._material.clocks)[:_MAX_CLOCKS]

    @cached_property
    def _rounded(self) -> frozenset[float]:
        return frozenset(round(amount.value, 2) for amount in self._material.amounts)

    def _has_minutes(self, minutes: int) -> bool:
        forms = {minutes, minutes * 60, minutes * 60_000, round(minutes / 60, 2)}
        return not forms.isdisjoint(self._rounded) or self._has_gap(minutes)

    def _has_gap(self, minutes: float) -> bool:
        return any((after - before) % 1440 == minutes for before, after in permutations(self._clocks, 2))

    def _results(self, sentence: str, operands: Sequence[float]) -> Iterator[float]:
        numbers = list(dict.fromkeys(abs(operand) for operand in operands))[:_MAX_OPERANDS]
        if _SUM.search(sentence):
            yield from self._sums
            yield from (first + second for first, second in combinations(numbers, 2))
            yield from (sum(three) for three in combinations(numbers[:10], 3))
        if _DIFFERENCE.search(sentence):
            yield from (abs(first - second) for first, second in combinations(numbers, 2))
            for column in self._columns:
                yield from (abs(first - second) for first, second in combinations(column[:_MAX_OPERANDS], 2))
        if _RATIO.search(sentence):
            yield from (total / len(column) for column, total in zip(self._columns, self._sums, strict=True))
            yield from _ratios(numbers)
            for column, total in zip(self._columns, self._sums, strict=True):
                yield from (100 * part / total for part in column[:_MAX_OPERANDS] if total)
        if _PRODUCT.search(sentence):
            yield from _products(numbers)
        for match in _PERCENT.findall(sentence)[:_MAX_PERCENTS]:
            yield from _shares(float(match), numbers)
        yield from self._multiples(numbers)

    @cached_property
    def _columns(self) -> list[list[float]]:
        columns: dict[tuple[str, ...], list[float]] = {}
        for field in self._material.fields:
            if isinstance(field.content, float):
                columns.setdefault(field.key, []).append(field.content)
        return [column for column in columns.values() if len(column) > 1][:_MAX_COLUMNS]

    @cached_property
    def _sums(self) -> list[float]:
        return [sum(column) for column in self._columns]

    def _multiples(self, numbers: Iterable[float]) -> Iterator[float]:
        """A price times the nights, even if the sentence does not say so."""
        for count in self._factors:
            yield from (count * number for number in numbers)

    @cached_property
    def _factors(self) -> list[float]:
        return sorted({amount.value for amount in self._material.amounts if _counts_something(amount)})[:8]


def _counts_something(amount: Amount) -> bool:
    return bool(_COUNTING.intersection(amount.key)) and 1 < amount.value <= 1000


def _is_factor(value: float, said: Sequence[float], operands: Sequence[float]) -> bool:
    """`Three nights cost 330`: three is how often the price of the sources goes into what is said."""
    if value != int(value) or not 1 < value <= _MAX_FACTOR:
        return False
    return any(number > 1 and number != value and number * value in said for number in operands)


def _ratios(numbers: Sequence[float]) -> Iterator[float]:
    for first, second in permutations(numbers, 2):
        if second:
            yield first / second
            yield 100 * first / second
            yield 100 * abs(first - second) / second


def _shares(percent: float, numbers: Sequence[float]) -> Iterator[float]:
    """So many percent of each number, and that more and less."""
    for number in numbers:
        if number != percent:
            yield from (number * percent / 100, number * (1 - percent / 100), number * (1 + percent / 100))


def _products(numbers: Sequence[float]) -> Iterator[float]:
    for first, second in permutations(numbers, 2):
        if first == int(first) and 1 < first <= _MAX_FACTOR:
            yield first * second
            yield from (first * second + third for third in numbers[:12] if third not in (first, second))
