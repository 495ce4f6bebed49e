"""SegmentReader: the records of one segment, past whatever is damaged, and on from there when more have come."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.model.codec import SerializedSpan
from otel_agenttrace.spool.damage import DAMAGED, EMPTY, FOREIGN, MISSING, NEWER, TORN, Damage
from otel_agenttrace.spool.frames import (
    DEFINITION_FIELDS,
    DEFINITION_TEXT_AT,
    HEADER,
    INCOMPLETE,
    SPAN_TEXT_AT,
    Kind,
    find_frame,
    frame_end,
    kind_at,
    span_fields,
)
from otel_agenttrace.spool.nameless import open_segment
from otel_agenttrace.spool.names import parse_log_name, parse_segment_name
from otel_agenttrace.spool.segment import HEADER_BYTES, SEGMENT_MAGIC, VERSION, decode_header, seed_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otel_agenttrace.spool.names import SegmentName

_CHUNK_BYTES = 1 << 18
_LOST = b"{}"
"""In place of a definition that is damaged."""


class Entry(NamedTuple):
    """One record of a log.

    Attributes:
        seq: its place in the log.
        kind: SPAN for one that has ended, START for one that is open.
        span: the record.
        origin: code locations behind the span, as whoever appended it wrote them; empty if there were none.
    """

    seq: int
    kind: Kind
    span: SerializedSpan
    origin: bytes = b""


class SegmentReader:
    """Reads one segment from its beginning, which may still be written to. Not thread-safe.

    Args:
        path: the file.
        name: its name's parts; with `log_id` they stand in for a damaged header.
        log_id: the id in the name of the log.
        tell: is told what is wrong.
        after_seq: sequence numbers up to this are left out.

    Attributes:
        last_seq: the greatest sequence number so far.

    Raises:
        OSError: the file cannot be read.
    """

    def __init__(
        self, path: Path, name: SegmentName, log_id: str, tell: Callable[[Damage], None], after_seq: int
    ) -> None:
        self.path = path
        self.last_seq = after_seq
        self._fd = open_segment(path)
        self._tell = tell
        self._expected_seq = name.first_seq
        self._name_seed = seed_of(log_id, name.first_seq)
        self._seed: int | None = None
        self._is_useless = False
        self._base = 0  # where in the file the buffer begins
        self._buffer = b""
        self._at = 0  # where in the buffer the next frame begins
        self._resources: dict[int, bytes] = {}
        self._scopes: dict[int, bytes] = {}
        self._origins: dict[int, bytes] = {0: b""}
        self._definitions: dict[int, dict[int, bytes]] = {
            Kind.RESOURCE: self._resources,
            Kind.SCOPE: self._scopes,
            Kind.ORIGIN: self._origins,
        }

    def __del__(self, _close=os.close) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
        if fd := getattr(self, "_fd", 0):
            _close(fd)

    @property
    def end(self) -> int:
        """Bytes up to the end of the last frame that was read."""
        return self._base + self._at

    @property
    def is_ours(self) -> bool:
        """Whether what was read is a segment of this version, be it damaged."""
        return self._seed is not None

    def is_without_header(self) -> bool:
        """Whether the file ends before its header does, as when its process was killed right then."""
        return SEGMENT_MAGIC.startswith(os.pread(self._fd, HEADER_BYTES, 0)[: len(SEGMENT_MAGIC)]) and (
            os.fstat(self._fd).st_size < HEADER_BYTES
        )

    def entries(self, *, is_final: bool) -> Iterator[Entry]:
        """Yield the records that were not yielded yet.

        Args:
            is_final: nothing will be written any more, so that what is incomplete stays so.
        """
        if self._is_useless or not self._has_seed(is_final=is_final):
            return
        while True:
            end = frame_end(self._buffer, self._at, self._seed or 0)
            if end > 0:
                at, self._at = self._at, end
                entry = self._entry(at, end)
                if entry is not None:
                    yield entry
            elif not (end == INCOMPLETE and self._fill()) and not self._pass_damage(is_final=is_final):
                return

    def _entry(self, at: int, end: int) -> Entry | None:
        fields = span_fields(self._buffer, at, end)
        if fields is None:
            self._define(at, end)
            return None
        seq = fields.seq
        if seq < self._expected_seq:
            return None  # written twice, see SpoolLog
        if seq > self._expected_seq:
            missing = seq - max(self._expected_seq, self.last_seq + 1)
            if missing > 0:
                self._tell(Damage(self.path, MISSING, self._base + at, records=missing))
        self._expected_seq = seq + 1
        if seq <= self.last_seq:
            return None
        self.last_seq = seq
        text = self._buffer[at + SPAN_TEXT_AT : end]
        span = SerializedSpan(text, self._resources.get(fields.resource, _LOST), self._scopes.get(fields.scope, _LOST))
        return Entry(seq, Kind(kind_at(self._buffer, at)), span, self._origins.get(fields.origin, _LOST))

    def _define(self, at: int, end: int) -> None:
        numbers = self._definitions.get(kind_at(self._buffer, at))
        if numbers is not None and end - at >= DEFINITION_TEXT_AT:
            (number,) = DEFINITION_FIELDS.unpack_from(self._buffer, at + HEADER.size)
            numbers[number] = self._buffer[at + DEFINITION_TEXT_AT : end]

    def _has_seed(self, *, is_final: bool) -> bool:
        """Read the header, if that is still to be done; False if there is nothing to be read behind it."""
        if self._seed is not None:
            return True
        data = os.pread(self._fd, HEADER_BYTES, 0)
        header = decode_header(data)
        if header is not None and header.version == VERSION:
            self._begin(header.seed)
        elif header is not None:
            self._give_up(NEWER, f" (format {header.version})")
        elif len(data) < HEADER_BYTES:
            if is_final:
                self._give_up(EMPTY, "")
        else:
            self._begin_damaged()
        return self._seed is not None

    def _begin(self, seed: int) -> None:
        self._seed = seed
        self._base = HEADER_BYTES

    def _begin_damaged(self) -> None:
        """Take what the names say for the header, if frames fit to it."""
        self._base = 0
        self._load_rest()
        first = find_frame(self._buffer, 0, self._name_seed)
        if first is None:
            self._give_up(FOREIGN, "")
            return
        self._seed = self._name_seed
        self._at = min(first, HEADER_BYTES)
        self._tell(Damage(self.path, DAMAGED, 0, HEADER_BYTES, detail=" (its header)"))

    def _give_up(self, what: str, detail: str) -> None:
        self._is_useless = True
        self._drop_buffer()
        self._tell(Damage(self.path, what, detail=detail))

    def _fill(self) -> bool:
        """Read on; False at the end of the file."""
        kept = self._buffer[self._at :]
        # As much again as there is, so that a large record is not copied once for each chunk.
        more = os.pread(self._fd, max(_CHUNK_BYTES, len(kept)), self._base + len(self._buffer))
        self._base += self._at
        self._at = 0
        self._buffer = kept + more
        return bool(more)

    def _load_rest(self) -> None:
        """Read again all that follows the last frame."""
        self._base += self._at
        self._at = 0
        size = os.fstat(self._fd).st_size - self._base
        self._buffer = os.pread(self._fd, size, self._base) if size > 0 else b""

    def _drop_buffer(self) -> None:
        self._base += self._at
        self._at = 0
        self._buffer = b""

    def _pass_damage(self, *, is_final: bool) -> bool:
        """Go to the next whole frame; False if there is none, and everything has been read."""
        seen = None
        while seen is None or not self._buffer.startswith(seen):
            seen = self._buffer
            self._load_rest()  # the writer may have cut off what it could not complete, and gone on
            if frame_end(self._buffer, 0, self._seed or 0) > 0:
                return True
        found = find_frame(self._buffer, 1, self._seed or 0)
        if found is not None:
            self._tell(Damage(self.path, DAMAGED, self._base, found))
            self._at = found
            return True
        if is_final and self._buffer:
            self._tell(Damage(self.path, TORN, self._base, len(self._buffer)))
            self._is_useless = True
        # What is there may be cut off before more is written, so it is read again next time.
        self._drop_buffer()
        return False


def is_ours(path: Path) -> bool:
    """Whether a file is a segment of this version, be it damaged or empty; what is not is never to be removed.

    Raises:
        OSError: it cannot be read.
    """
    name, log = parse_segment_name(path.name), parse_log_name(path.parent.name)
    if name is None:
        return False
    reader = SegmentReader(path, name, "" if log is None else log.log_id, lambda _: None, 0)
    next(reader.entries(is_final=True), None)
    return reader.is_ours or reader.is_without_header()
