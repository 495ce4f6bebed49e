"""A recording of five small runs, the same every time: what the tests of commands look at."""

from __future__ import annotations

from typing import Any

from otel_agenttrace.model.record import EventRecord, LinkRecord, ResourceRecord, SpanRecord
from otel_agenttrace.testing.spans import SECOND, START, make_span

MILLI = SECOND // 1000
BOOKING, RETRY, WEATHER, RUNNING, NASTY = (f"0199c2f4{number:x}0b17c3d8e5f607182900000" for number in range(0xA, 0xF))
SESSION = "order-4711"


def recorded_spans() -> list[SpanRecord]:
    """The spans of all five runs."""
    return [*_booking(), *_retry(), *_weather(), *_running(), *_nasty()]


def _span(trace_id: str, number: int, name: str, start_ms: int, end_ms: int | None, **fields: Any) -> SpanRecord:
    return make_span(
        trace_id=trace_id,
        span_id=f"{number:016x}",
        name=name,
        start_time_unix_nano=START + start_ms * MILLI,
        end_time_unix_nano=None if end_ms is None else START + end_ms * MILLI,
        **fields,
    )


def _agent(trace_id: str, name: str, end_ms: int | None, **attributes: Any) -> SpanRecord:
    said = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name, **attributes}
    return _span(trace_id, 1, f"invoke_agent {name}", 0, end_ms, attributes=said)


def _chat(trace_id: str, number: int, start_ms: int, end_ms: int | None, tokens: tuple[int, int]) -> SpanRecord:
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "demo",
        "gen_ai.request.model": "scripted-1",
        "gen_ai.usage.input_tokens": tokens[0],
        "gen_ai.usage.output_tokens": tokens[1],
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Fly me to Rome"}]}],
        "gen_ai.usage.cost": 0.0031,
    }
    return _span(trace_id, number, "chat scripted-1", start_ms, end_ms, kind="CLIENT",
                 parent_span_id=f"{1:016x}", attributes=said)  # fmt: skip


def _tool(
    trace_id: str, number: int, tool: str, times_ms: tuple[int, int], arguments: str, **fields: Any
) -> SpanRecord:
    said = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": tool,
        "gen_ai.tool.call.arguments": arguments,
    }
    return _span(trace_id, number, f"execute_tool {tool}", *times_ms, parent_span_id=f"{1:016x}", attributes=said,
                 **fields)  # fmt: skip


def _error(time_ms: int, kind: str, message: str) -> dict[str, Any]:
    event = EventRecord("exception", START + time_ms * MILLI, {"exception.type": kind, "exception.message": message})
    return {"status_code": "ERROR", "status_message": message, "events": (event,)}


def _booking() -> list[SpanRecord]:
    root = _agent(BOOKING, "booking", 2100, **{"session.id": SESSION, "task.id": "T-1"})
    message = "date '15/02/2026' does not match YYYY-MM-DD"
    failed = _error(2050, "jsonschema.exceptions.ValidationError", message)
    return [
        make_span(**{**_fields(root), **failed}),
        _chat(BOOKING, 2, 10, 900, (420, 68)),
        _tool(BOOKING, 3, "search_flights", (910, 2050), '{"date":"15/02/2026"}', **failed),
    ]


def _retry() -> list[SpanRecord]:
    failed = _error(400, "HTTPStatusError", "503 Service Unavailable")
    return [
        _agent(RETRY, "retry", 1200, **{"session.id": SESSION}),
        _tool(RETRY, 2, "get_price", (100, 400), '{"item":"lamp"}', **failed),
        _tool(RETRY, 3, "get_price", (500, 1100), '{"item":"lamp"}'),
    ]


def _weather() -> list[SpanRecord]:
    link = LinkRecord(BOOKING, f"{1:016x}", {"reason": "follow-up"})
    orphan = _span(WEATHER, 9, "POST", 300, 350, kind="CLIENT", parent_span_id=f"{8:016x}", links=(link,))
    return [_agent(WEATHER, "weather", 800), _chat(WEATHER, 2, 20, 700, (90, 12)), orphan]


def _running() -> list[SpanRecord]:
    return [_agent(RUNNING, "report", None), _chat(RUNNING, 2, 50, 650, (1500, 300))]


def _nasty() -> list[SpanRecord]:
    evil = "\x1b]0;owned\x07\x1b[31m<script>alert(1)</script>\u202edrowssap\n' OR 1=1; --"
    return [
        _span(NASTY, 1, evil, 0, -5, attributes={evil: evil, "n": float("inf"), "b": b"\x00\xff"},
              resource=ResourceRecord({"service.name": evil})),
        _span(NASTY, 2, "round", 10, 20, parent_span_id=f"{3:016x}"),
        _span(NASTY, 3, "and round", 11, 19, parent_span_id=f"{2:016x}"),
    ]  # fmt: skip


def _fields(span: SpanRecord) -> dict[str, Any]:
    return {name: getattr(span, name) for name in SpanRecord.__slots__}
