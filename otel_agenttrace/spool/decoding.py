"""Decoder: from the entries of logs to staged records, once for all targets that are about to get them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from otel_agenttrace.forks import call_in_children
from otel_agenttrace.pipeline.content import drop_content
from otel_agenttrace.spool.about import About, read_about
from otel_agenttrace.spool.target import Item, is_store
from otel_agenttrace.switches import quick_switches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from otel_agenttrace.losses import LossLog
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.segment_reader import Entry

    Decode = Callable[[Entry, About], SpanRecord]
    """From a record of a log, and what is known of its process, to the staged record."""

_MAX_KEPT = 2048
_MAX_KEPT_BYTES = 1 << 24
_MAX_LOGS = 64


class Decoder:
    """Decodes and stages records; keeps the last few, since targets that keep up ask for the same ones. Thread-safe.

    Args:
        decode: makes a record; may raise anything. Is given what about.json says, nothing if that cannot be read.
        losses: where records that cannot be decoded are told, as lost in `pipeline`.
        max_kept: how many records are kept; 0 where there is one target only.
    """

    def __init__(self, decode: Decode, losses: LossLog, max_kept: int = _MAX_KEPT) -> None:
        self._decode = decode
        self._losses = losses
        self._max_kept = max_kept
        self._begin_anew()
        call_in_children(self._begin_anew)

    def items(self, log_dir: Path, entries: Sequence[Entry], target: str) -> list[Item]:
        """Return the records of a log as a target may have them; those that cannot be decoded are told, and left out.

        Without content where the log says so. Where nobody can read what it says, only stores are given content.
        """
        with self._lock, quick_switches:  # whoever wants the same ones meanwhile had better wait for them
            known = self._about(log_dir)
            about = known or About()
            has_content = is_store(target) if known is None else target not in about.without_content
            log_name = log_dir.name  # worked out by pathlib each time
            found = [self._item(log_name, entry, about, has_content) for entry in entries]
        return [item for item in found if item is not None]

    def _about(self, log_dir: Path) -> About | None:
        """What the log says of itself, read once."""
        if log_dir not in self._abouts:
            self._abouts[log_dir] = read_about(log_dir)
            if len(self._abouts) > _MAX_LOGS:
                del self._abouts[next(iter(self._abouts))]
        return self._abouts[log_dir]

    def _item(self, log_name: str, entry: Entry, about: About, has_content: bool) -> Item | None:
        try:
            kept = self._kept.get((log_name, entry.seq)) if self._max_kept else None
            if kept is None:
                item = Item(entry.seq, entry.kind, self._decode(entry, about))
                if self._max_kept:
                    self._keep((log_name, entry.seq), item, len(entry.span.span))
            else:
                item = kept[0]
            return item if has_content else item._replace(record=drop_content(item.record))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a record, the others go on
            key = log_name, entry.seq
            if key not in self._unreadable:
                self._unreadable[key] = None
                # Without the error's text, which may quote what redaction was to hide.
                self._losses.add("pipeline", 1, f"a spooled span could not be read ({type(error).__name__})")
            return None

    def _keep(self, key: tuple[str, int], item: Item, size: int) -> None:
        self._kept[key] = item, size
        self._bytes += size
        while len(self._kept) > self._max_kept or self._bytes > _MAX_KEPT_BYTES:
            self._bytes -= self._kept.popitem(last=False)[1][1]

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int], tuple[Item, int]] = OrderedDict()
        self._unreadable: dict[tuple[str, int], None] = {}  # told already, by whichever target came first
        self._bytes = 0
        self._abouts: dict[Path, About | None] = {}
