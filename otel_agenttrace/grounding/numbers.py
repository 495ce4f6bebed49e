"""Numbers in a text: what they are worth, whatever way they are written."""

from __future__ import annotations

import re
from typing import NamedTuple

_SCALES = {
    "k": 1e3, "thousand": 1e3, "tsd": 1e3, "tausend": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "million": 1e6,
    "millions": 1e6, "millionen": 1e6, "bn": 1e9, "b": 1e9, "billion": 1e9, "billions": 1e9, "mrd": 1e9,
    "milliarden": 1e9, "milliarde": 1e9, "trillion": 1e12, "hundred": 1e2, "dozen": 12.0, "lakh": 1e5, "crore": 1e7,
    "millones": 1e6, "millón": 1e6, "milliards": 1e9, "mille": 1e3, "mil": 1e3, "万": 1e4, "亿": 1e8,
}  # fmt: skip
_AMBIGUOUS = ("m", "b", "mil")  # metres or minutes, bytes, thousandths too
_SMALL = {
    "zero": 0, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90, "one": 1,
    "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10,
    "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5,
}  # fmt: skip
_BIG = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000, "dozen": 12}
_DIGITS = re.compile(
    r"(?P<digits>\d{1,3}(?:[,.'\u2019\u00a0\u202f]\d{3})+(?![\d])(?:[.,]\d{1,12}(?!\d))?|\d{1,30}(?:[.,]\d{1,30})?)"
    r"(?P<exponent>[eE][-+]?\d{1,2}(?![\w]))?"
    r"(?:[ \u00a0\u202f-]?(?P<scale>k|K|tsd|tausend|mille|mil|mio|mrd|mn|m|M|bn|b|B|thousand|hundred|dozen|"
    r"millions?|millionen|"
    r"milliarden?|milliards|billions?|trillion|lakh|crore|millones|millón)\b\.?|(?P<cjk>[万亿]))?"
    r"(?P<percent>[ \u00a0\u202f]?(?:%|percent\b|per\ cent\b|percentage\ points?\b|pct\b|Prozent\b|pour\ cent\b))?",
    re.IGNORECASE,
)
_NUMBER_WORDS = "|".join(sorted([*_SMALL, *_BIG], key=len, reverse=True))
_FIRST_WORD = re.compile(_NUMBER_WORDS)
_IN_WORDS = re.compile(rf"(?:(?:{_NUMBER_WORDS})\b(?:[ -](?:and )?|$)?){{1,9}}")
_SIGN = re.compile(r"(?:^|(?<![\w)]))(?<!\d )[-\u2212+]$")  # `10 -20` is a range
_MONEY = ("$", "\u20ac", "\u00a3", "\u00a5")
_SIGNS = ("-", "+", "\u2212")
_PERCENT_AFTER = re.compile(r"[ ]?(?:%|percent\b|per cent\b)", re.IGNORECASE)
_MAX_SIGNIFICANT = 15


class Number(NamedTuple):
    """A number as written.

    Attributes:
        values: what it may be worth, likeliest first: `1.299` is 1299 to some and 1.299 to others.
        start: index of its first character.
        end: index after its last; a scale and a percent sign belong to it.
        step: the size of its last digit, what it may have been rounded to.
        is_percent: it is followed by a percent sign or word.
        is_word: it is written in letters.
        letter: `m` or `b`, of which only the first of the values takes notice; it may be a unit instead.
    """

    values: tuple[float, ...]
    start: int
    end: int
    step: float
    is_percent: bool = False
    is_word: bool = False
    letter: str = ""


def numbers_of(text: str) -> list[Number]:
    """All numbers of a text, in order, those inside of dates, addresses and names too."""
    found = [_from_digits(match, text) for match in _DIGITS.finditer(text)]
    found += _in_words(text)
    return found if len(found) < 2 else sorted(found, key=lambda number: number.start)


