"""Where a settler gets the spans of a trace from: a store, or what went by lately where there is none."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otel_agenttrace.contract.attributes import SPAN_VERDICT
from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.model.codec import SerializedSpan, deserialize, serialize_record
from otel_agenttrace.model.verdicts import is_verdict
from otel_agenttrace.stores.api import SpanQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.stores.api import SpanStore

MAX_SPANS = 20_000
MAX_BYTES = 32 * 1024 * 1024
"""What `RecentSpans` keeps at most: spans, and bytes of them serialised."""

_OVERHEAD_BYTES = 200
"""What a span costs beside its text; the texts of resources and scopes are shared by many."""


class StoredSpans:
    """The spans of traces as a store has them, those of other processes too.

    Args:
        open_store: gives the store.
    """

    def __init__(self, open_store: Callable[[], SpanStore]) -> None:
        self._open_store = open_store

    def add(self, records: Sequence[SpanRecord]) -> None:
        """Do nothing: the store has them."""

    def spans_of(self, trace_id: str) -> Sequence[SpanRecord]:
        """All spans of a trace that are stored.

        Raises:
            StoreError: the store cannot be read.
        """
        try:
            return self._open_store().get_trace(trace_id).spans
        except TraceNotFoundError:
            return ()

    def has_verdict(self, trace_id: str) -> bool:
        """Whether a verdict of the trace is stored.

        Raises:
            StoreError: the store cannot be read.
        """
        query = SpanQuery(trace_id=trace_id, name=SPAN_VERDICT, limit=1)
        return bool(self._open_store().find_spans(query))

    def forget_all(self) -> None:
        """Do nothing: the store is as good as before."""


@dataclass(slots=True)
class _Trace:
    spans: list[SerializedSpan] = field(default_factory=list)
    size: int = 0


class RecentSpans:
    """The spans that went by lately, in bounded memory. The traces quiet for longest go first, and whole.

    Of a trace that had to go nothing is kept later either: a verdict of half a trace would be a wrong one. Thread-safe.

    Args:
        max_spans: how many are kept.
        max_bytes: how large they may be together, serialised.
    """

    def __init__(self, *, max_spans: int = MAX_SPANS, max_bytes: int = MAX_BYTES) -> None:
        self._max_spans = max_spans
        self._max_bytes = max_bytes
        self.forget_all()

    def forget_all(self) -> None:
        """Begin anew, in a forked child."""
        self._lock = threading.RLock()  # reentrant: a signal handler may export while spans are being added
        self._traces: OrderedDict[str, _Trace] = OrderedDict()
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._spans = 0
        self._bytes = 0

    def add(self, records: Sequence[SpanRecord]) -> None:
        """Keep spans."""
        with self._lock:
            for record in records:
                if not is_verdict(record):
                    self._add(record)
            while self._spans > self._max_spans or self._bytes > self._max_bytes:
                self._let_go()

    def spans_of(self, trace_id: str) -> Sequence[SpanRecord]:
        """All spans of a trace; nothing if some of them had to go."""
        with self._lock:
            trace = self._traces.get(trace_id, _Trace())
            spans = tuple(trace.spans)
        return [deserialize(span) for span in spans]

    def has_verdict(self, trace_id: str) -> bool:
        """Return False: verdicts are not kept, nor what they were made from elsewhere."""
        del trace_id
        return False

    def _add(self, record: SpanRecord) -> None:
        if record.trace_id in self._gone:
            self._gone.move_to_end(record.trace_id)
            return
        trace = self._traces.setdefault(record.trace_id, _Trace())
        self._traces.move_to_end(record.trace_id)
        span = serialize_record(record)
        size = len(span.span) + _OVERHEAD_BYTES
        trace.spans.append(span)
        trace.size += size
        self._spans += 1
        self._bytes += size

    def _let_go(self) -> None:
        trace_id, trace = self._traces.popitem(last=False)
        self._spans -= len(trace.spans)
        self._bytes -= trace.size
        self._gone[trace_id] = None
        if len(self._gone) > self._max_spans:
            self._gone.popitem(last=False)
