"""Runs a function inside a span, whatever kind of function it is, so that its caller cannot tell.

A generator's span is open while it is iterated and current only while its body runs: between two items the consumer
has its own context back, and the body finds the one that it left.
"""

from __future__ import annotations

import inspect
import sys
from contextlib import nullcontext
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from otel_agenttrace.instrument.capture import Capture
from otel_agenttrace.instrument.faults import contained

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    from otel_agenttrace.instrument.spans import OpenSpan
    from otel_agenttrace.model.record import AnyValue

    Function: TypeAlias = Callable[..., Any]
    Begin: TypeAlias = Callable[[tuple[Any, ...], dict[str, Any]], "Call | None"]

hints_due: list[str] = []
"""Hints that the next call which is not traced logs; while there are any, `may_trace` is not asked."""


class Call:
    """A call that is traced.

    Args:
        opened: its span.
        output_name: the attribute for what the function gives back; None leaves it out.
    """

    __slots__ = ("_items", "_output_name", "_taken", "opened")

    def __init__(self, opened: OpenSpan, output_name: str | None = None) -> None:
        self.opened = opened
        self._output_name = output_name
        self._taken = Capture()
        self._items: list[AnyValue] = []

    def yields(self, item: object) -> None:
        """Take note of an item that a generator yields."""
        if self._output_name is not None and not self._taken.is_full:
            self._items.append(self._taken.add(item))

    def end(self, error: BaseException | None = None, result: object = None) -> None:
        """End the span of a call that raised `error` or returned `result`, see `OpenSpan.end`."""
        if self._output_name is not None and (self._items or result is not None):
            with contained("record an output"):
                self.opened.span.set_attribute(self._output_name, self._output(result))
        self.opened.end(error)

    def _output(self, result: object) -> AnyValue:
        if not self._items:
            return self._taken.add(result)
        if result is None:
            return self._items
        return {"yielded": self._items, "returned": self._taken.add(result)}


class _UntracedCall:
    opened: AbstractContextManager[None] = nullcontext()

    def yields(self, item: object) -> None:
        pass

    def end(self, error: BaseException | None = None) -> None:
        pass


_UNTRACED = _UntracedCall()


def decorate(target: Any, wrap: Callable[[Function], Function]) -> Any:
    """Wrap a function, or the one inside a classmethod or staticmethod.

    Raises:
        TypeError: `target` is none of these.
    """
    if isinstance(target, (classmethod, staticmethod)):
        return type(target)(decorate(target.__func__, wrap))
    if isinstance(target, type) or not callable(target):
        raise TypeError(f"only functions and methods can be traced, not {target!r}")
    return wrap(target)


def wrap_calls(function: Function, begin: Begin, may_trace: Callable[[], object]) -> Function:
    """A function of the same kind as `function` that runs it inside a span.

    Args:
        function: a function, coroutine function, generator function or async generator function.
        begin: starts a call that gets these arguments; gives None when it is not to be traced.
        may_trace: whether to ask `begin` at all. False decides the cheap way out, so it has to be fast.
    """
    code = function if inspect.isroutine(function) or isinstance(function, partial) else type(function).__call__
    if inspect.isasyncgenfunction(code):
        return _wrap_async_generator(function, begin)
    if inspect.iscoroutinefunction(code):
        return _wrap_coroutine(function, begin, may_trace)
    if inspect.isgeneratorfunction(code):
        return _wrap_generator(function, begin)
    return _wrap_plain(function, begin, may_trace)


def _wrap_plain(function: Function, begin: Begin, may_trace: Callable[[], object]) -> Function:
    @wraps(function)
    def traced(*args: Any, **kwargs: Any) -> Any:
        if not may_trace() and not hints_due:
            return function(*args, **kwargs)
        call = begin(args, kwargs)
        if call is None:
            return function(*args, **kwargs)
        try:
            with call.opened:
                result = function(*args, **kwargs)
        except BaseException as error:
            call.end(error)
            raise
        call.end(result=result)
        return result

    return traced


def _wrap_coroutine(function: Function, begin: Begin, may_trace: Callable[[], object]) -> Function:
    @wraps(function)
    async def traced(*args: Any, **kwargs: Any) -> Any:
        if not may_trace() and not hints_due:
            return await function(*args, **kwargs)
        call = begin(args, kwargs)
        if call is None:
            return await function(*args, **kwargs)
        try:
            with call.opened:
                result = await function(*args, **kwargs)
        except BaseException as error:
            call.end(error)
            raise
        call.end(result=result)
        return result

    return traced


def _wrap_generator(function: Function, begin: Begin) -> Function:
    @wraps(function)
    def traced(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        call = begin(args, kwargs)
        if call is None:
            return (yield from function(*args, **kwargs))
        generator = _create(call, function, args, kwargs)
        resume = partial(next, generator)
        while True:
            try:
                with call.opened:
                    item = resume()
            except StopIteration as stop:
                call.end(result=stop.value)
                return stop.value
            except BaseException as error:
                call.end(error)
                raise
            call.yields(item)
            try:
                resume = partial(generator.send, (yield item))
            except BaseException as thrown:  # noqa: BLE001 - it is the body's to handle, closing included
                resume = partial(generator.throw, thrown)

    return traced


def _wrap_async_generator(function: Function, begin: Begin) -> Function:
    @wraps(function)
    async def traced(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        call = begin(args, kwargs) or _UNTRACED
        generator = _create(call, function, args, kwargs)
        resume = partial(_first_step, generator)
        while True:
            try:
                with call.opened:
                    item = await resume()
            except StopAsyncIteration:
                call.end()
                return
            except BaseException as error:
                call.end(error)
                raise
            call.yields(item)
            try:
                resume = partial(generator.asend, (yield item))
            except BaseException as thrown:  # noqa: BLE001 - as above
                resume = partial(generator.athrow, thrown)

    return traced


def _first_step(generator: AsyncGenerator[Any, Any]) -> Awaitable[Any]:
    """Start a generator without the event loop's knowledge.

    A loop that ends closes all generators it knows at once (https://peps.python.org/pep-0525/#finalization). It knows
    the one around this one, which closes it in turn; two closing it together would get in each other's way.
    """
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        return generator.__anext__()
    finally:
        sys.set_asyncgen_hooks(*hooks)


def _create(call: Call | _UntracedCall, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The generator, of which nothing has run yet; arguments that do not fit are the call's error."""
    try:
        return function(*args, **kwargs)
    except BaseException as error:
        call.end(error)
        raise
