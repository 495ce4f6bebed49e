"""Whether one span failed, and how."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel

from otel_agenttrace.model.codec import deserialize, serialize_readable
from otel_agenttrace.model.record import EventRecord, ScopeRecord, SpanRecord
from otel_agenttrace.pipeline.failures import LocalFailure, classify, failure_stage, was_called_off
from otel_agenttrace.testing.spans import SECOND, START, make_span
from otel_agenttrace.testing.strategies import span_records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.trace import Tracer


def _exception(kind: str = "", message: str = "", **attributes: Any) -> EventRecord:
    said = {"exception.type": kind, "exception.message": message, **attributes}
    return EventRecord("exception", START, {key: value for key, value in said.items() if value != ""})


def _failed(span: SpanRecord, now_unix_nano: int | None = None) -> LocalFailure:
    failure = classify(span, now_unix_nano)
    assert failure is not None
    return failure


def _type_of(**fields: Any) -> str | None:
    failure = classify(make_span(**fields))
    return failure.type if failure else None


def test_a_span_that_tells_of_no_error_has_not_failed() -> None:
    """Neither an unset status nor the status OK is a failure."""
    assert classify(make_span()) is None
    assert classify(make_span(status_code="OK")) is None


def test_an_error_status_is_a_failure() -> None:
    """The description is the message, and names the class if the emitter wrote it there."""
    failure = _failed(make_span(status_code="ERROR", status_message="KeyError: 'date'"))

    assert (failure.type, failure.message, failure.exception_type) == ("exception", "KeyError: 'date'", "KeyError")
    assert _failed(make_span(status_code="ERROR", status_message="no luck: today")).exception_type == ""


def test_a_recorded_exception_is_a_failure_even_if_nobody_set_the_status() -> None:
    """Type, message and stack are those of the exception."""
    event = _exception("app.BookingError", "full", **{"exception.stacktrace": "Traceback ..."})
    failure = _failed(make_span(events=(event,)))

    assert failure is not None
    assert (failure.type, failure.exception_type, failure.message, failure.stacktrace) == (
        "exception", "app.BookingError", "full", "Traceback ...",
    )  # fmt: skip


def test_a_status_of_ok_stands_above_recorded_exceptions() -> None:
    """Who handles an exception may record it, and say that all went well."""
    assert _type_of(status_code="OK", events=(_exception("ValueError", "handled"),)) is None
    assert _type_of(status_code="OK", attributes={"error.type": "timeout", "http.response.status_code": 503}) is None


def test_of_several_exceptions_the_last_that_escaped_counts() -> None:
    """Without a word about escaping, it is the last one; the SDK writes that word as text."""
    first = _exception("FirstError", "1")
    second = _exception("SecondError", "2")
    escaped = _exception("FirstError", "1", **{"exception.escaped": "True"})
    escaped_as_bool = _exception("FirstError", "1", **{"exception.escaped": True})

    assert _failed(make_span(events=(first, second))).exception_type == "SecondError"
    assert _failed(make_span(events=(escaped, second))).exception_type == "FirstError"
    assert _failed(make_span(events=(escaped_as_bool, second))).exception_type == "FirstError"


@pytest.mark.parametrize(
    "name",
    [
        "TimeoutError",
        "builtins.TimeoutError",
        "asyncio.exceptions.TimeoutError",
        "concurrent.futures._base.TimeoutError",
        "socket.timeout",
        "httpx.ReadTimeout",
        "httpx.ConnectTimeout",
        "httpx.PoolTimeout",
        "httpx.WriteTimeout",
        "requests.exceptions.Timeout",
        "urllib3.exceptions.ReadTimeoutError",
        "aiohttp.client_exceptions.ServerTimeoutError",
        "openai.APITimeoutError",
        "subprocess.TimeoutExpired",
        "google.api_core.exceptions.DeadlineExceeded",
        "java.net.SocketTimeoutException",
        "*context.deadlineExceededError",
        "timeout",
        "deadline_exceeded",
        "DEADLINE_EXCEEDED",
        "ETIMEDOUT",
        "504",
    ],
)
def test_timeouts_are_known_by_the_name_of_their_exception(name: str) -> None:
    """Any library's, as an exception's class, as `error.type` and at the start of a status description."""
    assert _type_of(status_code="ERROR", attributes={"error.type": name}) == "timeout"
    assert _type_of(events=(_exception(name),)) == "timeout"
    if name.endswith("Error"):
        assert _type_of(status_code="ERROR", status_message=f"{name.lstrip('*')}: too slow") == "timeout"


@pytest.mark.parametrize(
    "name",
    [
        "pydantic_core._pydantic_core.ValidationError",
        "jsonschema.exceptions.ValidationError",
        "fastapi.exceptions.RequestValidationError",
        "otel_agenttrace.errors.ContractError",
        "openai.UnprocessableEntityError",
        "ZodError",
        "AI_InvalidToolArgumentsError",
        "InvalidArgument",
        "INVALID_ARGUMENT",
        "validation_error",
        "-32602",
        "422",
    ],
)
def test_validation_errors_are_known_by_the_name_of_their_exception(name: str) -> None:
    """Any library's, as an exception's class and as `error.type`."""
    assert _type_of(status_code="ERROR", attributes={"error.type": name}) == "validation_error"
    assert _type_of(events=(_exception(name),)) == "validation_error"


@pytest.mark.parametrize(
    "name",
    [
        "json.decoder.JSONDecodeError",
        "ValueError",
        "TimeoutConfig",
        "tool_error",
        "_OTHER",
        "500",
        "",
        "é\udc80",
        "x" * 10_000,
    ],
)
def test_other_names_are_exceptions(name: str) -> None:
    """Broken JSON too: it is as often a server's error page as an argument."""
    assert _type_of(status_code="ERROR", attributes={"error.type": name}) == "exception"


