"""LogReader: the records of a log in order, whether its process lives or not."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from otel_agenttrace.spool.damage import EMPTY, MISSING, Damage, log_damage
from otel_agenttrace.spool.names import parse_log_name
from otel_agenttrace.spool.parts import list_parts
from otel_agenttrace.spool.segment_reader import Entry, SegmentReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otel_agenttrace.spool.names import SegmentName

_MAX_BATCH_BYTES = 1 << 22


def read(
    log_dir: Path, after_seq: int = 0, *, is_dead: bool = False, tell: Callable[[Damage], None] = log_damage
) -> Iterator[Entry]:
    """Yield the records of a log behind `after_seq`, up to what is there now.

    Raises:
        OSError: the log cannot be read now.
    """
    return LogReader(log_dir, after_seq, is_dead=is_dead, tell=tell).entries()


class LogReader:
    """Reads a log from a sequence number on, and later what has come since. Not thread-safe.

    Every record is yielded once, in order. What is damaged is told and passed over; a segment that is foreign, or of
    a newer version, is told and left alone. An incomplete end is waited for unless the log is dead.

    Args:
        log_dir: the log's directory.
        after_seq: records up to this one are left out; 0 is before the first.
        is_dead: nothing is written to the log any more.
        tell: is told what is wrong.

    Attributes:
        last_seq: sequence number of the last record that was yielded, or `after_seq`.
        damage_count: how often something wrong was told.
        missing_count: records that are known to be lost.
    """

    def __init__(
        self,
        log_dir: Path,
        after_seq: int = 0,
        *,
        is_dead: bool = False,
        tell: Callable[[Damage], None] = log_damage,
    ) -> None:
        self.last_seq = after_seq
        self.damage_count = 0
        self.missing_count = 0
        self._log_dir = log_dir
        name = parse_log_name(log_dir.name)
        self._log_id = "" if name is None else name.log_id
        self._is_dead = is_dead
        self._tell_on = tell
        self._name: SegmentName | None = None
        self._segment: SegmentReader | None = None
        self._strange: dict[SegmentName, str] = {}  # told already

    def batch(self, max_records: int, max_bytes: int = _MAX_BATCH_BYTES) -> list[Entry]:
        """Return the next records: at most so many, and no more once they have so many bytes; none if none are there.

        Raises:
            OSError: the log cannot be read now; what was not yielded can be later.
        """
        found: list[Entry] = []
        size = 0
        for entry in islice(self.entries(), max_records):
            found.append(entry)
            size += len(entry.span.span)
            if size >= max_bytes:
                break
        return found

    def entries(self) -> Iterator[Entry]:
        """Yield the records that were not yielded yet, up to what is there now.

        Raises:
            OSError: the log cannot be read now; what was not yielded can be later.
        """
        while True:
            # In this order: once there is a later segment, nothing is written to this one.
            following = self._following()
            if self._segment is not None:
                is_final = self._is_dead or following is not None
                for entry in self._segment.entries(is_final=is_final):
                    self.last_seq = entry.seq
                    yield entry
            if following is None:
                return
            self._go_to(following)

    def _following(self) -> SegmentName | None:
        """The segment behind the present one; at first, the one that the first record is in."""
        names = self._names()
        if self._name is not None:
            return next((name for name in names if name > self._name), None)
        before = [name for name in names if name.first_seq <= self.last_seq + 1]
        # Of several that begin alike only the last has records.
        return before[-1] if before else next(iter(names), None)

    def _names(self) -> list[SegmentName]:
        """The segments; files that are only called so are told."""
        segments, strange = list_parts(self._log_dir)
        for name, what in strange:
            if name not in self._strange:
                self._strange[name] = what
                self._tell(Damage(self._log_dir / str(name), what))
        return segments

    def _go_to(self, name: SegmentName) -> None:
        path = self._log_dir / str(name)
        try:
            segment = SegmentReader(path, name, self._log_id, self._tell, self.last_seq)
        except FileNotFoundError:
            return  # removed meanwhile, since all consumers have passed it
        has_lost_its_start = any(each < name and what == EMPTY for each, what in self._strange.items())
        is_contiguous = self._name is not None or self.last_seq > 0 or has_lost_its_start
        missing = name.first_seq - self.last_seq - 1
        # Not so where consumers have deleted the present segment, and those behind it too.
        if is_contiguous and missing > 0 and (self._segment is None or self._segment.path.exists()):
            self._tell(Damage(path, MISSING, records=missing))
        self._name, self._segment = name, segment

    def _tell(self, damage: Damage) -> None:
        self.damage_count += 1
        self.missing_count += damage.records
        self._tell_on(damage)
