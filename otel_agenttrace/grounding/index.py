"""Which words of the sources stand where: built once, asked for every claim."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from otel_agenttrace.grounding.words import FUNCTION_STEMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_agenttrace.grounding.sources import Passage

_MAX_PASSAGES = 100  # of one word that are looked at; a word that stands in more tells none of them apart
_NOWHERE: list[int] = []
_BEGINNING = 5  # letters that forms of one word share


class Index:
    """The words of all passages.

    Attributes:
        lexicon: stems of all words.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._count = len(passages)
        self._pairs: set[tuple[str, str]] = set()
        self._passages: dict[str, list[int]] = {}
        for number, passage in enumerate(passages):
            content = [stem for stem in passage.stems if stem not in FUNCTION_STEMS]
            self._pairs.update(pairwise(content))
            for stem in dict.fromkeys(passage.stems):
                self._passages.setdefault(stem, []).append(number)
        self.lexicon = self._passages.keys()
        self._beginnings = {stem[:_BEGINNING] for stem in self._passages if len(stem) > _BEGINNING}

    def has_pair(self, first: str, second: str) -> bool:
        """Whether two words that say something are neighbours anywhere, but for words that say nothing."""
        return (first, second) in self._pairs

    def knows(self, stem: str) -> bool:
        """Whether a word stands anywhere, perhaps in another form."""
        return stem in self._passages or (len(stem) > _BEGINNING and stem[:_BEGINNING] in self._beginnings)

    def weight(self, stem: str) -> float:
        """How much a word tells: the more, the fewer passages have it."""
        return math.log(1 + (self._count + 0.5) / (len(self.passages_of(stem)) + 0.5))

    def passages_of(self, stem: str) -> Sequence[int]:
        """The passages that have a word, at most some, in order."""
        return self._passages.get(stem, _NOWHERE)[:_MAX_PASSAGES]

    def best_passages(self, stems: Iterable[str], count: int) -> list[tuple[int, float]]:
        """The passages that have most of some words by weight, each with its share of that weight."""
        weights = {stem: self.weight(stem) for stem in stems}
        total = sum(weights.values())
        shares: dict[int, float] = {}
        for stem, weight in weights.items():
            for passage in self.passages_of(stem):
                shares[passage] = shares.get(passage, 0.0) + weight / total
        return sorted(shares.items(), key=lambda share: (-share[1], share[0]))[:count]
