"""Short claims against records: `no errors` beside a list of errors, `rejected` beside a status `approved`."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from otel_agenttrace.grounding.opposites import NEGATIONS, OPPOSITES
from otel_agenttrace.grounding.words import stem, stems_of, word_set

if TYPE_CHECKING:
    from otel_agenttrace.grounding.claims import Candidate
    from otel_agenttrace.grounding.sources import Material

_NOTHING = re.compile(
    r"\b(?:there (?:are|were|is|was) (?:currently )?no|(?:found|find|has|have|had|with|returned|contains?|"
    r"shows?|showed) no|^no) (?P<what>[^\W\d_]{3,30})"
    r"(?=\s*(?:[.,;!]|$|(?:were|was|are|is) (?:found|reported|returned)|found\b|reported\b|at all\b))",
    re.IGNORECASE,
)
_STATUS = frozenset(map(stem, word_set("status state result outcome conclusion")))
_COUNT = frozenset(map(stem, word_set("count total number num")))
_MAX_CONTENT = 3  # words that say something; a longer claim may speak of something beside the record


class Absences:
    """Which things the records of the sources have, and in which state they say that all is."""

    def __init__(self, material: Material) -> None:
        self._material = material

    @cached_property
    def _things(self) -> dict[str, set[bool]]:
        """Whether there are any of a thing, as each list and count of it says."""
        things: dict[str, set[bool]] = {}
        for key, items in self._material.lists:
            if key:
                things.setdefault(key[-1], set()).add(items > 0)
        for field in self._material.fields:
            if isinstance(field.content, float) and len(field.name) == 2:
                for thing, other in (field.name, field.name[::-1]):
                    if other in _COUNT and thing not in _COUNT:
                        things.setdefault(thing, set()).add(field.content > 0)
        return things

    @cached_property
    def _states(self) -> dict[str, int]:
        """The words of the one state that all records are in, and where they say so; none if there are several."""
        states = {
            field.content: field.passage
            for field in self._material.fields
            if isinstance(field.content, str) and field.name and field.name[-1] in _STATUS
        }
        return (
            {word: place for state, place in states.items() for word in stems_of(state[:80])}
            if len(states) == 1
            else {}
        )

    def denies(self, text: str) -> str | None:
        """The words of a text that say that there are no things of which the sources list some; None if none do."""
        match = _NOTHING.search(text)
        if match is None:
            return None
        return match.group() if self._things.get(stem(match["what"].lower())) == {True} else None

    def opposite_state(self, candidate: Candidate) -> tuple[str, int] | None:
        """The word of a short claim that excludes the one state which the records name, and the passage of that."""
        if len(candidate.content) > _MAX_CONTENT or NEGATIONS.intersection(self._states):
            return None
        if any(word.text.replace("\u2019", "'") in NEGATIONS for word in candidate.words):
            return None
        for word in candidate.content:
            excluded = OPPOSITES.get(word.stem, frozenset()).intersection(self._states)
            if excluded and word.stem not in self._states:
                return word.text, self._states[min(excluded)]
        return None
