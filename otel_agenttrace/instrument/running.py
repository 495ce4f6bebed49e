"""Runs a function on a thread of its own, so that its caller need not wait for it longer than it wants to."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from otel_agenttrace.instrument.spans import OpenSpan


class BackgroundRun:
    """One run of `function` inside of a span, with a copy of the caller's context; awaitables run on a loop there.

    Whatever the function does after nobody waits any more stays in its thread, its errors too. The thread does not
    keep the process from ending.

    Attributes:
        result: what the function gave back, once it has.
    """

    def __init__(self, function: Callable[[], Any], opened: OpenSpan) -> None:
        self.result: Any = None
        self._error: BaseException | None = None
        self._function = function
        self._opened = opened
        self._ended = threading.Event()
        self._task: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None] | None = None

    def start(self) -> None:
        """Start the thread."""
        work = contextvars.copy_context().run
        threading.Thread(target=work, args=(self._work,), name="agenttrace-run", daemon=True).start()

    def error_within(self, timeout_s: float) -> BaseException | None:
        """Wait for the end; return what the function raised, or a TimeoutError when the time is over.

        What is no Exception (Ctrl-C, an exit) is raised instead, but for a cancellation.
        """
        if not self._ended.wait(min(timeout_s, threading.TIMEOUT_MAX)):
            return TimeoutError(f"no result within {timeout_s:g} s")
        if self._error is None or isinstance(self._error, (Exception, asyncio.CancelledError)):
            return self._error
        raise self._error

    def cancel(self) -> None:
        """Cancel a coroutine; a plain function cannot be stopped and runs on."""
        if self._task is not None:
            loop, task = self._task
            with suppress(RuntimeError):  # the loop was closed meanwhile: it has ended
                loop.call_soon_threadsafe(lambda: task is not None and task.cancel())

    def _work(self) -> None:
        try:
            with self._opened:
                result = self._function()
                self.result = asyncio.run(self._awaited(result)) if inspect.isawaitable(result) else result
        except BaseException as error:  # noqa: BLE001 - it is the waiting thread's to judge
            self._error = error
        finally:
            self._ended.set()

    async def _awaited(self, result: Awaitable[Any]) -> Any:
        self._task = asyncio.get_running_loop(), asyncio.current_task()
        return await result
