"""What is measured of a spool: the ledger's counts and the consumers' places, under the conventions' names.

To them, a target is two components: the queue in front of it, a processor, and what takes records out of that, an
exporter (https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/). What the log itself refuses is said of the
processor alone. Numbers are of this process, and of records: a store is given a span that starts, and then ends, twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_agenttrace.contract.attributes import ERROR_TYPE
from otel_agenttrace.contract.metrics import (
    COMPONENT_NAME,
    COMPONENT_TYPE,
    EXPORTED,
    IN_FLIGHT,
    PROCESSED,
    QUEUE_SIZE,
    REDACTED,
    RETRIED,
    TRUNCATED,
    UNSAMPLED,
    UNSYNCED,
    WRITTEN,
    MetricName,
)
from otel_agenttrace.spool.refusal import REASONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from otel_agenttrace.spool.consumers import Consumers
    from otel_agenttrace.spool.log import SpoolLog
    from otel_agenttrace.spool.worker import Worker

Attributes = tuple[tuple[str, str], ...]
"""Of a point: names and values, so that they can be a key."""

SPOOL = "agenttrace_spool"
REJECTED = "rejected"
DROPPED = "dropped"


class Point(NamedTuple):
    """A number, and what it is of."""

    value: int
    attributes: Attributes = ()


class Measure(NamedTuple):
    """A metric.

    Attributes:
        name: of the metric.
        unit: in UCUM.
        description: for people.
        read: its points now.
        is_level: whether it goes up and down; else it counts.
    """

    name: MetricName
    unit: str
    description: str
    read: Callable[[SpoolLog, Consumers], Iterator[Point]]
    is_level: bool = False


def _queue_sizes(log: SpoolLog, consumers: Consumers) -> Iterator[Point]:
    logs = log.logs
    for worker in consumers.workers:
        yield Point(_waiting(worker, logs), _queue(worker))


def _waiting(worker: Worker, logs: Mapping[Path, int]) -> int:
    placed = worker.consumers
    passed = {path: placed[path].cursor.seq for path in logs if path in placed}
    return sum(max(0, last_seq - passed.get(path, 0)) for path, last_seq in logs.items())


def _processed(log: SpoolLog, consumers: Consumers) -> Iterator[Point]:
    counts = log.counts
    for reason in REASONS:
        if refused := counts.get(f"refused_{reason}", 0):
            yield Point(refused, (*_component(SPOOL, log), (ERROR_TYPE, reason)))
    for worker in consumers.workers:
        total = worker.tally.total
        yield Point(total.sent + total.rejected, _queue(worker))
        if total.dropped:
            yield Point(total.dropped, (*_queue(worker), (ERROR_TYPE, DROPPED)))


def _exported(_: SpoolLog, consumers: Consumers) -> Iterator[Point]:
    for worker in consumers.workers:
        total = worker.tally.total
        yield Point(total.sent, _exporter(worker))
        if total.rejected:
            yield Point(total.rejected, (*_exporter(worker), (ERROR_TYPE, REJECTED)))


def _in_flight(_: SpoolLog, consumers: Consumers) -> Iterator[Point]:
    for worker in consumers.workers:
        yield Point(sum(consumer.in_hand for consumer in worker.consumers.values()), _exporter(worker))


def _retried(_: SpoolLog, consumers: Consumers) -> Iterator[Point]:
    for worker in consumers.workers:
        yield Point(worker.tally.total.retried, _exporter(worker))


def _written(log: SpoolLog, _: Consumers) -> Iterator[Point]:
    yield Point(log.recorded)


def _counted(name: str) -> Callable[[SpoolLog, Consumers], Iterator[Point]]:
    def read(log: SpoolLog, _: Consumers) -> Iterator[Point]:
        yield Point(log.counts.get(name, 0))

    return read


def _queue(worker: Worker) -> Attributes:
    return _component(f"{SPOOL}/{worker.target.name}", worker)


def _exporter(worker: Worker) -> Attributes:
    return _component(worker.target.name, worker.target)


def _component(name: str, component: object) -> Attributes:
    kind = type(component)
    return (COMPONENT_TYPE, f"{kind.__module__}.{kind.__qualname__}"), (COMPONENT_NAME, name)


MEASURES = (
    Measure(QUEUE_SIZE, "{span}", "Records on disk that wait for a target.", _queue_sizes, is_level=True),
    Measure(PROCESSED, "{span}", "Records that were handed to a target, refused, or given up.", _processed),
    Measure(IN_FLIGHT, "{span}", "Records that a target was given, and has not taken yet.", _in_flight, is_level=True),
    Measure(EXPORTED, "{span}", "Records that a target has taken, or will never take.", _exported),
    Measure(RETRIED, "{attempt}", "Deliveries that had to be made again.", _retried),
    Measure(WRITTEN, "{record}", "Records written to the spool, those of started spans included.", _written),
    Measure(UNSYNCED, "{record}", "Records that the disk did not promise to keep.", _counted("unsynced")),
    Measure(UNSAMPLED, "{span}", "Spans that were not sampled, and so not recorded.", _counted("unsampled")),
    Measure(REDACTED, "{secret}", "Secrets that were hidden before anything was written.", _counted("redacted")),
    Measure(TRUNCATED, "{value}", "Values that were cut since they were too large.", _counted("truncated")),
)
