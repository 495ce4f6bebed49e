"""The records of some traces in the logs of a spool, and which of them wait for a target. Pure reading."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import orjson

from otel_agenttrace.contract.attributes import SPAN_VERDICT
from otel_agenttrace.model.codec import load_fields
from otel_agenttrace.model.record import session_id_of
from otel_agenttrace.spool.about import read_about
from otel_agenttrace.spool.cursor import CursorFile
from otel_agenttrace.spool.damage import NEWER, UNREADABLE
from otel_agenttrace.spool.directory import list_logs
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.names import cursor_name
from otel_agenttrace.spool.reader import LogReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from otel_agenttrace.spool.damage import Damage
    from otel_agenttrace.spool.segment_reader import Entry

_TRACE_ID = slice(13, 45)
_SPAN_ID = slice(58, 74)
_BEGINNING = b'{"trace_id":"'
_BETWEEN = b'","span_id":"'
_VERDICT = b'","name":"%b"' % SPAN_VERDICT.encode()


SpanKey: TypeAlias = "tuple[str, str]"
"""Trace id and span id."""


class SpooledRecord(NamedTuple):
    """A record of a trace in a log; ids are lower-case hex."""

    log_dir: Path
    seq: int
    trace_id: str
    span_id: str
    is_ended: bool


@dataclass(slots=True)
class TraceRecords:
    """What the logs have of some traces.

    Attributes:
        records: log by log, in order.
        trace_ids: the traces that were looked for, and those found to be of the session.
        is_complete: whether every log could be read to its end.
    """

    records: list[SpooledRecord] = field(default_factory=list)
    trace_ids: set[str] = field(default_factory=set)
    is_complete: bool = True


def read_trace_records(
    spool_dirs: Iterable[Path],
    trace_ids: Iterable[str],
    *,
    session_id: str | None = None,
    waiting_for: str | None = None,
    max_bytes: int | None = None,
) -> TraceRecords:
    """Read the records of some traces, those of living processes too, and not their verdicts.

    Args:
        spool_dirs: where the logs are; they need not exist.
        trace_ids: of the traces.
        session_id: and of those in which a record names this session.
        waiting_for: only what a target of this name has not passed yet, which is quicker to read.
        max_bytes: of records that are looked at; the result is not complete if there are more.

    Raises:
        OSError: a directory cannot be read.
    """
    found = TraceRecords(trace_ids=set(trace_ids))
    logs = [path for spool_dir in spool_dirs for path in list_logs(spool_dir)]
    while logs:
        known = len(found.trace_ids)
        found.records.clear()
        reading = _Reading(found, session_id, max_bytes)
        for log_dir in logs:
            after_seq = 0 if waiting_for is None else passed_seq(log_dir, waiting_for)
            if after_seq is not None:
                reading.read(log_dir, after_seq)
        if len(found.trace_ids) == known:  # else a trace may have records before the first that names the session
            break
    return found


def passed_seq(log_dir: Path, target: str) -> int | None:
    """Up to where a target has a log; None if it is not to get it."""
    with suppress(OSError):
        cursor = CursorFile(log_dir, target).load()
        if cursor is not None:
            return cursor.seq
    about = read_about(log_dir)
    is_wanted = about is None or target in about.targets or (log_dir / cursor_name(target)).exists()
    return 0 if is_wanted else None


class _Reading:
    """One pass over the logs."""

    def __init__(self, found: TraceRecords, session_id: str | None, max_bytes: int | None) -> None:
        self._found = found
        self._session_id = session_id
        self._session_text = b"" if session_id is None else _inner_text(session_id)
        self._bytes_left = max_bytes

    def read(self, log_dir: Path, after_seq: int) -> None:
        """Add what a log has behind `after_seq`."""
        trace_ids = self._found.trace_ids
        try:
            for entry in self._entries(log_dir, after_seq):
                trace_id, span_id = _ids_of(entry.span.span)
                if is_verdict_text(entry.span.span):
                    continue
                if self._session_id is not None and trace_id not in trace_ids and self._names_session(entry):
                    trace_ids.add(trace_id)
                if trace_id in trace_ids:
                    is_ended = entry.kind is Kind.SPAN
                    self._found.records.append(SpooledRecord(log_dir, entry.seq, trace_id, span_id, is_ended))
        except OSError:
            self._found.is_complete = False

    def _entries(self, log_dir: Path, after_seq: int) -> Iterator[Entry]:
        reader = LogReader(log_dir, after_seq, tell=self._note)
        for entry in reader.entries():
            if self._bytes_left is not None:
                self._bytes_left -= len(entry.span.span)
                if self._bytes_left < 0:
                    self._found.is_complete = False
                    return
            yield entry

    def _note(self, damage: Damage) -> None:
        """What is damaged does not wait for anybody; those who deliver the log tell of it."""
        if damage.what in (UNREADABLE, NEWER):
            self._found.is_complete = False

    def _names_session(self, entry: Entry) -> bool:
        if self._session_text not in entry.span.span:
            return False
        try:
            attributes = load_fields(entry.span.span).get("attributes")
        except (TypeError, ValueError):
            return False
        return isinstance(attributes, dict) and session_id_of(attributes) == self._session_id


def is_verdict_text(text: bytes) -> bool:
    """Whether a serialised span is the verdict on a trace."""
    return text.startswith(_VERDICT, _SPAN_ID.stop)


def latest(records: Iterable[SpooledRecord]) -> dict[SpanKey, bool]:
    """Each span once, and whether it has ended in any of its records."""
    spans: dict[SpanKey, bool] = {}
    for record in records:
        key = record.trace_id, record.span_id
        spans[key] = spans.get(key, False) or record.is_ended
    return spans


def missing(
    records: Iterable[SpooledRecord], stored: Mapping[SpanKey, bool], *, takes_open: bool = True
) -> set[SpanKey]:
    """The spans of which a target has not got all that it is to get.

    Args:
        records: what waits for it.
        stored: the spans that it has, and whether they have ended.
        takes_open: whether it is given open spans, too.
    """
    return {
        key
        for key, is_ended in latest(records).items()
        if (is_ended and not stored.get(key, False)) or (not is_ended and takes_open and key not in stored)
    }


def _ids_of(text: bytes) -> tuple[str, str]:
    """The ids in a serialised span, whose text begins with them; empty if they are not there."""
    text = text.lstrip(b" ")[: _SPAN_ID.stop]
    if text.startswith(_BEGINNING) and text[_TRACE_ID.stop : _SPAN_ID.start] == _BETWEEN:
        return text[_TRACE_ID].decode("ascii", "replace"), text[_SPAN_ID].decode("ascii", "replace")
    return "", ""


def _inner_text(value: str) -> bytes:
    """How a text stands in JSON, without its quotes."""
    try:
        return orjson.dumps(value)[1:-1]
    except TypeError:  # an unpaired surrogate, which is written in a way of its own
        return b""