@pytest.mark.parametrize(
    ("attributes", "kind", "expected"),
    [
        ({"http.response.status_code": 504}, "CLIENT", "timeout"),
        ({"http.status_code": 408}, "CLIENT", "timeout"),
        ({"http.response.status_code": 422}, "CLIENT", "validation_error"),
        ({"http.response.status_code": 422}, "SERVER", None),
        ({"http.response.status_code": 503}, "CLIENT", "exception"),
        ({"http.response.status_code": "503"}, "SERVER", "exception"),
        ({"http.response.status_code": 404}, "CLIENT", None),
        ({"http.response.status_code": 200}, "CLIENT", None),
        ({"http.response.status_code": True}, "CLIENT", None),
        ({"rpc.grpc.status_code": 4}, "CLIENT", "timeout"),
        ({"rpc.response.status_code": "DEADLINE_EXCEEDED"}, "SERVER", "timeout"),
        ({"rpc.response.status_code": "deadline_exceeded"}, "CLIENT", "timeout"),
        ({"rpc.grpc.status_code": 3}, "CLIENT", "validation_error"),
        ({"rpc.grpc.status_code": 3}, "SERVER", None),
        ({"rpc.grpc.status_code": 14}, "CLIENT", "exception"),
        ({"rpc.grpc.status_code": 5}, "CLIENT", None),
        ({"rpc.grpc.status_code": 1}, "CLIENT", None),
        ({"rpc.grpc.status_code": 0}, "CLIENT", None),
        ({"rpc.grpc.status_code": 99}, "CLIENT", None),
        ({"rpc.grpc.status_code": [4]}, "CLIENT", None),
        ({"rpc.jsonrpc.error_code": -32602}, "CLIENT", "validation_error"),
        ({"rpc.response.status_code": "-32602"}, "INTERNAL", "validation_error"),
        ({"rpc.response.status_code": "-32601"}, "SERVER", "exception"),
        ({"rpc.jsonrpc.error_code": 0}, "CLIENT", None),
    ],
)
def test_a_protocols_code_counts_where_no_status_is_set(
    attributes: dict[str, Any], kind: str, expected: str | None
) -> None:
    """A server's failure does, and arguments that were refused; any other refusal may be an answer."""
    assert _type_of(kind=kind, attributes=attributes) == expected


