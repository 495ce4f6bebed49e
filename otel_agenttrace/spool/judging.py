"""Judging: verdicts of the traces in a dead log, made once its store has all of it, and added to that log.

So every target of the log gets them, once, whoever adopts it and however often. A log that has them is marked.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from otel_agenttrace.errors import StoreUnavailableError
from otel_agenttrace.spool.abandoned import append_to_dead_log
from otel_agenttrace.spool.consumer import MAX_RECORDS
from otel_agenttrace.spool.cursor import Cursor, CursorFile
from otel_agenttrace.spool.names import VERDICTS_MARK
from otel_agenttrace.spool.reader import LogReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from otel_agenttrace.losses import LossLog
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.consumer import Consumer
    from otel_agenttrace.spool.decoding import Decoder

_LOOK_BACK = 4096
"""Records that the store had while the process lived, and whose traces may not have settled by its end."""


class Judge(Protocol):
    """Makes the verdicts of the traces that it is told of; of one log, and called by one thread at a time."""

    def note(self, records: Sequence[SpanRecord]) -> None:
        """Be told of records that the log's store has; some more than once."""
        ...

    def verdicts(self) -> Sequence[SpanRecord]:
        """Return the verdicts that are to be made now; asked once, when the store has all records of the log.

        Raises:
            StoreUnavailableError: not now; the log waits for another time.
        """
        ...


class Judging:
    """The judging of one dead log, which the caller holds the lock of.

    Args:
        log_dir: the log's directory.
        judge: is told of the records, and makes the verdicts.
        decoder: shared with the consumers.
        stored: has come as far as the log's store has the log.
        losses: where it is told that traces could not be judged.

    Attributes:
        stored: see above.

    Raises:
        OSError: the log's mark cannot be read.
    """

    def __init__(
        self,
        log_dir: Path,
        judge: Judge,
        decoder: Decoder,
        *,
        stored: Consumer,
        losses: LossLog,
    ) -> None:
        self._log_dir = log_dir
        self._judge = judge
        self._decoder = decoder
        self.stored = stored
        self._stored_seq = stored.cursor.seq  # when the log was adopted
        self._losses = losses
        self._mark = CursorFile(log_dir, VERDICTS_MARK)
        found = self._mark.load()
        if found is None:
            # Whoever adopts the log next, should this not come to its end, begins where this one does.
            found = Cursor(max(0, self._stored_seq - _LOOK_BACK))
            self._save(found)
        self._judged_seq = found.seq
        self._is_done = False

    def note(self, records: Sequence[SpanRecord]) -> None:
        """Be told of what the store was given."""
        if not self._is_done:
            self._judge.note(records)

    def append_verdicts(self, last_seq: int, may_go_on: Callable[[], bool]) -> int:
        """Add the verdicts behind the log's end; return its last sequence number then.

        Raises:
            OSError: the log cannot be read or written; nothing was added to it.
            StoreUnavailableError: the traces cannot be judged now.
        """
        if self._judged_seq >= last_seq or not self._note_earlier(may_go_on):
            return last_seq
        try:
            verdicts = self._judge.verdicts()
        except StoreUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the traces, they are delivered
            self._losses.add("spool", 0, f"spool: the traces of {self._log_dir} could not be judged", error)
            verdicts = ()
        append_to_dead_log(self._log_dir, last_seq + 1, [(record, b"") for record in verdicts])
        last_seq += len(verdicts)
        self._is_done = True
        self._save(Cursor(last_seq, sent=len(verdicts)))
        return last_seq

    def close(self) -> None:
        """Release what is open."""
        self._is_done = True
        self._mark.close()

    def _save(self, judged: Cursor) -> None:
        with suppress(OSError):  # a full disk, of which delivering the log may free some
            self._mark.save(judged)

    def _note_earlier(self, may_go_on: Callable[[], bool]) -> bool:
        """Tell the judge what earlier deliveries have brought to the store; False if that was interrupted."""
        store = self.stored.target.name
        reader = LogReader(self._log_dir, self._judged_seq, is_dead=True, tell=lambda _: None)
        while reader.last_seq < self._stored_seq:
            entries = [entry for entry in reader.batch(MAX_RECORDS) if entry.seq <= self._stored_seq]
            if not entries:
                return True
            if not may_go_on():
                return False
            self._judge.note([item.record for item in self._decoder.items(self._log_dir, entries, store)])
        return True
