"""OpenSpans: which spans of this process are open, so that their start records outlive the segments they are in.

A segment is removed once all targets have passed it. Had the process died then, nobody could tell that a span which
started in it never ended; so the start record is written again, behind all others, before the segment goes.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.forks import call_in_children
from otel_agenttrace.spool.frames import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.spool.log import SpoolLog
    from otel_agenttrace.spool.segment_reader import Entry

_MAX_OPEN = 10_000
_TRACE_ID_AT = len(b'{"trace_id":"')
_SPAN_ID_AT = _TRACE_ID_AT + 32 + len(b'","span_id":"')
_IDS_END = _SPAN_ID_AT + 16 + 1

SpanId = bytes
"""Of one span: the text of its record up to and with its ids, which come first."""


def ids_of(span: SerializedSpan) -> SpanId:
    """What two records of one span have in common, and no others.

    Of a record that does not begin with its ids as those of the codec do, the whole text is returned: it is then like
    no other, and the span counts as open.
    """
    text = span.span.lstrip(b" ")[:_IDS_END]
    is_usual = text.startswith(b'{"trace_id":"') and text[_SPAN_ID_AT - 13 : _SPAN_ID_AT] == b'","span_id":"'
    return text if is_usual and text.endswith(b'"') else span.span


def trace_id_of(span_id: SpanId) -> bytes:
    """The trace id in what `ids_of` returns, in hex."""
    return span_id[_TRACE_ID_AT : _TRACE_ID_AT + 32]


class _Open(NamedTuple):
    log_dir: Path
    entry: Entry


class OpenSpans:
    """Follows the start and end records of this process's logs. Thread-safe. A forked child begins with none."""

    def __init__(self) -> None:
        self._begin_anew()
        call_in_children(self._begin_anew)

    def see(self, log_dir: Path, entries: Sequence[Entry]) -> None:
        """Take note of records of a log, in order; those seen before, by another reader, are passed over."""
        with self._lock:
            seen = self._seen.get(log_dir, 0)
            for entry in entries:
                if entry.seq > seen:
                    self._note(log_dir, entry)
            if entries:
                self._seen[log_dir] = max(seen, entries[-1].seq)

    def is_any_open(self, log_dir: Path) -> bool:
        """Whether the log has the start record of a span that is still open."""
        with self._lock:
            return any(each.log_dir == log_dir for each in self._open.values())

    def carry(self, log: SpoolLog, log_dir: Path, through_seq: int) -> None:
        """Write start records again that would go with the segments of a log up to there.

        One that is refused is let go: the room is needed, and the store has the open span.
        """
        with self._lock:
            going = {
                key: each
                for key, each in self._open.items()
                if each.log_dir == log_dir and each.entry.seq <= through_seq
            }
            self._carried.update(going)
        for key, each in going.items():
            seq = log.append(Kind.START, each.entry.span, each.entry.origin)
            with self._lock:
                if seq is None:
                    self._carried.discard(key)
                if self._open.get(key) is each:
                    # Where exactly it is now is known once it has been read again.
                    self._open[key] = each._replace(entry=each.entry._replace(seq=through_seq + 1))

    def _note(self, log_dir: Path, entry: Entry) -> None:
        if not self._open and entry.kind is Kind.SPAN:
            return  # as in a log without start records
        key = ids_of(entry.span)
        if entry.kind is Kind.SPAN:
            if self._open.pop(key, None) is not None and key in self._carried:
                self._ended.add(key)  # while its start record was being written behind the end
            return
        self._carried.discard(key)
        if key in self._ended:
            self._ended.discard(key)
            return
        self._open[key] = _Open(log_dir, entry)
        if len(self._open) > _MAX_OPEN:
            del self._open[next(iter(self._open))]

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[SpanId, _Open] = {}
        self._carried: set[SpanId] = set()
        self._ended: set[SpanId] = set()
        self._seen: dict[Path, int] = {}
