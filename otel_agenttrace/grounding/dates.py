"""Dates and times of day in a text, read from the ways people and programs write them."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from typing import NamedTuple

_MONTHS = {
    "january": 1, "jan": 1, "januar": 1, "jänner": 1, "janvier": 1, "enero": 1, "gennaio": 1,
    "february": 2, "feb": 2, "februar": 2, "février": 2, "febrero": 2, "febbraio": 2,
    "march": 3, "mar": 3, "märz": 3, "mars": 3, "marzo": 3,
    "april": 4, "apr": 4, "avril": 4, "abril": 4, "aprile": 4,
    "may": 5, "mai": 5, "mayo": 5, "maggio": 5,
    "june": 6, "jun": 6, "juni": 6, "juin": 6, "junio": 6, "giugno": 6,
    "july": 7, "jul": 7, "juli": 7, "juillet": 7, "julio": 7, "luglio": 7,
    "august": 8, "aug": 8, "août": 8, "agosto": 8,
    "september": 9, "sep": 9, "sept": 9, "septembre": 9, "septiembre": 9, "settembre": 9,
    "october": 10, "oct": 10, "oktober": 10, "okt": 10, "octobre": 10, "octubre": 10, "ottobre": 10,
    "november": 11, "nov": 11, "novembre": 11, "noviembre": 11,
    "december": 12, "dec": 12, "dezember": 12, "dez": 12, "décembre": 12, "diciembre": 12, "dicembre": 12,
}  # fmt: skip
_WEEKDAYS = {
    "monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6,
    "montag": 0, "dienstag": 1, "mittwoch": 2, "donnerstag": 3, "freitag": 4, "samstag": 5, "sonntag": 6,
}  # fmt: skip
_NUMERIC_FORMS = tuple(
    re.compile(form)
    for form in (
        r"(?P<year>\d{4})(?<!\d{5})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)",
        r"(?P<first>\d{1,2})(?P<mark>[./-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})(?![\d/-])",
        r"(?P<year>\d{4})年(?P<month>\d{1,2})月(?:(?P<day>\d{1,2})日)?",
    )
)
_YEAR = re.compile(r"(?:1[5-9]|20|21)\d\d(?<!\d{5})(?![-/.:,]?\d)")
_BEFORE_YEAR = re.compile(
    r"\b(?:in|since|until|till|by|during|year|from|im|seit|en|early|late|mid|before|after|of)\s+$", re.IGNORECASE
)
# Words are found by their first letters and looked up whole: one pass, however many months and languages there are.
_NAMED = re.compile(f"(?:{'|'.join(sorted({name[:3] for name in (*_MONTHS, *_WEEKDAYS)}))})[^\\W\\d_]*")
_BEFORE_MONTH = re.compile(
    r"(?:(?P<from>\d{1,2})(?:st|nd|rd|th|\.)?\s?(?:-|\u2013|to|bis|and|&)\s?)?(?P<day>\d{1,2})(?:st|nd|rd|th|"
    r"\.)?\s{1,3}(?:of\s|de\s)?$"
)
_AFTER_MONTH = re.compile(
    r"\.?\s{1,3}(?:(?P<from>\d{1,2})(?:st|nd|rd|th)?\s?(?:-|\u2013|to|and|&)\s?)?(?P<day>\d{1,2})(?:st|nd|rd|"
    r"th)?(?![\d:%]|[ \u00a0]?\u00b0)"
)
_YEAR_AFTER = re.compile(r"\.?,?\s{1,3}(?:of\s|de\s)?(?P<year>(?:1[5-9]|20|21)\d\d)(?!\d)")
_BEFORE_MONTH_ALONE = re.compile(r"\b(?:in|since|until|by|during|this|next|last|early|late|mid|im|seit|of)[ -]$")
_GOES_ON = frozenset("0123456789./-")  # before a date: it is part of something longer
_GOES_ON_CLOCK = frozenset("0123456789:.,")
_DAY_REACH = 20  # characters before the name of a month in which its day stands
_ALSO_VERBS = frozenset(("may", "march", "mar", "mars", "sep", "dec", "set", "ago"))
_ORDINAL_DAY = re.compile(
    r"\b(?:on|until|till|by|from|to|before|after|since|and) the (?P<day>\d{1,2})(?:st|nd|rd|th)"
    r"(?=\s{0,3}(?:[.,;:!?)]|$|(?:and|but|to|at|until|from|with|in|for)\b))",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::\d{2}(?:\.\d{1,9})?)?(?!\d)\s?(?P<half>[ap]\.?m\b\.?)?"
    r"|[.h](?P<minute2>\d{2})\s?(?P<half2>[ap]\.?m\b\.?|Uhr\b|Z\b)|\s?(?P<half3>[ap]\.?m\b\.?|Uhr\b|o'clock\b))",
    re.IGNORECASE,
)
_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}[T ](?P<hour>\d{2}):(?P<minute>\d{2})")
_DIGIT = re.compile(r"\d")


class Day(NamedTuple):
    """A date, or the part of one that is said: each field may be unknown.

    Attributes:
        start: index of its first character in the text.
        end: index after its last.
    """

    year: int | None
    month: int | None
    day: int | None
    weekday: int | None
    start: int
    end: int

    @property
    def is_year(self) -> bool:
        """Nothing but a year."""
        return self.year is not None and self.month is None

    @property
    def is_of_month(self) -> bool:
        """Nothing but a day: `the 16th`."""
        return self.day is not None and self.month is None

    def agrees(self, other: Day) -> bool:
        """Both may mean the same day: what both say is the same, and the other says all that this one does."""
        if self.weekday is not None:
            return self.weekday == (other.weekday if other.weekday is not None else other.day_of_week())
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        if any(mine is not None and theirs is not None and mine != theirs for mine, theirs in pairs):
            return False
        if self.month is not None and other.month is None:
            return False
        return (self.day is None or other.day is not None) and (self.month is not None or other.year is not None)

    def day_of_week(self) -> int | None:
        """0 for Monday, None unless the whole date is known."""
        known = self.as_date()
        return known.weekday() if known else None

    def as_date(self) -> date | None:
        """The date, None unless it is whole and exists."""
        if self.year is None or self.month is None or self.day is None:
            return None
        try:
            return date(self.year, self.month, self.day)
        except ValueError:
            return None


class Clock(NamedTuple):
    """A time of day.

    Attributes:
        minutes: since midnight, each it may mean: `9:40` may be in the evening.
        start: index of its first character in the text.
        end: index after its last.
    """

    minutes: tuple[int, ...]
    start: int
    end: int


def days_of(text: str) -> list[list[Day]]:
    """The dates of a text, in order; each as a list of what it may mean, since `03/04` depends on the country."""
    found: list[list[Day]] = []
    if _DIGIT.search(text) is not None:
        found += _from_digits(text)
    lowered = text.lower()
    if len(lowered) == len(text):  # a few capitals have a longer lower case
        for match in _NAMED.finditer(lowered):
            if match.start() == 0 or not lowered[match.start() - 1].isalpha():
                found += _from_name(lowered, match)
    return sorted(found, key=lambda days: days[0].start)


def ordinal_days_of(text: str) -> list[list[Day]]:
    """Days without a month, as answers name them: `snow on the 16th`."""
    return [
        [Day(None, None, int(match["day"]), None, match.start("day"), match.end())]
        for match in _ORDINAL_DAY.finditer(text)
        if 1 <= int(match["day"]) <= 31
    ]


def _from_digits(text: str) -> list[list[Day]]:
    found: list[list[Day]] = []
    taken: set[int] = set()
    for form in _NUMERIC_FORMS:
        for match in form.finditer(text):
            if match.start() not in taken and text[max(0, match.start() - 1) : match.start()] not in _GOES_ON:
                taken.update(range(*match.span()))
                found += _from_numbers(match)
    for match in _YEAR.finditer(text):
        if match.start() not in taken and _BEFORE_YEAR.search(text, max(0, match.start() - 10), match.start()):
            found.append([Day(int(match.group()), None, None, None, *match.span())])
    return found


def _from_numbers(match: re.Match[str]) -> list[list[Day]]:
    parts = match.groupdict()
    year = int(parts["year"])
    if "first" in parts:
        return _numeric(int(parts["first"]), int(parts["second"]), year, *match.span())
    month, day = int(parts["month"]), int(parts["day"]) if parts["day"] else None
    if not 1 <= month <= 12 or (day is not None and not 1 <= day <= 31):
        return []
    return [[Day(year, month, day, None, *match.span())]]


def _from_name(text: str, match: re.Match[str]) -> list[list[Day]]:
    """Read the date around the name of a month or weekday; none if the word is neither."""
    name, start, end = match.group(), match.start(), match.end()
    weekday = _WEEKDAYS.get(name, _WEEKDAYS.get(name[:-1]) if name.endswith("s") else None)
    if weekday is not None:
        return [[Day(None, None, None, weekday, start, end)]]
    month = _MONTHS.get(name)
    if month is None:
        return []
    day = _BEFORE_MONTH.search(text, max(0, start - _DAY_REACH), start)
    if day is not None:
        start = day.start()
    else:
        day = _AFTER_MONTH.match(text, end)
        end = day.end() if day is not None else end
    year = _YEAR_AFTER.match(text, end)
    if year is not None:
        end = year.end()
    number = int(year["year"]) if year is not None else None
    if day is not None:
        days = [int(part) for part in (day["from"], day["day"]) if part]
        return [[Day(number, month, one, None, start, end)] for one in days if 1 <= one <= 31]
    if number is None and (
        (name in _ALSO_VERBS and name != "may") or not _BEFORE_MONTH_ALONE.search(text, max(0, start - 8), start)
    ):
        return []
    return [[Day(number, month, None, None, start, end)]]


def _numeric(first: int, second: int, year: int, start: int, end: int) -> list[list[Day]]:
    year += 2000 if year < 70 else 1900 if year < 100 else 0
    readings = [
        Day(year, month, day, None, start, end)
        for day, month in ((first, second), (second, first))
        if 1 <= month <= 12 and 1 <= day <= 31
    ]
    return [readings] if readings else []


def clocks_of(text: str) -> list[Clock]:
    """The times of day of a text, in order."""
    if _DIGIT.search(text) is None:
        return []
    found = [Clock((int(match["hour"]) * 60 + int(match["minute"]),), *match.span()) for match in _STAMP.finditer(text)]
    for match in _CLOCK.finditer(text):
        if text[max(0, match.start() - 1) : match.start()] in _GOES_ON_CLOCK:
            continue
        hour, minute = int(match["hour"]), int(match["minute"] or match["minute2"] or 0)
        half = (match["half"] or match["half2"] or match["half3"] or "").lower()[:1]
        if hour > 24 or minute > 59:
            continue
        if half in ("a", "p"):
            minutes: tuple[int, ...] = ((hour % 12 + (12 if half == "p" else 0)) * 60 + minute,)
        else:
            minutes = (hour * 60 + minute,)
        found.append(Clock(minutes, *match.span()))
    return sorted(found, key=lambda clock: clock.start)


def day_of_timestamp(value: float) -> Day | None:
    """The day in UTC of a Unix time in seconds or milliseconds between 2001 and 2065, None for other numbers."""
    seconds = value / 1000 if value >= 1e12 else value
    if not 1e9 <= seconds < 3e9:
        return None
    day = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)
    return Day(day.year, day.month, day.day, None, 0, 0)
