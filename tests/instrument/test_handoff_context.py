"""Trace context in payloads, headers and MCP messages: one trace, never two parents, and no trust in what comes in."""

from __future__ import annotations

import threading
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import baggage, context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.trace import format_span_id, format_trace_id, get_current_span

from otel_agenttrace import (
    HandoffContract,
    HandoffValidationError,
    TraceContext,
    emit_handoff,
    extract_headers,
    handoff_from_mcp,
    handoff_to_mcp,
    inject_headers,
    receive_handoff,
)
from otel_agenttrace.instrument.handoff_context import parent_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.trace import SpanContext

    from tests.instrument.conftest import Recorded

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"


def _contract() -> HandoffContract:
    return HandoffContract(from_agent="planner", to_agent="builder", capability_id="implement")


def _receive(payload: Any, parent: Context | None = None) -> tuple[str, ...]:
    with receive_handoff(payload, context=parent) as handoff:
        handoff.complete({})
    return handoff.notes


def _traceparent(ids: SpanContext) -> str:
    return f"00-{format_trace_id(ids.trace_id)}-{format_span_id(ids.span_id)}-{ids.trace_flags:02x}"


def test_the_context_of_a_payload_is_w3c(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """`traceparent` is there even where the process propagates in another format."""
    monkeypatch.setattr(propagate, "propagator", CompositePropagator([]))

    with TraceContext("planner") as span:
        payload = emit_handoff(_contract())
    _receive(payload)

    assert payload["traceparent"] == _traceparent(span.get_span_context())
    assert recorded.parent_of("handoff implement") == "planner"


def test_baggage_goes_along(recorded: Recorded) -> None:
    """What the global propagator carries reaches the receiving agent."""
    token = context.attach(baggage.set_baggage("tenant", "ada"))
    with TraceContext("planner"):
        payload = emit_handoff(_contract())
    context.detach(token)

    with receive_handoff(payload) as handoff:
        assert baggage.get_baggage("tenant") == "ada"
        handoff.complete({})
    assert recorded.spans


@pytest.mark.parametrize("propagator", [None, CompositePropagator([])])
def test_the_session_goes_along(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch, propagator: CompositePropagator | None
) -> None:
    """What the receiving agent does is in the session of the one that emitted, whatever the process propagates."""
    if propagator is not None:
        monkeypatch.setattr(propagate, "propagator", propagator)
    with TraceContext("planner", session_id="s-1, ä"):
        payload = emit_handoff(_contract())

    with receive_handoff(handoff_from_mcp(handoff_to_mcp(payload, "take"))) as handoff:
        with TraceContext("draw"):
            pass
        assert baggage.get_baggage("session.id") is None, "requests would tell it to everybody"
        handoff.complete({})

    sessions = {span.name: (span.attributes or {}).get("session.id") for span in recorded.spans}
    assert sessions == {"planner": "s-1, ä", "draw": "s-1, ä", "handoff implement": "s-1, ä"}


def test_a_session_at_hand_counts_more_than_the_one_that_is_sent(recorded: Recorded) -> None:
    """Be it that of a span in another trace, or of the one that the request has in the same."""
    with TraceContext("planner", session_id="theirs"):
        payload = emit_handoff(_contract())
        headers = inject_headers({})

    with TraceContext("server", session_id="mine"):
        _receive(payload)
    context = extract_headers(headers)
    with recorded.tracer.start_as_current_span("request", context, attributes={"session.id": "mine"}):
        _receive(payload)

    handoffs = [span for span in recorded.spans if span.name == "handoff implement"]
    assert [(span.attributes or {})["session.id"] for span in handoffs] == ["mine", "mine"]


@pytest.mark.parametrize("sent", ["", "x" * 300, "a%0Ab", ";", "a b"])
def test_what_is_no_session_is_none(recorded: Recorded, sent: str) -> None:
    """Nothing that comes in is trusted; the work is done all the same."""
    _receive({**_contract().to_payload(), "traceparent": TRACEPARENT, "baggage": f"session.id={sent},tenant=ada"})

    (span,) = recorded.spans
    assert "session.id" not in (span.attributes or {})


BAD = [
    "",
    "hello",
    5,
    None,
    ["00"],
    {"a": 1},
    f"ff-{TRACE_ID}-{SPAN_ID}-01",
    f"00-{'0' * 32}-{SPAN_ID}-01",
    f"00-{TRACE_ID}-{'0' * 16}-01",
    f"00-{TRACE_ID[:-1]}-{SPAN_ID}-01",
    f"00-{TRACE_ID.upper()}-{SPAN_ID}-01-more",
    "0" * 100_000,
]


@pytest.mark.parametrize("traceparent", BAD, ids=lambda value: repr(value)[:40])
def test_a_bad_traceparent_begins_a_new_trace(
    recorded: Recorded, traceparent: object, caplog: pytest.LogCaptureFixture
) -> None:
    """The work is done all the same; the event, the notes and the log say what was wrong."""
    notes = _receive({**_contract().to_payload(), "traceparent": traceparent, "tracestate": 5})

    span = recorded.span("handoff implement")
    assert span.parent is None
    assert notes == ("traceparent: is no W3C trace context; began a new trace",)
    assert [(event.attributes or {}).get("handoff.error") for event in span.events] == [notes[0], None]
    assert notes[0] in caplog.text


def test_what_is_refused_unread_joins_its_trace(recorded: Recorded) -> None:
    """A payload that is too large, or is none, is told where it comes from, as far as that can be seen."""
    payload = {**_contract().to_payload(), "traceparent": TRACEPARENT, "inputs": {"text": "x" * 1000}}
    with pytest.raises(HandoffValidationError, match="of which inputs is most; at most 500"):
        receive_handoff(payload, max_bytes=500).__enter__()

    (span,) = recorded.spans
    assert format_trace_id(span.context.trace_id) == TRACE_ID
    assert (span.events[0].attributes or {})["handoff.to_agent"] == "builder"


@given(
    st.text(max_size=70)
    | st.none()
    | st.integers()
    | st.from_regex(r"\A[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")
)
def test_no_trace_context_breaks_a_handoff(traceparent: object) -> None:
    """Anything is a parent or a problem."""
    parent = parent_of({"traceparent": traceparent, "tracestate": traceparent, "baggage": traceparent}, Context())

    assert bool(parent.problem) != get_current_span(parent.context).get_span_context().is_valid


def test_no_traceparent_is_no_fault(recorded: Recorded) -> None:
    """An agent that does not trace hands over as well; the work joins what is at hand."""
    assert _receive(_contract().to_payload()) == ()
    with TraceContext("request"):
        assert _receive(_contract().to_payload()) == ()

    parents = [span.parent for span in recorded.spans if span.name == "handoff implement"]
    assert parents[0] is None
    assert parents[1] is not None


def test_a_bad_traceparent_joins_the_trace_at_hand(recorded: Recorded) -> None:
    """The request's own context is better than none."""
    with TraceContext("request"):
        notes = _receive({**_contract().to_payload(), "traceparent": "bad"})

    assert notes == ("traceparent: is no W3C trace context; joined the trace at hand",)
    assert recorded.parent_of("handoff implement") == "request"


def test_a_request_in_another_trace_is_linked(recorded: Recorded) -> None:
    """The payload says where the work belongs; the span that it was taken in is linked.

    https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/#context-propagation
    """
    with TraceContext("poll") as poll:
        assert _receive({**_contract().to_payload(), "traceparent": TRACEPARENT}) == ()

    span = recorded.span("handoff implement")
    assert span.parent is not None
    assert format_span_id(span.parent.span_id) == SPAN_ID
    assert [link.context.span_id for link in span.links] == [poll.get_span_context().span_id]


def test_a_request_in_the_same_trace_is_the_parent(recorded: Recorded) -> None:
    """The nearer of two spans of one trace is the parent, so the tree shows the request between the agents."""
    with TraceContext("planner"):
        payload = emit_handoff(_contract())
        with TraceContext("POST"):
            headers = inject_headers({})
    _receive(payload, extract_headers(headers))

    assert recorded.parent_of("handoff implement") == "POST"
    assert recorded.span("handoff implement").links == ()


def _message() -> Message:
    message = Message()
    message["Traceparent"] = TRACEPARENT
    return message


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": TRACEPARENT},
        {"TraceParent": [TRACEPARENT]},
        [(b"traceparent", TRACEPARENT.encode())],
        httpx.Headers({"traceparent": TRACEPARENT}),
        _message(),
    ],
    ids=["mapping", "lists", "ASGI", "httpx", "http.server"],
)
def test_headers_are_read_as_servers_have_them(headers: Any) -> None:
    """Names in any case, of text or bytes, as mapping or pairs."""
    assert format_trace_id(get_current_span(extract_headers(headers)).get_span_context().trace_id) == TRACE_ID


