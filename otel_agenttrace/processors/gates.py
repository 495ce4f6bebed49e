"""GateSpanProcessor: the protocol of gates in front of any span processor, in anybody's OpenTelemetry set-up."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanProcessor

from otel_agenttrace.contract.attributes import EVENT_GATE_CHECK_STARTED, TASK_DEPENDS_ON, TASK_ID, TASK_STATUS
from otel_agenttrace.forks import call_in_children
from otel_agenttrace.instrument.faults import contained, note_fault
from otel_agenttrace.model.codec import deserialize, serialize_readable, serialize_record
from otel_agenttrace.pipeline.contract import recorded_violations, violation_event
from otel_agenttrace.pipeline.counts import Counts
from otel_agenttrace.pipeline.gates import gate_stage
from otel_agenttrace.pipeline.phase_order import check_start
from otel_agenttrace.processors.recorded import RecordedSpan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span

    from otel_agenttrace.contract.violation import Violation
    from otel_agenttrace.model.record import SpanRecord

MAX_TASKS = 10_000
"""Task spans that are remembered, to hold others against them."""

_MAX_SPANS = 16
"""Spans of one task that are remembered."""

_STARTED, _STATUS, _TASK_ID = str(EVENT_GATE_CHECK_STARTED), str(TASK_STATUS), str(TASK_ID)


class GateSpanProcessor(SpanProcessor):
    """Hands ended spans on with an event `agenttrace.contract.violation` for what they break of the protocol.

    ```python
    provider.add_span_processor(GateSpanProcessor(BatchSpanProcessor(OTLPSpanExporter())))
    ```

    Found are, whoever emits them: a gate that started and never ended; a blocked task without a reason or a next
    action; a task that began before one that its `task.depends_on` names had passed, as far as that ran in this process
    and is among the last 10,000. Spans that are no tasks and have no gates go on as they are.

    Args:
        next_processor: gets every span; one without violations as it is.
    """

    def __init__(self, next_processor: SpanProcessor) -> None:
        self._next = next_processor
        self._counts = Counts()
        self._begin()
        call_in_children(self._begin)

    def _begin(self) -> None:
        self._lock = threading.RLock()  # reentrant: a signal handler may end a span
        self._tasks: OrderedDict[tuple[int, str], dict[int, ReadableSpan]] = OrderedDict()

    @property
    def violation_counts(self) -> dict[str, int]:
        """How many violations there were so far, by attribute."""
        return self._counts.snapshot()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Remember a task, and tell the next processor."""
        with contained("remember a task"):
            self._remember(span)
        self._next.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Check the span and hand it on."""
        self._next.on_end(self._checked(span))

    def shutdown(self) -> None:
        """Shut the next processor down."""
        self._next.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flush the next processor; False if it did not finish in time."""
        return self._next.force_flush(timeout_millis)

    def _checked(self, span: ReadableSpan) -> ReadableSpan:
        try:
            attributes = span.attributes or {}
            if _STATUS not in attributes and not any(event.name == _STARTED for event in span.events):
                return span
            self._remember(span)
            record = _record(span)
            checked = self._ordered(gate_stage(record), span)
            if checked is record:
                return span
            self._counts.add(
                each.attribute for each in recorded_violations(checked)[len(recorded_violations(record)) :]
            )
            return RecordedSpan(serialize_record(checked), span.context)
        except Exception:  # noqa: BLE001 - a span that cannot be checked goes on as it is
            note_fault("check a span against the protocol of gates")
            return span

    def _ordered(self, record: SpanRecord, span: ReadableSpan) -> SpanRecord:
        """The record with what is wrong with its beginning, if it depends on others."""
        depends_on = record.attributes.get(TASK_DEPENDS_ON)
        if not isinstance(depends_on, list):
            return record
        upstream = [
            (each, [_record(other) for other in self._found(span, each)])
            for each in depends_on
            if isinstance(each, str)
        ]
        early = check_start(record, [(each, records) for each, records in upstream if records])
        return _with_violations(record, (each.violation() for each in early))

    def _remember(self, span: ReadableSpan) -> None:
        attributes = span.attributes or {}
        task_id = attributes.get(_TASK_ID)
        if _STATUS not in attributes or not isinstance(task_id, str):
            return
        key = span.context.trace_id, task_id
        with self._lock:
            spans = self._tasks.setdefault(key, {})
            if len(spans) < _MAX_SPANS or span.context.span_id in spans:
                spans[span.context.span_id] = span
            self._tasks.move_to_end(key)
            if len(self._tasks) > MAX_TASKS:
                self._tasks.popitem(last=False)

    def _found(self, span: ReadableSpan, task_id: str) -> list[ReadableSpan]:
        with self._lock:
            return list(self._tasks.get((span.context.trace_id, task_id), {}).values())


def _record(span: ReadableSpan) -> SpanRecord:
    return span.record if isinstance(span, RecordedSpan) else deserialize(serialize_readable(span))


def _with_violations(record: SpanRecord, violations: Iterable[Violation]) -> SpanRecord:
    at = record.end_time_unix_nano or record.start_time_unix_nano
    events = tuple(violation_event(each, None, at) for each in violations)
    return replace(record, events=(*record.events, *events)) if events else record
