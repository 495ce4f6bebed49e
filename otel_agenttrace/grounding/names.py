"""Names in a sentence, told from other words by their capitals."""

from __future__ import annotations

import re

from otel_agenttrace.grounding.references import Reference
from otel_agenttrace.grounding.words import FUNCTION_WORDS, word_set

_TOKEN = re.compile(r"[^\W\d_][\w'\u2019]{0,60}(?:[.&-][\w'\u2019]{1,60}){0,6}")
_OPENS = re.compile(r"(?:^|[:;!?.\u2022|\u2013\u2014(\"\u201c\u201e\[]|\*\*|__)\s*[\"'(\[*_]*$")
_ENDING = re.compile(r"['\u2019](?:s|d|ll|ve|re|m)?$")  # `We'd`, `Ada's`
_PRICE = re.compile(r"\d\s?(?:\u20ac|[$]|EUR|USD)?\s?/$")
_ORDINARY = word_set(
    "i ok okay yes no note please hello hi thanks english german french spanish italian dutch portuguese chinese "
    "japanese arabic euro euros dollar dollars pound pounds yen celsius fahrenheit kelvin usd eur gbp sek "
    "nok dkk chf "
    "jpy json api url html http https pdf csv sql xml markdown id ai llm faq tv wifi wi-fi utc gmt cet cest "
    "est edt pst "
    "pdt am pm monday tuesday wednesday thursday friday saturday sunday january february march april may june july "
    "august september october november december jan feb mar apr jun jul aug sep sept oct nov dec mr mrs ms dr prof "
    "sir madam usa uk eu us mon tue wed thu fri sat sun internet web email phone christmas easter"
)
_MAX_TITLE_SHARE = 0.9  # of the words capitalised: a headline, in which capitals say nothing


def names_of(sentence: str) -> list[Reference]:
    """Words that only a name would write with a capital; the first word of a sentence is none."""
    tokens = list(_TOKEN.finditer(sentence))
    long = [token.group() for token in tokens if len(token.group()) > 3]
    if len(long) > 4 and sum(word[0].isupper() for word in long) > _MAX_TITLE_SHARE * len(long):
        return []
    if len(tokens) > 2 and sentence.isupper():
        return []
    found = []
    for token in tokens:
        word = token.group()
        if not word[0].isupper() or len(word) < 2:
            continue
        bare = _ENDING.sub("", word)
        if bare.lower() in _ORDINARY or bare.lower() in FUNCTION_WORDS:
            continue
        if sentence[token.start() - 1 : token.start()] == "/" and _PRICE.search(
            sentence, max(0, token.start() - 8), token.start()
        ):
            continue  # what a price is for
        if len(bare) <= 4 and re.search(r"\d[ \u00a0]?$", sentence[max(0, token.start() - 2) : token.start()]):
            continue  # a unit
        if _OPENS.search(sentence, max(0, token.start() - 8), token.start()) and not _is_marked(bare):
            continue
        found.append(Reference(bare, token.start(), token.start() + len(bare)))
    return found


def _is_marked(word: str) -> bool:
    """Written as no ordinary word is, even at the start of a sentence."""
    return any(letter.isupper() for letter in word[1:])
