"""The spool as OTel metrics: a real MeterProvider collects, and finds what the ledger and the cursors say."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint, Sum

from otel_agenttrace.losses import LossLog
from otel_agenttrace.spool.about import About
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.consumers import Consumers
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.measures import MEASURES
from otel_agenttrace.spool.metrics import report_metrics
from otel_agenttrace.spool.target import TAKEN, Delivery
from otel_agenttrace.testing.programs import run_program
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode, serialized

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.metrics import Meter

QUEUE_SIZE = "otel.sdk.processor.span.queue.size"
PROCESSED = "otel.sdk.processor.span.processed"
IN_FLIGHT = "otel.sdk.exporter.span.inflight"
EXPORTED = "otel.sdk.exporter.span.exported"


class Metrics(NamedTuple):
    """A MeterProvider, and what is read from it."""

    provider: MeterProvider
    reader: InMemoryMetricReader

    def sums(self) -> dict[str, Sum]:
        """The metrics now, by name."""
        data = self.reader.get_metrics_data()
        scopes = [scope for resource in (data.resource_metrics if data else ()) for scope in resource.scope_metrics]
        found = {metric.name: metric.data for scope in scopes for metric in scope.metrics}
        return {name: each for name, each in found.items() if isinstance(each, Sum)}

    def points(self, name: str) -> dict[tuple[str, ...], int | float]:
        """The numbers of a metric, by component and error."""
        sums = self.sums()
        return {_key(point): point.value for point in sums[name].data_points} if name in sums else {}


def _key(point: NumberDataPoint) -> tuple[str, ...]:
    attributes = point.attributes or {}
    names = (attributes.get("otel.component.name"), attributes.get("error.type"))
    return tuple(str(each) for each in names if each is not None)


@pytest.fixture
def metrics() -> Iterator[Metrics]:
    """A MeterProvider of the test's own."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    yield Metrics(provider, reader)
    provider.shutdown()


def spooled(folder: Path, *targets: ListTarget, max_bytes: int = 1 << 30) -> Consumers:
    """The log of a process, and its targets."""
    losses = LossLog()
    about = About(targets=tuple(target.name for target in targets))
    log = SpoolLog(SpoolConfig(folder / "spool", max_bytes=max_bytes), about, losses=losses)
    return Consumers(log, targets, decode, losses)


def reject_odd(names: list[str]) -> Delivery:
    """A target that never takes every second span."""
    return Delivery("taken", sum(int(name.split()[1]) % 2 for name in names), "odd")


def test_each_target_is_told_apart(tmp_path: Path, metrics: Metrics) -> None:
    """What a target took, rejected or was passed, and what waits for it, is under its own name."""
    consumers = spooled(tmp_path, ListTarget("store", takes_open=True), ListTarget("otlp@host:4317", reject_odd))
    report_metrics(consumers.log, consumers, metrics.provider)
    assert consumers.log.append(Kind.START, serialized(100)) is not None
    append_spans(consumers.log, range(10))
    waiting = metrics.points(QUEUE_SIZE)
    assert consumers.flush(20)

    assert waiting == {("agenttrace_spool/store",): 11, ("agenttrace_spool/otlp@host:4317",): 11}
    assert metrics.points(QUEUE_SIZE) == dict.fromkeys(waiting, 0)
    assert metrics.points(EXPORTED) == {
        ("store",): 11,
        ("otlp@host:4317",): 5,
        ("otlp@host:4317", "rejected"): 5,
    }
    assert metrics.points(PROCESSED) == {("agenttrace_spool/store",): 11, ("agenttrace_spool/otlp@host:4317",): 10}
    assert metrics.points(IN_FLIGHT) == {("store",): 0, ("otlp@host:4317",): 0}
    assert metrics.points("agenttrace.spool.record.written") == {(): 11}
    consumers.shutdown(10)


def test_instruments_are_those_of_the_conventions(tmp_path: Path, metrics: Metrics) -> None:
    """Counters count and never go back, levels go up and down; units and component types are as the conventions say."""
    consumers = spooled(tmp_path, ListTarget("otlp"))
    report_metrics(consumers.log, consumers, metrics.provider)
    sums = metrics.sums()
    (point,) = sums[EXPORTED].data_points

    assert [sums[name].is_monotonic for name in (QUEUE_SIZE, PROCESSED, IN_FLIGHT, EXPORTED)] == [0, 1, 0, 1]
    assert (point.attributes or {})["otel.component.type"] == "otel_agenttrace.testing.spool_targets.ListTarget"
    consumers.shutdown(10)


