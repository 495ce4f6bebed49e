"""Decoder: from the entries of logs to staged records, once for all targets that are about to get them."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING

from otel_agenttrace.spool.target import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from otel_agenttrace.losses import LossLog
    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.segment_reader import Entry

_MAX_KEPT = 2048
_MAX_KEPT_BYTES = 1 << 24
_AT_A_TIME = 32
"""About a millisecond, which an agent's thread may have to wait."""


class Decoder:
    """Decodes and stages records; keeps the last few, since targets that keep up ask for the same ones. Thread-safe.

    Args:
        decode: makes a record; may raise anything.
        losses: where records that cannot be decoded are told, as lost in `pipeline`.
        max_kept: how many records are kept; 0 where there is one target only.
    """

    def __init__(
        self, decode: Callable[[SerializedSpan], SpanRecord], losses: LossLog, max_kept: int = _MAX_KEPT
    ) -> None:
        self._decode = decode
        self._losses = losses
        self._max_kept = max_kept
        self._begin_anew()
        _decoders.add(self)

    def items(self, log_dir: Path, entries: Sequence[Entry]) -> list[Item]:
        """Return the records of a log; those that cannot be decoded are told, and left out."""
        found = []
        with self._lock:  # whoever wants the same ones meanwhile had better wait for them
            for at in range(0, len(entries), _AT_A_TIME):
                found += [self._item(log_dir.name, entry) for entry in entries[at : at + _AT_A_TIME]]
                time.sleep(0)  # gives the interpreter to an agent's thread, which else waits for its switch interval
        return [item for item in found if item is not None]

    def _item(self, log: str, entry: Entry) -> Item | None:
        key = log, entry.seq
        kept = self._kept.get(key)
        if kept is not None:
            return kept[0]
        try:
            item = Item(entry.seq, entry.kind, self._decode(entry.span))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a record, the others go on
            if key not in self._unreadable:
                self._unreadable[key] = None
                # Without the error's text, which may quote what redaction was to hide.
                self._losses.add("pipeline", 1, f"a spooled span could not be read ({type(error).__name__})")
            return None
        self._keep(key, item, len(entry.span.span))
        return item

    def _keep(self, key: tuple[str, int], item: Item, size: int) -> None:
        if not self._max_kept:
            return
        self._kept[key] = item, size
        self._bytes += size
        while len(self._kept) > self._max_kept or self._bytes > _MAX_KEPT_BYTES:
            self._bytes -= self._kept.popitem(last=False)[1][1]

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int], tuple[Item, int]] = OrderedDict()
        self._unreadable: dict[tuple[str, int], None] = {}  # told already, by whichever target came first
        self._bytes = 0


_decoders: weakref.WeakSet[Decoder] = weakref.WeakSet()


def _after_fork() -> None:
    for decoder in tuple(_decoders):
        decoder._begin_anew()  # noqa: SLF001 - the module's own class


os.register_at_fork(after_in_child=_after_fork)
