"""Records reach an OTLP server through the standard exporters without passing through ReadableSpans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_agenttrace.exporters.encoded import encoded_export
from otel_agenttrace.exporters.forward import Forward
from otel_agenttrace.model.readable import to_readable_span
from otel_agenttrace.model.record import EventRecord, LinkRecord, ResourceRecord, ScopeRecord
from otel_agenttrace.otlp.protobuf import decode_message, encode_request
from otel_agenttrace.spool.frames import Kind
from otel_agenttrace.spool.offer import offer
from otel_agenttrace.spool.target import TAKEN, Item
from otel_agenttrace.testing.collectors import GrpcCollector, HttpCollector
from otel_agenttrace.testing.spans import START, make_span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.sdk.trace import ReadableSpan

    from otel_agenttrace.model.record import SpanRecord

RECORDS = [
    make_span(name="a", attributes={"text": "\u20ac", "number": -1, "yes": True, "ratio": 0.5, "list": ["x", "y"]}),
    make_span(
        name="b",
        parent_span_id="3" * 16,
        kind="CLIENT",
        status_code="ERROR",
        status_message="no",
        events=(EventRecord("e", START + 1, {"a": [1, 2]}, 1),),
        links=(LinkRecord("1" * 32, "2" * 16, {"why": "because"}),),
        trace_state="a=b",
        dropped_attributes_count=1,
        dropped_events_count=2,
        dropped_links_count=3,
        resource=ResourceRecord({"service.name": "other"}, "https://example.org/r"),
        scope=ScopeRecord("scope", "1.0", {"k": "v"}, "https://example.org/s"),
    ),
]


class _KeepingHttp(HttpCollector):
    def __init__(self) -> None:
        super().__init__()
        self.taken: list[ExportTraceServiceRequest] = []

    def take(self, request: ExportTraceServiceRequest) -> None:
        """Keep the whole request, too."""
        self.taken.append(request)
        super().take(request)


class _KeepingGrpc(GrpcCollector):
    def __init__(self) -> None:
        super().__init__()
        self.taken: list[ExportTraceServiceRequest] = []

    def take(self, request: ExportTraceServiceRequest) -> None:
        """Keep the whole request, too."""
        self.taken.append(request)
        super().take(request)


@pytest.fixture(params=["http", "grpc"])
def server(request: pytest.FixtureRequest) -> Iterator[_KeepingHttp | _KeepingGrpc]:
    """An OTLP server that keeps what it gets."""
    with _KeepingHttp() if request.param == "http" else _KeepingGrpc() as collector:
        yield collector


def exporter_to(server: _KeepingHttp | _KeepingGrpc, **arguments: Any) -> SpanExporter:
    """The standard exporter for the server."""
    if isinstance(server, HttpCollector):
        return HttpExporter(server.endpoint, **arguments)
    return GrpcExporter(server.endpoint, insecure=True, **arguments)


def items(records: Sequence[SpanRecord]) -> list[Item]:
    """Records as targets get them."""
    return [Item(number, Kind.SPAN, record) for number, record in enumerate(records, 1)]


def test_the_server_gets_the_records_as_they_are(server: _KeepingHttp | _KeepingGrpc) -> None:
    """What is read from the request are the records, trace flags and all."""
    records = [make_span(name="flagged", flags=0x301), *RECORDS]
    forward = Forward("otlp", exporter_to(server))
    delivery = forward.deliver(items(records))
    forward.close()

    assert delivery == TAKEN
    (request,) = server.taken
    assert decode_message(request).spans == records


def test_the_request_is_the_one_that_the_sdk_would_make() -> None:
    """Message by message, but for the flags, of which the SDK tells only two bits."""
    records = [make_span(name="c", flags=0x100), *RECORDS]
    ours, theirs = encode_request(records), encode_spans([to_readable_span(record) for record in records])
    for request in (ours, theirs):
        for resource_spans in request.resource_spans:
            for span in resource_spans.scope_spans[0].spans:
                span.flags = 0
                for link in span.links:
                    link.flags = 0

    assert ours == theirs


def test_an_exporter_still_takes_spans_from_others(server: _KeepingHttp | _KeepingGrpc) -> None:
    """One that stands behind the spool may be given spans directly, too."""
    exporter = exporter_to(server)
    forward = Forward("otlp", exporter)
    result = exporter.export([to_readable_span(record) for record in RECORDS])
    forward.close()

    assert result is SpanExportResult.SUCCESS
    assert server.names == ["a", "b"]


def test_an_exporter_that_was_changed_is_given_spans(server: _KeepingHttp | _KeepingGrpc) -> None:
    """What somebody does to the spans in a class of their own is done."""
    kind: Any = type(exporter_to(server))

    class Choosy(kind):  # type: ignore[misc] # the one class or the other
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            """Keep one back."""
            result: SpanExportResult = super().export([span for span in spans if span.name != "a"])
            return result

    forward = Forward("otlp", Choosy(server.endpoint))
    delivery = forward.deliver(items(RECORDS))
    forward.close()

    assert delivery == TAKEN
    assert server.names == ["b"]


def test_an_exporter_whose_export_was_replaced_is_given_spans(server: _KeepingHttp | _KeepingGrpc) -> None:
    """As those do who trace or count exports."""
    exporter: Any = exporter_to(server)
    export, seen = exporter.export, list[str]()

    def export_and_see(spans: Sequence[ReadableSpan]) -> Any:
        seen.extend(span.name for span in spans)
        return export(spans)

    exporter.export = export_and_see
    forward = Forward("otlp", exporter)
    forward.deliver(items(RECORDS))
    forward.close()

    assert seen == server.names == ["a", "b"]


def test_an_exporter_that_counts_is_given_spans(
    server: _KeepingHttp | _KeepingGrpc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its metrics are made where it encodes spans."""
    monkeypatch.setenv("OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED", "true")
    exporter = exporter_to(server)

    assert encoded_export(exporter) is None
    exporter.shutdown()


def test_a_record_that_otlp_cannot_say_is_found(server: _KeepingHttp | _KeepingGrpc) -> None:
    """A negative time is nothing that a server could ever take; the spans around it are delivered."""
    records = [RECORDS[0], make_span(name="early", start_time_unix_nano=-1), RECORDS[1]]
    forward = Forward("otlp", exporter_to(server))
    offered = offer(forward, items(records))
    forward.close()

    assert (offered.done, offered.rejected, offered.is_complete) == (3, 1, True)
    assert "OTLP" in offered.message
    assert server.names == ["a", "b"]


def test_a_request_above_the_limit_of_the_exporter_is_left_to_it() -> None:
    """The HTTP exporter may be told how much it may send at once, and says itself that it will not."""
    with _KeepingHttp() as server:
        forward = Forward("otlp", exporter_to(server, max_request_size=100))
        delivery = forward.deliver(items(RECORDS))
        forward.close()

    assert delivery.outcome == "failed"
    assert server.requests == 0
