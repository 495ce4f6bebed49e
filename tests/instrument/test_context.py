"""`TraceContext`, and whose child a span is."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from otel_agenttrace.instrument.context import TraceContext
from otel_agenttrace.instrument.events import get_current_trace_id
from otel_agenttrace.instrument.spans import with_provider
from otel_agenttrace.instrument.traced import traced_span

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.instrument.conftest import Recorded


@traced_span(capture_input=False)
def leaf(_name: str = "leaf") -> None:
    """Do nothing."""


@traced_span
async def aleaf(name: str) -> str:
    """Take turns with others."""
    for _ in range(3):
        await asyncio.sleep(0)
    return name


def test_a_block_becomes_a_root_span(recorded: Recorded) -> None:
    """Without a current span the block's span is a root, and carries session, user and attributes."""
    with TraceContext("root", session_id="s", user_id="u", attributes={"k": {"deep": [1]}}) as span:
        assert trace.get_current_span() is span

    root = recorded.span("root")
    assert root.parent is None
    assert root.attributes == {"k": {"deep": (1,)}, "session.id": "s", "user.id": "u"}
    assert root.status.status_code is StatusCode.UNSET
    assert not trace.get_current_span().get_span_context().is_valid


def test_nested_blocks_are_parent_and_child(recorded: Recorded) -> None:
    """A block inside of another, ours or anybody's, is its child, and one beside it is not."""
    with TraceContext("a"):
        with recorded.tracer.start_as_current_span("theirs"), TraceContext("b"):
            leaf()
        with TraceContext("c"):
            pass
    with TraceContext("d"):
        pass

    assert recorded.parent_of("leaf") == "b"
    assert recorded.parent_of("b") == "theirs"
    assert recorded.parent_of("theirs") == recorded.parent_of("c") == "a"
    assert recorded.parent_of("a") is recorded.parent_of("d") is None


def test_session_and_user_are_inherited(recorded: Recorded) -> None:
    """Our spans below have the session, user and task of those above; the nearest counts; status and others do not."""
    task = {"task.id": "T1", "task.phase": "OTHER", "task.status": "in_progress", "custom": 1}
    with TraceContext("root", session_id="s1", user_id="u", attributes=task):
        leaf()
        with TraceContext("inner", session_id="s2"):
            aleaf_result = asyncio.run(aleaf("x"))

    inherited = {"user.id": "u", "task.id": "T1", "task.phase": "OTHER"}
    assert recorded.span("leaf").attributes == {**inherited, "session.id": "s1"}
    assert recorded.span("inner").attributes == {**inherited, "session.id": "s2"}
    assert (recorded.span("aleaf").attributes or {})["session.id"] == "s2"
    assert aleaf_result == "x"


def test_an_exception_passes_untouched_and_is_recorded(recorded: Recorded) -> None:
    """The caller's exception is the very one that was raised, and the span has it as its error."""
    error = LookupError("gone")
    with pytest.raises(LookupError) as raised, TraceContext("root"):
        raise error

    assert raised.value is error
    assert error.__context__ is None
    assert recorded.span("root").status.description == "LookupError: gone"
    assert (recorded.span("root").attributes or {})["error.type"] == "LookupError"


def test_an_async_block_is_one_too(recorded: Recorded) -> None:
    """`async with` does the same as `with`."""

    async def main() -> None:
        async with TraceContext("root", session_id="s") as span:
            assert trace.get_current_span() is span
            await aleaf("x")

    asyncio.run(main())

    assert recorded.parent_of("aleaf") == "root"


def test_an_object_can_be_used_again_and_inside_itself(recorded: Recorded) -> None:
    """Each use of one object is a span of its own, with the right parent."""
    context = TraceContext("again")

    with context as outer, context as inner:
        assert trace.get_current_span() is inner
    with context as third:
        pass

    assert len({outer, inner, third}) == 3
    parents = {span.context.span_id: span.parent and span.parent.span_id for span in recorded.spans}
    assert parents[inner.get_span_context().span_id] == outer.get_span_context().span_id
    assert parents[third.get_span_context().span_id] is None


def test_an_object_can_be_shared_by_tasks(recorded: Recorded) -> None:
    """Uses that overlap in several tasks end their own spans, in whatever order."""
    context = TraceContext("shared")
    first_may_end = asyncio.Event()

    async def first() -> trace.Span:
        with context as span:
            await first_may_end.wait()
            assert span.is_recording()
        assert not span.is_recording()
        return span

    async def second() -> trace.Span:
        with context as span:
            first_may_end.set()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert span.is_recording()
        return span

    async def main() -> tuple[trace.Span, trace.Span]:
        return await asyncio.gather(first(), second())

    one, other = asyncio.run(main())

    assert one is not other
    assert [span.parent for span in recorded.spans] == [None, None]


