"""`TraceContext`: a piece of an agent's work as a span, with its session and user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from opentelemetry import trace

from otel_agenttrace.contract.attributes import SESSION_ID, USER_ID
from otel_agenttrace.instrument.calls import Call, decorate, wrap_calls
from otel_agenttrace.instrument.spans import start_span

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from opentelemetry.trace import Span

    from otel_agenttrace.instrument.spans import OpenSpan

F = TypeVar("F", bound="Callable[..., Any]")


class TraceContext:
    """A span around a block or a function, a root if no span is current; `with`, `async with` or decorator.

    The block gets the span. What inherits from it, in tasks and threads with a copied context too, has its session
    and user. An exception is recorded and passes untouched.

    One object may be used again, inside itself, and from many tasks and threads at once: each use has its own span.

    Args:
        name: of the span.
        session_id: `session.id`, which groups traces.
        user_id: `user.id`, https://opentelemetry.io/docs/specs/semconv/registry/attributes/user/
        attributes: set on the span when it starts; task, phase, project, session and user are inherited.

    Raises:
        TypeError: `name` is not text, or `attributes` not a mapping.
        ContractError: when it ends, in the contract's `enforce` mode, if no other exception is on its way.
    """

    def __init__(
        self,
        name: str,
        *,
        session_id: str | None = None,
        user_id: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(name, str):
            raise TypeError(f"TraceContext: name takes text, not {name!r}")
        if attributes is not None and not isinstance(attributes, Mapping):
            raise TypeError(f"TraceContext: attributes takes a mapping, not {attributes!r}")
        self._name = name
        self._attributes: dict[str, Any] = dict(attributes or {})
        for key, value in ((SESSION_ID, session_id), (USER_ID, user_id)):
            if value is not None:
                self._attributes[key] = str(value)
        self._entered: list[OpenSpan] = []

    def __enter__(self) -> Span:
        opened = self._start()
        opened.__enter__()
        self._entered.append(opened)
        return opened.span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        opened = self._left()
        opened.__exit__()
        opened.end(error)

    async def __aenter__(self) -> Span:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, function: F) -> F:
        """Run each call of the function inside a span of its own; it may be of any kind, see `traced_span`."""
        return cast("F", decorate(function, self._wrap))

    def _wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return wrap_calls(function, lambda _args, _kwargs: Call(self._start()), lambda: True)

    def _start(self) -> OpenSpan:
        return start_span(self._name, attributes=self._attributes)

    def _left(self) -> OpenSpan:
        """Take out the use that is being left: the one whose span is current, for others may have begun since."""
        current = trace.get_current_span()
        for opened in reversed(self._entered):
            if opened.span is current:
                break
        else:
            opened = self._entered[-1]
        self._entered.remove(opened)
        return opened
