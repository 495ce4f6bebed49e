"""Handing a standard OTLP exporter a request that is encoded already.

Its own encoder takes four times as long as ours, which works on records as the spool has them, and no ReadableSpan has
to be made. What the exporter does besides is left to it: where to, with which headers and certificates, compressed how,
tried again how often. Where requests enter is nothing that the exporters promise. One in which that is not found, that
somebody has changed, or that counts what it does for a meter, is given spans, and encodes them itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from opentelemetry.sdk.trace.export import SpanExportResult

from otel_agenttrace.model.readable import to_readable_span
from otel_agenttrace.otlp.protobuf import encode_request
from otel_agenttrace.spool.target import Delivery
from otel_agenttrace.switches import quick_switches

if TYPE_CHECKING:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

    from otel_agenttrace.model.record import SpanRecord

Export: TypeAlias = Callable[[Sequence["SpanRecord"]], "SpanExportResult | Delivery"]

_GRPC = "opentelemetry.exporter.otlp.proto.grpc.trace_exporter"
_HTTP = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
_COUNTS = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"


def encoded_export(exporter: SpanExporter) -> Export | None:
    """What exports records through an exporter of OTLP; None for any other, and for one that is not as expected.

    Records with a time or a number that OTLP cannot say are refused. It raises whatever the exporter raises.
    """
    kind = type(exporter)
    is_changed = "export" in vars(exporter) or kind.export.__module__ != kind.__module__
    if is_changed or os.environ.get(_COUNTS, "").strip().lower() == "true":
        return None
    if kind.__module__ == _GRPC and hasattr(exporter, "_translate_data"):
        return _grpc_export(exporter)
    if kind.__module__ == _HTTP and hasattr(getattr(exporter, "_client", None), "export"):
        return _http_export(exporter)
    return None


class _Spans(Sequence["ReadableSpan"]):
    """The spans of a request, which are made when somebody looks at them."""

    def __init__(self, records: Sequence[SpanRecord], request: ExportTraceServiceRequest) -> None:
        self.request = request
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, index: int) -> ReadableSpan: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ReadableSpan]: ...
    def __getitem__(self, index: int | slice) -> ReadableSpan | Sequence[ReadableSpan]:
        found = self._records[index]
        return [*map(to_readable_span, found)] if isinstance(found, Sequence) else to_readable_span(found)


def _grpc_export(exporter: Any) -> Export:
    translate: Callable[[Sequence[ReadableSpan]], ExportTraceServiceRequest] = exporter._translate_data  # noqa: SLF001 - see the module

    def request_of(spans: Sequence[ReadableSpan]) -> ExportTraceServiceRequest:
        return spans.request if isinstance(spans, _Spans) else translate(spans)

    def send(records: Sequence[SpanRecord], request: ExportTraceServiceRequest) -> SpanExportResult:
        result: SpanExportResult = exporter.export(_Spans(records, request))
        return result

    exporter._translate_data = request_of  # noqa: SLF001 - as above
    return _encoding(send)


def _http_export(exporter: Any) -> Export:
    max_bytes = getattr(exporter, "_max_request_size", 0)

    def send(records: Sequence[SpanRecord], request: ExportTraceServiceRequest) -> SpanExportResult:
        body = request.SerializeToString()
        if 0 < max_bytes < len(body):
            result: SpanExportResult = exporter.export([*map(to_readable_span, records)])  # which says what is wrong
            return result
        is_taken = exporter._client.export(body).success is True  # noqa: SLF001 - see the module
        return SpanExportResult.SUCCESS if is_taken else SpanExportResult.FAILURE

    return _encoding(send)


def _encoding(send: Callable[[Sequence[SpanRecord], ExportTraceServiceRequest], SpanExportResult]) -> Export:
    def export(records: Sequence[SpanRecord]) -> SpanExportResult | Delivery:
        try:
            with quick_switches:
                request = encode_request(records)
        except ValueError as error:
            return Delivery("refused", message=f"it cannot be written as OTLP: {error}")
        return send(records, request)

    return export
