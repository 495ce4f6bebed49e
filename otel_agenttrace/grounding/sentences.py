"""Where the sentences, list items and table rows of a text begin and end."""

from __future__ import annotations

import re
from typing import NamedTuple

from otel_agenttrace.grounding.words import word_set

_FENCE = re.compile(r"\s{0,8}(?:```|~~~)")
_MARKER = re.compile(
    r"[ \t]{0,40}(?:>[ \t]?)*[ \t]{0,40}(?:(?:[-*+\u2022\u2023\u25e6\u25aa\u2013]|\(?[0-9]{1,3}[.)]|[a-z]\))[ "
    r"\t]+)?(?:\[[ xX]\][ \t]+)?"
)
_ITEM = re.compile(r"[ \t>]{0,40}(?:[-*+\u2022\u2023\u25e6\u25aa\u2013]|\(?[0-9]{1,3}[.)]|[a-z]\))[ \t]+")
_NUMBER_BEFORE = re.compile(r"\d[ \u00a0]?$")
_NUMBERING = re.compile(r"\(?[0-9]{1,3}[.)]")
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}(?:[ \t]|$)")
_RULE = re.compile(r"[ \t|:*_=+-]*$")
_END = re.compile(
    r"(?P<stop>[.!?\u2026\u061f\u06d4\u0964]+)(?P<close>[\"'\u201d\u2019\u00bb)\]*_`]*)(?=\s|$)|"
    r"[\u3002\uff01\uff1f\uff61][\u300d\u300f\u201d\uff09]*"
)
_LAST_WORD = re.compile(r"[^\s(\[\"'\u201c]{1,24}$")
_ABBREVIATIONS = word_set(
    "mr mrs ms dr prof sr jr st rev hon gen col capt lt sgt gov sen rep pres insp det supt no nos vs etc "
    "inc ltd co "
    "corp dept est approx ca cf al fig figs vol pp ed eds eq sec min max avg incl excl tel ext e.g i.e eg "
    "ie a.m p.m "
    "am pm jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun z.b d.h bzw usw ca nr str "
    "tägl zzgl inkl u.a s.o u.s u.k u.n ph.d"
)
_AFTER_NUMBER = word_set("ms sec min max am pm a.m p.m est")  # units there, which may end a sentence
_MAX_PIECE = 2_000  # characters of a sentence; what is longer is data, and cut
_MAX_BLOCK = 20_000  # characters of one paragraph looked at as one; what is longer is cut


class Piece(NamedTuple):
    """A stretch of a text.

    Attributes:
        start: index of its first character.
        end: index after its last.
        role: `sentence`, `item` (first sentence of a list item), `row` (of a table), `heading` or `code`.
    """

    start: int
    end: int
    role: str


def pieces_of(text: str) -> list[Piece]:
    """The stretches of a text that stand for themselves, in order; white space and list markers are in none."""
    pieces: list[Piece] = []
    for block in _blocks(text):
        if block.role in ("sentence", "item"):
            pieces.extend(_sentences(text, block))
        else:
            pieces.append(block)
    return pieces


def _blocks(text: str) -> list[Piece]:
    blocks: list[Piece] = []
    position, in_code, continues = 0, False, False
    for line in text.splitlines(keepends=True):
        start, position = position, position + len(line)
        stripped = line.strip()
        if _FENCE.match(line):
            in_code, continues = not in_code, False
        elif not stripped or (_RULE.match(stripped) and len(stripped) < 4096):
            continues = False
        else:
            block = _block(line, start, in_code=in_code)
            if continues and block.role == "sentence" and _goes_on(text, blocks[-1], block):
                blocks[-1] = blocks[-1]._replace(end=block.end)
            elif block.end > block.start:
                blocks.append(block)
            continues = bool(blocks) and blocks[-1].role in ("sentence", "item")
    return blocks


def _block(line: str, start: int, *, in_code: bool) -> Piece:
    end = start + len(line.rstrip())
    if in_code:
        return Piece(start, end, "code")
    if _HEADING.match(line):
        return Piece(start, end, "heading")
    if line.lstrip().startswith("|") or line.count("|") >= 2:
        return Piece(start + len(line) - len(line.lstrip()), end, "row")
    marker = _MARKER.match(line)
    begin = start + (marker.end() if marker else 0)
    return Piece(min(begin, end), end, "item" if _ITEM.match(line) else "sentence")


def _goes_on(text: str, before: Piece, after: Piece) -> bool:
    """Whether a line only stands on a line of its own because the one before was full."""
    last, first = text[before.end - 1], text[after.start]
    return after.end - before.start < _MAX_BLOCK and last not in ".!?:;" and (first.islower() or last == ",")


def _sentences(text: str, block: Piece) -> list[Piece]:
    found: list[Piece] = []
    start = block.start
    for match in _END.finditer(text, block.start, block.end):
        if match["stop"] and not _ends_sentence(text, start, match, block.end):
            continue
        _append(found, text, start, match.end(), "sentence" if found else block.role)
        start = match.end()
    _append(found, text, start, block.end, "sentence" if found else block.role)
    return found


def _append(found: list[Piece], text: str, start: int, end: int, role: str) -> None:
    while end - start > _MAX_PIECE:
        cut = max(text.rfind(" ", start + 1, start + _MAX_PIECE), start + _MAX_PIECE // 2)
        _append(found, text, start, cut, role)
        start = cut
    chunk = text[start:end]
    start, end = start + len(chunk) - len(chunk.lstrip()), end - (len(chunk) - len(chunk.rstrip()))
    if start < end and not _NUMBERING.fullmatch(text, start, end):
        found.append(Piece(start, end, role))


def _ends_sentence(text: str, start: int, match: re.Match[str], end: int) -> bool:
    if match["stop"] != ".":
        return True
    last = _LAST_WORD.search(text, max(start, match.start() - 24), match.start())
    word = last.group().lower() if last else ""
    if last and word in _AFTER_NUMBER and _NUMBER_BEFORE.search(text, max(start, last.start() - 2), last.start()):
        return text[match.end() : match.end() + 2].strip()[:1].isupper() or match.end() >= end
    if word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and last and last.group().isupper()):
        return False
    following = text[match.end() : min(end, match.end() + 3)].lstrip()
    if word[-1:].isdecimal() and following[:1].isdecimal():  # `1. 3 million`, as some texts are spaced
        return False
    if word.isdecimal() and len(word) <= 2:  # `15. Februar`
        return not following[:1].isalpha() or not _is_month(text[match.end() : match.end() + 12])
    return not following[:1].islower()


def _is_month(text: str) -> bool:
    word = text.split()[:1]
    return bool(word) and word[0].lower()[:3] in {
        "jan", "feb", "mär", "mae", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez",
    }  # fmt: skip