def test_every_metric_is_documented() -> None:
    """The page on OpenTelemetry has each name."""
    page = (Path(__file__).parents[2] / "docs" / "opentelemetry.md").read_text(encoding="utf-8")

    assert [measure.name for measure in MEASURES if f"`{measure.name}`" not in page] == []


def test_a_target_that_is_away_shows(tmp_path: Path, metrics: Metrics) -> None:
    """Its queue grows, what it was given stays in flight while it is tried again, and nothing counts as exported."""
    target = ListTarget("otlp", lambda _: Delivery("away", message="down"))
    consumers = spooled(tmp_path, target)
    report_metrics(consumers.log, consumers, metrics.provider)
    append_spans(consumers.log, range(600))
    consumers.flush(10)
    away = {name: metrics.points(name) for name in (QUEUE_SIZE, IN_FLIGHT, EXPORTED)}
    retried = metrics.points("agenttrace.spool.delivery.retried")
    target.answer = lambda _: TAKEN
    assert consumers.flush(20)

    assert away == {
        QUEUE_SIZE: {("agenttrace_spool/otlp",): 600},
        IN_FLIGHT: {("otlp",): 512},
        EXPORTED: {("otlp",): 0},
    }
    assert retried[("otlp",)] > 0
    assert metrics.points(EXPORTED) == {("otlp",): 600}
    consumers.shutdown(10)


def test_refused_records_are_told_by_reason(tmp_path: Path, metrics: Metrics) -> None:
    """What the spool did not take is an error of the spool, under the ledger's word for why."""
    consumers = spooled(tmp_path, ListTarget("otlp", lambda _: Delivery("away")), max_bytes=1 << 16)
    report_metrics(consumers.log, consumers, metrics.provider)
    refused = [consumers.log.append(Kind.SPAN, serialized(n)) for n in range(500)].count(None)

    assert refused
    assert metrics.points(PROCESSED)[("agenttrace_spool", "quota")] == refused
    consumers.shutdown(10)


def test_counts_of_the_ledger_are_metrics(tmp_path: Path, metrics: Metrics) -> None:
    """What a process counts besides its records is there, too."""
    consumers = spooled(tmp_path, ListTarget())
    report_metrics(consumers.log, consumers, metrics.provider)
    for name in ("unsampled", "redacted", "truncated", "unsynced"):
        consumers.log.count(name, 3)

    assert metrics.points("agenttrace.span.unsampled") == {(): 3}
    assert metrics.points("agenttrace.secret.redacted") == {(): 3}
    assert metrics.points("agenttrace.value.truncated") == {(): 3}
    assert metrics.points("agenttrace.spool.record.unsynced") == {(): 3}
    consumers.shutdown(10)


def test_logs_of_dead_processes_count_once(tmp_path: Path, metrics: Metrics) -> None:
    """Of a log that is adopted, what this process delivers is counted, and stays so when the log is removed."""
    dead = spooled(tmp_path, ListTarget("otlp", lambda _: Delivery("away")))
    append_spans(dead.log, range(300))
    dead.shutdown(10)
    del dead
    gc.collect()  # as the end of its process would, this lets go of the log
    target = ListTarget("otlp")
    consumers = spooled(tmp_path, target)
    report_metrics(consumers.log, consumers, metrics.provider)
    consumers.start()
    while len(target.names) < 300 or any((tmp_path / "spool").glob("*/*.cursor")):
        consumers.wait_for_progress(0.05)

    assert metrics.points(EXPORTED) == {("otlp",): 300}
    consumers.shutdown(10)


def test_a_restart_goes_on_counting(tmp_path: Path, metrics: Metrics) -> None:
    """Tracing that ends and begins again adds to the same numbers; the log's end takes none of them away."""
    for begun in range(3):
        consumers = spooled(tmp_path, ListTarget("otlp"))
        end = report_metrics(consumers.log, consumers, metrics.provider)
        append_spans(consumers.log, range(10))
        consumers.shutdown(10)
        end()
        end()
        log = weakref.ref(consumers.log)
        del consumers
        gc.collect()

        assert metrics.points(EXPORTED) == {("otlp",): 10 * (begun + 1)}
        assert metrics.points("agenttrace.spool.record.written") == {(): 10 * (begun + 1)}
        assert log() is None


