"""What `traced_span` costs where no span is current: the thread's CPU time of a call over that of the bare function.

Wrapped and bare function are called in turns, best of all rounds, so that other work on the machine counts for little.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from timeit import Timer
from typing import TYPE_CHECKING

from opentelemetry import baggage, context

from otel_agenttrace.instrument.traced import traced_span

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

CALLS = 50_000
ROUNDS = 60
LIMIT_MICROS = 0.3


def add(a: int, b: int = 2) -> int:
    """Do next to nothing."""
    return a + b


async def aadd(a: int, b: int = 2) -> int:
    """Do next to nothing on a loop."""
    return a + b


def run(coroutine_function: Callable[[int], Coroutine[None, None, int]]) -> None:
    """Run a coroutine that never waits, without a loop."""
    with suppress(StopIteration):
        coroutine_function(1).send(None)


def extra_micros(statement: str, bare: Callable[..., object], wrapped: Callable[..., object]) -> float:
    """Microseconds of CPU time that one run of `statement`, which calls `f`, takes longer with the wrapped function."""
    timers = [Timer(statement, globals={"f": f, "run": run}, timer=time.thread_time) for f in (bare, wrapped)]
    least = [float("inf")] * 2
    for _ in range(ROUNDS):
        least = [min(known, timer.timeit(CALLS)) for known, timer in zip(least, timers, strict=True)]
    return (least[1] - least[0]) / CALLS * 1e6


def main() -> None:
    """Print the figure, and what it is in other cases."""
    logging.disable()  # the hint that the first call logs
    traced, atraced = traced_span(add), traced_span(aadd)
    traced(1)
    figure = extra_micros("f(1, 2)", add, traced)
    print(
        f"traced_span without a current span   {figure:6.3f} microseconds over the bare call (at most {LIMIT_MICROS})"
    )
    print(f"  with a keyword argument            {extra_micros('f(1, b=2)', add, traced):6.3f}")
    print(f"  a coroutine function               {extra_micros('run(f)', aadd, atraced):6.3f}")
    token = context.attach(baggage.set_baggage("key", "value"))
    print(f"  with baggage attached              {extra_micros('f(1, 2)', add, traced):6.3f}")
    context.detach(token)


if __name__ == "__main__":
    main()