@pytest.mark.parametrize("headers", [{}, [], {"traceparent": "bad"}, {"traceparent": None}, {5: 6}, None, 5], ids=str)
def test_headers_without_a_context_change_nothing(headers: Any) -> None:
    """Whatever a client sends, nothing is raised and no parent is made up."""
    assert not get_current_span(extract_headers(headers)).get_span_context().is_valid


def test_headers_hold_the_context_once(recorded: Recorded) -> None:
    """One that is there already, in whatever case, is replaced."""
    headers = {"Traceparent": TRACEPARENT, "Accept": "*/*"}
    with recorded.tracer.start_as_current_span("call") as span:
        assert inject_headers(headers) is headers

    assert [name.lower() for name in headers] == ["accept", "traceparent"]
    assert format_trace_id(span.get_span_context().trace_id) in headers["traceparent"]


@pytest.fixture
def seen() -> Iterator[tuple[str, list[list[str]]]]:
    """A server, and the `traceparent` headers of each request that it got."""
    requests: list[list[str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.headers.get_all("traceparent") or [])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", requests
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "form", [dict, lambda headers: list(headers.items()), httpx.Headers], ids=["dict", "pairs", "own"]
)
def test_an_instrumented_client_doubles_nothing(
    recorded: Recorded, seen: tuple[str, list[list[str]]], form: Any
) -> None:
    """Headers that were injected by hand are sent once, and the client's own span is the parent."""
    url, requests = seen
    with httpx.Client(trust_env=False) as client, TraceContext("planner"):
        HTTPXClientInstrumentor.instrument_client(client, tracer_provider=recorded.provider)
        client.get(url, headers=form(inject_headers({})))

    assert requests == [[_traceparent(recorded.span("GET").context)]]
    assert recorded.parent_of("GET") == "planner"


