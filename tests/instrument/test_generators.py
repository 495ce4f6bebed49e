"""Traced generators behave as bare ones do, and their spans are open while they are iterated."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from otel_agenttrace.instrument.context import TraceContext
from otel_agenttrace.instrument.traced import traced_span

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from tests.instrument.conftest import Recorded

_Log = list[object]


def echo(log: _Log) -> Generator[object, object, str]:
    """Yield what was sent or thrown; end on 'stop', fail on 'fail', give way when closed."""
    received: object = "start"
    try:
        while received != "stop":
            if received == "fail":
                raise LookupError("asked to")
            try:
                received = yield received
            except ValueError as error:
                received = f"caught {error}"
            log.append(received)
    finally:
        log.append("closed")
    return "result"


async def aecho(log: _Log) -> AsyncGenerator[object, object]:
    """The same, asynchronously."""
    received: object = "start"
    try:
        while received != "stop":
            if received == "fail":
                raise LookupError("asked to")
            await asyncio.sleep(0)
            try:
                received = yield received
            except ValueError as error:
                received = f"caught {error}"
            log.append(received)
    finally:
        await asyncio.sleep(0)
        log.append("closed")


def _step(generator: Any, action: object) -> Any:
    if action is GeneratorExit:
        return (generator.aclose if hasattr(generator, "aclose") else generator.close)()
    if isinstance(action, BaseException):
        return (generator.athrow if hasattr(generator, "athrow") else generator.throw)(action)
    if action is next:
        return anext(generator) if hasattr(generator, "__anext__") else next(generator)
    return (generator.asend if hasattr(generator, "asend") else generator.send)(action)


def _drive(make: Callable[[_Log], object], actions: list[object]) -> _Log:
    """What one can see of a generator that is sent these things; exceptions are thrown."""
    log: _Log = []
    generator = make(log)

    def take(action: object) -> None:
        try:
            log.append(_step(generator, action))
        except BaseException as error:  # noqa: BLE001 - whatever comes is compared
            log.append(_visible(error))

    for action in actions:
        take(action)
    return log


async def _adrive(make: Callable[[_Log], object], actions: list[object]) -> _Log:
    log: _Log = []
    generator = make(log)

    async def take(action: object) -> None:
        try:
            log.append(await _step(generator, action))
        except BaseException as error:  # noqa: BLE001 - as above
            log.append(_visible(error))

    for action in actions:
        await take(action)
    return log


def _visible(error: BaseException) -> tuple[object, ...]:
    return type(error), str(error), getattr(error, "value", None), type(error.__cause__)


SCRIPTS: dict[str, Callable[[], list[object]]] = {
    "to its end": lambda: [next, "a", "stop", next],
    "sent and thrown into": lambda: [next, "a", ValueError("v"), "b", "stop"],
    "failing": lambda: [next, "fail", next],
    "thrown into, uncaught": lambda: [next, KeyError("k"), next],
    "stopped from outside": lambda: [next, StopIteration("s"), next],
    "stopped from outside, asynchronously": lambda: [next, StopAsyncIteration("s"), next],
    "closed early": lambda: [next, GeneratorExit, next],
    "closed before its start": lambda: [GeneratorExit, next],
    "closed twice": lambda: [next, GeneratorExit, GeneratorExit],
    "exit thrown": lambda: [next, SystemExit(3), next],
    "sent before its start": lambda: ["too early", next, "stop"],
    "left": lambda: [next],
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_traced_generator_is_driven_like_the_bare_one(script: str, recorded: Recorded) -> None:
    """Whatever is sent, thrown or closed has the same effects inside and outside as without a span."""
    bare = _drive(echo, SCRIPTS[script]())
    off = _drive(traced_span(echo), SCRIPTS[script]())
    with TraceContext("root"):
        traced = _drive(traced_span(echo), SCRIPTS[script]())

    assert traced == off == bare
    assert len(recorded.spans) == (1 if script == "closed before its start" else 2)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_traced_async_generator_is_driven_like_the_bare_one(script: str, recorded: Recorded) -> None:
    """The same holds for async generators."""
    bare = asyncio.run(_adrive(aecho, SCRIPTS[script]()))
    off = asyncio.run(_adrive(traced_span(aecho), SCRIPTS[script]()))
    with TraceContext("root"):
        traced = asyncio.run(_adrive(traced_span(aecho), SCRIPTS[script]()))

    assert traced == off == bare
    assert len(recorded.spans) == (1 if script == "closed before its start" else 2)


def test_what_a_generator_yields_is_its_output(recorded: Recorded) -> None:
    """The items are the output; a value that is returned behind them is kept beside them."""

    @traced_span
    def count(to: int) -> Generator[int, None, str | None]:
        yield from range(to)
        return "done" if to > 2 else None

    with TraceContext("root"):
        assert list(count(2)) == [0, 1]
        list(count(3))

    first, second = ((span.attributes or {}) for span in recorded.spans if span.name == "count")
    assert first == {"agenttrace.input": {"to": 2}, "agenttrace.output": (0, 1)}
    assert second["agenttrace.output"] == {"yielded": (0, 1, 2), "returned": "done"}


def test_a_generator_that_fails_keeps_what_it_had_yielded(recorded: Recorded) -> None:
    """The error and the output so far are both recorded."""

    @traced_span
    def fail() -> Generator[int, None, None]:
        yield 1
        raise LookupError("gone")

    with TraceContext("root"), pytest.raises(LookupError):
        list(fail())

    span = recorded.span("fail")
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["agenttrace.output"] == (1,)


def test_closing_early_is_no_error(recorded: Recorded) -> None:
    """A consumer that has enough ends the span well."""

    @traced_span
    def count() -> Generator[int, None, None]:
        yield 1
        yield 2

    with TraceContext("root"):
        for _ in count():
            break
        gc.collect()

    assert recorded.span("count").status.status_code is StatusCode.UNSET


def test_a_generators_span_is_current_in_its_body_only(recorded: Recorded) -> None:
    """Between two items the consumer has its own current span, and the body finds its own again."""
    seen: list[trace.Span] = []

    @traced_span
    def count() -> Generator[int, None, None]:
        seen.append(trace.get_current_span())
        yield 1
        with recorded.tracer.start_as_current_span("inner"):
            yield 2
            with recorded.tracer.start_as_current_span("deepest"):
                yield 3
        seen.append(trace.get_current_span())

    with TraceContext("root") as root:
        generator = count()
        for item in generator:
            assert trace.get_current_span() is root
            with TraceContext(f"between {item}"):
                pass
        assert trace.get_current_span() is root

    assert seen[0] is seen[1]
    assert recorded.parent_of("deepest") == "inner"
    assert recorded.parent_of("inner") == "count"
    assert recorded.parent_of("count") == "root"
    assert {recorded.parent_of(f"between {item}") for item in (1, 2, 3)} == {"root"}


def test_two_generators_can_be_iterated_in_turn(recorded: Recorded) -> None:
    """Interleaved generators keep their own spans current in their own bodies."""

    @traced_span
    def work(name: str) -> Generator[None, None, None]:
        for step in range(2):
            with recorded.tracer.start_as_current_span(f"{name}{step}"):
                yield

    with TraceContext("root"):
        for _ in zip(work("a"), work("b"), strict=True):
            pass

    a, b = (span for span in recorded.spans if span.name == "work")
    parents = {span.name: span.parent and span.parent.span_id for span in recorded.spans}
    assert parents["a0"] == parents["a1"] != parents["b0"] == parents["b1"]
    assert {parents["a0"], parents["b0"]} == {a.context.span_id, b.context.span_id}


def test_an_async_generator_may_be_resumed_by_other_tasks(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    """Each step may run in another task: parents stay right and nothing is logged."""

    @traced_span
    async def count() -> AsyncGenerator[int, None]:
        for number in range(3):
            with recorded.tracer.start_as_current_span(f"step {number}"):
                await asyncio.sleep(0)
            yield number

    async def main() -> list[int]:
        with TraceContext("root"):
            generator = count()
            return [await asyncio.create_task(anext(generator)) for _ in range(3)]

    with caplog.at_level(logging.DEBUG):
        assert asyncio.run(main()) == [0, 1, 2]

    assert {recorded.parent_of(f"step {number}") for number in range(3)} == {"count"}
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_an_async_generator_left_half_way_is_closed_with_its_loop(
    recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    """The event loop closes generators that nobody finished: bodies are cleaned up, spans end, nothing is logged."""
    cleaned: list[int] = []

    @traced_span
    async def count() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            cleaned.append(1)

    kept: list[Any] = []

    async def main() -> None:
        with TraceContext("root"):
            for _ in range(10):
                kept.append(count())
                await anext(kept[-1])

    asyncio.run(main())

    assert len(cleaned) == 10
    assert sum(span.name == "count" for span in recorded.spans) == 10
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_coroutine_that_is_dropped_half_way_logs_nothing(
    recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    """A call closed from another context than its own ends its span and leaves that context alone."""

    @traced_span
    async def hang() -> None:
        await asyncio.Event().wait()

    async def main() -> Any:
        with TraceContext("root"):
            coroutine = hang()
            coroutine.send(None)
            return coroutine

    coroutine = contextvars.copy_context().run(asyncio.run, main())
    with TraceContext("other") as other:
        coroutine.close()
        assert trace.get_current_span() is other

    assert recorded.span("hang").end_time is not None
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []
