"""Whether an address, quotation, identifier or name stands in the sources."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from otel_agenttrace.grounding.references import addresses_of, plain_address, plain_code, plain_text
from otel_agenttrace.grounding.words import stem, words_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from otel_agenttrace.grounding.sources import Material

_ELLIPSIS = re.compile(r"\.{3}|\u2026|\[[^\]]{0,40}\]")
_SHORT_QUOTATION = 2  # words; one as short may be a title, a label or irony
_MAX_ACRONYM = 6
_MAX_SEARCHED = 2_000_000_000  # characters of sources run through for one output; what comes after is not judged
_MAX_BEGINNINGS = 12  # of an address
_QUARTER = re.compile(r"q[1-4]")


class Mentions:
    """What the sources mention, arranged for looking things up."""

    def __init__(self, material: Material, lexicon: Collection[str]) -> None:
        """Take the sources, and the stems of all their words."""
        self._material = material
        self._lexicon = lexicon
        self._found: dict[str, bool] = {}
        self._budget = _MAX_SEARCHED

    def has_address(self, address: str) -> bool:
        """Whether an address stands in the sources, or is the beginning of one that does."""
        plain = plain_address(address)
        if plain in self._addresses:
            return True
        return "/" not in plain and self._stands(plain.casefold(), self._folded)

    @cached_property
    def _addresses(self) -> set[str]:
        texts = (source.replace("\\/", "/") for source in self._material.sources)
        whole = {plain_address(found.text) for text in texts for found in addresses_of(text)}
        return {start for address in whole for start in _beginnings_of(address)}

    def _stands(self, words: str, text: str) -> bool:
        """Whether some words stand in a text; searched for once; taken as there when too much was searched."""
        if words not in self._found:
            self._budget -= len(text)
            self._found[words] = self._budget < 0 or words in text
        return self._found[words]

    @cached_property
    def _folded(self) -> str:
        return "\n".join(self._material.sources).casefold()

    def has_quotation(self, text: str) -> bool:
        """Whether somebody is quoted rightly: the same words in a row; marks, case and what `...` leaves out aside."""
        parts = [plain for part in _ELLIPSIS.split(text) if (plain := plain_text(part))]
        if sum(part.count(" ") + 1 for part in parts) <= _SHORT_QUOTATION and text.isascii():
            return True
        return all(
            self._stands(f" {part} ", self._plain) or (not part.isascii() and self._stands(part, self._plain))
            for part in parts
        )

    @cached_property
    def _plain(self) -> str:
        return f" {' '.join(plain_text(text) for text in self._material.texts())} "

    def has_name(self, name: str) -> bool:
        """Whether a name or identifier stands in the sources: inflected, abbreviated or within an address too."""
        lowered = name.casefold()
        if _QUARTER.fullmatch(lowered):  # sources that know none may have dates of it
            return lowered in self._lexicon or not any(f"q{number}" in self._lexicon for number in range(1, 5))
        if lowered in self._lexicon or stem(lowered) in self._lexicon:
            return True
        if any(letter.isdigit() for letter in name):
            return self._stands(plain_code(name), self._codes) or self._has_parts(name)
        if len(lowered) >= 4 and (self._stands(lowered, self._folded) or self._is_derived(lowered)):
            return True
        return self._is_acronym(lowered) if name.isupper() else self._has_parts(name) or self._has_code_for(lowered)

    @cached_property
    def _codes(self) -> str:
        return plain_code(self._folded)

    def _has_parts(self, name: str) -> bool:
        """`Wi-Fi`, `AT4711`: all parts are there, if not together."""
        parts = re.findall(r"\d+|[^\W\d_]+", name.casefold())
        return len(parts) > 1 and all(part in self._lexicon or stem(part) in self._lexicon for part in parts)

    def _is_derived(self, name: str) -> bool:
        """`Norwegian` and `Norway` share their beginning."""
        return name[: max(4, len(name) * 2 // 3)] in self._beginnings if len(name) >= 5 else False

    @cached_property
    def _beginnings(self) -> set[str]:
        return {word[:length] for word in self._lexicon for length in range(4, min(len(word), 12) + 1)}

    def _is_acronym(self, name: str) -> bool:
        return 2 <= len(name) <= _MAX_ACRONYM and name in self._initials

    @cached_property
    def _initials(self) -> str:
        """The first letters of all words in a row: `United Nations` has `un` in it."""
        return "".join(word.text[0] for text in self._material.texts() for word in words_of(text))

    def _has_code_for(self, name: str) -> bool:
        """`OSL` for Oslo: three capitals that are its first letter and two later ones in order."""
        return any(code[0] == name[0] and _is_within(code, name) for code in self._short_codes)

    @cached_property
    def _short_codes(self) -> set[str]:
        return {match.casefold() for source in self._material.sources for match in re.findall(r"\b[A-Z]{3}\b", source)}


def _beginnings_of(address: str) -> list[str]:
    """An address, and those above it."""
    ends = [match.start() for match in re.finditer(r"[/?]", address)][:_MAX_BEGINNINGS]
    return [address, *(address[:end] for end in ends)]


def _is_within(letters: str, name: str) -> bool:
    rest = iter(name)
    return all(letter in rest for letter in letters)