@pytest.mark.parametrize(
    ("attributes", "expected", "code"),
    [
        ({"http.response.status_code": 404}, "exception", "HTTP 404"),
        ({"http.response.status_code": 422}, "validation_error", "HTTP 422"),
        ({"rpc.grpc.status_code": 5}, "exception", "gRPC NOT_FOUND"),
        ({"rpc.response.status_code": "-32602"}, "validation_error", "JSON-RPC -32602"),
    ],
)
def test_with_an_error_status_the_code_tells_the_kind(attributes: dict[str, Any], expected: str, code: str) -> None:
    """On a server's span as well; the code is what people read where there is no message."""
    failure = _failed(make_span(kind="SERVER", status_code="ERROR", attributes=attributes))

    assert failure is not None
    assert (failure.type, failure.code, failure.text) == (expected, code, code)


def test_a_timeout_comes_before_a_validation_error() -> None:
    """The first rule that fits decides."""
    attributes = {"error.type": "ValidationError", "http.response.status_code": 504}

    assert _type_of(status_code="ERROR", attributes=attributes) == "timeout"


@pytest.mark.parametrize("name", ["asyncio.exceptions.CancelledError", "KeyboardInterrupt", "cancelled"])
def test_a_call_that_was_called_off_fails_only_if_its_emitter_says_so(name: str) -> None:
    """Calling off is no error by itself; with the status ERROR it is one, and marked as such."""
    quiet = make_span(events=(_exception(name),))
    loud = replace(quiet, status_code="ERROR")

    assert classify(quiet) is None
    assert was_called_off(quiet)
    failure = _failed(loud)
    assert (failure.type, failure.is_cancellation) == ("exception", True)
    assert not was_called_off(make_span(events=(_exception("psycopg.errors.QueryCanceled"),)))


@pytest.mark.parametrize(
    "name",
    [
        "langgraph.errors.GraphInterrupt",
        "langgraph.errors.ParentCommand",
        "GraphBubbleUp",
        "NodeInterrupt",
        "pydantic_ai.exceptions.ApprovalRequired",
        "CallDeferred",
        "StopIteration",
        "StopAsyncIteration",
        "GeneratorExit",
    ],
)
def test_an_exception_that_only_directs_the_flow_is_no_failure(name: str) -> None:
    """Even where an emitter set the status ERROR, as OTel's SDK does for whatever passes through a span."""
    said = f"{name}((Interrupt(value='approve?'),))"

    assert _type_of(events=(_exception(name),)) is None
    assert _type_of(status_code="ERROR", events=(_exception(name),)) is None
    assert _type_of(status_code="ERROR", attributes={"error.type": name}) is None
    assert _type_of(status_code="ERROR", status_message=said) is None
    assert _type_of(status_code="ERROR", status_message=f"ValueError: {name} is not allowed") == "exception"
    assert _type_of(attributes={"task.timeout_ms": 1}, events=(_exception(name),)) == "timeout"


