"""`agenttrace spool drain`: what dead processes left, delivered to the store and to the environment's exporters."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import TracerProvider

from otel_agenttrace.config import resolve_config
from otel_agenttrace.delivering import deliver_dead_logs, place_of
from otel_agenttrace.errors import StoreError
from otel_agenttrace.exporters.names import STORE_NAME
from otel_agenttrace.spool.known_logs import read_known_logs
from otel_agenttrace.spool.places import spool_directories
from otel_agenttrace.spool.siblings import this_process
from otel_agenttrace.spool.status import sum_up
from otel_agenttrace.spool.target import is_store
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.targets import TargetBuilder
from otel_agenttrace.views.drained import Left, SpoolDrained

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

    from otel_agenttrace.spool.known_logs import KnownLog
    from otel_agenttrace.spool.places import SpoolPlace
    from otel_agenttrace.spool.status import SpoolStatus
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
    known = _known_logs(place)
    dead = [log for log in known if log.state == "dead" and not log.adopter]
    before = {log.name for log in dead}
    was = sum_up(dead)
    forwards = [_Watched(target) for target in _forwards()] if before else []
    deadline = time.monotonic() + timeout_s
    try:
        here = {place.store_name, *(target.name for target in forwards)}
        with _progress(sum(log.waiting(name) for log in dead for name in here)) as progress:
            deliver_dead_logs(store_url, timeout_s, forwards=forwards, progress=progress)
    finally:
        for target in forwards:
            target.close()
    after = _known_logs(place)
    is_late = time.monotonic() >= deadline
    drained = [log for log in after if log.name in before]
    found = sum_up(drained)
    elsewhere = [log for log in after if log.adopter not in ("", this_process())]
    remaining = [log for log in drained if log.state != "gone" and log not in elsewhere] + elsewhere
    left, are_left = _left(remaining), sum_up(remaining)
    watched = {target.name: target for target in forwards}
    reasons = _Reasons(place, store_url, watched, _left(elsewhere), is_late=is_late)
    return SpoolDrained(
        logs=len(before),
        sent=_counted("sent", was, found),
        rejected=_counted("rejected", was, found),
        dropped=_counted("dropped", was, found),
        left=tuple(Left(name, _spans(are_left, name) or count, reasons.of(name)) for name, count in left.items()),
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

    @property
    def seems_away(self) -> bool:
        """Pass on."""
        return self._target.seems_away

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

    def survive_power_cuts(self) -> None:
        """Pass on."""
        self._target.survive_power_cuts()

    def renew(self) -> None:
        """Pass on."""
        self._target.renew()

    def close(self) -> None:
        """Pass on."""
        self._target.close()


class _Reasons:
    """Says why something is left for a target."""

    def __init__(
        self,
        place: SpoolPlace,
        store_url: str | None,
        forwards: Mapping[str, _Watched],
        elsewhere: Container[str],
        *,
        is_late: bool,
    ) -> None:
        self._place = place
        self._store_url = store_url
        self._forwards = forwards
        self._elsewhere = elsewhere
        self._is_late = is_late

    def of(self, name: str) -> str:
        """The reason in words."""
        said = ""
        if name in self._elsewhere and (name == self._place.store_name or name in self._forwards):
            said = "another process is delivering it right now"
        elif name == self._place.store_name:
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


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """What is to be told how many records are done with; a terminal is shown on stderr how far that is."""
    if not total or not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=total, label="delivering", file=sys.stderr) as bar:
        yield lambda done: bar.update(min(done, total) - bar.pos)


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
    return [log for path in spool_directories(place.directory) for log in read_known_logs(path)]


def _counted(field: str, before: SpoolStatus, after: SpoolStatus) -> dict[str, int]:
    """How much one of the counts of each target has grown."""
    was = {target.name: getattr(target, field) for target in before.targets}
    return {target.name: max(0, getattr(target, field) - was.get(target.name, 0)) for target in after.targets}


def _spans(status: SpoolStatus, name: str) -> int:
    return next((target.waiting for target in status.targets if target.name == name), 0)


def _left(logs: Iterable[KnownLog]) -> dict[str, int]:
    """For each target that has not all records of these logs, how many it lacks."""
    left: dict[str, int] = {}
    for log in logs:
        waiting = {name: log.waiting(name) for name in log.counts.cursors} or {_EVERYBODY: log.counts.last_seq}
        for name, count in waiting.items():
            if count:
                left[name] = left.get(name, 0) + count
    return dict(sorted(left.items()))
