"""What is said for and against one claim, put together."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
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
_MIN_KNOWN = 0.35  # share of the words that say something: below, the sentence speaks of something else
_MIN_CONTENT = 4  # words that say something; with fewer the share is chance
_UNTOLD = 0.75  # likelihood where the words cannot be compared
_SAMPLE = 4_000  # characters of a source that tell its language
_NEIGHBOURS = 6


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
        self._known: list[float] = []
        self._languages = {language_of(source[:_SAMPLE], source[:_SAMPLE].lower().split()) for source in material.sources}

    def claim_of(self, candidate: Candidate) -> Claim | None:
        """Judge one piece of the output; None if it turns out to claim nothing."""
        text = candidate.text
        language = language_of(text, (word.text for word in candidate.words))
        is_foreign = language is not None and None not in self._languages and language not in self._languages
        details = details_of(text, with_names=language in (None, "en") and not is_foreign)
        if candidate.is_plain and not details:
            return None
        near = self._index.best_passages({word.stem for word in candidate.words}, _NEIGHBOURS)
        operands = self._operands(details, near)
        missing = [detail for detail in details if not self._bears_out(detail, text, operands)]
        self._known.extend(
            detail.found.values[0] for detail in details if isinstance(detail.found, Number) and detail not in missing
        )
        passage = near[0][0] if near else None
        if candidate.is_plain or is_foreign:
            chance, known = _UNTOLD, 1.0
        else:
            words = self._open_words(candidate, details, missing)
            is_record = bool(near) and self._material.passages[near[0][0]].is_record
            overlap = overlap_of(words, self._index, in_order=not is_record)
            chance, known = overlap.likelihood, overlap.known if overlap.content >= _MIN_CONTENT else 1.0
        reason: Reason | None = None
        kind: Kind = next((kind for kind in _KINDS if any(detail.kind == kind for detail in details)), "statement")
        parts: tuple[str, ...] = ()
        if missing:
            kind = min((detail.kind for detail in missing), key=_KINDS.index)
            reason = _REASONS[kind]
            parts = tuple(dict.fromkeys(text[detail.start : detail.end] for detail in missing))
        elif (swap := self._swapped(details, text)) is not None:
            reason, parts, passage = "contradiction", swap[0], swap[1]
        elif not is_foreign and (against := self._contradictions.against(candidate)) is not None:
            reason, parts, passage = "contradiction", (against[0],), against[1]
        elif known < _MIN_KNOWN:
            reason = "unsupported_statement"
        support = chance * 0.49 if reason else _THRESHOLD + chance * 0.5
        shown = self._material.passages[passage] if passage is not None else None
        return Claim(
            text, candidate.start, candidate.end, kind, support,
            shown.text if shown else None, shown.source_index if shown else None, reason, parts,
        )  # fmt: skip

    def _open_words(self, candidate: Candidate, details: list[Detail], missing: list[Detail]) -> list[Word]:
        """The words of a claim but for those of details that are borne out in another form."""
        proven = [(detail.start, _end_of_unit(detail, candidate.text)) for detail in details if detail not in missing]
        return [
            word
            for word in candidate.words
            if word.stem in self._index.lexicon
            or not any(start < word.end and word.start < end for start, end in proven)
        ]

    def _operands(self, details: list[Detail], near: list[tuple[int, float]]) -> list[float]:
        own = [detail.found.values[0] for detail in details if isinstance(detail.found, Number)]
        places = [passage for passage, _ in near]
        around = [amount for place in places for amount in self._material.amounts_by_passage.get(place, ())]
        return own + self._known[-8:] + around

    def _bears_out(self, detail: Detail, text: str, operands: list[float]) -> bool:
        found = detail.found
        if isinstance(found, Number):
            if self._facts.has_number(found, text):
                return True
            others = [value for value in operands if value != found.values[0]]
            return self._derivations.explains(found, text, others, self._items)
        if isinstance(found, Clock):
            return self._facts.has_clock(found, text)
        if isinstance(found, Reference):
            if detail.kind == "url":
                return self._mentions.has_address(found.text)
            if detail.kind == "quotation":
                return self._mentions.has_quotation(found.text)
            return self._mentions.has_name(found.text)
        return self._facts.has_day(found)

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