def test_only_what_was_called_off_neither_fails_nor_recovers() -> None:
    """Who asks a person, or stops an iteration, has dealt with what went wrong below."""
    assert was_called_off(make_span(events=(_exception("GeneratorExit"),)))
    assert not was_called_off(make_span(events=(_exception("GraphInterrupt"),)))


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "no luck"}, "no luck"),
        ({"langfuse.observation.level": "ERROR", "langfuse.observation.status_message": 5}, ""),
        ({"langfuse.observation.level": "WARNING", "langfuse.observation.status_message": "hm"}, None),
        ({"langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "GraphInterrupt()"}, None),
        ({"gen_ai.response.finish_reasons": ["stop", "error"]}, "the model stopped with an error"),
        ({"gen_ai.response.finish_reasons": ["length"]}, None),
        ({"gen_ai.response.finish_reasons": 5}, None),
        ({"logfire.level_num": 17}, None),
        ({"logfire.level_num": 21, "logfire.span_type": "log"}, None),
    ],
)
def test_an_error_may_be_told_in_the_emitters_own_words(attributes: dict[str, Any], expected: str | None) -> None:
    """Langfuse's level and a model's finish reason are such words; that something was logged as an error is none."""
    failure = classify(make_span(attributes=attributes))

    assert (failure.message if failure else None) == expected
    assert _type_of(attributes=attributes, status_code="OK") is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [("error", "Error: division by zero"), ("success", None), ("unknown", None), (["error"], None)],
)
def test_a_tool_that_failed_by_its_emitters_word_failed_whatever_the_status(status: Any, expected: str | None) -> None:
    """Strands hands the error to the model, and sets OK on every span that no exception left."""
    told = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "calc", "gen_ai.tool.status": status}
    said = EventRecord("gen_ai.choice", START, {"message": '[{"text": "Error: division by zero"}]', "id": "t1"})
    failure = classify(make_span(status_code="OK", attributes=told, events=(said,)))

    assert (failure.message if failure else None) == expected
    assert _type_of(status_code="OK", attributes=told) == ("exception" if expected else None)
    assert _type_of(end_time_unix_nano=None, attributes=told) is None


def test_what_an_emitter_says_beside_the_status_tells_the_kind() -> None:
    """The exception's class at the start of Langfuse's message, too."""
    said = {"langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "ReadTimeout('too slow')"}

    assert _type_of(attributes=said) == "timeout"
    assert _type_of(attributes=said, status_code="ERROR") == "timeout"
    assert _failed(make_span(attributes=said, status_code="ERROR", status_message="first")).message == "first"


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"isError": True, "content": [{"type": "text", "text": "no such city"}, {"type": "image"}]}, "no such city"),
        ('{"isError": true, "content": [{"type": "text", "text": "no such city"}]}', "no such city"),
        ({"type": "tool_result", "is_error": True, "content": "no such city"}, "no such city"),
        ([{"type": "text", "text": "x"}, {"is_error": True}], ""),
        ({"type": "tool", "tool_call_id": "c1", "status": "error", "content": "Error: no"}, "Error: no"),
        ({"status": "error", "order": 17}, None),
        ({"isError": False, "content": "fine"}, None),
        ({"is_error": "true"}, None),
        ("is_error: true", None),
        (None, None),
    ],
)
def test_the_result_of_a_tool_may_say_that_it_is_an_error(result: Any, expected: str | None) -> None:
    """As MCP, Anthropic and LangChain write it; what else a result says is the tool's own business."""
    call = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather", "gen_ai.tool.call.result": result}
    failure = classify(make_span(attributes=call))

    assert (failure.message if failure else None) == expected
    assert _type_of(attributes={**call, "gen_ai.operation.name": "chat"}) is None


def test_an_mcp_call_that_failed_is_one() -> None:
    """The conventions say `tool_error` for a result that is an error."""
    said = {"mcp.method.name": "tools/call weather", "error.type": "tool_error"}

    assert (_failed(make_span(attributes=said)).type, _failed(make_span(attributes=said)).is_vague) == (
        "exception", True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("AI_TypeValidationError", "validation_error"),
        ("AI_InvalidToolInputError", "validation_error"),
        ("AI_InvalidToolArgumentsError", "validation_error"),
        ("AI_APICallError", "exception"),
        ("AI_NoSuchToolError", "exception"),
        ("TimeoutError", "timeout"),
    ],
)
def test_errors_of_the_vercel_ai_sdk_are_told_apart(name: str, expected: str) -> None:
    """It records the error's name as the exception's type, and its message as the status."""
    span = make_span(name="ai.toolCall", status_code="ERROR", status_message="no", events=(_exception(name, "no"),))

    assert (_failed(span).type, _failed(span).message) == (expected, "no")


