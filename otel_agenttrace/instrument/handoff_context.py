"""W3C trace context, and the session, in what carries a handoff: its payload, HTTP headers, `_meta` of an MCP message.

https://www.w3.org/TR/trace-context/, https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/#context-propagation and
https://modelcontextprotocol.io/seps/414-request-meta. What the global propagator adds, such as `baggage`, goes along.

The session travels in the `baggage` of the payload (https://www.w3.org/TR/baggage/) as `session.id`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import baggage, propagate
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context, get_current
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_agenttrace.contract.attributes import SESSION_ID
from otel_agenttrace.errors import HandoffValidationError
from otel_agenttrace.instrument.faults import contained
from otel_agenttrace.instrument.inherited import current_inherited, with_inherited

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from opentelemetry.trace import SpanContext

Headers = Mapping[Any, Any] | Iterable[tuple[Any, Any]]

_TRACE_CONTEXT = TraceContextTextMapPropagator()
_BAGGAGE = W3CBaggagePropagator()
_TRACEPARENT, _SESSION = "traceparent", str(SESSION_ID)
_ALWAYS = frozenset({_TRACEPARENT, "tracestate", "baggage"})
_MAX_VALUE = 8192
"""Characters of one value, as W3C allows for baggage; what is longer is no trace context."""

_MAX_SESSION = 256
"""Characters of a session's id that is taken over from another agent."""


def context_fields() -> frozenset[str]:
    """The names that stand beside the contract's in a payload."""
    return _ALWAYS | propagate.get_global_textmap().fields


def current_fields() -> dict[str, str]:
    """The current trace context and session, whatever the global propagator is; empty outside of both."""
    carrier: dict[str, str] = {}
    with contained("put the trace context into a handoff"):
        _BAGGAGE.inject(carrier, _with_session(Context()))  # that alone, unless the process propagates its baggage
        propagate.inject(carrier, _with_session(get_current()))
        _TRACE_CONTEXT.inject(carrier)
    return carrier


def inject_headers(headers: MutableMapping[str, str]) -> MutableMapping[str, str]:
    """Put the current trace context into the headers of a request, and return them.

    It replaces what is there, in whatever case, so a client that is instrumented and does the same doubles nothing;
    with such a client it is not needed.
    """
    carrier: dict[str, str] = {}
    with contained("put the trace context into headers"):
        propagate.inject(carrier)
        for name in [name for name in headers if str(name).lower() in carrier]:
            del headers[name]
        headers.update(carrier)
    return headers


def extract_headers(headers: Headers) -> Context:
    """The current context with the trace context of a request's headers, as the `context` of `receive_handoff`.

    Takes what servers have: a mapping or pairs, of text or bytes, names in any case.
    """
    with contained("read the trace context of headers"):
        return propagate.extract(_read_headers(headers), getter=_GETTER)
    return Context()


def handoff_to_mcp(payload: Mapping[str, Any], tool: str) -> dict[str, Any]:
    """A payload as the `params` of an MCP `tools/call`: the contract as arguments, the trace context as `_meta`."""
    names = context_fields()
    arguments = {name: value for name, value in payload.items() if name not in names}
    return {"name": tool, "arguments": arguments, "_meta": {key: payload[key] for key in payload if key in names}}


def handoff_from_mcp(params: Mapping[str, Any]) -> dict[str, Any]:
    """The payload in the `params` of an MCP `tools/call`.

    Raises:
        HandoffValidationError: these are no such params.
    """
    arguments = params.get("arguments") if isinstance(params, Mapping) else None
    if not isinstance(arguments, Mapping):
        raise HandoffValidationError(["params.arguments: expected an object"])
    meta = params.get("_meta")
    names = context_fields()
    if meta is not None and not isinstance(meta, Mapping):
        raise HandoffValidationError(["params._meta: expected an object"])
    return {**arguments, **{key: value for key, value in (meta or {}).items() if key in names}}


class Parent(NamedTuple):
    """What the span of a received handoff starts below.

    Attributes:
        context: to start it in.
        link: another span that it belongs to as well: the one of the request, if that is in another trace.
        problem: what is wrong with the trace context that was sent; empty if nothing is.
    """

    context: Context
    link: SpanContext | None
    problem: str


def parent_of(fields: Mapping[str, Any], base: Context) -> Parent:
    """Where a received handoff belongs: below the span that emitted it.

    If a span of the same trace is at hand already, such as that of the request which brought the payload, it is below
    that one, which is nearer. It belongs to the session of that agent as well, unless there is another one at hand.
    """
    carrier = {key: value for key, value in fields.items() if isinstance(value, str) and len(value) <= _MAX_VALUE}
    context, link, problem = _place_of(fields, carrier, base)
    with contained("read the session of a handoff"):
        session_id = current_inherited(base).get(_SESSION, _sent_session(carrier))
        if session_id is not None:
            context = with_inherited({_SESSION: session_id}, context)
    return Parent(context, link, problem)


def _place_of(fields: Mapping[str, Any], carrier: Mapping[str, str], base: Context) -> Parent:
    near = get_current_span(base).get_span_context()
    sent = get_current_span(_extracted(carrier, Context())).get_span_context()
    if not sent.is_valid:
        if _TRACEPARENT not in fields:
            return Parent(base, None, "")
        instead = "joined the trace at hand" if near.is_valid else "began a new trace"
        return Parent(base, None, f"traceparent: is no W3C trace context; {instead}")
    if near.is_valid and near.trace_id == sent.trace_id:
        return Parent(base, None, "")
    return Parent(_extracted(carrier, base), near if near.is_valid else None, "")


def _extracted(carrier: Mapping[str, str], base: Context) -> Context:
    context = base
    with contained("read the trace context of a handoff"):
        context = propagate.extract(carrier, base)
        if _TRACEPARENT in carrier:
            context = _TRACE_CONTEXT.extract(carrier, context)
        # Of the baggage, which instrumented clients send on to whomever they ask, the session is no part.
        kept = baggage.get_baggage(_SESSION, base)
        without = baggage.remove_baggage(_SESSION, context)
        return without if kept is None else baggage.set_baggage(_SESSION, kept, context)
    return context


def _with_session(context: Context) -> Context:
    session_id = current_inherited().get(_SESSION)
    return context if session_id is None else baggage.set_baggage(_SESSION, str(session_id), context)


def _sent_session(carrier: Mapping[str, str]) -> str | None:
    sent = baggage.get_baggage(_SESSION, _BAGGAGE.extract(carrier, Context()))
    is_id = isinstance(sent, str) and sent.isprintable() and 0 < len(sent) <= _MAX_SESSION
    return str(sent) if is_id else None


class _HeaderGetter(Getter[Mapping[str, list[str]]]):
    def get(self, carrier: Mapping[str, list[str]], key: str) -> list[str] | None:
        return carrier.get(key.lower())

    def keys(self, carrier: Mapping[str, list[str]]) -> list[str]:
        return list(carrier)


_GETTER = _HeaderGetter()


def _read_headers(headers: Headers) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers.items() if isinstance(headers, Mapping) or hasattr(headers, "items") else headers:
        values = value if isinstance(value, list) else [value]
        found.setdefault(_text(name).lower(), []).extend(map(_text, values))
    return found


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
