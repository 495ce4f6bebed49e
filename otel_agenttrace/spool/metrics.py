"""The spool's counts as OTel metrics, for whoever has set up a MeterProvider, before or after."""

from __future__ import annotations

import os
import threading
import weakref
from functools import partial
from typing import TYPE_CHECKING

from otel_agenttrace.spool.measures import MEASURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

    from otel_agenttrace.contract.metrics import MetricName
    from otel_agenttrace.spool.consumers import Consumers
    from otel_agenttrace.spool.log import SpoolLog
    from otel_agenttrace.spool.measures import Attributes, Measure

_SCOPE = "otel_agenttrace"


def report_metrics(
    log: SpoolLog, consumers: Consumers, meter_provider: MeterProvider | None = None
) -> Callable[[], None]:
    """Report a spool whenever metrics are collected; costs nothing in between, and without a MeterProvider.

    Raises nothing: what cannot be reported is told once.

    Args:
        log: of this process.
        consumers: its targets. Neither is kept alive.
        meter_provider: the global one if None, which may be set later.

    Returns:
        What ends it, best once the consumers have shut down: the last numbers stay, as counters never go back.
    """
    try:
        reports = _reports_of(meter_provider)
    except Exception as error:  # noqa: BLE001 - somebody else's provider
        log.losses.add("metrics", 0, "the spool's metrics are not reported", error)
        return lambda: None
    report = _Report(log, consumers)
    reports.add(report)
    return partial(reports.end, report)


class _Report:
    """One spool, and what was last read of it."""

    def __init__(self, log: SpoolLog, consumers: Consumers) -> None:
        self._log = weakref.ref(log)
        self._consumers = weakref.ref(consumers)
        self._seen: dict[MetricName, dict[Attributes, int]] = {}

    def points(self, measure: Measure) -> dict[Attributes, int]:
        """The numbers now; where nothing can be read any more, the last ones."""
        seen = self._seen.setdefault(measure.name, {})
        log, consumers = self._log(), self._consumers()
        if log is not None and consumers is not None:
            for value, attributes in measure.read(log, consumers):
                # What was dropped may turn out to have been delivered; a count that was told is not taken back.
                seen[attributes] = value if measure.is_level else max(value, seen.get(attributes, 0))
        return seen

    def after_fork_in_child(self) -> None:
        self._seen = {}


class _Reports:
    """All spools of this process, in the instruments of one meter: these can be made, but not removed."""

    def __init__(self, meter_provider: MeterProvider | None) -> None:
        from opentelemetry import metrics  # noqa: PLC0415 - not every process has a spool

        self._observation = metrics.Observation
        self._lock = threading.RLock()
        self._live: list[_Report] = []
        self._past: dict[MetricName, dict[Attributes, int]] = {measure.name: {} for measure in MEASURES}
        meter = metrics.get_meter(_SCOPE, meter_provider=meter_provider)
        for measure in MEASURES:
            create = meter.create_observable_up_down_counter if measure.is_level else meter.create_observable_counter
            create(measure.name, [partial(self._observe, measure)], measure.unit, measure.description)

    def add(self, report: _Report) -> None:
        with self._lock:
            self._live.append(report)

    def end(self, report: _Report) -> None:
        """Keep the last numbers of a report, and nothing else. Safe twice."""
        with self._lock:
            if report not in self._live:
                return
            self._live.remove(report)
            for measure in MEASURES:
                self._past[measure.name] = self._together(measure, [report])

    def after_fork_in_child(self) -> None:
        """Begin at zero, as logs and consumers do: what was counted before is the parent's to tell."""
        self._lock = threading.RLock()
        self._past = {measure.name: {} for measure in MEASURES}
        for report in self._live:
            report.after_fork_in_child()

    def _observe(self, measure: Measure, _: CallbackOptions) -> Iterator[Observation]:
        with self._lock:
            points = self._together(measure, self._live)
        return iter([self._observation(value, dict(attributes)) for attributes, value in points.items()])

    def _together(self, measure: Measure, reports: list[_Report]) -> dict[Attributes, int]:
        """The numbers of these reports and of those that have ended; of a level, the last one counts."""
        total = dict(self._past[measure.name])
        for report in reports:
            for attributes, value in report.points(measure).items():
                total[attributes] = value if measure.is_level else total.get(attributes, 0) + value
        return total


_global_reports: list[_Reports] = []
_other_reports: weakref.WeakKeyDictionary[MeterProvider, _Reports] = weakref.WeakKeyDictionary()
_beginning = threading.Lock()


def _reports_of(meter_provider: MeterProvider | None) -> _Reports:
    with _beginning:
        if meter_provider is None:
            if not _global_reports:
                _global_reports.append(_Reports(None))
            return _global_reports[0]
        if meter_provider not in _other_reports:
            _other_reports[meter_provider] = _Reports(meter_provider)
        return _other_reports[meter_provider]


def _after_fork_in_child() -> None:
    global _beginning  # noqa: PLW0603 - another thread may hold it, and never let go of it here
    _beginning = threading.Lock()
    for reports in (*_global_reports, *_other_reports.values()):
        reports.after_fork_in_child()


os.register_at_fork(after_in_child=_after_fork_in_child)
