"""Starting and ending a span the way all helpers of this package do: nothing about it can break the agent.

The tracer is that of the global TracerProvider, whoever set it, unless a context carries a provider of its own.
"""

from __future__ import annotations

import traceback
from contextvars import ContextVar
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanKind, Status, StatusCode

from otel_agenttrace.contract.attributes import (
    ERROR_TYPE,
    EVENT_EXCEPTION,
    EXCEPTION_MESSAGE,
    EXCEPTION_STACKTRACE,
    EXCEPTION_TYPE,
)
from otel_agenttrace.errors import ContractError
from otel_agenttrace.instrument.capture import capture
from otel_agenttrace.instrument.faults import contained, note_fault
from otel_agenttrace.instrument.inherited import INHERITABLE, current_inherited, with_inherited
from otel_agenttrace.processors.contract import check_before_end

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.trace import Link, Span, Tracer, TracerProvider

    from otel_agenttrace.model.record import Attributes

SCOPE_NAME = "otel_agenttrace"
"""The instrumentation scope of the spans that our helpers start."""

_PROVIDER_KEY = context_api.create_key("agenttrace-tracer-provider")
_tracers: dict[int, tuple[TracerProvider, Tracer]] = {}
"""By id() of the provider, which is kept alive so that the id stays its own; not every provider can be hashed."""
_MAX_TRACERS = 16

_current_place: ContextVar[None] = ContextVar("agenttrace-place")
"""Its tokens tell whether we are still in the context that made them; those of OTel's own API only log it."""


class OpenSpan:
    """A started span, and the OTel Context that its work runs in.

    `with` makes it current, as often as needed, and leaves it open; `end` ends it.

    Attributes:
        span: not recording when nobody records, or telemetry failed.
        context: current while the work runs, with what the work attached to it when it last paused.
    """

    __slots__ = ("_outer", "_place", "context", "span")

    _place: Token[None]
    _outer: Token[Context]

    def __init__(self, span: Span, context: Context) -> None:
        self.span = span
        self.context = context

    def __enter__(self) -> None:
        self._place = _current_place.set(None)
        self._outer = context_api.attach(self.context)

    def __exit__(self, *_: object) -> None:
        try:
            _current_place.reset(self._place)
        except ValueError:
            # The work was ended in another context than it ran in, by the garbage collector or a closing event loop:
            # there is nothing to put back there, and `detach` would log an error.
            return
        self.context = context_api.get_current()
        context_api.detach(self._outer)

    def end(self, error: BaseException | None = None) -> None:
        """End the span, with `error` if that is how the work ended.

        Raises:
            ContractError: the span breaks the contract, the mode is `enforce`, and no other error is on its way.
        """
        if error is not None:
            record_error(self.span, error)
        violation = _violation(self.span)
        with contained("end a span"):
            self.span.end()
        if violation is not None and error is None:
            raise violation


def start_span(
    name: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Mapping[str, Any] | None = None,
    parent: Context | None = None,
    links: Sequence[Link] = (),
) -> OpenSpan:
    """Start a span below the current one, or a root, with what it inherits; never raises.

    What can be inherited of its attributes reaches its descendants through the context.

    Args:
        name: of the span.
        kind: of the span.
        attributes: of any type, see `capture`.
        parent: the context to start it in, the current one if None.
        links: to other spans.
    """
    with contained("start a span"):
        own = {key: capture(value) for key, value in (attributes or {}).items()}
        span = current_tracer().start_span(name, parent, kind, current_inherited(parent) | own, links)
        context = trace.set_span_in_context(span, parent)
        return OpenSpan(span, with_inherited(own, context) if any(key in own for key in INHERITABLE) else context)
    below = trace.get_current_span(parent).get_span_context()
    return OpenSpan(NonRecordingSpan(below), parent or context_api.get_current())


def record_error(span: Span, error: BaseException) -> None:
    """Record that the work of a span ended with `error`; never raises.

    A generator that is closed early and an exit with status 0 end well. A cancelled call does not.
    """
    if isinstance(error, GeneratorExit) or (isinstance(error, SystemExit) and not error.code):
        return
    with contained("record an exception"):
        if not span.is_recording():
            return
        name, message = _named(error)
        try:
            span.record_exception(error, escaped=True)
        except Exception:  # noqa: BLE001 - an exception that cannot be turned into text
            span.add_event(EVENT_EXCEPTION, exception_attributes(error))
        span.set_attribute(ERROR_TYPE, name)
        short_name = type(error).__name__
        span.set_status(Status(StatusCode.ERROR, f"{short_name}: {message}" if message else short_name))


def exception_attributes(error: BaseException) -> Attributes:
    """What the event of an exception says, https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/."""
    name, message = _named(error)
    stack = "".join(traceback.format_exception(error))
    return {EXCEPTION_TYPE: name, EXCEPTION_MESSAGE: message, EXCEPTION_STACKTRACE: stack}


def with_provider(provider: TracerProvider) -> Context:
    """The current context, in which our helpers start their spans with `provider`."""
    return context_api.set_value(_PROVIDER_KEY, provider)


def current_provider() -> TracerProvider:
    """The provider that our helpers start spans with."""
    provider = context_api.get_value(_PROVIDER_KEY)
    return provider if isinstance(provider, trace.TracerProvider) else trace.get_tracer_provider()


def current_tracer() -> Tracer:
    """The tracer that our helpers start spans with."""
    provider = current_provider()
    kept = _tracers.get(id(provider))
    if kept is None:
        if len(_tracers) >= _MAX_TRACERS:
            _tracers.clear()
        kept = _tracers[id(provider)] = provider, provider.get_tracer(SCOPE_NAME, _package_version())
    return kept[1]


def _violation(span: Span) -> ContractError | None:
    try:
        check_before_end(span)
    except ContractError as violation:
        return violation
    except Exception:  # noqa: BLE001 - a fault of the check is none of the agent's
        note_fault("check a span against the contract")
    return None


def _package_version() -> str | None:
    try:
        return version("otel-agenttrace")
    except PackageNotFoundError:  # run from a source tree
        return None


def _named(error: BaseException) -> tuple[str, str]:
    """The class as the SDK writes it, with the module unless it is a builtin, and the message."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    try:
        return name, str(error)
    except Exception:  # noqa: BLE001 - as above
        return name, "<not readable>"
