"""How much of a sentence stands in its sources, in the order in which it stands there.

Three shares, each from 0 to 1, count alike. No weights were fitted: those that were did worse on sentences that they
were not fitted to.

- the words that stand anywhere in the sources, to the fourth power: what is new in a sentence was brought along;
- the pairs of neighbours among the words that say something which are neighbours there too: who did what to whom;
- the longest row of words that one passage has in the same order, with others between them or not.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.grounding.words import FUNCTION_STEMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_agenttrace.grounding.index import Index
    from otel_agenttrace.grounding.words import Word

_NOVELTY = 4
_MAX_WORDS = 400  # of a sentence, and of a passage, that are looked at


class Overlap(NamedTuple):
    """What a sentence has in common with the sources.

    Attributes:
        likelihood: 0..1, the more of it the sources have in its order.
        known: share of the words that say something which stand in the sources in some form.
        content: how many words say something.
    """

    likelihood: float
    known: float
    content: int


def overlap_of(words: Sequence[Word], index: Index, near: Iterable[Sequence[str]]) -> Overlap:
    """Compare a sentence with the sources.

    Args:
        words: those of the sentence that are to be found.
        index: of the sources.
        near: the stems of the passages that are nearest; none if they are records, where order says nothing.
    """
    words = words[:_MAX_WORDS]
    stems = [word.stem for word in words]
    content = [stem for stem in stems if stem not in FUNCTION_STEMS]
    known = _share(stem in index.lexicon for stem in stems)
    rows = [common_row(stems, passage[:_MAX_WORDS]) for passage in near]
    if rows:
        pairs = _share(index.has_pair(*pair) for pair in pairwise(content))
        likelihood = (known**_NOVELTY + pairs + max(rows) / max(1, len(stems))) / 3
    else:
        likelihood = known
    return Overlap(likelihood, _share(index.knows(stem) for stem in content), len(content))


def common_row(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words two texts have in the same order: the length of their longest common subsequence.

    One bit stands for each word of `one`, so that a word of `other` costs three operations on integers (Hyyrö 2004).
    """
    places: dict[str, int] = {}
    for bit, stem in enumerate(one):
        places[stem] = places.get(stem, 0) | 1 << bit
    everything = (1 << len(one)) - 1
    left = everything
    for stem in other:
        match = left & places.get(stem, 0)
        if match:
            left = (left + match | left - match) & everything
    return len(one) - left.bit_count()


def _share(held: Iterable[bool]) -> float:
    found = list(held)
    return sum(found) / max(1, len(found))
