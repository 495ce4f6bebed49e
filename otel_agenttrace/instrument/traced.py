"""`traced_span`: a function's calls as spans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

from opentelemetry.context import get_current
from opentelemetry.trace import INVALID_SPAN, SpanKind, get_current_span

from otel_agenttrace.contract.attributes import (
    AGENTTRACE_INPUT,
    AGENTTRACE_OUTPUT,
    GEN_AI_OPERATION_NAME,
    GEN_AI_TOOL_CALL_ARGUMENTS,
    GEN_AI_TOOL_CALL_RESULT,
    GEN_AI_TOOL_NAME,
)
from otel_agenttrace.instrument.calls import Call, decorate, hints_due, wrap_calls
from otel_agenttrace.instrument.capture import keeps_content
from otel_agenttrace.instrument.faults import contained, logger
from otel_agenttrace.instrument.parameters import Parameters
from otel_agenttrace.instrument.spans import start_span

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")

hints_due.append(
    "a function under traced_span was called while no span was current, so its calls are not recorded: "
    "configure_tracing() has to be called first, and a trace started, by TraceContext for example (said once)"
)


@overload
def traced_span(name: F) -> F: ...


@overload
def traced_span(
    name: str | None = None,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Mapping[str, Any] | None = None,
    capture_input: bool = True,
    capture_output: bool = True,
) -> Callable[[F], F]: ...


def traced_span(
    name: Any = None,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Mapping[str, Any] | None = None,
    capture_input: bool = True,
    capture_output: bool = True,
) -> Any:
    """Record each call of a function as a span below the current one; `@traced_span` or `@traced_span("name", ...)`.

    It takes functions and methods, sync and async, generators and async generators, and works above and below
    `classmethod` and `staticmethod`. What the caller sees is unchanged: results, exceptions, what is sent and thrown
    into a generator. A generator's span is open while it is iterated. An exception, a cancellation too, is recorded
    and passed on.

    With no current span, ours or anybody's, the function is only called; the first time a hint is logged.

    Args:
        name: of the span; the function's qualified name if there is none.
        kind: https://opentelemetry.io/docs/specs/otel/trace/api/#spankind
        attributes: set on each of the spans.
        capture_input: record the arguments by name, as `gen_ai.tool.call.arguments` when `attributes` say that this
            is a tool (https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/#execute-tool-span), else as
            `agenttrace.input`. Nothing is recorded when
            `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` keeps content off spans.
        capture_output: likewise the result, or what a generator yields, as `gen_ai.tool.call.result` or
            `agenttrace.output`.

    Raises:
        TypeError: while decorating, if an argument or what is decorated is not of the kind that is accepted.
    """
    if not isinstance(kind, SpanKind):
        raise TypeError(f"traced_span: kind takes an opentelemetry.trace.SpanKind, not {kind!r}")
    if attributes is not None and not isinstance(attributes, Mapping):
        raise TypeError(f"traced_span: attributes takes a mapping, not {attributes!r}")
    settings = _Settings(
        name if isinstance(name, str) else None, kind, dict(attributes or {}), capture_input, capture_output
    )
    if name is None or isinstance(name, str):
        return partial(_decorate, settings=settings)
    return _decorate(name, settings)


@dataclass(frozen=True)
class _Settings:
    name: str | None
    kind: SpanKind
    attributes: dict[str, Any]
    capture_input: bool
    capture_output: bool


def _decorate(target: Any, settings: _Settings) -> Any:
    return decorate(target, lambda function: wrap_calls(function, _Recorder(function, settings).begin, get_current))


class _Recorder:
    """Starts the spans of one function."""

    def __init__(self, function: Any, settings: _Settings) -> None:
        attributes = settings.attributes
        is_tool = attributes.get(GEN_AI_OPERATION_NAME) == "execute_tool" or GEN_AI_TOOL_NAME in attributes
        self._name = settings.name or _name_of(function)
        self._settings = settings
        self._parameters = Parameters(function)
        self._input_name = GEN_AI_TOOL_CALL_ARGUMENTS if is_tool else AGENTTRACE_INPUT
        self._output_name = GEN_AI_TOOL_CALL_RESULT if is_tool else AGENTTRACE_OUTPUT

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        """Start the span of a call; None when no span is current."""
        current = get_current_span()
        if current is INVALID_SPAN or not current.get_span_context().is_valid:
            if hints_due:
                _log_hint()
            return None
        settings = self._settings
        opened = start_span(self._name, kind=settings.kind, attributes=settings.attributes)
        with_content = opened.span.is_recording() and keeps_content()
        if with_content and settings.capture_input:
            with contained("record an input"):
                given = self._parameters.capture(args, kwargs)
                if given:
                    opened.span.set_attribute(self._input_name, given)
        return Call(opened, self._output_name if with_content and settings.capture_output else None)


def _name_of(function: Any) -> str:
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return str(name).rpartition("<locals>.")[2]


def _log_hint() -> None:
    try:
        hint = hints_due.pop()
    except IndexError:  # said already
        return
    logger.warning(hint)
