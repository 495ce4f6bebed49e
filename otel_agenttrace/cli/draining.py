"""`agenttrace spool drain`: what dead processes left, delivered to the store and to the environment's exporters."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import TracerProvider

from otel_agenttrace.config import resolve_config
from otel_agenttrace.delivering import deliver_dead_logs, place_of
from otel_agenttrace.errors import StoreError
from otel_agenttrace.exporters.names import STORE_NAME
from otel_agenttrace.spool.cursor import Cursor
from otel_agenttrace.spool.known_logs import read_known_logs
from otel_agenttrace.spool.places import fallback_of
from otel_agenttrace.spool.target import is_store
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.targets import TargetBuilder
from otel_agenttrace.views.drained import Left, SpoolDrained

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from otel_agenttrace.spool.known_logs import KnownLog
    from otel_agenttrace.spool.places import SpoolPlace
    from otel_agenttrace.spool.target import Delivery, Item, SpoolTarget

_EVERYBODY = "everybody"
"""Of a log that does not say who is to get it."""


def drain_spool(store_url: str | None, timeout_s: float) -> SpoolDrained:
    """Deliver what dead processes left to the store, and to the exporters of the environment.

    Args:
        store_url: as for `open_store`.
        timeout_s: how long it may take.

    Raises:
        ConfigError: the URL is not accepted.
        OSError: the spool cannot be read.
    """
    place = place_of(store_url)
    before = {log.name: log for log in _known_logs(place) if log.state == "dead"}
    forwards = [_Watched(target) for target in _forwards()] if before else []
    deadline = time.monotonic() + timeout_s
    try:
        deliver_dead_logs(store_url, timeout_s, forwards=forwards)
    finally:
        for target in forwards:
            target.close()
    after = _known_logs(place)
    is_late = time.monotonic() >= deadline
    drained = [log for log in after if log.name in before]
    left = _left(log for log in drained if log.state != "gone")
    reasons = _Reasons(place, store_url, {target.name: target for target in forwards}, is_late=is_late)
    return SpoolDrained(
        logs=len(before),
        sent=_counted("sent", before, drained),
        rejected=_counted("rejected", before, drained),
        dropped=_counted("dropped", before, drained),
        left=tuple(Left(name, count, reasons.of(name)) for name, count in left.items()),
        unreadable=tuple(log.name for log in after if log.state == "unreadable"),
    )


class _Watched:
    """A target that keeps what it said last.

    Attributes:
        said: why it did not take what it was offered last; empty if it did.
    """

    def __init__(self, target: SpoolTarget) -> None:
        self.name, self.takes_open, self.is_lasting = target.name, target.takes_open, target.is_lasting
        self.said = ""
        self._target = target

    def deliver(self, items: Sequence[Item]) -> Delivery:
        """Pass on what is delivered, and take note of the answer."""
        self.said = "it did not answer"
        try:
            delivery = self._target.deliver(items)
        except Exception as error:
            self.said = f"{type(error).__name__}: {error}"
            raise
        self.said = "" if delivery.outcome == "taken" else delivery.message or "it does not say why"
        return delivery

    def renew(self) -> None:
        """Pass on."""
        self._target.renew()

    def close(self) -> None:
        """Pass on."""
        self._target.close()


class _Reasons:
    """Says why something is left for a target."""

    def __init__(
        self, place: SpoolPlace, store_url: str | None, forwards: Mapping[str, _Watched], *, is_late: bool
    ) -> None:
        self._place = place
        self._store_url = store_url
        self._forwards = forwards
        self._is_late = is_late

    def of(self, name: str) -> str:
        """The reason in words."""
        said = ""
        if name == self._place.store_name:
            said = self._store_says()
        elif is_store(name):
            said = "it is another store: name it with --store"
        elif name in self._forwards:
            said = self._forwards[name].said
        elif name != _EVERYBODY:
            said = "no exporter here sends there: set the variables that name it, as its process had them"
        return said or ("there was no time: see --timeout" if self._is_late else "another process is at it")

    def _store_says(self) -> str:
        try:
            open_store(self._store_url, setting="--store").close()
        except StoreError as error:
            return str(error)
        return "it was locked, or there was no time: see --timeout"


def _forwards() -> list[SpoolTarget]:
    """The exporters that `configure_tracing` would take from the environment."""
    config = resolve_config({})
    exporters = config.exporters
    if exporters is not None:
        exporters = tuple(each for each in exporters if each != STORE_NAME)
    with suppress_instrumentation():
        provider = TracerProvider(shutdown_on_exit=False)
        targets = TargetBuilder(replace(config, store=None, exporters=exporters), provider).build()
    return [target.spooled for target in targets.all if target.spooled.is_lasting]


def _known_logs(place: SpoolPlace) -> list[KnownLog]:
    return [log for path in (place.directory, fallback_of(place.directory)) for log in read_known_logs(path)]


def _counted(field: str, before: Mapping[str, KnownLog], after: Iterable[KnownLog]) -> dict[str, int]:
    """How much one of a cursor's counts has grown for each target in these logs."""
    counts: dict[str, int] = {}
    for log in after:
        cursors = before[log.name].counts.cursors
        for name, cursor in log.counts.cursors.items():
            grown = getattr(cursor, field) - getattr(cursors.get(name, Cursor()), field)
            counts[name] = counts.get(name, 0) + max(0, grown)
    return dict(sorted(counts.items()))


def _left(logs: Iterable[KnownLog]) -> dict[str, int]:
    left: dict[str, int] = {}
    for log in logs:
        waiting = {name: log.waiting(name) for name in log.counts.cursors} or {_EVERYBODY: log.counts.last_seq}
        for name, count in waiting.items():
            if count:
                left[name] = left.get(name, 0) + count
    return dict(sorted(left.items()))