def test_a_verdict_is_believed_about_its_trace() -> None:
    """It is no part of the trace, so that this only counts where nothing else of it is left."""
    verdict = make_span(name="agenttrace.verdict", scope=ScopeRecord("otel_agenttrace"), status_message="all is lost")
    bad = replace(verdict, status_code="ERROR", attributes={"failure.type": "timeout"})

    assert classify(verdict) is None
    assert (_failed(bad).type, _failed(bad).text) == ("timeout", "all is lost")
    assert _failed(replace(bad, attributes={"failure.type": ["x"]})).type == "exception"
    assert classify(replace(verdict, attributes={"failure.type": "timeout", "failure.recovered": True})) is None
    assert failure_stage(bad) is bad
    assert failure_stage(verdict) is verdict


def test_an_ended_span_is_held_to_its_timeout() -> None:
    """A span longer than its `task.timeout_ms` is a timeout, even one with the status OK; a shorter one is none."""
    late = make_span(attributes={"task.timeout_ms": 999}, status_code="OK")

    assert _failed(late).text == "ran longer than its task.timeout_ms of 999"
    assert _type_of(attributes={"task.timeout_ms": 1000}) is None
    assert _type_of(attributes={"task.timeout_ms": "999"}) == "timeout"
    for limit in ("soon", True, 0, -5, float("nan"), None):
        assert _type_of(attributes={"task.timeout_ms": limit}) is None
    with_error = make_span(attributes={"task.timeout_ms": 1}, events=(_exception("ValueError", "why"),))
    assert (_failed(with_error).type, _failed(with_error).message) == ("timeout", "why")


def test_an_open_span_fails_only_by_its_timeout() -> None:
    """Against the time given, or its own last event; any error may yet be handled."""
    running = make_span(end_time_unix_nano=None, status_code="ERROR", events=(_exception("ValueError", "early"),))
    limited = replace(running, attributes={"task.timeout_ms": 1000})
    beyond = replace(limited, events=(EventRecord("anything", START + SECOND + 1),))

    assert classify(running, START + 100 * SECOND) is None
    assert classify(limited) is None
    assert classify(limited, START + SECOND) is None
    assert _failed(limited, START + SECOND + 1).type == "timeout"
    assert _failed(beyond).type == "timeout"
    assert classify(replace(limited, events=())) is None


def _evaluation(name: str, label: str = "", score: float | None = None, explanation: str = "") -> EventRecord:
    said = {
        "gen_ai.evaluation.name": name,
        "gen_ai.evaluation.score.label": label,
        "gen_ai.evaluation.score.value": score,
        "gen_ai.evaluation.explanation": explanation,
    }
    return EventRecord("gen_ai.evaluation.result", START, {key: value for key, value in said.items() if value})


@pytest.mark.parametrize(
    ("event", "is_hallucination"),
    [
        (_evaluation("anything", "hallucinated"), True),
        (_evaluation("Hallucination", "Yes"), True),
        (_evaluation("hallucination", "no"), False),
        (_evaluation("hallucination", score=0.9), True),
        (_evaluation("hallucination", score=0.1), False),
        (_evaluation("hallucination", "factual", score=0.9), False),
        (_evaluation("groundedness", "fail"), True),
        (_evaluation("Groundedness", "Not Grounded"), True),
        (_evaluation("faithfulness", score=0.2), True),
        (_evaluation("faithfulness", score=0.8), False),
        (_evaluation("groundedness", score=2.0), False),
        (_evaluation("grounding", "unsupported", score=0.5), True),
        (_evaluation("grounding", "supported", score=1.0), False),
        (_evaluation("grounding", score=0.2), True),
        (_evaluation("relevance", "fail", score=0.0), False),
        (_evaluation("toxicity", "yes"), False),
        (EventRecord("another", START, {"gen_ai.evaluation.score.label": "hallucinated"}), False),
        (EventRecord("gen_ai.evaluation.result", START, {"gen_ai.evaluation.score.label": b"\xff"}), False),
    ],
)
def test_an_evaluation_may_call_an_output_a_hallucination(event: EventRecord, is_hallucination: bool) -> None:
    """By its label under any name, or by label or score where its name says what it measures; a status of OK stands."""
    expected = "hallucination_flag" if is_hallucination else None

    assert _type_of(events=(event,)) == expected
    assert _type_of(events=(event,), status_code="OK") == expected


