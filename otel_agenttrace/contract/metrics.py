"""Every metric name of this package, and the attributes of their points, as constants.

Those of `otel.*` are of https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/, which is in development; the
others say what that has no name for.
"""

from __future__ import annotations


class MetricName(str):
    """The name of a metric."""

    __slots__ = ()


QUEUE_SIZE = MetricName("otel.sdk.processor.span.queue.size")
PROCESSED = MetricName("otel.sdk.processor.span.processed")
IN_FLIGHT = MetricName("otel.sdk.exporter.span.inflight")
EXPORTED = MetricName("otel.sdk.exporter.span.exported")

WRITTEN = MetricName("agenttrace.spool.record.written")
UNSYNCED = MetricName("agenttrace.spool.record.unsynced")
RETRIED = MetricName("agenttrace.spool.delivery.retried")
UNSAMPLED = MetricName("agenttrace.span.unsampled")
REDACTED = MetricName("agenttrace.secret.redacted")
TRUNCATED = MetricName("agenttrace.value.truncated")

COMPONENT_NAME = "otel.component.name"
COMPONENT_TYPE = "otel.component.type"
