"""Failure events and trace records."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.model.record import EventRecord, SpanRecord
from otel_agenttrace.pipeline.project import failure_event, passed_event, resolve_failure, trace_record
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.testing.spans import SECOND, SPAN_ID, START, TRACE_ID, make_span
from otel_agenttrace.testing.strategies import span_records

_ROOT = make_span(
    attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "booking", "session.id": "s1"}
)


def _child(number: int, parent: str = SPAN_ID, **fields: Any) -> SpanRecord:
    ids = {"span_id": f"{number:016x}", "parent_span_id": parent}
    times = {"start_time_unix_nano": START + number, "end_time_unix_nano": START + SECOND // 2}
    return make_span(**{"name": f"child {number}"} | ids | times | fields)


def _error(kind: str, message: str, stack: str = "") -> dict[str, Any]:
    said: Any = {"exception.type": kind, "exception.message": message, "exception.stacktrace": stack}
    return {"status_code": "ERROR", "events": (EventRecord("exception", START, said),)}


_CHAT = _child(
    1,
    attributes={
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-5-mini",
        "gen_ai.input.messages": [{"role": "user", "content": "Oslo, 15 February"}],
        "gen_ai.output.messages": [{"role": "assistant", "content": b"\x00"}],
    },
)
_TOOL = _child(
    2,
    name="execute_tool search_flights",
    attributes={
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "search_flights",
        "gen_ai.tool.call.arguments": '{"date":"15/02/2026"}',
        "task.id": "T-1",
    },
    **_error("jsonschema.ValidationError", "date '15/02/2026' does not match YYYY-MM-DD", "x" * 20_000),
)
_REQUEST = _child(
    3,
    _TOOL.span_id,
    name="POST",
    kind="CLIENT",
    status_code="ERROR",
    attributes={"http.response.status_code": 422},
)
_FAILED_ROOT = replace(_ROOT, **_error("jsonschema.ValidationError", "date '15/02/2026' does not match YYYY-MM-DD"))
_FAILED_RUN = (_FAILED_ROOT, _CHAT, _TOOL, _REQUEST)
_FAILURE_ID = f"{TRACE_ID}-{_REQUEST.span_id}"


def test_a_failure_is_told_with_its_agent_its_message_and_its_place() -> None:
    """What the origin does not say comes from the spans above it; the end of a long stack is kept."""
    event = failure_event(find_failures(_FAILED_RUN)[0])

    assert (event.failure_id, event.trace_id, event.subject) == (_FAILURE_ID, TRACE_ID, "booking")
    assert (event.failure_type, event.error) == ("validation_error", "date '15/02/2026' does not match YYYY-MM-DD")
    assert event.timestamp == "2026-09-21T14:13:20.500000Z"
    assert len(event.metadata.pop("stacktrace")) == 16_384
    assert event.metadata == {
        "exception_type": "jsonschema.ValidationError",
        "code": "HTTP 422",
        "recovered": False,
        "path": [SPAN_ID, _TOOL.span_id, _REQUEST.span_id],
        "origin_span_id": _REQUEST.span_id,
        "origin_name": "POST",
        "service_name": "booking-agent",
        "session_id": "s1",
        "task_id": "T-1",
    }


def test_a_pass_has_an_event_of_type_none() -> None:
    """Under the id of the root span, without an error."""
    event = passed_event([_CHAT, _ROOT])

    assert (event.failure_id, event.failure_type, event.subject, event.error) == (
        f"{TRACE_ID}-{SPAN_ID}", "none", "booking", None,
    )  # fmt: skip
    assert event.metadata["origin_name"] == "invoke_agent booking"
    assert passed_event([make_span()]).subject == "invoke_agent booking"


def test_a_trace_is_told_as_steps() -> None:
    """Calls of models and tools, and the span where the failure began, in time order; values as JSON has them."""
    record = trace_record(_FAILED_RUN, find_failures(_FAILED_RUN)[0])

    assert (record.failure_id, record.subject, record.status, record.schema_version) == (
        _FAILURE_ID, "booking", "failed", 1,
    )  # fmt: skip
    assert (record.started_at, record.ended_at) == ("2026-09-21T14:13:20.000000Z", "2026-09-21T14:13:21.000000Z")
    message = "date '15/02/2026' does not match YYYY-MM-DD"
    assert [step.model_dump() for step in record.steps] == [
        {
            "name": "gpt-5-mini",
            "kind": "model_output",
            "input": [{"role": "user", "content": "Oslo, 15 February"}],
            "output": [{"role": "assistant", "content": "AA=="}],
            "error": None,
        },
        {
            "name": "search_flights",
            "kind": "tool_call",
            "input": {"date": "15/02/2026"},
            "output": None,
            "error": message,
        },
        {"name": "POST", "kind": "validation_error", "input": None, "output": None, "error": message},
    ]


def test_an_error_that_is_neither_of_a_tool_nor_of_a_model_is_a_step() -> None:
    """Of the spans on one branch only the one where it began."""
    spans = [replace(_ROOT, **_error("KeyError", "date")), _child(1, **_error("KeyError", "date"))]

    assert [(step.name, step.kind, step.error) for step in trace_record(spans).steps] == [
        ("child 1", "exception", "date"),
    ]


def test_a_record_of_a_pass_has_the_id_of_its_event() -> None:
    """Its recovered errors are steps; the status is that of the trace."""
    spans = [_ROOT, replace(_TOOL, parent_span_id=SPAN_ID)]
    record = trace_record(spans)
    recovered = trace_record(spans, find_failures(spans)[0])

    assert (record.failure_id, record.status) == (passed_event(spans).failure_id, "passed")
    assert record.steps[0].error is not None
    assert (recovered.failure_id, recovered.status) == (f"{TRACE_ID}-{_TOOL.span_id}", "passed")


def test_a_hallucination_makes_the_status() -> None:
    """Unless the trace failed by something else as well."""
    judged = replace(
        _CHAT, events=(EventRecord("gen_ai.evaluation.result", 1, {"gen_ai.evaluation.score.label": "hallucinated"}),)
    )

    assert trace_record([_ROOT, judged]).status == "hallucinated"
    assert trace_record([_FAILED_ROOT, judged]).status == "failed"


def test_the_record_of_a_running_trace_says_what_is_certain() -> None:
    """A run that is still on its way has failed if there is a failure to show."""
    running = replace(_ROOT, end_time_unix_nano=None)
    spans = [running, replace(_TOOL, parent_span_id=SPAN_ID)]

    assert trace_record(spans, find_failures(spans)[0]).status == "failed"
    assert trace_record([running]).status == "passed"


@pytest.mark.parametrize("span", [_FAILED_ROOT, _TOOL, _REQUEST])
def test_the_id_of_any_failing_span_of_the_branch_leads_to_the_failure(span: SpanRecord) -> None:
    """A late, deeper span moves the root cause, and what was noted down before still finds it."""
    failure = resolve_failure(_FAILED_RUN, f"{TRACE_ID}-{span.span_id}")

    assert failure is not None
    assert failure.failure_id == _FAILURE_ID


def test_the_id_of_a_pass_is_no_failure() -> None:
    """It leads to None, also where errors were recovered."""
    assert resolve_failure([_ROOT, _CHAT], f"{TRACE_ID}-{SPAN_ID}") is None
    assert resolve_failure([_ROOT, _TOOL], f"{TRACE_ID}-{SPAN_ID}") is None


def test_the_id_of_a_pass_leads_to_what_was_judged_later() -> None:
    """Whoever noted it down when the trace had passed still finds it."""
    judged = EventRecord("gen_ai.evaluation.result", 1, {"gen_ai.evaluation.score.label": "hallucinated"})
    failure = resolve_failure([_ROOT, replace(_CHAT, events=(judged,))], f"{TRACE_ID}-{SPAN_ID}")

    assert failure is not None
    assert (failure.type, failure.origin.span_id) == ("hallucination_flag", _CHAT.span_id)


@pytest.mark.parametrize(
    ("spans", "failure_id"),
    [
        ([_ROOT, _CHAT], f"{TRACE_ID}-{_CHAT.span_id}"),
        (_FAILED_RUN, f"{TRACE_ID}-{_CHAT.span_id}"),
        (_FAILED_RUN, f"{'f' * 32}-{_TOOL.span_id}"),
        ([replace(_ROOT, end_time_unix_nano=None)], f"{TRACE_ID}-{SPAN_ID}"),
        ([_ROOT], "nonsense"),
    ],
)
def test_any_other_id_is_not_found(spans: Any, failure_id: str) -> None:
    """Neither a span that went well nor another trace's, nor a run that is still on its way."""
    with pytest.raises(TraceNotFoundError, match="no failure"):
        resolve_failure(spans, failure_id)


@given(st.lists(span_records, min_size=1, max_size=4))
def test_any_trace_can_be_told(records: list[SpanRecord]) -> None:
    """Whatever the spans hold, the projections are made, and are JSON."""
    spans = [replace(record, trace_id=TRACE_ID) for record in records]
    for failure in find_failures(spans):
        json.loads(failure_event(failure).model_dump_json())
        json.loads(trace_record(spans, failure).model_dump_json())
    json.loads(passed_event(spans).model_dump_json())
