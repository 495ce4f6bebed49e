"""Who did what to whom, and from where to where: the same words the other way round."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from otel_agenttrace.grounding.opposites import NEGATIONS
from otel_agenttrace.grounding.words import FUNCTION_WORDS, stem, word_set, words_of

if TYPE_CHECKING:
    from otel_agenttrace.grounding.claims import Candidate
    from otel_agenttrace.grounding.index import Index
    from otel_agenttrace.grounding.sources import Material
    from otel_agenttrace.grounding.words import Word

_FROM_TO = re.compile(r"\bfrom\s+([^\W\d_][\w-]*)\s+(?:\([A-Z]{3}\)\s+)?to\s+([^\W\d_][\w-]*)", re.IGNORECASE)
_ORIGIN = frozenset(map(stem, word_set("from origin departure source start")))
_TARGET = frozenset(map(stem, word_set("to destination arrival target end")))
_REACH = 4  # words from a verb to those it is about
_LEAVES = re.compile(r"\b(?:depart(?:s|ed|ing)?|leav(?:es?|ing)|left) from\s+([^\W\d_][\w-]*)", re.IGNORECASE)


class Roles:
    """Knows the journeys of the sources, and their verbs with a name on each side."""

    def __init__(self, material: Material, index: Index) -> None:
        self._material = material
        self._index = index

    def turned_round(self, candidate: Candidate) -> tuple[str, int] | None:
        """`from Oslo to Berlin` where the sources go from Berlin to Oslo."""
        match = _FROM_TO.search(candidate.text)
        if match is None:
            return self._left_elsewhere(candidate.text)
        origin, target = stem(match[1].lower()), stem(match[2].lower())
        found: tuple[str, int] | None = None
        for start, end, number in self._journeys:
            if origin in start and target in end:
                return None
            if origin in end and target in start:
                found = match.group(), number
        return found

    def _left_elsewhere(self, text: str) -> tuple[str, int] | None:
        """`departs from Oslo` where every journey of the sources that has to do with Oslo goes there."""
        match = _LEAVES.search(text)
        place = stem(match[1].lower()) if match else ""
        if match is None or any(place in start for start, _, _ in self._journeys):
            return None
        return next(((match.group(), number) for _, end, number in self._journeys if place in end), None)

    def changed(self, candidate: Candidate) -> tuple[str, int] | None:
        """`A beat B` where the sources say that B beat A."""
        actors = _actors(candidate)
        if actors is None:
            return None
        first, verb, second = actors
        found: tuple[str, int] | None = None
        for number in self._index.passages_of(verb.stem):
            passage = self._material.passages[number]
            if passage.is_record or not {first.stem, second.stem} <= set(passage.stems):
                continue
            place = passage.stems.index(verb.stem)
            before, after = passage.stems[max(0, place - _REACH) : place], passage.stems[place + 1 : place + 1 + _REACH]
            is_passive = "by" in after[:2]
            if is_passive:
                before, after = after, before
            if first.stem in before and second.stem in after:
                return None
            if second.stem in before and first.stem in after and not {first.stem} & set(before):
                found = candidate.text[first.start : second.end], number
        return found

    @cached_property
    def _journeys(self) -> list[tuple[set[str], set[str], int]]:
        ends: dict[int, tuple[set[str], set[str]]] = {}
        for field in self._material.fields:
            side = (
                0
                if field.key[-1:] and _ORIGIN.intersection(field.key)
                else 1
                if _TARGET.intersection(field.key)
                else None
            )
            if side is not None and isinstance(field.content, str) and len(field.content) < 80:
                pair = ends.setdefault(field.passage, (set(), set()))
                pair[side].update(word.stem for word in words_of(field.content))
        found = [(start, end, number) for number, (start, end) in ends.items()]
        for number, passage in enumerate(self._material.passages):
            if not passage.is_record and (match := _FROM_TO.search(passage.text)):
                found.append(({stem(match[1].lower())}, {stem(match[2].lower())}, number))
        return found


def _actors(candidate: Candidate) -> tuple[Word, Word, Word] | None:
    """Who does what to whom, where a claim begins with two names and one verb between them; None for other claims."""
    words, text = candidate.words, candidate.text
    names = [place for place, word in enumerate(words) if text[word.start].isupper()]
    if not names or names[0] > 1:
        return None
    verbs = [place for place in range(names[0] + 1, min(len(words), names[0] + 4)) if place not in names]
    if not verbs or words[verbs[0]].text in FUNCTION_WORDS or words[verbs[0]].stem in NEGATIONS:
        return None
    verb = verbs[0]
    following = [place for place in names if verb < place <= verb + 2]
    if not following or "by" in (word.text for word in words[verb : following[0]]):
        return None
    return words[verb - 1], words[verb], words[following[0]]
