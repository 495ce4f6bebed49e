"""Frames: how one record lies in a segment, and how the next whole one is found behind a damaged one.

A frame is a header and a payload, little endian:

    magic (2) | crc32 (4) | kind (1) | flags (1), 0 | length of the payload (4) | payload

The checksum covers everything behind itself, and starts from a seed that differs between segments: what a disk shows
of an older file after a power cut is no frame of this one. The magic's first byte occurs in no UTF-8 text, so that no
span holds what could be taken for a frame.

Payloads of spans are `sequence number (8) | numbers of the resource, the scope and the origin (4 each) | the span's
text`; those of definitions are `number (4) | text`. Number 0 is none. The sequence number lies in the frame, and is not
counted by readers: so a record keeps its own whatever becomes of those before it, and what is missing can be counted.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import NamedTuple
from zlib import crc32

MAGIC = b"\xfe\xa7"
MAX_PAYLOAD_BYTES = 1 << 26
"""A header that claims more is damaged; records are refused long before."""

INCOMPLETE = 0
DAMAGED = -1


class Kind(IntEnum):
    """What a frame holds. A reader passes over kinds that it does not know."""

    SPAN = 1
    """A span that has ended."""
    START = 2
    """A span that has started; of no use once its SPAN is there."""
    RESOURCE = 3
    SCOPE = 4
    ORIGIN = 5
    """Where in the code spans come from."""


# To look a member up in an enumeration takes as long as three calls.
SPAN, START = Kind.SPAN, Kind.START


HEADER = Struct("<2sIBBI")
SPAN_FIELDS = Struct("<QIII")
DEFINITION_FIELDS = Struct("<I")
_CHECKED_FROM = 6
_SEAL = Struct("<2sI")
_SPAN_HEAD = Struct("<BBIQIII")
_DEFINITION_HEAD = Struct("<BBII")


class SpanFields(NamedTuple):
    """What a span's payload holds before its text."""

    seq: int
    resource: int
    scope: int
    origin: int


def encode_span(kind: int, fields: tuple[int, int, int, int], text: bytes, seed: int) -> bytes:
    """Return the frame of a span; `fields` are those of SpanFields."""
    head = _SPAN_HEAD.pack(kind, 0, 20 + len(text), *fields)
    return _SEAL.pack(MAGIC, crc32(text, crc32(head, seed))) + head + text


def encode_definition(kind: int, number: int, text: bytes, seed: int) -> bytes:
    """Return the frame of a resource, scope or origin, which spans of the same segment name by its number."""
    head = _DEFINITION_HEAD.pack(kind, 0, 4 + len(text), number)
    return _SEAL.pack(MAGIC, crc32(text, crc32(head, seed))) + head + text


def frame_end(data: bytes, at: int, seed: int) -> int:
    """Return where the frame that begins at `at` ends; INCOMPLETE if the data ends before it, DAMAGED if it is none."""
    if len(data) - at < HEADER.size:
        return INCOMPLETE if MAGIC.startswith(data[at : at + 2]) else DAMAGED
    magic, checksum, _, _, length = HEADER.unpack_from(data, at)
    if magic != MAGIC or length > MAX_PAYLOAD_BYTES:
        return DAMAGED
    end: int = at + HEADER.size + length
    if end > len(data):
        return INCOMPLETE
    return end if crc32(memoryview(data)[at + _CHECKED_FROM : end], seed) == checksum else DAMAGED


def kind_at(data: bytes, at: int) -> int:
    """The kind of the frame that begins at `at`."""
    return data[at + _CHECKED_FROM]


def span_fields(data: bytes, at: int, end: int) -> SpanFields | None:
    """What precedes the text in the payload of the frame; None if it is of another kind."""
    if kind_at(data, at) not in _SPAN_KINDS or end - at < SPAN_TEXT_AT:
        return None
    return SpanFields._make(SPAN_FIELDS.unpack_from(data, at + HEADER.size))


_SPAN_KINDS = frozenset({Kind.SPAN, Kind.START})
SPAN_TEXT_AT = HEADER.size + SPAN_FIELDS.size
"""Where the text of a span begins, counted from its frame's beginning."""

DEFINITION_TEXT_AT = HEADER.size + DEFINITION_FIELDS.size
"""The same of a definition."""


def find_frame(data: bytes, at: int, seed: int) -> int | None:
    """Return where the next whole frame begins, at `at` or behind; None if there is none."""
    at = data.find(MAGIC, at)
    while at >= 0 and frame_end(data, at, seed) <= 0:
        at = data.find(MAGIC, at + 1)
    return None if at < 0 else at
