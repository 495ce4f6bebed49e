"""The OTLP file format, https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/: a TracesData as JSON a line.

Reading also takes what people have: files packed with gzip, one pretty-printed document, an array of TracesData.
It streams, and holds one line at a time.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from otel_agenttrace.errors import DecodeError
from otel_agenttrace.otlp.decode import decode_json
from otel_agenttrace.otlp.encode import encode_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel_agenttrace.model.record import SpanRecord

MAX_LINE_BYTES = 64 * 1024 * 1024
"""The longest line, or whole document, that is read: what OTLP recommends for the body of a request."""

_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK_BYTES = 64 * 1024


class Line(NamedTuple):
    """What one line held; a file that is one document is one line, numbered as the line where it starts.

    Attributes:
        number: counted from 1.
        spans: the good ones.
        errors: why the line, or spans in it, were refused; each names file, line and what is wrong.
        warnings: what was read although it is not as it should be; each names file and line.
    """

    number: int
    spans: list[SpanRecord]
    errors: list[DecodeError]
    warnings: list[str]


def read_jsonl(source: str | Path | IO[bytes], *, max_line_bytes: int = MAX_LINE_BYTES) -> Iterator[Line]:
    """Yield what each line holds that is not blank; a bad line is an error beside the good ones, not the end.

    Args:
        source: a path, or a binary stream, which is read to its end and not closed.
        max_line_bytes: a longer line (after unpacking) is refused, and passed over without holding it.

    Raises:
        OSError: the file cannot be opened or read.
    """
    name = str(source) if isinstance(source, (str, Path)) else str(getattr(source, "name", "<stream>"))
    number = 0
    with _opened(source) as stream:
        try:
            for number, text in _texts(stream, max_line_bytes):
                if text is None:
                    yield _refused(name, number, f"longer than {max_line_bytes} bytes")
                elif text := text.strip():
                    yield _decoded(name, number, text)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            yield _refused(name, number + 1, f"damaged gzip data, nothing behind it can be read: {error}")


def write_jsonl(spans: Iterable[SpanRecord], stream: IO[bytes]) -> int:
    """Write one line for each run of spans of one trace, and return how many lines that were."""
    lines = 0
    for _, trace in groupby(spans, attrgetter("trace_id")):
        stream.write(encode_json(list(trace)) + b"\n")
        lines += 1
    return lines


@contextmanager
def _opened(source: str | Path | IO[bytes]) -> Iterator[io.BufferedIOBase]:
    """The source as a stream of unpacked bytes; only what was opened here is closed."""
    if isinstance(source, (str, Path)):
        with Path(source).open("rb") as stream:
            yield _unpacked(stream)
    elif isinstance(source, io.BufferedReader):
        yield _unpacked(source)
    else:
        buffered: io.BufferedReader[Any] = io.BufferedReader(source)
        try:
            yield _unpacked(buffered)
        finally:
            buffered.detach()


def _unpacked(stream: io.BufferedReader[Any]) -> io.BufferedIOBase:
    # By content: people rename files.
    return gzip.GzipFile(fileobj=stream) if stream.peek(2).startswith(_GZIP_MAGIC) else stream


def _texts(stream: io.BufferedIOBase, limit: int) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line with its number, None for one beyond the limit; a file that is one document as one line."""
    document_may_follow = True
    for number, line in enumerate(_lines(stream, limit), start=1):
        text = line
        if document_may_follow and line is not None:
            text = line.removeprefix(codecs.BOM_UTF8)
            if _opens_document(text.strip()):
                text += stream.read(limit + 1 - len(text))
                yield number, text if len(text) <= limit else None
                return
            document_may_follow = not text.strip()
        yield number, text


def _lines(stream: io.BufferedIOBase, limit: int) -> Iterator[bytes | None]:
    while line := stream.readline(limit + 1):
        if len(line) <= limit or line.endswith(b"\n"):
            yield line
            continue
        while (rest := stream.readline(_CHUNK_BYTES)) and not rest.endswith(b"\n"):
            pass
        yield None


def _opens_document(line: bytes) -> bool:
    """Whether a first line begins a document of several lines: no complete one ends like this."""
    return line.endswith((b"{", b"[", b",", b":")) or (line.startswith(b"[") and not line.endswith(b"]"))


def _decoded(name: str, number: int, text: bytes) -> Line:
    try:
        spans, refused, warnings = decode_json(text)
    except DecodeError as error:
        return _refused(name, number, str(error))
    place = f"{name}:{number}: "
    return Line(
        number,
        spans,
        [DecodeError(place + str(error)) for error in refused],
        [place + warning for warning in warnings],
    )


def _refused(name: str, number: int, reason: str) -> Line:
    return Line(number, [], [DecodeError(f"{name}:{number}: {reason}")], [])
