"""How many spans wait in the logs of a spool for each target: those of the records that it has not passed yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.reader import LogReader
from otel_agenttrace.spool.trace_records import is_verdict_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_agenttrace.spool.known_logs import KnownLog

_MAX_BYTES = 1 << 27
"""Of records that are looked at: half a second."""


class Waiting(NamedTuple):
    """What of one log waits for one target.

    Attributes:
        spans: spans that have ended, without verdicts.
        starts: records of spans that were open, which only stores are given.
        is_exact: False if not all could be looked at; there are so many spans at most then.
    """

    spans: int = 0
    starts: int = 0
    is_exact: bool = True


class WaitingCounter:
    """Counts what waits in logs, one after the other.

    Args:
        max_bytes: of records that are looked at altogether.
    """

    def __init__(self, max_bytes: int = _MAX_BYTES) -> None:
        self._bytes_left = max_bytes

    def count(self, log: KnownLog) -> dict[str, Waiting]:
        """Return what waits for each target of a log; each record is read once."""
        last_seq = log.counts.last_seq
        behind = {name: cursor.seq for name, cursor in log.counts.cursors.items() if cursor.seq < last_seq}
        if log.path is None or not behind:
            return dict.fromkeys(log.counts.cursors, Waiting())
        seqs = {seq: Waiting() for seq in behind.values()}
        reached = first = min(seqs)
        is_whole = True
        try:
            for seq, kind in self._records(log.path, first, last_seq):
                reached = seq
                if kind is not None:
                    _add(seqs, seq, kind)
            is_whole = self._bytes_left >= 0
        except OSError:
            is_whole = False
        if not is_whole:
            seqs = {seq: _at_most(each, last_seq - max(reached, seq)) for seq, each in seqs.items()}
        return {name: seqs.get(cursor.seq, Waiting()) for name, cursor in log.counts.cursors.items()}

    def _records(self, log_dir: Path, after_seq: int, last_seq: int) -> Iterator[tuple[int, Kind | None]]:
        """The numbers and kinds of records; None of a verdict."""
        for entry in LogReader(log_dir, after_seq, tell=lambda _: None).entries():
            self._bytes_left -= len(entry.span.span)
            if entry.seq > last_seq or self._bytes_left < 0:
                return
            yield entry.seq, None if is_verdict_text(entry.span.span) else entry.kind


def count_spans_behind(log_dir: Path, after_seq: int, last_seq: int) -> int:
    """Return how many ended spans, without verdicts, a log has in a range of sequence numbers.

    Raises:
        OSError: the log cannot be read.
    """
    records = WaitingCounter(1 << 62)._records(log_dir, after_seq, last_seq)  # noqa: SLF001 - of this module
    return sum(kind is Kind.SPAN for _, kind in records)


def _add(seqs: dict[int, Waiting], seq: int, kind: Kind) -> None:
    for passed, each in seqs.items():
        if seq > passed:
            is_span = kind is Kind.SPAN
            seqs[passed] = Waiting(each.spans + is_span, each.starts + (not is_span))


def _at_most(counted: Waiting, unread: int) -> Waiting:
    return Waiting(counted.spans + unread, counted.starts, is_exact=False)
