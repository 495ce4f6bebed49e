"""A whole agent with a MeterProvider: what its endpoint got, and what waits for it, as metrics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from otel_agenttrace.testing.programs import run_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.forwarding.peers import HttpPeer

_PROGRAM = """
import json
import sys

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader

from otel_agenttrace import configure_tracing

exporter = ConsoleMetricExporter(formatter=lambda data: json.dumps(json.loads(data.to_json())) + "\\n")
metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)]))
configure_tracing("booking", store="sqlite:///traces.db", instrument=False)
for number in range(10):
    trace.get_tracer("tests").start_span(f"span {number}").end()
"""


def test_the_last_collection_tells_what_was_exported_and_what_waits(http: HttpPeer, tmp_path: Path) -> None:
    """A short agent says at its end what became of its spans, by target, though its metrics are collected once."""
    settings = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": http.endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    told = []
    for _ in range(2):
        done = run_program(tmp_path, _PROGRAM, settings | {"OTEL_EXPORTER_OTLP_TIMEOUT": "1"})
        told.append(_points(done.stdout.splitlines()[-1]))
        http.down()
    target = f"otlp@127.0.0.1:{http.port}/v1/traces"

    assert told[0]["otel.sdk.exporter.span.exported", "store"] == 20
    assert told[0]["otel.sdk.exporter.span.exported", target] == 10
    assert told[0]["otel.sdk.processor.span.queue.size", f"agenttrace_spool/{target}"] == 0
    assert told[1]["otel.sdk.exporter.span.exported", target] == 0
    assert told[1]["otel.sdk.processor.span.queue.size", f"agenttrace_spool/{target}"] >= 10
    assert told[1]["agenttrace.spool.record.written", ""] == 20


def _points(line: str) -> dict[tuple[str, str], int]:
    scopes = [scope for resource in json.loads(line)["resource_metrics"] for scope in resource["scope_metrics"]]
    return {
        (metric["name"], point["attributes"].get("otel.component.name", "")): point["value"]
        for scope in scopes
        for metric in scope["metrics"]
        for point in metric["data"]["data_points"]
    }
