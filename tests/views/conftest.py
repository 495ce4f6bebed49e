"""Traces to look at: a run that failed with everything a view can show in it, and one that wants to break out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.model.record import EventRecord, LinkRecord, ResourceRecord, ScopeRecord, SpanRecord
from otel_agenttrace.stores.api import StoredTrace
from otel_agenttrace.testing.spans import START, TRACE_ID, make_span

if TYPE_CHECKING:
    from otel_agenttrace.model.record import Attributes

MILLISECOND = 1_000_000

NASTY = "\x1b[31m\x1b]0;owned\x07\u202egnp.exe\n\r\t<script>alert(1)</script>'\"&\x9b2J\ud800"
"""Drives a terminal, turns text around, breaks lines and opens a script."""


def make_step(
    number: int, parent: int | None, name: str, start_ms: int, end_ms: int | None, **fields: Any
) -> SpanRecord:
    """A span of the booking run; ids count, times are milliseconds from its start."""
    return make_span(
        span_id=f"{number:016x}",
        parent_span_id=None if parent is None else f"{parent:016x}",
        name=name,
        start_time_unix_nano=START + start_ms * MILLISECOND,
        end_time_unix_nano=None if end_ms is None else START + end_ms * MILLISECOND,
        **fields,
    )


@pytest.fixture
def booking() -> StoredTrace:
    """The run of the README: a model call, a tool call that failed and took the agent with it, and odds and ends.

    There is a request that failed and was repeated, a span whose parent is not there, and one that still runs.
    """
    agent: Attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "booking",
        "session.id": "chat-7",
    }
    answer: Attributes = {
        "role": "assistant",
        "parts": [{"type": "text", "content": "One moment."}],
        "finish_reason": "stop",
    }
    unavailable: Attributes = {"http.response.status_code": 503}
    message = "date '15/02/2026' does not match YYYY-MM-DD"
    told: Attributes = {
        "exception.type": "jsonschema.exceptions.ValidationError",
        "exception.message": message,
        "exception.stacktrace": "Traceback (most recent call last):\n  ...",
    }
    exception = EventRecord("exception", START + 1418 * MILLISECOND, told)
    spans = (
        make_step(
            1, None, "invoke_agent booking", 0, 2103, status_code="ERROR", events=(exception,),
            attributes=agent,
        ),
        make_step(
            2, 1, "chat gpt-4o-mini", 12, 1240, kind="CLIENT",
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": "gpt-4o-mini",
                "gen_ai.usage.input_tokens": 431,
                "gen_ai.usage.output_tokens": 57,
                "gen_ai.usage.cost": 0.0031,
                "gen_ai.input.messages": json.dumps([{"role": "user", "content": "A flight to Lisbon,\nplease."}]),
                "gen_ai.output.messages": [answer],
            },
        ),
        make_step(3, 2, "POST", 20, 1230, kind="CLIENT"),
        make_step(
            0xA77F14B0C1D2E3F4, 1, "execute_tool search_flights", 1400, 1419, status_code="ERROR", events=(exception,),
            attributes={
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "search_flights",
                "gen_ai.tool.call.arguments": '{"date": "15/02/2026"}',
            },
        ),
        make_step(5, 1, "get_weather", 1500, 1800),
        make_step(6, 5, "GET", 1510, 1600, kind="CLIENT", status_code="ERROR", attributes=unavailable),
        make_step(7, 5, "GET", 1610, 1790, kind="CLIENT", attributes={"http.response.status_code": 200}),
        make_step(8, 0x99, "lost child", 1700, 1900),
        make_step(9, 1, "still going", 1900, None),
    )  # fmt: skip
    return StoredTrace(TRACE_ID, spans)


@pytest.fixture
def nasty() -> StoredTrace:
    """A trace that is dangerous wherever a span can hold text."""
    attributes: dict[str, Any] = {
        NASTY: NASTY,
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": NASTY,
        "gen_ai.agent.name": NASTY,
        "gen_ai.request.model": NASTY,
        "gen_ai.tool.call.arguments": {NASTY: [NASTY]},
        "gen_ai.tool.call.result": [{"role": NASTY, "content": NASTY, NASTY: NASTY, "x": {NASTY: NASTY}}],
        "session.id": NASTY,
        "task.id": NASTY,
        "nested": {"a": [{NASTY: NASTY}]},
        "bytes": b"\x1b[31m",
    }
    told: Attributes = {
        "exception.type": NASTY,
        "exception.message": NASTY,
        "exception.stacktrace": NASTY,
        NASTY: NASTY,
    }
    span = make_span(
        name=NASTY,
        status_code="ERROR",
        status_message=NASTY,
        attributes=attributes,
        events=(EventRecord("exception", START, told), EventRecord(NASTY, START, {NASTY: NASTY})),
        links=(LinkRecord(NASTY, NASTY, {NASTY: NASTY}),),
        resource=ResourceRecord({"service.name": NASTY, NASTY: NASTY}),
        scope=ScopeRecord(NASTY, NASTY),
    )
    lost = make_span(span_id="00000000000000bb", parent_span_id=NASTY, name=NASTY)
    return StoredTrace(TRACE_ID, (span, lost))
