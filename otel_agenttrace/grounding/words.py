"""Words of a text as things to compare: lower case, cut to a stem, in scripts without spaces one per character."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]{1,3}\b)?")
_MAX_WORD = 40  # characters of a word that count; what is longer is no word of a language
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_APOSTROPHE = re.compile(r"['\u2019].*")


def word_set(words: str) -> frozenset[str]:
    """The words of a line, for tables of them."""
    return frozenset(words.split())


class Word(NamedTuple):
    """A word and where it stands.

    Attributes:
        text: lower case.
        stem: what it has in common with its inflected forms.
        start: index of its first character in the text.
        end: index after its last.
    """

    text: str
    stem: str
    start: int
    end: int


def words_of(text: str) -> list[Word]:
    """The words of a text, in order."""
    words = []
    for match in _WORD.finditer(text):
        token = match.group()
        if not token.isascii() and _UNSPACED.search(token):
            words.extend(_characters(token, match.start()))
        else:
            lowered = token[:_MAX_WORD].lower()
            words.append(Word(lowered, stem(lowered), match.start(), match.end()))
    return words


def stems_of(text: str) -> list[str]:
    """The stems of the words of a text, in order."""
    lowered = text.lower()
    if lowered.isascii() or not _UNSPACED.search(lowered):
        return [stem(token) if len(token) <= _MAX_WORD else stem(token[:_MAX_WORD]) for token in _WORD.findall(lowered)]
    return [word.stem for word in words_of(text)]


def _characters(token: str, start: int) -> list[Word]:
    lowered = token.lower()
    if len(lowered) != len(token):  # a few capitals have a longer lower case
        lowered = token
    return [Word(letter, letter, start + index, start + index + 1) for index, letter in enumerate(lowered)]


_IRREGULAR = {
    "ran": "run", "won": "win", "lost": "lose", "sold": "sell", "bought": "buy", "paid": "pay", "said": "say",
    "told": "tell", "found": "find", "made": "make", "took": "take", "taken": "take", "gave": "give", "given": "give",
    "left": "leave", "met": "meet", "held": "hold", "kept": "keep", "sent": "send", "spent": "spend",
    "began": "begin", "begun": "begin", "fell": "fall", "fallen": "fall", "rose": "rise", "risen": "rise",
    "grew": "grow", "grown": "grow", "knew": "know", "known": "know", "wrote": "write", "written": "write",
    "broke": "break", "broken": "break", "chose": "choose", "chosen": "choose", "stole": "steal", "stolen": "steal",
    "beaten": "beat", "shot": "shoot", "died": "die", "dead": "die", "death": "die", "children": "child",
    "men": "man", "women": "woman", "people": "person", "built": "build", "cost": "cost", "costs": "cost",
    "went": "go", "gone": "go", "goes": "go", "came": "come", "saw": "see", "seen": "see", "led": "lead",
    "struck": "strike", "fought": "fight", "caught": "catch", "thought": "think", "brought": "bring", "felt": "feel",
    "became": "become", "hit": "hit", "flew": "fly", "flown": "fly", "flight": "fly", "flights": "fly",
    "drove": "drive", "driven": "drive", "wore": "wear", "worn": "wear", "got": "get", "gotten": "get",
}  # fmt: skip
_DOUBLED = re.compile(r"([bdfgmnprt])\1$")


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Cut a word in lower case to what its inflected forms share; English endings, harmless to other languages."""
    word = _APOSTROPHE.sub("", word)
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3 or not word.isascii() or not word.isalpha():
        return word
    word = _singular(word)
    for ending in ("ingly", "edly", "ing", "ed", "ly"):
        base = word[: -len(ending)]
        if word.endswith(ending) and len(base) >= 3 and any(vowel in base for vowel in "aeiouy"):
            word = _DOUBLED.sub(r"\1", base)
            break
    for ending in (
        "abilities",
        "ability",
        "able",
        "ations",
        "ation",
        "ment",
        "ness",
        "ities",
        "ity",
        "ive",
        "ion",
        "al",
        "er",
        "or",
        "e",
    ):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word[:-1] + "i" if word.endswith("y") and len(word) > 3 else word


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


FUNCTION_WORDS = word_set(
    "a an the this that these those there here it its itself he him his she her hers they them their theirs "
    "we us our "
    "ours you your yours i me my mine who whom whose which what when where why how and or but nor so yet if "
    "then else "
    "than as at by for from in into of off on onto out over to up with within without about after again "
    "against all "
    "also although am among and any are aren't be because been before being below between both can can't could "
    "couldn't did didn't do does doesn't doing don't down during each either few further had hadn't has "
    "hasn't have "
    "haven't having just like may me might more most much must near neither no not now once one only other "
    "others own "
    "per same shall should since some such s t through too under until upon very was wasn't were weren't "
    "while will "
    "won't would i'm it's you're we're they're i've you've we've i'll you'll let let's is isn't that's "
    "there's d ll re "
    "ve m is "
    "der die das den dem des ein eine einen einem einer eines und oder aber nicht ist sind war waren wird "
    "werden mit "
    "von vom zu zum zur im in am an auf aus bei nach über unter für um durch als auch es er sie wir ihr ich "
    "du sich "
    "hat haben kann können noch nur so wie dass wenn "
    "le la les un une des du de et ou mais ne pas est sont était dans sur avec pour par que qui il elle "
    "nous vous ils "
    "el los las una unos y o pero no es son era en con por para que se lo su al del "
    "il lo gli uno ed ma non sono nel nella di da che si "
    "o os um uma e não são em com por"
)

FUNCTION_STEMS = frozenset(map(stem, FUNCTION_WORDS))
