"""Claims that the sources do not merely leave open but speak against."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otel_agenttrace.grounding.opposites import NEGATIONS, OPPOSITES
from otel_agenttrace.grounding.words import FUNCTION_WORDS, stem, word_set, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_agenttrace.grounding.claims import Candidate
    from otel_agenttrace.grounding.index import Index
    from otel_agenttrace.grounding.sources import Field, Material
    from otel_agenttrace.grounding.words import Word

_ANSWER = re.compile(r"^(?:no|nein|non|yes|ja|oui)\s*[,.:;!\u2013\u2014-]", re.IGNORECASE)
_EMPTY_KEY_WORDS = frozenset(map(stem, word_set("is has can was are in flag currently status value result data")))
_FORMS_OF = {
    stem(f"{prefix}{word}"): (stem(word), False)
    for prefix in ("un", "non", "in", "dis")
    for word in ("available", "paid", "refundable", "supported", "active", "confirmed", "verified")
} | {
    stem("disabled"): (stem("enabled"), False),
    stem("successful"): (stem("success"), True),
    stem("successfully"): (stem("success"), True),
    stem("succeeded"): (stem("success"), True),
    stem("unsuccessful"): (stem("success"), False),
    stem("unsuccessfully"): (stem("success"), False),
    stem("failed"): (stem("success"), False),
}
_AVAILABLE = stem("available")
_PHRASES = (
    (
        re.compile(r"\b(?:sold|booked) out\b|\bfully booked\b|\bout of stock\b|\bausgebucht\b", re.IGNORECASE),
        _AVAILABLE,
        False,
    ),
    (re.compile(r"\bout of stock\b", re.IGNORECASE), stem("stock"), False),
    (re.compile(r"\bin stock\b|\bbookable\b|\bstill (?:has|have) (?:rooms|seats)\b", re.IGNORECASE), _AVAILABLE, True),
)
_FROM_TO = re.compile(r"\bfrom\s+([^\W\d_][\w-]*)\s+(?:\([A-Z]{3}\)\s+)?to\s+([^\W\d_][\w-]*)", re.IGNORECASE)
_ORIGIN = frozenset(map(stem, word_set("from origin departure source start")))
_TARGET = frozenset(map(stem, word_set("to destination arrival target end")))
_CLOSE = 0.6  # share of the other words of a claim that a sentence must have to speak of the same
_CLOSE_RECORD = 0.4  # the same for a record, which says in few words what a claim says in many
_SAME = 0.8  # the same, where nothing but a `not` tells the two apart
_REACH = 4  # words from a verb to those it is about
_NEAR = 4  # words after a negation that it may be about


class Contradictions:
    """Finds what the sources say against a claim."""

    def __init__(self, material: Material, index: Index) -> None:
        self._material = material
        self._index = index
        self._truths: dict[tuple[str, ...], list[Field]] = {}
        for field in material.fields:
            if isinstance(field.content, bool):
                self._truths.setdefault(_subject(field), []).append(field)

    def against(self, candidate: Candidate) -> tuple[str, int] | None:
        """The words of a claim that a passage contradicts, and that passage; None if none does."""
        return (
            self._denied_truth(candidate)
            or self._opposite(candidate)
            or self._negated(candidate)
            or self._turned_round(candidate)
            or self._roles_changed(candidate)
        )

    def _denied_truth(self, candidate: Candidate) -> tuple[str, int] | None:
        """`"available": false` against `is available`."""
        for subject, fields in self._truths.items():
            said = _said_of(subject, candidate)
            field = self._meant(fields, candidate, subject) if said else None
            if said is not None and field is not None and field.content is not said[1]:
                return said[0], field.passage
        return None

    def _meant(self, fields: Sequence[Field], candidate: Candidate, subject: tuple[str, ...]) -> Field | None:
        """The one of several records that a claim is about; None if that is open and they differ."""
        if not fields or len({field.content for field in fields}) == 1:
            return fields[0] if fields else None
        wanted = {word.stem for word in candidate.content}.difference(subject)
        scores = [
            (
                sum(self._index.weight(stem) for stem in wanted & set(self._material.passages[field.passage].stems)),
                field,
            )
            for field in fields[:500]
        ]
        best = max(score for score, _ in scores)
        leading = [field for score, field in scores if score >= best - 1e-9]
        return leading[0] if best > 0 and len({field.content for field in leading}) == 1 else None

    def _opposite(self, candidate: Candidate) -> tuple[str, int] | None:
        stems = {word.stem for word in candidate.content}
        for position, word in enumerate(candidate.words):
            if word.stem not in OPPOSITES or word.stem in FUNCTION_WORDS:
                continue
            others = stems - {word.stem}
            if len(others) < 2:
                continue
            near = [
                (number, share)
                for number, share in self._index.best_passages(others, 5)
                if share >= (_CLOSE_RECORD if self._material.passages[number].is_record else _CLOSE)
            ]
            if not near or any(word.stem in self._material.passages[number].stems for number, _ in near):
                continue
            if _is_negated(candidate.words, position, candidate.text):
                continue
            for number, _ in near:
                passage = self._material.passages[number].stems
                is_short = len(passage) <= 4 * len(candidate.words) + 8
                if is_short and OPPOSITES[word.stem].intersection(passage) and not NEGATIONS.intersection(passage):
                    return word.text, number
        return None

    def _negated(self, candidate: Candidate) -> tuple[str, int] | None:
        """The same words, with a `not` in one of the two."""
        stems = {word.stem for word in candidate.content if word.stem not in NEGATIONS}
        if len(stems) < 3:
            return None
        for number, share in self._index.best_passages(stems, 1):
            passage = self._material.passages[number]
            if share < _SAME or passage.is_record or len(passage.stems) > 2 * len(candidate.words) + 6:
                return None
            mine = [
                word.text
                for position, word in enumerate(candidate.words)
                if _negates(word) and not (position == 0 and _ANSWER.match(candidate.text))
            ]
            words = words_of(passage.text)
            theirs = [word.text for word in words if _negates(word)]
            if bool(mine) != bool(theirs) and (mine or _about(words, stems)):
                return (mine or theirs)[0], number
        return None

    def _turned_round(self, candidate: Candidate) -> tuple[str, int] | None:
        """`from Oslo to Berlin` where the sources go from Berlin to Oslo."""
        match = _FROM_TO.search(candidate.text)
        if match is None:
            return None
        origin, target = stem(match[1].lower()), stem(match[2].lower())
        found: tuple[str, int] | None = None
        for start, end, number in self._journeys():
            if origin in start and target in end:
                return None
            if origin in end and target in start:
                found = match.group(), number
        return found

    def _roles_changed(self, candidate: Candidate) -> tuple[str, int] | None:
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


def _subject(field: Field) -> tuple[str, ...]:
    """The stems of a key that say what it is about."""
    return tuple(word for word in field.name if word not in _EMPTY_KEY_WORDS)


def _said_of(subject: tuple[str, ...], candidate: Candidate) -> tuple[str, bool] | None:
    """The words of a claim that say something of a key, and whether they say yes; None if there are none."""
    for form, key, says in _PHRASES:
        if subject == (key,) and (match := form.search(candidate.text)):
            return match.group(), says
    if not subject:
        return None
    stems = [_FORMS_OF.get(word.stem, (word.stem, True)) for word in candidate.words]
    places = {place: says for place, (stem, says) in enumerate(stems) if stem in subject}
    if not set(subject) <= {stems[place][0] for place in places}:
        return None
    first, last = min(places), max(places)
    says = all(places.values()) != any(_is_negated(candidate.words, place, candidate.text) for place in places)
    return candidate.text[candidate.words[first].start : candidate.words[last].end], says


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


def _negates(word: Word) -> bool:
    return word.text.replace("\u2019", "'") in NEGATIONS


def _is_negated(words: Sequence[Word], position: int, text: str) -> bool:
    start = max(0, position - _NEAR)
    before = words[start:position]
    if start == 0 and before and _ANSWER.match(text):
        before = before[1:]
    return any(_negates(word) for word in before) or any(_negates(word) for word in words[position + 1 : position + 2])


def _about(words: Sequence[Word], stems: set[str]) -> bool:
    """Whether a negation stands before something that the claim says too."""
    return any(
        _negates(word) and any(after.stem in stems for after in words[position + 1 : position + 3])
        for position, word in enumerate(words)
    )
