"""Collects the spans of a trace while it runs, in this process, from whatever TracerProvider records them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from opentelemetry.sdk.trace import SpanProcessor

from otel_agenttrace.instrument.faults import contained
from otel_agenttrace.model.codec import SerializedSpan, deserialize, serialize_readable

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from otel_agenttrace.model.record import SpanRecord

MAX_COLLECTED = 10_000
"""Spans kept of one run; further ones are counted in `Collection.missed_count`."""


class Collection:
    """The ended spans of one trace, from when the collection began.

    Attributes:
        missed_count: spans beyond `MAX_COLLECTED`.
    """

    def __init__(self, trace_id: int, top_span_id: int) -> None:
        self.trace_id = trace_id
        self.missed_count = 0
        self._top_span_id = top_span_id
        self._spans: list[SerializedSpan] = []

    def add(self, span: ReadableSpan) -> None:
        """Keep a span; the one on top always."""
        if len(self._spans) >= MAX_COLLECTED and span.context.span_id != self._top_span_id:
            self.missed_count += 1
            return
        # What a recorder of ours hands over has been redacted and serialised already.
        serialized = getattr(span, "serialized", None)
        self._spans.append(serialized if isinstance(serialized, SerializedSpan) else serialize_readable(span))

    def records(self) -> list[SpanRecord]:
        """What was collected, in the order in which the spans ended."""
        return [deserialize(span) for span in list(self._spans)]


class SpanCollector(SpanProcessor):
    """Feeds collections. Of traces that nobody collects it keeps nothing.

    Thread-safe without a lock, which a fork or a signal handler could find taken: few runs go on at a time.
    """

    def __init__(self) -> None:
        self._running: dict[int, Collection] = {}

    def begin(self, trace_id: int, top_span_id: int) -> Collection:
        """Collect the spans of a trace that end from now on."""
        collection = Collection(trace_id, top_span_id)
        self._running[id(collection)] = collection
        return collection

    def end(self, collection: Collection) -> None:
        """Add nothing more to a collection."""
        self._running.pop(id(collection), None)

    def on_end(self, span: ReadableSpan) -> None:
        """Give the span to those who collect its trace."""
        if not self._running:
            return
        with contained("collect a span"):
            for collection in tuple(self._running.values()):
                if collection.trace_id == span.context.trace_id:
                    collection.add(span)


_collectors: dict[int, tuple[ref[Any], SpanCollector]] = {}
"""By id() of the provider; not every provider can be hashed."""


def collector_of(provider: Any) -> SpanCollector:
    """The collector of a provider (one with `add_span_processor`), which is given one if it has none."""
    kept = _collectors.get(id(provider))
    if kept is not None and kept[0]() is provider:
        return kept[1]
    collector = SpanCollector()
    provider.add_span_processor(collector)
    use_collector(provider, collector)
    return collector


def use_collector(provider: Any, collector: SpanCollector | None) -> None:
    """Let `collector_of` give this one, which gets the provider's spans by another way; None takes it back.

    A recorder that redacts feeds it what it hands over, so that what `run_with_failure_detection` returns is redacted
    like what is stored.
    """
    for key, (other, _) in list(_collectors.items()):
        if other() is None or other() is provider:
            _collectors.pop(key, None)
    if collector is not None:
        _collectors[id(provider)] = ref(provider), collector