def _in_words(text: str) -> list[Number]:
    lowered = text.lower()
    if len(lowered) != len(text):  # a few capitals have a longer lower case
        return []
    found: list[Number] = []
    end = 0
    for first in _FIRST_WORD.finditer(lowered):
        start = first.start()
        if start < end or (start and (lowered[start - 1].isalnum() or lowered[start - 1] == "_")):
            continue
        match = _IN_WORDS.match(lowered, start)
        value = _from_words(match.group()) if match else None
        if match is not None and value is not None:
            percent = _PERCENT_AFTER.match(lowered, match.end())
            end = percent.end() if percent else start + len(match.group().rstrip(" -"))
            found.append(Number((float(value),), start, end, 1.0, percent is not None, True))
    return found


def _from_digits(match: re.Match[str], text: str) -> Number:
    start = match.start()
    digits = match["digits"]
    if match.end() == start + len(digits) and digits.isdecimal() and text[start - 1 : start] not in _SIGNS:
        return Number((float(digits),), start, match.end(), _whole_step(digits))
    has_sign = _SIGN.search(text, max(0, start - 2), start) is not None
    sign = -1.0 if has_sign and text[start - 1] != "+" else 1.0
    readings = _readings(digits)
    exponent = 10.0 ** int(match["exponent"][1:]) if match["exponent"] else 1.0
    scale_word = (match["scale"] or match["cjk"] or "").lower()
    scale = _SCALES.get(scale_word, 1.0) * exponent
    values = [sign * round(value * scale, 9) for value, _ in readings]
    letter = ""
    if _may_be_unit(match, text):
        letter = scale_word[:1] if len(scale_word) == 1 else ""
        values += [sign * value for value, _ in readings]
    step = readings[0][1] * scale
    return Number(tuple(values), start - has_sign, match.end(), step, match["percent"] is not None, letter=letter)


def _may_be_unit(match: re.Match[str], text: str) -> bool:
    """Whether what looks like a scale may be a unit: `400 m`, `300 K`, but not `$400 m` and `300k`."""
    scale = match["scale"] or ""
    if text[match.start() - 1 : match.start()] in _MONEY:
        return False
    return scale.lower() in _AMBIGUOUS or (scale == "K" and text[match.end() - 2] in " \u00a0\u202f")


def _readings(digits: str) -> list[tuple[float, float]]:
    """What some digits with separators may mean, each with the size of the last digit."""
    digits = digits.translate(_QUIET)
    dot, comma = digits.rfind("."), digits.rfind(",")
    if dot < 0 and comma < 0:
        return [(float(digits), _whole_step(digits))]
    decimal = "." if dot > comma else ","
    whole, _, fraction = digits.rpartition(decimal)
    other = whole.replace("," if decimal == "." else ".", "")
    as_decimal = (float(f"{other.replace(decimal, '')}.{fraction}"), 10.0 ** -len(fraction))
    grouped = digits.replace(",", "").replace(".", "")
    as_grouped = (float(grouped), _whole_step(grouped))
    if digits.count(decimal) > 1:
        return [as_grouped]
    if len(fraction) != 3 or whole in ("0", "") or len(whole) > 3 or other != whole:
        return [as_decimal]
    return [as_grouped, as_decimal] if decimal == "," else [as_decimal, as_grouped]


_QUIET = {ord(mark): None for mark in "'\u2019\u00a0\u202f"}


def _whole_step(digits: str) -> float:
    """Trailing zeros may be what rounding left, so the last digit that is none counts."""
    bare = digits[:_MAX_SIGNIFICANT].rstrip("0")
    return 10.0 ** (len(digits) - len(bare)) if bare else 1.0


def _from_words(text: str) -> int | None:
    total = current = 0
    words = text.replace("-", " ").split()
    if words in (["one"], ["hundred"], ["thousand"], ["million"], ["billion"], ["and"]):
        return None  # rarely a count: `the one`, `a thousand thanks`
    for word in words:
        if word in _SMALL:
            current += _SMALL[word]
        elif word in _BIG:
            current = max(current, 1) * _BIG[word]
            if _BIG[word] >= 1_000:
                total, current = total + current, 0
    return total + current
