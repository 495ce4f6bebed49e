"""Which pieces of an output claim something that sources could bear out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.grounding.json_text import find_json, read_json
from otel_agenttrace.grounding.sentences import Piece, pieces_of
from otel_agenttrace.grounding.words import FUNCTION_WORDS, Word, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_QUESTION = re.compile(r"[?\uff1f\u061f][)*_\s]*$")
_TALK = re.compile(
    r"(?:(?:please|feel free|let me know|just let me|if you(?:'d| would| need| want| have|\u2019d)|would you|do "
    r"you|can i|"
    r"could you|shall i|i(?:'d| would|\u2019d) be (?:happy|glad)|i(?:'m| am|\u2019m) (?:happy|glad|here)|i can "
    r"(?:also )?help|"
    r"i hope|hope (?:this|that|you)|happy to|glad to|thank|thanks|you(?:'re|\u2019re| are) welcome|sure|"
    r"certainly|of course|"
    r"absolutely|great question|hello|hi|hey|good (?:morning|afternoon|evening)|dear|best regards|kind regards|"
    r"sincerely|"
    r"have a|enjoy|safe travels|bon voyage|i(?:'m| am|\u2019m) sorry|sorry|i apologi[sz]e|unfortunately, i "
    r"(?:can|could|do|am)|"
    r"i (?:can(?:no|')t|could(?: not|n't)|do not|don't|am unable|was unable)|let's|here (?:is|are|'s)|below (?:is|are)|"
    r"don't hesitate|in summary|to summarize|i(?:'ll| will|\u2019ll)|bitte|gerne|lassen sie|falls sie|wenn sie|"
    r"viel|danke)\b)",
    re.IGNORECASE,
)
_LEAD_IN = re.compile(r"[:\uff1a][*_\s]*$")
_HEDGE = re.compile(
    r"\b(?:let me know|feel free|don't hesitate|happy to help|just ask|is there anything)\b", re.IGNORECASE
)
_OPINION = re.compile(
    r"\b(?:may|might|could|would|usually|typically|generally|recommend|suggest|overall|note that|könnte|würde|"
    r"empfehle)\b",
    re.IGNORECASE,
)
_MARKS = re.compile(r"[\s*_~#>]+")
_LABEL_KEY = re.compile(
    r"(?:.*_)?(?:number|no|id|index|step|rank|page|position|score|confidence|rating)", re.IGNORECASE
)
_MAX_CLAIMS = 500
_MIN_WORDS = 2  # that say something; with fewer there is no statement to compare


class Candidate(NamedTuple):
    """A piece of the output to be checked.

    Attributes:
        text: as it stands there, decoration at both ends left out.
        start: index of its first character in the output.
        end: index after its last.
        words: all of them; positions are in `text`.
        content: those that say something.
        is_plain: nothing but a statement in words would make it a claim: talk, a lead-in, a question.
        is_opinion: it says what may be, or what to do, in words that need not be those of the sources.
    """

    text: str
    start: int
    end: int
    words: list[Word]
    content: list[Word]
    is_plain: bool
    is_opinion: bool


def candidates_of(output: str) -> Iterator[Candidate]:
    """The pieces of an output that may claim something, in order; of JSON the values."""
    pieces = _values(output) if _is_json(output) else _prose(output)
    count = 0
    for start, end, role in pieces:
        text = output[start:end]
        words = words_of(text)
        content = [word for word in words if word.text not in FUNCTION_WORDS]
        if content and not _QUESTION.search(text):
            count += 1
            yield Candidate(
                text, start, end, words, content, _is_talk(text, content, role), _OPINION.search(text) is not None
            )
        if count >= _MAX_CLAIMS:
            return


def _prose(output: str) -> Iterator[Piece]:
    for piece in pieces_of(output):
        if piece.role not in ("code", "heading"):
            front = _MARKS.match(output, piece.start, piece.end)
            start = front.end() if front else piece.start
            end = start + len(output[start : piece.end].rstrip("*_~ \t"))
            if end > start:
                yield Piece(start, end, piece.role)


def _is_json(output: str) -> bool:
    return output.lstrip()[:1] in ("{", "[") and not output[: find_json(output, 0)].strip()


def _values(output: str) -> Iterator[Piece]:
    """The values of structured output: sentences of its strings, other values with their keys."""
    for value in read_json(output, find_json(output, 0)).values:
        if isinstance(value.content, str):
            inner = value.end - 1 - len(value.content)
            if output[inner : value.end - 1] == value.content:
                for piece in _prose(value.content):
                    yield Piece(inner + piece.start, inner + piece.end, piece.role)
        elif isinstance(value.content, float) and value.path and not _LABEL_KEY.fullmatch(value.path[-1]):
            yield Piece(value.start, value.end, "row")


def _is_talk(text: str, content: list[Word], role: str) -> bool:
    """Whether the words say nothing about the world, so that only numbers, names and the like in them count."""
    if _TALK.match(text) or _LEAD_IN.search(text) or _HEDGE.search(text):
        return True
    return len(content) < _MIN_WORDS or (role == "row" and len(content) < 3)


def item_counts(output: str) -> frozenset[int]:
    """How many items each list of an output has: `three flights:` before three bullets counts what is there."""
    counts, run = set(), 0
    for piece in pieces_of(output):
        if piece.role in ("item", "row"):
            run += 1
        elif output[max(0, piece.start - 1)] == "\n" and run:
            counts.add(run)
            run = 0
    return frozenset(counts | {run} - {0, 1})
