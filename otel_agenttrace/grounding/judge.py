"""What is said for and against one claim, put together."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.grounding.arithmetic import Derivations
from otel_agenttrace.grounding.contradiction import Contradictions
from otel_agenttrace.grounding.dates import Clock
from otel_agenttrace.grounding.details import details_of
from otel_agenttrace.grounding.facts import Facts
from otel_agenttrace.grounding.index import Index
from otel_agenttrace.grounding.languages import language_of
from otel_agenttrace.grounding.mentions import Mentions
from otel_agenttrace.grounding.numbers import Number
from otel_agenttrace.grounding.overlap import overlap_of
from otel_agenttrace.grounding.references import Reference
from otel_agenttrace.grounding.report import Claim
from otel_agenttrace.grounding.swaps import Swaps
from otel_agenttrace.grounding.words import stems_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.grounding.claims import Candidate
    from otel_agenttrace.grounding.details import Detail
    from otel_agenttrace.grounding.report import Kind, Reason
    from otel_agenttrace.grounding.sources import Material
    from otel_agenttrace.grounding.words import Word

_REASONS: dict[Kind, Reason] = {
    "url": "unsupported_url",
    "quotation": "unsupported_quotation",
    "date": "unsupported_date",
    "number": "unsupported_number",
    "name": "unsupported_name",
}
_UNIT = re.compile(r"[ \u00a0\u202f-]?(?:\u00b0\s?)?[^\W\d_]{1,12}(?:/[^\W\d_]{1,6})?")
_KINDS = tuple(_REASONS)
_THRESHOLD = 0.5
_BELOW_THRESHOLD = 0.49
_MIN_KNOWN = 0.35  # share of the words that say something: below, the sentence speaks of something else
_MIN_CONTENT = 4  # words that say something; with fewer the share is chance
_UNTOLD = 0.75  # likelihood where the words cannot be compared
_SAMPLE = 4_000  # characters of a source that tell its language
_REMEMBERED = 8  # numbers of earlier claims that a later one may add up
_NEIGHBOURS = 6


class _Flaw(NamedTuple):
    """What is wrong with a claim: why, which parts of it, and the passage that speaks against it if one does."""

    reason: Reason
    parts: tuple[str, ...]
    passage: int | None


class Judge:
    """Holds claims against sources."""

    def __init__(self, material: Material, items: frozenset[int]) -> None:
        """Arrange the sources; `items` is how many items the lists of the output have."""
        self._material = material
        self._items = items
        self._index = Index(material.passages)
        self._facts = Facts(material)
        self._mentions = Mentions(material, self._index.lexicon)
        self._derivations = Derivations(material)
        self._contradictions = Contradictions(material, self._index)
        self._checks: dict[Kind, Callable[[str], bool]] = {
            "url": self._mentions.has_address,
            "quotation": self._mentions.has_quotation,
            "name": self._mentions.has_name,
        }
        self._known: list[float] = []
        self._languages = {
            language_of(source[:_SAMPLE], source[:_SAMPLE].lower().split()) for source in material.sources
        }

    @property
    def _usual_language(self) -> str | None:
        """The language of all sources that have one; None if they have several, or none."""
        known = self._languages - {None}
        return known.pop() if len(known) == 1 else None

    def claim_of(self, candidate: Candidate) -> Claim | None:
        """Judge one piece of the output; None if it turns out to claim nothing."""
        text = candidate.text
        language = language_of(text, (word.text for word in candidate.words)) or self._usual_language
        is_foreign = self._is_foreign(language)
        details = details_of(text, with_names=language in (None, "en") and not is_foreign)
        denied = self._contradictions.denied(text)
        if candidate.is_plain and not details and denied is None:
            return None
        near = self._index.best_passages({word.stem for word in candidate.words}, _NEIGHBOURS)
        missing = self._missing(details, near, text)
        chance, is_known = self._weigh(candidate, details, missing, near) if not is_foreign else (_UNTOLD, True)
        flaw = self._flaw(candidate, details, missing, is_foreign=is_foreign)
        if flaw is None and denied is not None:
            flaw = _Flaw("contradiction", (denied,), None)
        if flaw is None and not is_known:
            flaw = _Flaw("unsupported_statement", (), None)
        passage = near[0][0] if near else None
        if flaw is not None and flaw.passage is not None:
            passage = flaw.passage
        kinds = {detail.kind for detail in missing or details}
        shown = self._material.passages[passage] if passage is not None else None
        return Claim(
            text,
            candidate.start,
            candidate.end,
            next((kind for kind in _KINDS if kind in kinds), "statement"),
            chance * _BELOW_THRESHOLD if flaw else _THRESHOLD + chance * (1 - _THRESHOLD),
            shown.text if shown else None,
            shown.source_index if shown else None,
            flaw.reason if flaw else None,
            flaw.parts if flaw else (),
        )

    def _is_foreign(self, language: str | None) -> bool:
        """Whether a claim shares no words with the sources because of its language; keys of JSON mostly are English."""
        known = self._languages - {None}
        return language is not None and language not in known and (bool(known) or language != "en")

    def _missing(self, details: list[Detail], near: list[tuple[int, float]], text: str) -> list[Detail]:
        """The details that the sources do not bear out; the numbers of the others may be added up later."""
        said = [detail.found.values[0] for detail in details if isinstance(detail.found, Number)]
        around = self._near_numbers(near) if said else []
        missing = [detail for detail in details if not self._bears_out(detail, text, said, around)]
        self._known.extend(
            detail.found.values[0] for detail in details if isinstance(detail.found, Number) and detail not in missing
        )
        return missing

    def _weigh(
        self, candidate: Candidate, details: list[Detail], missing: list[Detail], near: list[tuple[int, float]]
    ) -> tuple[float, bool]:
        """How likely the words of a claim are borne out, and whether enough of them are known to say so."""
        words = self._open_words(candidate, details, missing)
        passages = [self._material.passages[place] for place, _ in near]
        is_record = bool(passages) and passages[0].is_record
        overlap = overlap_of(words, self._index, [] if is_record else [passage.stems for passage in passages])
        is_free = candidate.is_plain or candidate.is_opinion or overlap.content < _MIN_CONTENT
        has_number = any(isinstance(detail.found, Number) for detail in details)
        return overlap.likelihood, is_free or has_number or overlap.known >= _MIN_KNOWN

    def _flaw(
        self, candidate: Candidate, details: list[Detail], missing: list[Detail], *, is_foreign: bool
    ) -> _Flaw | None:
        text = candidate.text
        if missing:
            kind = min((detail.kind for detail in missing), key=_KINDS.index)
            return _Flaw(_REASONS[kind], tuple(dict.fromkeys(text[part.start : part.end] for part in missing)), None)
        if (swap := self._swapped(details, text)) is not None:
            return _Flaw("contradiction", *swap)
        if not is_foreign and (against := self._contradictions.against(candidate)) is not None:
            return _Flaw("contradiction", (against[0],), against[1])
        return None

    def _open_words(self, candidate: Candidate, details: list[Detail], missing: list[Detail]) -> list[Word]:
        """The words of a claim but for those of details that are borne out in another form."""
        proven = [(detail.start, _end_of_unit(detail, candidate.text)) for detail in details if detail not in missing]
        return [
            word
            for word in candidate.words
            if word.stem in self._index.lexicon
            or not any(start < word.end and word.start < end for start, end in proven)
        ]

    def _near_numbers(self, near: list[tuple[int, float]]) -> list[float]:
        around = [amount for place, _ in near for amount in self._material.amounts_by_passage.get(place, ())]
        return self._known[-_REMEMBERED:] + around

    def _bears_out(self, detail: Detail, text: str, said: list[float], around: list[float]) -> bool:
        found = detail.found
        if isinstance(found, Number):
            if self._facts.has_number(found, text) or self._facts.has_hour(found, text):
                return True
            others = [value for value in said if value != found.values[0]]
            near = [value for value in around if value != found.values[0]]
            return self._derivations.explains(found, text, others, near, self._items)
        if isinstance(found, Clock):
            return self._facts.has_clock(found, text)
        if isinstance(found, Reference):
            return self._checks[detail.kind](found.text)
        words = stems_of(text[detail.start : detail.end])
        return self._facts.has_day(found) or (
            not any(word.isdecimal() for word in words) and all(word in self._index.lexicon for word in words)
        )

    @cached_property
    def _swaps(self) -> Swaps:
        return Swaps(self._material)

    def _swapped(self, details: list[Detail], text: str) -> tuple[tuple[str, ...], int] | None:
        for detail in details:
            owner = self._swaps.owner_of(detail, text)
            if owner is not None:
                return (text[detail.start : detail.end],), owner
        return None


def _end_of_unit(detail: Detail, text: str) -> int:
    """The index after the unit of a number, which may be abbreviated or in a key of the sources."""
    unit = _UNIT.match(text, detail.end) if isinstance(detail.found, Number) else None
    return unit.end() if unit else detail.end