def test_it_decorates_functions_of_every_kind(recorded: Recorded) -> None:
    """As a decorator each call of a function, coroutine function, generator or async generator has its span."""

    @TraceContext("plain", session_id="s")
    def plain(x: int) -> int:
        leaf()
        return x

    @TraceContext("coroutine")
    async def coroutine(x: int) -> int:
        await aleaf("x")
        return x

    @TraceContext("generator")
    def generator(x: int) -> Iterator[int]:
        leaf()
        yield x

    @TraceContext("async generator")
    async def agenerator(x: int) -> AsyncIterator[int]:
        await aleaf("x")
        yield x

    class Agent:
        @TraceContext("class method")
        @classmethod
        def create(cls) -> type[Agent]:
            return cls

    async def consume() -> list[int]:
        return [x async for x in agenerator(4)]

    assert plain(1) == plain(1) == 1
    assert asyncio.run(coroutine(2)) == 2
    assert list(generator(3)) == [3]
    assert asyncio.run(consume()) == [4]
    assert Agent.create() is Agent

    names = [span.name for span in recorded.spans if span.parent is None]
    assert names == ["plain", "plain", "coroutine", "generator", "async generator", "class method"]
    assert sum(span.parent is not None for span in recorded.spans) == 5


def test_wrong_arguments_raise_at_once() -> None:
    """What cannot be a name or attributes is refused, naming the argument."""
    with pytest.raises(TypeError, match="name takes text, not 3"):
        TraceContext(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"attributes takes a mapping, not \['a'\]"):
        TraceContext("x", attributes=["a"])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="only functions and methods"):
        TraceContext("x")(3)  # type: ignore[type-var]


def test_without_a_recording_provider_nothing_happens() -> None:
    """With a TracerProvider that records nothing everything runs as if it were not traced."""
    token = context_api.attach(with_provider(trace.NoOpTracerProvider()))
    try:
        with TraceContext("root", session_id="s", attributes={"task.id": "t"}) as span:
            leaf()
            assert not span.is_recording()
            assert get_current_trace_id() is None
    finally:
        context_api.detach(token)


def test_gathered_tasks_are_children_of_the_span_they_start_in(recorded: Recorded) -> None:
    """Under gather and create_task each call is below the span that was current where the task was made."""

    async def branch(name: str) -> None:
        with TraceContext(name):
            await asyncio.gather(aleaf(name), asyncio.create_task(aleaf(name)))

    async def main() -> None:
        with TraceContext("root"):
            await asyncio.gather(*(branch(f"branch {number}") for number in range(5)))

    asyncio.run(main())

    for number in range(5):
        branch_span = recorded.span(f"branch {number}")
        leaves = [
            span for span in recorded.spans if (span.attributes or {}).get("agenttrace.output") == branch_span.name
        ]
        assert [span.parent and span.parent.span_id for span in leaves] == [branch_span.context.span_id] * 2
        assert recorded.parent_of(branch_span.name) == "root"


def test_a_task_outlives_the_span_it_started_in(recorded: Recorded) -> None:
    """A task that goes on after the block has ended still belongs below it."""

    async def main() -> None:
        with TraceContext("root"):
            task = asyncio.create_task(aleaf("late"))
        await task

    asyncio.run(main())

    assert recorded.parent_of("aleaf") == "root"
    assert [span.name for span in recorded.spans] == ["root", "aleaf"]


def test_a_thread_with_a_copied_context_continues_the_trace(recorded: Recorded) -> None:
    """A thread that runs in a copy of the context has the parent; one that does not has no current span."""
    with TraceContext("root"):
        copied = threading.Thread(target=contextvars.copy_context().run, args=(leaf, "copied"))
        bare = threading.Thread(target=leaf, args=("bare",))
        for thread in (copied, bare):
            thread.start()
            thread.join()

    assert recorded.parent_of("leaf") == "root"


def test_executors_continue_the_trace_with_a_copied_context(recorded: Recorded) -> None:
    """`asyncio.to_thread` copies the context by itself; an executor is given a copy."""

    async def main(executor: ThreadPoolExecutor) -> None:
        with TraceContext("root"):
            await asyncio.to_thread(leaf)
            await asyncio.get_running_loop().run_in_executor(executor, contextvars.copy_context().run, leaf)
            executor.submit(contextvars.copy_context().run, leaf).result()

    with ThreadPoolExecutor(1) as executor:
        asyncio.run(main(executor))

    root = recorded.span("root").context.span_id
    assert [span.parent and span.parent.span_id for span in recorded.spans[:-1]] == [root] * 3


def test_a_context_that_the_block_left_attached_does_not_leak(recorded: Recorded) -> None:
    """Somebody's span that was made current and never put back is no parent of what follows the block."""
    with TraceContext("root"), TraceContext("careless"):
        context_api.attach(trace.set_span_in_context(recorded.tracer.start_span("leaked")))
    with TraceContext("next"):
        pass

    assert recorded.parent_of("next") is None


def test_ids_of_any_type_become_text(recorded: Recorded) -> None:
    """A session or user id that is no text is written as one."""
    session_id: Any = 7

    with TraceContext("root", session_id=session_id):
        pass

    assert recorded.span("root").attributes == {"session.id": "7"}
