"""Segments: the files of a log. What stands in their header, and the one that is being written.

A header is `magic (8) | version (4) | id of the log (8) | first sequence number (8) | created, unix nanoseconds (8) |
crc32 of all that (4)`, in every version; only what follows it may change.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from otel_agenttrace.spool.frames import Kind, encode_definition, encode_span, find_frame, frame_end, span_fields
from otel_agenttrace.spool.nameless import keep_nameless
from otel_agenttrace.spool.names import SEGMENT_DRAFT, SegmentName

if TYPE_CHECKING:
    from pathlib import Path

    from otel_agenttrace.model.codec import SerializedSpan

VERSION = 1
SEGMENT_MAGIC = b"\x89AGTSEG\n"
_FIELDS = Struct("<8sI8sQQ")
_CHECKSUM = Struct("<I")
HEADER_BYTES = _FIELDS.size + _CHECKSUM.size


class SegmentHeader(NamedTuple):
    """What a segment says of itself."""

    version: int
    log_id: str
    first_seq: int
    created_unix_nano: int

    @property
    def seed(self) -> int:
        """What the checksums of this segment's frames start from."""
        return seed_of(self.log_id, self.first_seq)


def seed_of(log_id: str, first_seq: int) -> int:
    """The same from names, for a segment whose header is damaged."""
    return crc32(b"%b %d" % (log_id.encode(), first_seq))


def encode_header(header: SegmentHeader) -> bytes:
    """Return the first bytes of a segment."""
    fields = _FIELDS.pack(
        SEGMENT_MAGIC, header.version, header.log_id.encode(), header.first_seq, header.created_unix_nano
    )
    return fields + _CHECKSUM.pack(crc32(fields))


def decode_header(data: bytes) -> SegmentHeader | None:
    """Read the first bytes of a segment; None if they are damaged, or of something else."""
    if len(data) < HEADER_BYTES or crc32(data[: _FIELDS.size]) != _CHECKSUM.unpack_from(data, _FIELDS.size)[0]:
        return None
    magic, version, log_id, first_seq, created = _FIELDS.unpack_from(data)
    if magic != SEGMENT_MAGIC or not log_id.isalnum():
        return None
    return SegmentHeader(version, log_id.decode("ascii", "replace"), first_seq, created)


class Segment:
    """A segment that is being written. The file is closed when nobody holds the object any more.

    Attributes:
        fd: opened for appending, and for reading back.
        size: bytes up to the end of the last record.
    """

    def __init__(
        self, log_dir: Path, log_id: str, first_seq: int, created_unix_nano: int, *, has_name: bool = True
    ) -> None:
        """Make the file; see `nameless` for one without a name.

        Raises:
            OSError: it cannot be made, or the disk is full.
        """
        header = SegmentHeader(VERSION, log_id, first_seq, created_unix_nano)
        self.path, self.fd = _create(log_dir, header)
        if not has_name:
            named, self.fd = self.fd, _create_nameless(log_dir, header, self.path)
            os.close(named)
        self.seed = header.seed
        self.size = HEADER_BYTES
        self._resources: dict[bytes, int] = {}
        self._scopes: dict[bytes, int] = {}
        self._origins: dict[bytes, int] = {b"": 0}
        self._last_number = 0

    def __del__(self, _close=os.close) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
        if fd := getattr(self, "fd", 0):
            _close(fd)

    def encode(self, kind: Kind, seq: int, span: SerializedSpan, origin: bytes = b"") -> bytes:
        """Return the frame of a span, behind its definitions (resource, scope, origin) that the segment has not yet."""
        resource = self._resources.get(span.resource)
        scope = self._scopes.get(span.scope)
        number = self._origins.get(origin)
        if resource is not None and scope is not None and number is not None:
            return encode_span(kind, (seq, resource, scope, number), span.span, self.seed)
        defined = b""
        if resource is None:
            defined, resource = self._define(Kind.RESOURCE, span.resource, self._resources)
        if scope is None:
            more, scope = self._define(Kind.SCOPE, span.scope, self._scopes)
            defined += more
        if number is None:
            more, number = self._define(Kind.ORIGIN, origin, self._origins)
            defined += more
        return defined + encode_span(kind, (seq, resource, scope, number), span.span, self.seed)

    def forget_definitions(self) -> None:
        """Write every resource, scope and origin again before its next use: a write that held some has failed."""
        self._resources.clear()
        self._scopes.clear()
        self._origins = {b"": 0}

    def settle(self) -> tuple[int, int]:
        """Cut off what an interrupted write has left.

        Returns:
            the last sequence number if there is more than `size` says, else 0; and the size that is to be set then: by
            the caller, who may be interrupted, and would find nothing when it settles again.

        Reads the whole segment again if it is not of the size that it should be: nothing good is cut off.

        Raises:
            OSError: the file cannot be read back or cut.
        """
        self.forget_definitions()
        size = os.fstat(self.fd).st_size
        if size == self.size:
            return 0, size
        data = os.pread(self.fd, size, 0)
        last_seq, end = 0, HEADER_BYTES
        while (at := find_frame(data, end, self.seed)) is not None:
            end = frame_end(data, at, self.seed)
            fields = span_fields(data, at, end)
            last_seq = last_seq if fields is None else max(last_seq, fields.seq)
        if end < size:
            os.ftruncate(self.fd, end)
        return last_seq, end

    def cut_back(self, written: int) -> None:
        """Cut off the last `written` bytes, a write that was cut short.

        Raises:
            OSError: they are still there.
        """
        self.forget_definitions()
        os.ftruncate(self.fd, os.lseek(self.fd, 0, os.SEEK_CUR) - written)

    def _define(self, kind: Kind, text: bytes, numbers: dict[bytes, int]) -> tuple[bytes, int]:
        self._last_number += 1
        numbers[text] = self._last_number
        # Twice, since a damaged one would cost all spans of the segment their resource.
        return encode_definition(kind, self._last_number, text, self.seed) * 2, self._last_number


def _create(log_dir: Path, header: SegmentHeader) -> tuple[Path, int]:
    """Make a segment; nobody sees it before its header is there, since a reader would not see it being made anew."""
    draft = log_dir / SEGMENT_DRAFT
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_whole(fd, encode_header(header))
        path = _free_path(log_dir, header.first_seq)
        draft.rename(path)
    except BaseException:
        os.close(fd)
        with suppress(OSError):
            draft.unlink()
        raise
    return path, fd


def _create_nameless(log_dir: Path, header: SegmentHeader, path: Path) -> int:
    """Make a segment in the place of one that has no record."""
    draft = log_dir / SEGMENT_DRAFT
    fd = os.open(draft, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        draft.unlink()
        write_whole(fd, encode_header(header))
        keep_nameless(path, fd)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _free_path(log_dir: Path, first_seq: int) -> Path:
    attempt = 0
    while (path := log_dir / str(SegmentName(first_seq, attempt))).exists():
        attempt += 1
    return path


def write_whole(fd: int, data: bytes) -> None:
    """Write at once.

    Raises:
        OSError: not all was written.
    """
    if os.write(fd, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
