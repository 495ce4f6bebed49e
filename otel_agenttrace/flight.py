"""Flight: the way of this process's records, from its spool to stores and exporters, and the verdicts on the way."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from otel_agenttrace.ledger import LedgerCounts
from otel_agenttrace.notice import TraceTally
from otel_agenttrace.processors.spooled import decode_spooled
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.consumers import Consumers
from otel_agenttrace.spool.directory import has_dead_logs
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.metrics import report_metrics
from otel_agenttrace.spool.places import fallback_of, usable
from otel_agenttrace.verdicts import Verdicts, late_judge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from otel_agenttrace.config import TracingConfig
    from otel_agenttrace.losses import LossLog
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.spool.about import About
    from otel_agenttrace.targets import Targets


class Flight:
    """A log, its consumers, and what watches them.

    Args:
        config: settings of the spool and of grounding.
        targets: where records go.
        losses: where all that is refused, rejected or dropped is counted.
        about: what is said of this process to whoever adopts its log; without the targets.

    Attributes:
        log: takes the records.
        consumers: deliver them.
        tally: of the traces of this process, as far as they were delivered.
    """

    def __init__(self, config: TracingConfig, targets: Targets, losses: LossLog, about: About) -> None:
        self.log = SpoolLog(_spool_config(config, targets), about=_with_targets(about, targets), losses=losses)
        self.tally = TraceTally()
        self._verdicts = Verdicts(targets.store, grounding=config.grounding)
        self.consumers = Consumers(
            self.log,
            [target.spooled for target in targets.all],
            decode_spooled,
            losses,
            after_delivery=self._note,
            judge=late_judge(targets.store, grounding=config.grounding),
        )
        self._verdicts.record_into(self.log, self.consumers)
        self._ledger: LedgerCounts | None = None
        self._end_report = report_metrics(self.log, self.consumers)
        with suppress(OSError):  # told when something is to be written there
            if has_dead_logs(self.log.config.directory):
                self.consumers.start()

    def keep_counts(self, read: Callable[[], Mapping[str, int]]) -> None:
        """Keep the ledger up to date with what is counted elsewhere, under names of `spool.ledger.COUNTERS`."""
        self._ledger = LedgerCounts(self.log, read)

    def flush(self, timeout_s: float) -> bool:
        """Deliver what was recorded before, with the verdicts of what has settled; False if that took longer.

        See `Consumers.flush` for what is waited for.
        """
        return self._flush(timeout_s, is_last=False)

    def land(self, timeout_s: float) -> bool:
        """Flush, and deliver nothing more; what could not be delivered waits on disk. Safe twice.

        Returns:
            Whether everything was delivered.
        """
        deadline = time.monotonic() + timeout_s
        is_flushed = self._flush(timeout_s * 0.75, is_last=True)
        self._verdicts.stop(deadline - time.monotonic())
        is_delivered = self.consumers.shutdown(deadline - time.monotonic())
        self._end_report()
        return is_delivered and is_flushed

    def release(self) -> None:
        """Leave the log to whoever starts next."""
        self.log.release()

    def waiting(self) -> Mapping[str, int]:
        """For each target that has not got everything, how many spans that have ended wait on disk for it."""
        lasting = {target.name for target in self.consumers.targets if target.is_lasting}
        return {name: count for name, count in self.consumers.waiting().items() if name in lasting}

    @property
    def unjudged_count(self) -> int:
        """Traces that have no verdict, though there should be one; to be asked at the end."""
        return self._verdicts.unjudged_count

    def _flush(self, timeout_s: float, *, is_last: bool) -> bool:
        deadline = time.monotonic() + timeout_s
        is_flushed = self.consumers.flush(timeout_s * 0.75)
        is_settled = self._verdicts.settle(deadline, is_last=is_last)
        self._write_counts()
        # Again, for what was late, and for the verdicts.
        return self.consumers.flush(deadline - time.monotonic()) and is_settled and (is_flushed or not is_last)

    def _note(self, records: Sequence[SpanRecord]) -> None:
        for record in records:
            self.tally.add(record)
        self._verdicts.note(records)
        self._write_counts()

    def _write_counts(self) -> None:
        if self._ledger is not None:
            self._ledger.write()


def _spool_config(config: TracingConfig, targets: Targets) -> SpoolConfig:
    is_left_behind = any(target.spooled.is_lasting for target in targets.all)
    place = targets.place
    if not is_left_behind and config.spool_dir is None:
        place = place._replace(directory=fallback_of(place.directory))  # nothing of it is to be in anybody's home
    return SpoolConfig(
        usable(place).directory,
        durability=config.durability,
        max_bytes=config.spool_max_bytes,
        is_left_behind=is_left_behind,
    )


def _with_targets(about: About, targets: Targets) -> About:
    return replace(
        about,
        targets=tuple(target.spooled.name for target in targets.all if target.spooled.is_lasting),
        by_object=tuple(target.spooled.name for target in targets.all if not target.is_by_name),
        without_content=tuple(target.spooled.name for target in targets.all if not target.keeps_content),
    )