def test_what_waits_on_disk_is_told_to_the_end(tmp_path: Path, metrics: Metrics) -> None:
    """The last collection, after tracing has ended, still says what was left behind."""
    consumers = spooled(tmp_path, ListTarget("otlp", lambda _: Delivery("away")))
    end = report_metrics(consumers.log, consumers, metrics.provider)
    append_spans(consumers.log, range(10))
    consumers.shutdown(10)
    end()

    assert metrics.points(QUEUE_SIZE) == {("agenttrace_spool/otlp",): 10}
    assert metrics.points(IN_FLIGHT) == {("otlp",): 0}


def test_a_provider_that_fails_is_survived(tmp_path: Path) -> None:
    """Whatever somebody's MeterProvider does, the agent goes on, and is told once."""

    class Broken(MeterProvider):
        def get_meter(self, *_: object, **__: object) -> Meter:
            raise RuntimeError

    consumers = spooled(tmp_path, ListTarget())
    provider = Broken(shutdown_on_exit=False)
    end = report_metrics(consumers.log, consumers, provider)
    end()
    provider.shutdown()

    assert consumers.losses.counts == {"metrics": 0}


_PROGRAM = """
import os
import sys
from pathlib import Path

from opentelemetry import metrics

from otel_agenttrace.losses import LossLog
from otel_agenttrace.spool.config import SpoolConfig
from otel_agenttrace.spool.consumers import Consumers
from otel_agenttrace.spool.log import SpoolLog
from otel_agenttrace.spool.metrics import report_metrics
from otel_agenttrace.testing.spool_targets import ListTarget, append_spans, decode


def begin():
    losses = LossLog()
    consumers = Consumers(SpoolLog(SpoolConfig(Path("spool")), losses=losses), [ListTarget()], decode, losses)
    return consumers, report_metrics(consumers.log, consumers)


def set_up():
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([reader]))
    return reader


def exported(reader):
    (scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
    (metric,) = [metric for metric in scope.metrics if metric.name == "otel.sdk.exporter.span.exported"]
    return [point.value for point in metric.data.data_points]

"""


@pytest.mark.parametrize("is_before", [True, False])
def test_the_global_provider_may_come_first_or_later(tmp_path: Path, *, is_before: bool) -> None:
    """Whichever is set up first, the MeterProvider or the recorder, the spool is reported."""
    begin, set_up = "consumers, end = begin()\n", "reader = set_up()\n"
    order = set_up + begin if is_before else begin + set_up
    end = "append_spans(consumers.log, range(7)); consumers.shutdown(10); print(exported(reader))"

    assert run_program(tmp_path, _PROGRAM + order + end).stdout.strip() == "[7]"


def test_without_a_provider_nothing_of_the_sdk_is_loaded(tmp_path: Path) -> None:
    """Metrics that nobody collects cost no import."""
    source = "before = set(sys.modules)\nbegin()\nprint([name for name in set(sys.modules) - before if 'sdk' in name])"

    assert run_program(tmp_path, _PROGRAM + source).stdout.strip() == "[]"


def test_a_forked_child_counts_its_own(tmp_path: Path) -> None:
    """What the parent exported before the fork is not told again by the child."""
    source = """
reader = set_up()
for _ in range(2):
    consumers, end = begin()
    append_spans(consumers.log, range(7))
    consumers.shutdown(10)
    print(exported(reader))
    end()
consumers, end = begin()
append_spans(consumers.log, range(7))
consumers.flush(10)
sys.stdout.flush()
if os.fork() == 0:
    append_spans(consumers.log, range(3))
    consumers.shutdown(10)
    print(exported(reader), flush=True)
    os._exit(0)
os.wait()
print(exported(reader))
consumers.shutdown(10)
"""
    lines = run_program(tmp_path, _PROGRAM + source).stdout.split("\n")

    assert lines[:4] == ["[7]", "[14]", "[3]", "[21]"]
