"""The parts of a sentence that can be checked one by one: numbers, dates, addresses, quotations, names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.grounding.dates import Clock, Day, clocks_of, days_of, ordinal_days_of
from otel_agenttrace.grounding.names import names_of
from otel_agenttrace.grounding.numbers import Number, numbers_of
from otel_agenttrace.grounding.references import Reference, addresses_of, codes_of, quotations_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_agenttrace.grounding.report import Kind

_LABEL = re.compile(
    r"\b(?:option|step|page|item|no\.?|number|part|phase|section|figure|fig\.?|chapter|table|appendix|note|tip|example|"
    r"choice|point|question|answer|method|version|level|tier|day|week|top|schritt|seite|punkt|tag)\s*#?$|#$",
    re.IGNORECASE,
)
_CITATION = re.compile(r"\[\^?\d{1,3}(?:\s?[,;\u2013-]\s?\d{1,3}){0,8}\]|\u3010\d{1,3}[^\u3011\n]{0,40}\u3011")
_ANNOUNCED = re.compile(
    r"\b(?:here|below|these|following) are (?:the |my |some |your )?(?:top |best )?$", re.IGNORECASE
)
_MAX_LABEL = 20
_MAX_DETAILS = 50  # of one sentence; more is a dump of data

Found = Number | Reference | Clock | list[Day]


class Detail(NamedTuple):
    """A part of a sentence.

    Attributes:
        kind: what it is.
        found: as it was read.
        start: index of its first character in the sentence.
        end: index after its last.
    """

    kind: Kind
    found: Found
    start: int
    end: int


def details_of(sentence: str, *, with_names: bool) -> list[Detail]:
    """All parts of a sentence that can be checked, none of them within another but for what a quotation says."""
    details: list[Detail] = []
    taken: list[tuple[int, int]] = []

    def add(kind: Kind, found: Iterable[tuple[Found, int, int]], *, hides: bool = True) -> None:
        for what, start, end in found:
            if not any(begin < end and start < finish for begin, finish in taken) and len(details) < _MAX_DETAILS:
                details.append(Detail(kind, what, start, end))
                if hides:
                    taken.append((start, end))

    add("url", ((found, found.start, found.end) for found in addresses_of(sentence)))
    taken += [match.span() for match in _CITATION.finditer(sentence)]
    add("quotation", ((found, found.start, found.end) for found in quotations_of(sentence)), hides=False)
    _add_days(details, taken, sentence)
    add("date", ((found, found.start, found.end) for found in clocks_of(sentence)))
    add("name", ((found, found.start, found.end) for found in codes_of(sentence)))
    add("number", ((found, found.start, found.end) for found in numbers_of(sentence) if _counts(sentence, found)))
    if with_names:
        add("name", ((found, found.start, found.end) for found in names_of(sentence)), hides=False)
    return sorted(details, key=lambda detail: detail.start)


def _add_days(details: list[Detail], taken: list[tuple[int, int]], sentence: str) -> None:
    """Both ends of `27-29 May` stand in one place, so dates may overlap each other."""
    for readings in (*days_of(sentence), *ordinal_days_of(sentence))[:_MAX_DETAILS]:
        start, end = readings[0].start, readings[0].end
        if not any(begin < end and start < finish for begin, finish in taken if (begin, finish) != (start, end)):
            details.append(Detail("date", readings, start, end))
            taken.append((start, end))


def _counts(sentence: str, number: Number) -> bool:
    """Whether a number says something: those that only label what they stand beside do not."""
    before, after = sentence[max(0, number.start - 24) : number.start], sentence[number.end : number.end + 1]
    if _ANNOUNCED.search(before):
        return False  # what follows in the output itself
    if number.is_word:
        return not after.startswith("-") and not before.endswith("-")
    if re.search(r"[A-Za-z]-$", before) and number.end - number.start <= 2:
        return False
    if re.search(r"[A-Za-z]$", before):
        return bool(re.search(r"(?:^|[\W\d])(?:EUR|USD|GBP|CHF|SEK|NOK|DKK|US|A|C)$", before))
    return not (_LABEL.search(before) and 0 <= number.values[0] <= _MAX_LABEL)
