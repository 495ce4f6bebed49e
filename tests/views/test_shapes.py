"""Traces as JSON: what tools that read them can rely on."""

from __future__ import annotations

import json
from typing import Any

import orjson

from otel_agenttrace.pipeline.verdict import make_verdict
from otel_agenttrace.testing.spans import make_span
from otel_agenttrace.views.shapes import trace_shape
from tests.views.talking import ANSWER, ASKED, TOLD, USER, make_agent, make_call, make_tool, trace_of


def test_a_span_has_its_canonical_fields() -> None:
    """In one vocabulary, whatever the emitter's; what is not there is null or empty, never left out."""
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m-1",
        "gen_ai.response.model": "m-1-2026",
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.input.messages": [USER],
        "gen_ai.output.messages": [ANSWER],
    }

    (span,) = trace_shape(trace_of(make_span(attributes=attributes)))["spans"]

    said = {
        "dialect": "otel_genai", "operation": "chat", "model": "m-1-2026", "request_model": "m-1",
        "response_model": "m-1-2026", "provider": None, "agent_name": None, "tool_name": None, "tool_call_id": None,
        "conversation": None, "input_tokens": 7, "output_tokens": None, "cache_read_tokens": 3,
        "cache_write_tokens": None, "reasoning_tokens": None, "finish_reasons": ("stop",), "cost_usd": None,
        "reported_cost_usd": None, "input_messages": [USER], "output_messages": [ANSWER],
    }  # fmt: skip
    assert {name: span[name] for name in said} == said
    assert span["attributes"] == attributes


def test_a_tool_call_has_its_arguments_and_its_result() -> None:
    """As values, also where they were recorded as JSON text."""
    (span,) = trace_shape(trace_of(make_tool(1, arguments='{"city": "Oslo"}', result=b"\x00")))["spans"]

    assert (span["input"], span["output"]) == ({"city": "Oslo"}, "AA==")
    assert (span["input_messages"], span["output_messages"]) == ([], [])


def test_the_verdict_is_told_apart() -> None:
    """It is about the trace, and no part of it."""
    spans = (make_agent(), make_call(2, [USER], [ASKED]), make_tool(3, id="c1"), make_call(4, [USER, ASKED, TOLD], []))
    verdict = make_verdict(spans)
    assert verdict is not None

    shape, bare = trace_shape(trace_of(*spans, verdict)), trace_shape(trace_of(*spans))

    assert [span["span_id"] for span in shape["spans"]] == [span.span_id for span in spans]
    assert shape["verdict"]["span_id"] == verdict.span_id
    assert {**shape, "verdict": None} == bare
    assert (shape["span_count"], shape["unpriced_models"], shape["dialects"]) == (4, ("m-1",), ("otel_genai",))


def test_a_trace_of_which_only_the_verdict_is_left_has_no_spans() -> None:
    """The others may have been dropped on their way; the verdict alone still tells how it went."""
    verdict = make_verdict((make_agent(),))
    assert verdict is not None

    shape = trace_shape(trace_of(verdict))

    assert (shape["spans"], shape["status"]) == ([], "passed")
    assert shape["verdict"]["name"] == "agenttrace.verdict"


def test_flags_come_with_their_evidence() -> None:
    """Kinds alone in a list of traces; all of it where one is shown."""
    cut = {**ANSWER, "finish_reason": "length"}

    shape = json.loads(json.dumps(trace_shape(trace_of(make_call(1, [USER], [cut], parent=None)))))

    assert shape["flag_kinds"] == ["truncated"]
    (flag,) = shape["flags"]
    assert (flag["kind"], flag["span_id"], flag["evidence"]["finish_reason"]) == ("truncated", f"{1:016x}", "length")


def test_what_is_nested_too_deeply_is_cut() -> None:
    """JSON text may be nested deeper than JSON's writers go."""
    deep = "[" * 900 + "]" * 900

    (span,) = trace_shape(trace_of(make_tool(1, arguments=deep)))["spans"]

    assert "<nested too deeply>" in orjson.dumps(span).decode()
    assert span["attributes"]["gen_ai.tool.call.arguments"] == deep
