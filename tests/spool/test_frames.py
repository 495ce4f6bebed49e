"""Frames: found whole, or not at all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.spool.frames import (
    DAMAGED,
    INCOMPLETE,
    MAGIC,
    SPAN_TEXT_AT,
    Kind,
    encode_definition,
    encode_span,
    find_frame,
    frame_end,
    kind_at,
    span_fields,
)

SEED = 7
FRAME = encode_span(Kind.SPAN, (12, 1, 2, 3), b'{"name":"plan"}', SEED)


@given(
    kind=st.sampled_from([Kind.SPAN, Kind.START]),
    fields=st.tuples(st.integers(1, 2**64 - 1), *[st.integers(0, 2**32 - 1)] * 3),
    text=st.binary(),
    before=st.binary(max_size=20),
)
def test_what_is_encoded_is_read(kind: Kind, fields: tuple[int, int, int, int], text: bytes, before: bytes) -> None:
    """A frame gives back its kind, its numbers and its text, wherever it lies."""
    data = before + encode_span(kind, fields, text, SEED)

    assert frame_end(data, len(before), SEED) == len(data)
    assert kind_at(data, len(before)) == kind
    assert span_fields(data, len(before), len(data)) == fields
    assert data[len(before) + SPAN_TEXT_AT :] == text


def test_a_part_is_incomplete() -> None:
    """As long as the end is not there, more may come."""
    for size in range(len(FRAME)):
        assert frame_end(FRAME[:size], 0, SEED) == INCOMPLETE


@given(position=st.integers(0, len(FRAME) - 1), bits=st.integers(1, 255))
def test_a_changed_byte_is_noticed(position: int, bits: int) -> None:
    """No single byte can be another without the frame being refused."""
    changed = bytearray(FRAME)
    changed[position] ^= bits

    assert frame_end(bytes(changed), 0, SEED) <= 0


def test_a_frame_of_another_segment_is_none() -> None:
    """What a disk shows of an older file is not taken for a record of this one."""
    assert frame_end(FRAME, 0, SEED + 1) == DAMAGED


@given(junk=st.binary(max_size=60))
def test_the_next_frame_is_found_behind_anything(junk: bytes) -> None:
    """Junk that looks like the beginning of a frame does not hide the one behind it."""
    for before in (junk, junk + MAGIC, junk + FRAME[:20]):
        assert find_frame(before + FRAME, 0, SEED) == len(before)
    assert find_frame(junk + FRAME[:-1], 0, SEED) is None


def test_a_definition_is_no_span() -> None:
    """Resources and scopes have no sequence number."""
    frame = encode_definition(Kind.RESOURCE, 1, b"{}", SEED)

    assert frame_end(frame, 0, SEED) == len(frame)
    assert span_fields(frame, 0, len(frame)) is None
