"""How likely a sentence is one that its sources bear out, by the words it shares with them.

Three things tell. Words that stand nowhere in the sources were brought along. Two words that stand beside each other
in the sentence but nowhere in the sources are a seam: something was left out, or two statements were glued together.
A seam between runs of words from different passages is the worst, one right after the subject the mildest.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.grounding.words import FUNCTION_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_agenttrace.grounding.index import Index
    from otel_agenttrace.grounding.words import Word

_START = 3.0  # log odds of a sentence copied word by word
_PER_NOVEL_WORD = 0.3
_PER_NOVEL_SHARE = 8.0
_SEAM_AFTER_SUBJECT = 0.5  # `She was`, where the source has her name
_SEAM_OF_PASSAGES = 1.5
_SUBJECT = 3  # words at the start of a sentence that may be another name for its subject
_RUN = 3  # words in a row that were copied
_MAX_WORDS = 400  # of a sentence that are looked at


class Overlap(NamedTuple):
    """What a sentence has in common with the sources.

    Attributes:
        odds: log odds that the sources bear it out.
        known: share of the words that say something which stand in the sources in some form.
        content: how many words say something.
    """

    odds: float
    known: float
    content: int

    @property
    def likelihood(self) -> float:
        """0..1."""
        return 1 / (1 + math.exp(-max(-30.0, self.odds)))


def overlap_of(words: Sequence[Word], index: Index, *, in_order: bool) -> Overlap:
    """Compare a sentence with the sources.

    Args:
        words: those of the sentence that are to be found.
        index: of the sources.
        in_order: the sources are prose here; what stands beside what in a record says nothing.
    """
    words = words[:_MAX_WORDS]
    content = [word.stem for word in words if word.text not in FUNCTION_WORDS]
    novel = sum(word not in index.lexicon for word in content)
    share = sum(word.stem not in index.lexicon for word in words) / max(1, len(words))
    odds = _START - _PER_NOVEL_WORD * novel - _PER_NOVEL_SHARE * share
    if in_order:
        odds -= math.log(1 + _seams([word.stem for word in words], index))
    known = sum(index.knows(stem) for stem in content) / max(1, len(content))
    return Overlap(odds, known, len(content))


def _seams(stems: Sequence[str], index: Index) -> float:
    """The seams of a sentence, each by its weight."""
    total = 0.0
    for place in range(1, len(stems)):
        if not index.has_pair(stems[place - 1], stems[place]):
            total += _seam(stems, place, index)
    return total


def _seam(stems: Sequence[str], place: int, index: Index) -> float:
    after = stems[place : place + _RUN]
    ends = index.passages_with(after) if len(after) == _RUN else ()
    if not ends:
        return 1.0
    if place <= _SUBJECT:
        return _SEAM_AFTER_SUBJECT
    starts = index.passages_with(stems[place - _RUN : place])
    if not starts or any(abs(start - end) <= 1 for start in starts for end in ends):
        return 1.0
    return _SEAM_OF_PASSAGES
