"""RecordedSpan stands in for the SDK's span in front of processors and exporters."""

from __future__ import annotations

import copy
import io
from typing import TYPE_CHECKING

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from otel_agenttrace.model.codec import deserialize, serialize_readable
from otel_agenttrace.pipeline.redact import Redactor
from otel_agenttrace.processors.recorded import RecordedSpan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from otel_agenttrace.model.codec import SerializedSpan
    from otel_agenttrace.model.record import SpanRecord

_PROPERTIES = (
    "name", "context", "parent", "kind", "start_time", "end_time", "attributes", "resource", "instrumentation_scope",
    "dropped_attributes", "dropped_events", "dropped_links",
)  # fmt: skip


class _Keeper(SpanProcessor):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


class _StatefulSampler(Sampler):
    """Samples all, and gives every span a trace state."""

    def __init__(self, trace_state: TraceState) -> None:
        self._trace_state = trace_state

    def should_sample(self, *_args: object, **_kwargs: object) -> SamplingResult:
        return SamplingResult(Decision.RECORD_AND_SAMPLE, trace_state=self._trace_state)

    def get_description(self) -> str:
        return "stateful"


def sdk_spans(sampler: Sampler | None = None) -> Sequence[ReadableSpan]:
    """A child and its root, with something in every field, as the SDK ends them."""
    keeper = _Keeper()
    limits = SpanLimits(max_span_attributes=4, max_events=1, max_links=1)
    provider = TracerProvider(sampler=sampler, resource=Resource({"service.name": "x"}, "http://s"), span_limits=limits)
    provider.add_span_processor(keeper)
    tracer = provider.get_tracer("lib", "1.2", "http://schema", {"scope": True})
    remote = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(1))
    with tracer.start_as_current_span(
        "root", kind=SpanKind.CLIENT, links=[Link(remote, {"l": 1}), Link(remote)]
    ) as root:
        for number in range(6):
            root.set_attribute(f"a{number}", (number, number + 1))
        root.add_event("first")
        root.add_event("second", {"x": "y"})
        root.set_status(Status(StatusCode.ERROR, "no"))
        tracer.start_span("child", attributes={"d": {"e": [1, None, "x"]}}).end()
    return keeper.spans


def recorded(span: ReadableSpan) -> RecordedSpan:
    """The span as recorded, with nothing hidden."""
    assert span.context is not None
    return RecordedSpan(serialize_readable(span), span.context)


@pytest.mark.parametrize("index", [0, 1])
def test_every_property_is_the_sdk_spans_own(index: int) -> None:
    """An exporter cannot tell the one from the other."""
    span = sdk_spans()[index]
    twin = recorded(span)
    for name in _PROPERTIES:
        assert getattr(twin, name) == getattr(span, name), name
    assert (twin.status.status_code, twin.status.description) == (span.status.status_code, span.status.description)
    assert [(event.name, event.timestamp, event.attributes) for event in twin.events] == [
        (event.name, event.timestamp, event.attributes) for event in span.events
    ]
    assert [(link.context, link.attributes) for link in twin.links] == [
        (link.context, link.attributes) for link in span.links
    ]


def test_exporters_send_the_same_bytes() -> None:
    """OTLP and the SDK's own JSON come out alike."""
    spans = sdk_spans()
    twins = [recorded(span) for span in spans]
    assert encode_spans(twins) == encode_spans(spans)
    assert [twin.to_json() for twin in twins] == [span.to_json() for span in spans]


def test_context_is_at_hand_and_the_rest_is_decoded_once_when_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent's thread pays for no decoding."""
    decoded = []

    def counting(serialized: SerializedSpan) -> SpanRecord:
        decoded.append(serialized)
        return deserialize(serialized)

    monkeypatch.setattr("otel_agenttrace.processors.recorded.deserialize", counting)
    span = sdk_spans()[1]
    twin = recorded(span)
    assert twin.context is span.context
    assert not decoded
    assert (twin.name, twin.kind, twin.dropped_events, twin.to_json()) == (
        span.name,
        span.kind,
        span.dropped_events,
        span.to_json(),
    )
    assert len(decoded) == 1


def test_a_trace_state_is_the_records_own() -> None:
    """It stays in the context where it is unchanged, and a secret in it does not."""
    secret = "sk-" + "proj-abcdefgh12345678"
    plain = sdk_spans(_StatefulSampler(TraceState([("vendor", "1"), ("other", "2")])))[1]
    assert recorded(plain).context is plain.context
    span = sdk_spans(_StatefulSampler(TraceState([("vendor", secret)])))[1]
    assert span.context is not None
    twin = RecordedSpan(Redactor().redact(serialize_readable(span)), span.context)
    assert twin.context is not None
    assert twin.context.trace_id == span.context.trace_id
    assert twin.context.trace_flags == span.context.trace_flags
    assert twin.context.trace_state == TraceState([("vendor", "[REDACTED:openai-key]")])
    assert secret not in twin.to_json()


def test_it_goes_through_the_sdks_batch_processor() -> None:
    """`BatchSpanProcessor` and any exporter behind it take it."""
    exporter = InMemorySpanExporter()
    batch = BatchSpanProcessor(exporter)
    for span in sdk_spans():
        batch.on_end(recorded(span))
    assert batch.force_flush()
    provider = TracerProvider()
    provider.add_span_processor(batch)
    provider.shutdown()
    assert [span.name for span in exporter.get_finished_spans()] == ["child", "root"]


def test_the_console_exporter_prints_it() -> None:
    """Methods that read the SDK's own fields work too."""
    out = io.StringIO()
    ConsoleSpanExporter(out=out).export([recorded(sdk_spans()[1])])
    assert '"name": "root"' in out.getvalue()


def test_it_can_be_copied_and_asked_for_what_it_has_not() -> None:
    """Looking for an unknown attribute is no reason to decode for ever."""
    twin = recorded(sdk_spans()[1])
    assert not hasattr(twin, "unknown")
    assert copy.copy(twin).name == "root"
    assert copy.deepcopy(recorded(sdk_spans()[0])).name == "child"
    assert not hasattr(RecordedSpan.__new__(RecordedSpan), "name")
