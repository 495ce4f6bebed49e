"""Which words of the sources stand where: built once, asked for every claim."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_agenttrace.grounding.sources import Passage

_MAX_PLACES = 100  # of one word that are looked at; a word that stands in more tells none of them apart
_NOWHERE: list[int] = []
_BEGINNING = 5  # letters that forms of one word share


class Index:
    """The words of all passages.

    Attributes:
        lexicon: stems of all words.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._count = len(passages)
        self._stems: list[str] = []
        self._passage_at: list[int] = []
        self._pairs: set[tuple[str, str]] = set()
        for number, passage in enumerate(passages):
            self._stems += passage.stems
            self._passage_at += [number] * len(passage.stems)
            self._pairs.update(zip(passage.stems, passage.stems[1:], strict=False))
        self._places: dict[str, list[int]] = {}
        for place, stem in enumerate(self._stems):
            self._places.setdefault(stem, []).append(place)
        self.lexicon = self._places.keys()
        self._beginnings = {stem[:_BEGINNING] for stem in self._places if len(stem) > _BEGINNING}
        self._passages: dict[str, list[int]] = {}

    def has_pair(self, first: str, second: str) -> bool:
        """Whether two words stand beside each other anywhere."""
        return (first, second) in self._pairs

    def knows(self, stem: str) -> bool:
        """Whether a word stands anywhere, perhaps in another form."""
        return stem in self._places or (len(stem) > _BEGINNING and stem[:_BEGINNING] in self._beginnings)

    def weight(self, stem: str) -> float:
        """How much a word tells: the more, the fewer passages have it."""
        return math.log(1 + (self._count + 0.5) / (len(self.passages_of(stem)) + 0.5))

    def passages_of(self, stem: str) -> Sequence[int]:
        """The passages that have a word, at most some, in order."""
        known = self._passages.get(stem)
        if known is None:
            known = list(dict.fromkeys(self._passage_at[place] for place in self._places.get(stem, ())[:_MAX_PLACES]))
            self._passages[stem] = known
        return known

    def best_passages(self, stems: Iterable[str], count: int) -> list[tuple[int, float]]:
        """The passages that have most of some words by weight, each with its share of that weight."""
        weights = {stem: self.weight(stem) for stem in stems}
        total = sum(weights.values())
        shares: dict[int, float] = {}
        for stem, weight in weights.items():
            for passage in self.passages_of(stem):
                shares[passage] = shares.get(passage, 0.0) + weight / total
        return sorted(shares.items(), key=lambda share: (-share[1], share[0]))[:count]

    def passages_with(self, stems: Sequence[str]) -> set[int]:
        """The passages that have some words in a row, as far as the rarest of them is looked at."""
        offset, places = min(
            ((offset, self._places.get(stem, _NOWHERE)) for offset, stem in enumerate(stems)),
            key=lambda known: len(known[1]),
        )
        wanted, count = list(stems), len(stems)
        starts = [place - offset for place in places[:_MAX_PLACES]]
        return {
            self._passage_at[start] for start in starts if start >= 0 and self._stems[start : start + count] == wanted
        }
