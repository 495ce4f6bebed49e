"""Words that exclude each other, and words that turn a sentence around."""

from __future__ import annotations

from otel_agenttrace.grounding.words import stem, word_set

_PAIRS = (
    ("available availability vacant", "unavailable occupied"),
    ("increase rise grow climb gain rose grew higher", "decrease fall drop decline shrink fell lower"),
    ("open opened", "closed close shut"),
    ("confirmed accepted approved granted", "cancelled canceled rejected denied declined refused"),
    ("succeeded success successful successfully passed pass", "failed fail failure unsuccessful"),
    ("enabled enable active", "disabled disable inactive"),
    ("refundable", "nonrefundable unrefundable"),
    ("included include includes including", "excluded exclude excludes excluding"),
    ("won win beat", "lost lose"),
    ("cheaper cheapest lowest", "dearer expensive highest"),
    ("sunny clear dry", "rainy rain raining cloudy overcast snow storm"),
    ("hot warm", "cold freezing"),
    ("allowed allow permitted", "forbidden forbid prohibited banned ban"),
    ("public", "private"),
    ("minimum", "maximum"),
    ("supported supports", "unsupported"),
    ("true", "false"),
    ("healthy", "unhealthy"),
    ("paid", "unpaid overdue"),
)  # fmt: skip


def _opposites() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for one, other in _PAIRS:
        sides = [frozenset(map(stem, word_set(side))) for side in (one, other)]
        for mine, theirs in (sides, reversed(sides)):
            for word in mine:
                found[word] = found.get(word, frozenset()) | theirs
    return found


OPPOSITES = _opposites()
NEGATIONS = word_set(
    "not no never without cannot neither none nobody nothing nor isn't aren't wasn't weren't don't doesn't didn't "
    "can't couldn't won't wouldn't hasn't haven't hadn't shouldn't unable nicht kein keine keinen keiner nie ohne pas "
    "jamais aucun nunca sin"
)
