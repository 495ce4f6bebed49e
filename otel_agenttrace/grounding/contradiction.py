"""Claims that the sources do not merely leave open but speak against."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otel_agenttrace.grounding.absences import Absences
from otel_agenttrace.grounding.opposites import NEGATIONS, OPPOSITES
from otel_agenttrace.grounding.roles import Roles
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
_CONDITIONS = word_set("only unless without except until if nur ohne außer wenn")
_MAX_TRUTHS = 500  # different keys with truth values that are looked at
_CLOSE = 0.6  # share of the other words of a claim that a sentence must have to speak of the same
_CLOSE_RECORD = 0.4  # the same for a record, which says in few words what a claim says in many
_SAME = 0.8  # the same, where nothing but a `not` tells the two apart
_NEAR = 4  # words after a negation that it may be about


class Contradictions:
    """Finds what the sources say against a claim."""

    def __init__(self, material: Material, index: Index) -> None:
        self._material = material
        self._index = index
        self._absences = Absences(material)
        self._roles = Roles(material, index)
        self._truths: dict[tuple[str, ...], list[Field]] = {}
        for field in material.fields:
            if isinstance(field.content, bool) and len(self._truths) < _MAX_TRUTHS:
                self._truths.setdefault(_subject(field), []).append(field)

    def against(self, candidate: Candidate) -> tuple[str, int] | None:
        """The words of a claim that a passage contradicts, and that passage; None if none does."""
        return (
            self._denied_truth(candidate)
            or self._absences.opposite_state(candidate)
            or self._opposite(candidate)
            or self._negated(candidate)
            or self._roles.turned_round(candidate)
            or self._roles.changed(candidate)
        )

    def denied(self, text: str) -> str | None:
        """The words of a claim that deny what records list, however short the claim; None if none do."""
        return self._absences.denies(text)

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
        stems = {
            word.stem
            for word in candidate.content
            if word.stem not in NEGATIONS and (word.stem in self._index.lexicon or not word.text.endswith("ly"))
        }
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
            if _depends(candidate.words, words):
                return None
            theirs = [word.text for word in words if _negates(word)]
            if bool(mine) != bool(theirs) and (mine or _about(words, stems)):
                return (mine or theirs)[0], number
        return None


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


def _depends(said: Sequence[Word], words: Sequence[Word]) -> bool:
    """Whether one of two sentences is true under a condition that the other knows: `only with`, `not without`."""
    conditions = {word.text for word in said}.intersection(_CONDITIONS)
    if conditions and conditions == {word.text for word in words}.intersection(_CONDITIONS):
        return False
    if conditions:
        return any(_negates(word) or word.text in _CONDITIONS for word in words)
    place = next((place for place, word in enumerate(words) if word.text in _CONDITIONS and place), len(words))
    before = {word.stem for word in words[:place]}
    under = {word.stem for word in words[place:] if word.text not in FUNCTION_WORDS} - before
    return any(word.stem in under for word in said)


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
