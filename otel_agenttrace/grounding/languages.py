"""Which language a text is in, as far as that matters: two texts in different languages share few words."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_FREQUENT = {
    "en": "the and of to is that it for was with on are this be have from not at you they were an by or has",
    "de": "der die und das ist nicht ein eine mit für auf den von zu im dem sich auch wird sind wurde bei aus "
    "nach es ich",
    "fr": "le les des et est une dans pour que qui pas sur au avec du ce il elle sont plus par vous nous",
    "es": "el los las del y es una por con para que se en su como más al lo fue está son",
    "it": "il gli di che è per una con del della sono non anche nel alla le dei si",
    "pt": "os do da em um uma para com não que por mais dos das foi são ao na no",
    "nl": "het een van en is niet dat zijn met voor op aan ook bij naar wordt de",
    "sv": "och det att en som är för av med inte den till på ett har från",
}
_LANGUAGES_OF: dict[str, tuple[str, ...]] = {}
for _language, _words in _FREQUENT.items():
    for _word in _words.split():
        _LANGUAGES_OF[_word] = (*_LANGUAGES_OF.get(_word, ()), _language)
_SCRIPTS = tuple(
    (language, re.compile(f"[{characters}]"))
    for language, characters in (
        ("ja", "\u3040-\u30ff"),
        ("zh", "\u3400-\u4dbf\u4e00-\u9fff"),
        ("ko", "\uac00-\ud7af"),
        ("ar", "\u0600-\u06ff"),
        ("he", "\u0590-\u05ff"),
        ("ru", "\u0400-\u04ff"),
        ("el", "\u0370-\u03ff"),
        ("hi", "\u0900-\u097f"),
        ("th", "\u0e00-\u0e7f"),
    )
)
_SAMPLE = 4_000  # characters that are enough to tell
_SAMPLE_WORDS = 1_000


def script_of(text: str) -> str | None:
    """The language that a script stands for, None for Latin letters."""
    sample = text[:_SAMPLE]
    if sample.isascii():
        return None
    counts = {language: len(script.findall(sample)) for language, script in _SCRIPTS}
    language = max(counts, key=lambda name: counts[name])
    if counts["ja"]:  # Japanese has Chinese characters too
        language = "ja"
    return language if counts[language] * 3 >= sum(letter.isalpha() for letter in sample) else None


def language_of(text: str, words: Iterable[str]) -> str | None:
    """The code of the language a text is in, None if there is too little to tell.

    Args:
        text: the text.
        words: its words in lower case.
    """
    script = script_of(text)
    if script is not None:
        return script
    counts = dict.fromkeys(_FREQUENT, 0)
    for word in islice(words, _SAMPLE_WORDS):
        for language in _LANGUAGES_OF.get(word, ()):
            counts[language] += 1
    first, second = sorted(counts, key=lambda name: -counts[name])[:2]
    return first if counts[first] >= 2 and counts[first] > counts[second] else None
