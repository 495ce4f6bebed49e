"""Does the work of phases and steps, however its function is written."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

from otel_agenttrace.instrument.time_limit import call_within

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from opentelemetry.trace import Span

    from otel_agenttrace.workflow.phases import Work


def do_work(work: Work, span: Span) -> None:
    """Do it, and wait for what it returns, if that can be awaited.

    Raises:
        TypeError: it is a generator, which has not run when it returns.
        Exception: whatever the work raises.
    """
    returned = work(span)
    if inspect.isawaitable(returned):
        # On another thread: this one may have an event loop that is running.
        call_within(lambda: asyncio.run(_awaited(returned)), None)
    elif inspect.isgenerator(returned) or inspect.isasyncgen(returned):
        name = getattr(work, "__qualname__", type(work).__name__)
        raise TypeError(f"{name} is a generator, and nobody runs it: write its work without yield")


async def _awaited(returned: Awaitable[object]) -> object:
    return await returned