def test_the_last_evaluation_decides() -> None:
    """A second look may clear an output, and its words are the message."""
    flagged = _evaluation("hallucination", "yes", explanation="412 employees are nowhere")
    cleared = _evaluation("hallucination", "no")

    assert _failed(make_span(events=(flagged,))).message == "412 employees are nowhere"
    assert _failed(make_span(events=(_evaluation("hallucination", "yes"),))).message == "hallucination: yes"
    assert _type_of(events=(flagged, cleared)) is None
    assert _type_of(events=(flagged, _evaluation("relevance", "pass"))) == "hallucination_flag"


def test_an_error_comes_before_a_hallucination_and_that_before_being_abandoned() -> None:
    """The first rule that fits decides."""
    abandoned = {"agenttrace.ended_by": "adopter"}
    judged = (_evaluation("hallucination", "yes"),)

    assert _type_of(attributes=abandoned) == "abandoned"
    assert _type_of(attributes=abandoned, events=judged) == "hallucination_flag"
    assert _type_of(attributes=abandoned, events=judged, status_code="ERROR") == "exception"


def test_what_is_said_of_failures_elsewhere_is_not_believed() -> None:
    """`failure.*` is written by this package; what it says is found out anew, wherever the span comes from."""
    assert classify(make_span(attributes={"failure.type": "timeout", "failure.id": "x"})) is None


def test_the_stage_stamps_what_failed() -> None:
    """A failed span gets `failure.type`, any other stays the object that it was; a second run changes nothing."""
    fine, failed = make_span(), make_span(status_code="ERROR", attributes={"a": 1})
    stamped = failure_stage(failed)

    assert failure_stage(fine) is fine
    assert stamped.attributes == {"a": 1, "failure.type": "exception"}
    assert {type(key) for key in stamped.attributes} == {str}
    assert failure_stage(stamped) is stamped
    assert failure_stage(replace(stamped, attributes={"failure.type": "none"})).attributes == {
        "failure.type": "exception"
    }


@given(span_records)
def test_no_span_is_too_odd_to_be_classified(record: SpanRecord) -> None:
    """Whatever a span holds, the stage returns, and running it twice changes nothing."""
    once = failure_stage(record)

    assert repr(failure_stage(once)) == repr(once)


class _Arguments(BaseModel):
    date: int


async def _times_out() -> None:
    await asyncio.wait_for(asyncio.Event().wait(), timeout=0.001)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: asyncio.run(_times_out()), "timeout"),
        (lambda: _Arguments.model_validate({"date": "x"}), "validation_error"),
        (lambda: jsonschema.validate("x", {"type": "integer"}), "validation_error"),
        (lambda: {"a": 1}["missing"], "exception"),
    ],
)
def test_real_exceptions_recorded_by_the_sdk_are_told_apart(call: Any, expected: str) -> None:
    """Exceptions of real libraries that pass through a plain OTel span have their types."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with pytest.raises(Exception, match=r".*"), provider.get_tracer("t").start_as_current_span("s"):
        call()
    failure = _failed(deserialize(serialize_readable(exporter.get_finished_spans()[0])))

    assert failure.type == expected
    assert failure.stacktrace


class GraphInterrupt(Exception):  # noqa: N818  # LangGraph's name for it
    """As LangGraph's."""


def _ask() -> None:
    raise GraphInterrupt("approve?")


def _left_early(tracer: Tracer) -> None:
    def tokens() -> Iterator[str]:
        with tracer.start_as_current_span("stream"):
            yield from ("a", "b")

    stream = tokens()
    next(stream)
    stream.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("is_stream", [True, False])
def test_real_spans_left_by_control_flow_have_not_failed(is_stream: bool) -> None:
    """A stream that is read no further, and an agent that stops to ask: whatever the SDK makes of them."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("t")
    if is_stream:
        _left_early(tracer)
    else:
        with pytest.raises(GraphInterrupt), tracer.start_as_current_span("s"):
            _ask()

    assert classify(deserialize(serialize_readable(exporter.get_finished_spans()[0]))) is None
