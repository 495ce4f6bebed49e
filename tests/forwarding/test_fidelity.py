"""What arrives through the spool is what the exporter would have sent without it, to the last field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.testing.programs import run_program
from tests.forwarding.peers import Otelcol, spans_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.forwarding.peers import Peer

_PROGRAM = """
import os

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from otel_agenttrace import configure_tracing

if os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

provider = TracerProvider(
    resource=Resource({"service.name": "booking", "list": ["a", "b"]}, schema_url="https://example.org/resource"),
    span_limits=SpanLimits(
        max_span_attributes=12, max_events=2, max_links=2, max_event_attributes=1, max_link_attributes=1
    ),
)
trace.set_tracer_provider(provider)
direct = OTLPSpanExporter(endpoint=os.environ["DIRECT"])
provider.add_span_processor(SimpleSpanProcessor(direct))
tracing = configure_tracing(store=False, exporters="otlp", contract="off", instrument=False)

scoped = trace.get_tracer("tests", "1.2.3", schema_url="https://example.org/scope", attributes={"scope.is": "told"})
state = TraceState([("vendor", "one"), ("other", "two")])
remote = SpanContext(0x11 << 120, 0x22 << 56, is_remote=True, trace_flags=TraceFlags(0x03), trace_state=state)
local = SpanContext(0x33 << 120, 0x44 << 56, is_remote=False, trace_flags=TraceFlags(0x01))
parent = trace.set_span_in_context(trace.NonRecordingSpan(remote), Context())

span = scoped.start_span(
    "rich é 🛫",
    context=parent,
    kind=SpanKind.CONSUMER,
    attributes={
        "dropped 1": 1, "dropped 2": 2,
        "text": "é\\n\\x00", "yes": True, "no": False, "whole": -(2**63), "large": 2**63 - 1, "real": 0.1, "empty": "",
        "texts": ["a", ""], "wholes": [1, 2], "reals": [0.5, 1e300], "flags": [True, False], "none": [],
    },
    links=[Link(remote, {"why": "retry", "more": 1}), Link(local), Link(local, {"a": 1})],
)
for number in range(4):
    span.add_event(f"event {number}", {"number": number, "dropped": True})
span.set_status(Status(StatusCode.ERROR, "it did not go well"))
span.end()

for kind in SpanKind:
    for code in StatusCode:
        each = trace.get_tracer("plain").start_span(f"{kind.name} {code.name}", context=Context(), kind=kind)
        each.set_status(code)
        each.end()

assert tracing.shutdown(20)
direct.shutdown()
"""


_TRACE_FLAGS = 0xFF
"""The bits of W3C's trace flags, which the SDK's own encoder leaves out (https://github.com/open-telemetry/opentelemetry-proto)."""


def comparable(span: dict[str, Any]) -> dict[str, Any]:
    """The span without what recording it adds, and without trace flags."""
    added = [each for each in span.get("attributes", ()) if each["key"] == "failure.type"]
    attributes = [each for each in span.get("attributes", ()) if each not in added]
    links = [link | {"flags": link["flags"] & ~_TRACE_FLAGS} for link in span.get("links", ())]
    return span | {"attributes": attributes, "links": links, "flags": span["flags"] & ~_TRACE_FLAGS}


def test_every_field_arrives_as_it_was_recorded(peer: Peer, tmp_path: Path) -> None:
    """Attributes of each type, events, links, resource, scope, schemas, status, trace state, flags, dropped counts."""
    variables = {
        "OTEL_EXPORTER_OTLP_PROTOCOL": peer.protocol,
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": peer.endpoint,
        "DIRECT": peer.endpoint.replace("127.0.0.1", "localhost"),
    }
    if isinstance(peer, Otelcol):
        variables["OTEL_EXPORTER_OTLP_COMPRESSION"] = "gzip"
    run_program(tmp_path, _PROGRAM, variables)
    peer.down()
    pairs: dict[str, list[dict[str, Any]]] = {}
    for span in spans_of(peer):
        if span["name"] != "agenttrace.verdict":  # which no span of the agent's is
            pairs.setdefault(span["name"], []).append(span)
    rich = pairs["rich é 🛫"][1]

    assert len(pairs) == 16
    for sent_directly, forwarded in pairs.values():
        assert comparable(forwarded) == comparable(sent_directly)
    assert {name: rich[name] for name in rich if name.startswith("dropped")} == {
        "droppedAttributesCount": 2,
        "droppedEventsCount": 2,
        "droppedLinksCount": 1,
    }
    assert (rich["flags"], [link["flags"] for link in rich["links"]]) == (0x303, [0x101, 0x101])
    assert (rich["traceState"], rich["status"]["message"]) == ("vendor=one,other=two", "it did not go well")
