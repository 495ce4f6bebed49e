"""Spans that had started and whose process is gone: ended on its behalf, in its own log, behind its last record.

So they reach all targets like any other record, once, whoever adopts the log and however often: a log that has them is
complete. The end is the last time that the trace is known to have been alive; the status stays unset, since nothing
says how the span would have ended. A span that outlives its process, as a task that commands drive, is left open; and
so is one that may have ended, where the ledger says that the ends of some were refused, and nothing of them is kept.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.errors import DecodeError
from otel_agenttrace.model.codec import deserialize, serialize_record
from otel_agenttrace.model.record import ENDED_BY, OUTLIVES_PROCESS
from otel_agenttrace.spool.cursor import Cursor, CursorFile
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.ledger import UNENDED, read_ledger, read_refusal_times
from otel_agenttrace.spool.living import ended_since, is_process_living
from otel_agenttrace.spool.locks import is_alive
from otel_agenttrace.spool.names import OPEN_SPANS_MARK, cursor_name, parse_log_name
from otel_agenttrace.spool.open_spans import ids_of, trace_id_of
from otel_agenttrace.spool.reader import LogReader
from otel_agenttrace.spool.segment import Segment, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.open_spans import SpanId
    from otel_agenttrace.spool.segment_reader import Entry

ENDED_BY_SPOOL = "spool"
"""Value of `agenttrace.ended_by` on a span that was ended on behalf of a dead process."""


class Completed(NamedTuple):
    """What is known of a log after its open spans were ended.

    Attributes:
        last_seq: sequence number of its last record.
        is_complete: False if a span in it, or in a sibling, is still open, and may yet be ended by its process, which
            lives.
    """

    last_seq: int
    is_complete: bool = True


def end_open_spans(
    log_dir: Path, last_seq: int, siblings: Sequence[Path] = (), *, held: Path | None = None
) -> Completed:
    """Complete a dead log, which the caller has repaired and holds the lock of.

    Reads once what was not read for that before, and again if a span is open in it.

    Args:
        log_dir: the log.
        last_seq: its last sequence number.
        siblings: other logs of its process. A span that has ended in one of them is not ended here; nor is any as long
            as one of them is alive, or the process is.
        held: the one among them that is not alive though its lock is held, by the caller.

    Raises:
        OSError: a log cannot be read or written; nothing was added to it.
    """
    mark = CursorFile(log_dir, OPEN_SPANS_MARK)
    done = mark.load() or Cursor()
    if done.seq >= last_seq:
        return Completed(last_seq)
    entries = _open_entries(log_dir, done.seq)
    if entries:
        is_living = _may_go_on(log_dir, siblings, held)  # asked before they are read
        for ids in ended_since(log_dir):
            entries.pop(ids, None)
        for each in siblings:
            _forget_ended(entries, each)
        if entries and is_living:
            return Completed(last_seq, is_complete=False)
    unknown_until = max(map(_last_unknown_end, (log_dir, *siblings)))
    ended = list(_ended_on_behalf(log_dir, done.seq, entries, unknown_until)) if entries else []
    append_to_dead_log(log_dir, last_seq + 1, ended)
    with suppress(OSError):  # a full disk, of which delivering the log may free some: it is then read again next time
        mark.save(Cursor(last_seq + len(ended), sent=done.sent + len(ended)))
    mark.close()
    return Completed(last_seq + len(ended))


def is_completed(log_dir: Path) -> bool:
    """Whether the open spans of a dead log have been ended."""
    return (log_dir / cursor_name(OPEN_SPANS_MARK)).exists()


def _entries(log_dir: Path, after_seq: int) -> Iterator[Entry]:
    return LogReader(log_dir, after_seq, is_dead=True, tell=lambda _: None).entries()  # those who deliver it tell


def _open_entries(log_dir: Path, after_seq: int) -> dict[SpanId, Entry]:
    found: dict[SpanId, Entry] = {}
    for entry in _entries(log_dir, after_seq):
        if entry.kind is Kind.START:
            found[ids_of(entry.span)] = entry
        elif found:
            found.pop(ids_of(entry.span), None)
    return found


def _forget_ended(entries: dict[SpanId, Entry], sibling: Path) -> None:
    for entry in _entries(sibling, 0):
        if entry.kind is Kind.SPAN:
            entries.pop(ids_of(entry.span), None)


def _may_go_on(log_dir: Path, siblings: Sequence[Path], held: Path | None) -> bool:
    return any(is_process_living(each) for each in (log_dir, *siblings)) or any(
        is_alive(each) for each in siblings if each != held
    )


def _last_unknown_end(log_dir: Path) -> int:
    """Until when spans of a log may have ended without its telling, in unix nanoseconds; 0 if it tells of all."""
    ledger, times = read_ledger(log_dir), read_refusal_times(log_dir)
    return times.last_unix_nano if ledger and times and ledger[UNENDED] else 0


def _ended_on_behalf(
    log_dir: Path, after_seq: int, entries: dict[SpanId, Entry], unknown_until: int
) -> Iterator[tuple[SpanRecord, bytes]]:
    traces = {trace_id_of(key) for key in entries}
    last_known: dict[str, int] = {}
    for entry in _entries(log_dir, after_seq):
        key = ids_of(entry.span)
        if trace_id_of(key) not in traces:
            continue
        if entry.kind is Kind.SPAN:
            entries.pop(key, None)  # its start record was written again just when it ended
        record = _decoded(entry)
        if record is not None:
            last_known[record.trace_id] = max(last_known.get(record.trace_id, 0), _last_time(record))
    for entry in sorted(entries.values()):
        record = _decoded(entry)
        if record is None or record.attributes.get(OUTLIVES_PROCESS) is True:
            continue
        if record.start_time_unix_nano > unknown_until:
            end = max(last_known.get(record.trace_id, 0), _last_time(record))
            attributes = {**record.attributes, ENDED_BY: ENDED_BY_SPOOL}
            yield replace(record, end_time_unix_nano=end, attributes=attributes), entry.origin


def _decoded(entry: Entry) -> SpanRecord | None:
    try:
        return deserialize(entry.span)
    except DecodeError:
        return None  # told by those who deliver it


def _last_time(record: SpanRecord) -> int:
    """The latest time in a record; what is no time counts as none."""
    times = [record.start_time_unix_nano, record.end_time_unix_nano, *(each.time_unix_nano for each in record.events)]
    return max((each for each in times if isinstance(each, int)), default=0)


def append_to_dead_log(log_dir: Path, first_seq: int, records: Sequence[tuple[SpanRecord, bytes]]) -> None:
    """Add ended spans with their origins to a log, which the caller has repaired and holds the lock of.

    They get a segment of their own, so that what is there need not be looked at.

    Raises:
        OSError: they cannot be written; nothing was added.
    """
    if not records:
        return
    name = parse_log_name(log_dir.name)
    segment = Segment(log_dir, "" if name is None else name.log_id, first_seq, time.time_ns())
    frames = [
        segment.encode(Kind.SPAN, seq, serialize_record(record), origin)
        for seq, (record, origin) in enumerate(records, start=first_seq)
    ]
    try:
        write_whole(segment.fd, b"".join(frames))
    except OSError:
        segment.path.unlink(missing_ok=True)
        raise
