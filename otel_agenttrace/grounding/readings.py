"""The numbers, dates and times of a text that is a source, where each counts once as what it is."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.grounding.dates import Day, clocks_of, days_of
from otel_agenttrace.grounding.numbers import Number, numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACED = re.compile(r"\d{1,20}(?:[.,] ?\d{1,20}){1,8}")
_IDENTIFIER = re.compile(r"[-_][A-Za-z0-9]{1,60}(?:[-_][A-Za-z0-9]{1,60})+")  # the end of `backup-2024-12`: no twelve
_STAMP = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?")
_SCALE = 12  # characters of ` billion` and the like
_SHORT = 64  # characters
_DIGIT = re.compile(r"\d")


class Readings(NamedTuple):
    """What can be read out of a text.

    Attributes:
        numbers: but for those that are parts of dates, times and identifiers.
        days: each reading of those that can be read in several ways.
        clocks: times of day in minutes since midnight.
    """

    numbers: tuple[Number, ...]
    days: tuple[Day, ...]
    clocks: tuple[int, ...]


def readings_of(text: str) -> Readings:
    """Read a text."""
    return _readings_of_short(text) if len(text) <= _SHORT else _readings_of(text)


@lru_cache(maxsize=4096)
def _readings_of_short(text: str) -> Readings:
    """Records say the same few things again and again."""
    stamp = _STAMP.fullmatch(text)
    if stamp is None:
        return _readings_of(text)
    year, month, day, hour, minute = stamp.groups()
    clocks = () if hour is None else (int(hour) * 60 + int(minute),)
    return Readings((), (Day(int(year), int(month), int(day), None, 0, len(text)),), clocks)


def _readings_of(text: str) -> Readings:
    dates = days_of(text)
    days = tuple(day for readings in dates for day in readings)
    if _DIGIT.search(text) is None:
        return Readings(tuple(numbers_of(text)), days, ())
    clocks = clocks_of(text)
    hidden = {(readings[0].start, readings[0].end) for readings in dates}
    hidden.update((clock.start, clock.end) for clock in clocks)
    for match in _IDENTIFIER.finditer(text):
        if any(letter.isalpha() for letter in text[max(0, match.start() - 1) : match.end()]):
            hidden.add(match.span())
    rest = _blanked(text, hidden) if hidden else text
    minutes = tuple(minutes for clock in clocks for minutes in clock.minutes)
    return Readings((*numbers_of(rest), *_spaced(rest)), days, minutes)


def _spaced(text: str) -> Iterator[Number]:
    """`$ 10, 000`, as some texts are spaced."""
    for match in _SPACED.finditer(text):
        if " " in match.group():
            joined = match.group().replace(" ", "") + text[match.end() : match.end() + _SCALE]
            for number in numbers_of(joined)[:1]:
                yield number._replace(start=match.start(), end=match.end())


def _blanked(text: str, spans: set[tuple[int, int]]) -> str:
    """A text of the same length with some spans as white space."""
    parts, position = [], 0
    for start, end in sorted(spans):
        if end > position:
            parts += [text[position:start], " " * (end - max(start, position))]
            position = end
    return "".join([*parts, text[position:]])
