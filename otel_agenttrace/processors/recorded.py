"""RecordedSpan: a serialised record in the shape that SDK processors and exporters take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import DEFAULT_TRACE_STATE

from otel_agenttrace.model.codec import deserialize
from otel_agenttrace.model.readable import to_readable_span
from otel_agenttrace.pipeline.contract import check_record
from otel_agenttrace.processors.origins import decode_origins

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

    from otel_agenttrace.contract.validate import Contract
    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.model.record import SpanRecord


class RecordedSpan(ReadableSpan):
    """An ended span of which only the serialised record is kept, so that what the record hides stays hidden.

    Making one costs the agent's thread next to nothing: a `BatchSpanProcessor` asks for `context` alone, and every
    other property of `ReadableSpan` decodes the record when it is first read, which is on the exporter's thread.

    Args:
        serialized: the record.
        context: the span's.
        origin: the code behind the span, see `origins`; empty where it is not to be checked.
        contract: what the record is checked against once it is decoded.

    Attributes:
        serialized: the record, not checked yet.
        origin: see above.
    """

    serialized: SerializedSpan
    _record: SpanRecord | None = None

    def __init__(
        self, serialized: SerializedSpan, context: SpanContext, origin: bytes = b"", contract: Contract | None = None
    ) -> None:
        # ReadableSpan.__init__ is left out: `__getattr__` supplies all that it would have set.
        self.serialized = serialized
        self.origin = origin
        self._contract = contract
        is_given = context.trace_state is DEFAULT_TRACE_STATE or not _was_rewritten(context, serialized)
        self._given_context = context if is_given else None

    @property
    def record(self) -> SpanRecord:
        """The record, decoded and checked once."""
        if self._record is None:
            # No functools.cached_property: before Python 3.12 it holds a lock that a fork would leave locked.
            record = deserialize(self.serialized)
            if self.origin and self._contract is not None:
                record = check_record(self._contract, decode_origins(self.origin), record)
            self._record = record
        return self._record

    @property
    def context(self) -> SpanContext | None:
        """The span's own context; with the record's trace state, should that be another."""
        return self._given_context or self.get_span_context()

    @property
    def dropped_attributes(self) -> int:
        """How many attributes the span lost to its limits."""
        return self.record.dropped_attributes_count

    @property
    def dropped_events(self) -> int:
        """How many events the span lost to its limits."""
        return self.record.dropped_events_count

    @property
    def dropped_links(self) -> int:
        """How many links the span lost to its limits."""
        return self.record.dropped_links_count

    def __getattr__(self, name: str) -> Any:
        # Runs only for what is not set yet: any field that ReadableSpan's own properties and methods read, whatever
        # this version of the SDK calls it. Two threads may both get here; they set equal values.
        state = vars(self)
        if name.startswith("__") or "serialized" not in state or "_is_decoded" in state:
            raise AttributeError(name)
        decoded = vars(to_readable_span(self.record))
        state.update(decoded, _is_decoded=True)
        return getattr(self, name)


def _was_rewritten(context: SpanContext, serialized: SerializedSpan) -> bool:
    """Whether the record's trace state is not the context's: it is the only part of one that redaction may change."""
    if not context.trace_state:
        return False
    return b'"trace_state":' + orjson.dumps(context.trace_state.to_header()) not in serialized.span
