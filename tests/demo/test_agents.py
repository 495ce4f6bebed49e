"""The demo's agents, recorded by the plain SDK: what their spans tell does not depend on our recorder."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.otlp.jsonl import read_jsonl
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.root_cause import find_failures

if TYPE_CHECKING:
    from pathlib import Path

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.pipeline.root_cause import Failure

PROGRAM = """
import sys
import httpx
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from otel_agenttrace.demo.agents import AGENTS, ToolError
from otel_agenttrace.demo.server import ToolServer
from otel_agenttrace.exporters.jsonl import JsonlSpanExporter

trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(JsonlSpanExporter(sys.argv[1])))
HTTPXClientInstrumentor().instrument()
with ToolServer() as server:
    for agent in AGENTS:
        try:
            with trace.get_tracer("test").start_as_current_span(agent.span_name, attributes=agent.attributes):
                agent.answer(server.url)
        except (ToolError, httpx.HTTPError):
            pass
"""


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[SpanRecord]]:
    """The spans of each agent's run."""
    path: Path = tmp_path_factory.mktemp("agents") / "traces.jsonl"
    subprocess.run([sys.executable, "-c", PROGRAM, str(path)], check=True, timeout=60)
    spans = [span for line in read_jsonl(path) for span in line.spans]
    roots = {span.trace_id: canonical(span).agent_name for span in spans if span.parent_span_id is None}
    return {str(name): [span for span in spans if span.trace_id == trace_id] for trace_id, name in roots.items()}


def told(failures: tuple[Failure, ...]) -> list[tuple[str, str, bool]]:
    """Type, name of the origin and whether it was recovered."""
    return [(failure.type, failure.origin.name, failure.recovered) for failure in failures]


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("booking", [("validation_error", "execute_tool search_flights", False)]),
        ("search", [("timeout", "POST", False)]),
        ("summary", []),
        ("retry", [("exception", "POST", True)]),
        ("weather", []),
    ],
)
def test_each_agent_fails_as_it_is_meant_to(
    traces: dict[str, list[SpanRecord]], agent: str, expected: list[tuple[str, str, bool]]
) -> None:
    """The type, the step that it began with, and whether the agent got over it."""
    assert told(find_failures(traces[agent])) == expected


def test_types_do_not_hang_on_names(traces: dict[str, list[SpanRecord]]) -> None:
    """Under other names of spans, scopes and services the same runs have the same types."""
    for spans in traces.values():
        renamed = [
            replace(
                span,
                name=f"step {number}",
                scope=replace(span.scope, name="elsewhere"),
                resource=replace(span.resource, attributes={"service.name": "other"}),
            )
            for number, span in enumerate(spans)
        ]

        assert [kind for kind, _, _ in told(find_failures(renamed))] == [
            kind for kind, _, _ in told(find_failures(spans))
        ]


def test_the_error_says_what_was_wrong(traces: dict[str, list[SpanRecord]]) -> None:
    """The tool's own words reach the failure."""
    (failure,) = find_failures(traces["booking"])

    assert failure.error.message == "date '15/02/2026' does not match YYYY-MM-DD"
    assert failure.subject == "booking"
    assert canonical(failure.origin).input == {"destination": "Oslo", "date": "15/02/2026"}


def test_model_calls_have_tokens_and_cost(traces: dict[str, list[SpanRecord]]) -> None:
    """Each run has at least one model call, which says what it used and that no real model was there."""
    for spans in traces.values():
        calls = [call for call in map(canonical, spans) if call.operation == "chat"]

        assert calls
        for call in calls:
            assert (call.provider, call.model) == ("demo", "scripted")
            assert call.input_tokens
            assert call.output_tokens
            assert call.cost_usd


def test_the_way_of_a_run_is_one_tree(traces: dict[str, list[SpanRecord]]) -> None:
    """The agent, its model calls and its tool calls, with HTTP below these."""
    spans = {span.span_id: span for span in traces["weather"]}
    way = [
        (span.name, spans[span.parent_span_id].name if span.parent_span_id else None)
        for span in sorted(spans.values(), key=lambda span: span.start_time_unix_nano)
    ]

    assert way == [
        ("invoke_agent weather", None),
        ("chat scripted", "invoke_agent weather"),
        ("execute_tool get_weather", "invoke_agent weather"),
        ("POST", "execute_tool get_weather"),
        ("chat scripted", "invoke_agent weather"),
    ]
