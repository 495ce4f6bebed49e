"""Exporters by name, and what the environment says of them: which are wanted, and where each one sends.

Names are those of `OTEL_TRACES_EXPORTER` and of the SDK's entry points, so that any installed exporter can be named
(https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#exporter-selection).
"""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import orjson
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SpanExporter

from otel_agenttrace.errors import ConfigError
from otel_agenttrace.exporters.jsonl import JsonlSpanExporter
from otel_agenttrace.exporters.staged import StagedSpanExporter
from otel_agenttrace.model.codec import serialize_readable

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

STORE_NAME = "agenttrace"
"""Our own exporter to a store. Asked for by name, it is the store that `configure_tracing` writes to anyway."""

_GROUP = "opentelemetry_traces_exporter"
_AZURE = "azure_monitor_opentelemetry_exporter"
_OTLP_BY_PROTOCOL = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}


def names_from_endpoints() -> tuple[str, ...]:
    """The exporters whose destination is set in the environment: `otlp`, `azure`, both or none."""
    names = []
    if os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        names.append("otlp")
    if os.environ.get("APPLICATIONINSIGHTS_CONNECTION_STRING"):
        names.append("azure")
    return tuple(names)


def check_name(name: str) -> None:
    """Accept a name that is installed, or that an extra of ours brings.

    Raises:
        ConfigError: nothing by that name is known.
    """
    known = {"otlp", "azure", *(entry.name for entry in entry_points(group=_GROUP))}
    if name not in known:
        raise ConfigError(f"exporters={name!r} is not accepted; installed are {', '.join(sorted(known))}")


def create_exporter(name: str, provider: TracerProvider) -> SpanExporter:
    """Make the exporter of that name, which reads its own settings from the environment.

    Raises:
        ConfigError: it is not installed, or the environment asks for a protocol that is not supported.
        Exception: whatever the exporter itself raises at a wrong environment.
    """
    if name == "console":
        return ConsoleSpanExporter(out=sys.stdout, formatter=_console_text)
    entry_name = _AZURE if name == "azure" else _otlp_name() if name == "otlp" else name
    for entry in entry_points(group=_GROUP, name=entry_name):
        # Azure's exporter asks the provider for the resource; the global one may not be set yet.
        arguments = {"tracer_provider": provider} if entry_name == _AZURE else {}
        exporter = entry.load()(**arguments)
        if not isinstance(exporter, SpanExporter):
            raise ConfigError(f"exporter {name!r} ({entry.value}) is not a span exporter")
        return exporter.exporter if isinstance(exporter, StagedSpanExporter) else exporter
    extra = "otel-agenttrace[azure]" if entry_name == _AZURE else f"the package that brings {entry_name}"
    raise ConfigError(f"exporter {name!r} is not installed: pip install '{extra}'")


def _otlp_name() -> str:
    """The OTLP exporter for the protocol in the environment; gRPC unless it says otherwise, as in the SDK."""
    variable = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
    protocol = (os.environ.get(variable) or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or "grpc").strip()
    if protocol not in _OTLP_BY_PROTOCOL:
        accepted = ", ".join(_OTLP_BY_PROTOCOL)
        raise ConfigError(f"OTEL_EXPORTER_OTLP_PROTOCOL={protocol!r} is not accepted; expected {accepted}")
    return _OTLP_BY_PROTOCOL[protocol]


def destination(exporter: object) -> object:
    """What two exporters to the same place have in common, and no others.

    Exporters of one's own say it in a text `url` or `endpoint`; OpenTelemetry's and Azure's keep it in an attribute of
    theirs. Where there is none, an exporter is like no other.
    """
    if isinstance(exporter, ConsoleSpanExporter):
        return "console", id(exporter.out)
    if isinstance(exporter, StagedSpanExporter):
        return destination(exporter.exporter)
    if isinstance(exporter, JsonlSpanExporter):
        return exporter.path
    for name in ("url", "endpoint", "_endpoint"):
        endpoint = getattr(exporter, name, None)
        if isinstance(endpoint, str) and endpoint:
            if name == "url" and endpoint.startswith("memory"):
                break  # each store in memory is one of its own
            return endpoint.rstrip("/"), getattr(exporter, "_instrumentation_key", None)
    return id(exporter)


def existing_exporters(provider: TracerProvider) -> list[SpanExporter]:
    """The exporters that a provider's processors hand spans to, as far as can be seen.

    The SDK has no public way from a provider to its processors; where this one ends, nothing is found.
    """
    processors = getattr(getattr(provider, "_active_span_processor", None), "_span_processors", ())
    exporters = (getattr(processor, "span_exporter", None) for processor in processors)
    return [exporter for exporter in exporters if isinstance(exporter, SpanExporter)]


def _console_text(span: ReadableSpan) -> str:
    """A span as indented JSON in ASCII: nothing in it can drive a terminal, and bytes do not stop it."""
    texts = serialize_readable(span)
    fields = orjson.loads(texts.span) | {"resource": orjson.loads(texts.resource), "scope": orjson.loads(texts.scope)}
    return json.dumps(fields, indent=2) + os.linesep