def test_mcp_carries_the_context_as_meta(recorded: Recorded) -> None:
    """In `params._meta`, beside what is there for others; the contract is the tool's arguments."""
    with TraceContext("planner"):
        payload = emit_handoff(_contract())

    params = handoff_to_mcp(payload, "take_handoff")
    assert params["name"] == "take_handoff"
    assert HandoffContract.from_payload(params["arguments"]).handoff_id == payload["handoff_id"]
    assert params["_meta"] == {"traceparent": payload["traceparent"]}

    params["_meta"]["progressToken"] = 7
    received = handoff_from_mcp(params)
    assert received == payload
    _receive(received)
    assert recorded.parent_of("handoff implement") == "planner"


def test_meta_counts_for_more_than_arguments() -> None:
    """A context among the arguments is what a model made up, or copied."""
    params = {"name": "t", "arguments": {"traceparent": "made up"}, "_meta": {"traceparent": TRACEPARENT}}

    assert handoff_from_mcp(params) == {"traceparent": TRACEPARENT}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (None, "params.arguments: expected an object"),
        ({"arguments": []}, "params.arguments: expected an object"),
        ({"arguments": {}, "_meta": "x"}, "params._meta: expected an object"),
    ],
)
def test_mcp_params_that_are_none_are_refused(params: Any, words: str) -> None:
    """The error names the field."""
    with pytest.raises(HandoffValidationError, match=words):
        handoff_from_mcp(params)


def test_the_current_span_is_the_callers_again(recorded: Recorded) -> None:
    """After a handoff, and after a refused one, the context is what it was."""
    with recorded.tracer.start_as_current_span("server") as server:
        _receive({**_contract().to_payload(), "traceparent": TRACEPARENT})
        with pytest.raises(HandoffValidationError):
            _receive("no JSON")

        assert trace.get_current_span() is server
