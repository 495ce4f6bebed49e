"""`traced_span`: what a caller sees, and what is recorded."""

from __future__ import annotations

import asyncio
import functools
import inspect
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from otel_agenttrace.instrument.context import TraceContext
from otel_agenttrace.instrument.spans import with_provider
from otel_agenttrace.instrument.traced import traced_span

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.instrument.conftest import Recorded


@traced_span
def add(a: int, b: int = 2, *rest: int, scale: int = 1, **options: object) -> int:
    """Add up."""
    return (a + b + sum(rest)) * scale + len(options)


@traced_span
async def fetch(url: str) -> str:
    """Fetch."""
    await asyncio.sleep(0)
    return url.upper()


@traced_span
def count(to: int) -> Iterator[int]:
    """Count."""
    yield from range(to)


@traced_span
async def stream(to: int) -> AsyncIterator[int]:
    """Count slowly."""
    for number in range(to):
        await asyncio.sleep(0)
        yield number


def test_a_call_becomes_a_span_below_the_current_one(recorded: Recorded) -> None:
    """The span has the function's name, the current span as its parent, an end, and no error."""
    with TraceContext("root"):
        assert add(1) == 3

    span = recorded.span("add")
    assert recorded.parent_of("add") == "root"
    assert span.end_time is not None
    assert span.start_time is not None
    assert span.end_time >= span.start_time
    assert span.status.status_code is StatusCode.UNSET


def test_arguments_are_recorded_by_name(recorded: Recorded) -> None:
    """Positional, keyword, variable and default arguments are all recorded under the names of their parameters."""
    with TraceContext("root"):
        result = add(1, 2, 3, 4, scale=5, extra="x")

    attributes = recorded.span("add").attributes
    assert attributes is not None
    assert attributes["agenttrace.input"] == {"a": 1, "b": 2, "rest": (3, 4), "scale": 5, "options": {"extra": "x"}}
    assert attributes["agenttrace.output"] == result
    with TraceContext("root"):
        add(a=7)
    assert recorded.spans[-2].attributes["agenttrace.input"] == {  # type: ignore[index]
        "a": 7,
        "b": 2,
        "rest": (),
        "scale": 1,
        "options": {},
    }


def test_arguments_are_recorded_as_they_were_given(recorded: Recorded) -> None:
    """What a function does to its arguments afterwards does not change what was recorded."""

    @traced_span
    def empty(items: list[int]) -> None:
        items.clear()

    with TraceContext("root"):
        empty([1, 2])

    assert recorded.span("empty").attributes["agenttrace.input"] == {"items": (1, 2)}  # type: ignore[index]


def test_a_tools_arguments_and_result_have_the_names_of_the_conventions(recorded: Recorded) -> None:
    """When the attributes say that the function is a tool, the GenAI conventions' names are used."""

    @traced_span("execute_tool search", kind=SpanKind.CLIENT, attributes={"gen_ai.tool.name": "search"})
    def search(query: str) -> list[str]:
        return [query]

    with TraceContext("root"):
        search("tea")

    span = recorded.span("execute_tool search")
    assert span.kind is SpanKind.CLIENT
    assert dict(span.attributes or {}) == {
        "gen_ai.tool.name": "search",
        "gen_ai.tool.call.arguments": {"query": "tea"},
        "gen_ai.tool.call.result": ("tea",),
    }


def test_input_and_output_can_be_left_out(recorded: Recorded) -> None:
    """`capture_input` and `capture_output` keep them off the span."""

    @traced_span(name="quiet", capture_input=False, capture_output=False)
    def quiet(secret: str) -> str:
        return secret

    with TraceContext("root"):
        assert quiet("s") == "s"

    assert not recorded.span("quiet").attributes


def test_no_content_is_recorded_when_the_standard_variable_forbids_it(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With NO_CONTENT a span tells that a call was made and how it went, and nothing more."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "NO_CONTENT")

    with TraceContext("root"):
        add(1)

    assert not recorded.span("add").attributes


def test_an_exception_passes_untouched_and_is_recorded(recorded: Recorded) -> None:
    """The caller gets the very exception, without a cause or context of ours; the span has its type and message."""
    error = LookupError("gone")

    @traced_span
    def fail() -> None:
        raise error

    with TraceContext("root"), pytest.raises(LookupError) as raised:
        fail()

    assert raised.value is error
    assert error.__cause__ is None
    assert error.__context__ is None
    span = recorded.span("fail")
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "LookupError: gone")
    assert span.attributes == {"error.type": "LookupError"}
    (event,) = span.events
    assert event.name == "exception"
    assert event.attributes is not None
    assert event.attributes["exception.type"] == "LookupError"
    assert event.attributes["exception.message"] == "gone"
    assert "in fail" in str(event.attributes["exception.stacktrace"])


def test_an_exception_without_a_readable_text_is_recorded(recorded: Recorded) -> None:
    """An exception whose own `__str__` raises reaches the caller all the same, and its type is recorded."""

    class BrokenError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("never seen")

    @traced_span
    def fail() -> None:
        raise BrokenError

    with TraceContext("root"), pytest.raises(BrokenError):
        fail()

    (event,) = recorded.span("fail").events
    assert str((event.attributes or {})["exception.type"]).endswith("BrokenError")


@pytest.mark.parametrize(("code", "status"), [(None, StatusCode.UNSET), (0, StatusCode.UNSET), (3, StatusCode.ERROR)])
def test_an_exit_is_an_error_unless_its_status_is_zero(
    code: int | None, status: StatusCode, recorded: Recorded
) -> None:
    """`sys.exit()` inside of a span passes, and is an error only when it tells of one."""

    @traced_span
    def leave() -> None:
        raise SystemExit(code)

    with TraceContext("root"), pytest.raises(SystemExit):
        leave()

    assert recorded.span("leave").status.status_code is status


def test_a_call_with_wrong_arguments_is_recorded(recorded: Recorded) -> None:
    """Arguments that do not fit, as a model may make them up, raise as ever and are recorded as they came."""
    with TraceContext("root"), pytest.raises(TypeError, match="missing 1 required positional argument"):
        add(scale=2, wrong="x")  # type: ignore[call-arg]

    span = recorded.span("add")
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["agenttrace.input"] == {"kwargs": {"scale": 2, "wrong": "x"}}  # type: ignore[index]


def test_a_coroutine_function_stays_one(recorded: Recorded) -> None:
    """The span of a coroutine is open until it is done, and its parent is right."""

    async def main() -> str:
        async with TraceContext("root"):
            return await fetch("x")

    assert inspect.iscoroutinefunction(fetch)
    assert asyncio.run(main()) == "X"
    assert recorded.parent_of("fetch") == "root"
    attributes = recorded.span("fetch").attributes
    assert attributes == {"agenttrace.input": {"url": "x"}, "agenttrace.output": "X"}


def test_a_cancelled_call_is_recorded(recorded: Recorded) -> None:
    """Cancelling a task ends the span of the call it waits in, with the cancellation as its error."""

    @traced_span
    async def hang(started: asyncio.Event) -> None:
        started.set()
        await asyncio.Event().wait()

    async def main() -> None:
        started = asyncio.Event()
        with TraceContext("root"):
            task = asyncio.create_task(hang(started))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())

    span = recorded.span("hang")
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "asyncio.exceptions.CancelledError"
    assert recorded.parent_of("hang") == "root"


def test_metadata_of_the_function_is_kept() -> None:
    """Name, docstring, signature and kind of a wrapped function are those of the bare one."""
    assert add.__name__ == "add"
    assert add.__doc__ == "Add up."
    assert list(inspect.signature(add).parameters) == ["a", "b", "rest", "scale", "options"]
    assert inspect.isgeneratorfunction(count)
    assert inspect.isasyncgenfunction(stream)
    assert not inspect.iscoroutinefunction(add)


class Agent:
    """An agent with all kinds of methods."""

    @traced_span
    def plain(self, x: int) -> tuple[object, int]:
        """A method."""
        return self, x

    @classmethod
    @traced_span
    def class_above(cls, x: int) -> tuple[object, int]:
        """A classmethod of a traced function."""
        return cls, x

    @traced_span
    @classmethod
    def class_below(cls, x: int) -> tuple[object, int]:
        """A traced classmethod."""
        return cls, x

    @staticmethod
    @traced_span
    def static_above(x: int) -> int:
        """A staticmethod of a traced function."""
        return x

    @traced_span
    @staticmethod
    def static_below(x: int) -> int:
        """A traced staticmethod."""
        return x

    @traced_span
    async def coroutine(self, x: int) -> tuple[object, int]:
        """A coroutine method."""
        return self, x


def test_methods_of_every_kind_are_traced(recorded: Recorded) -> None:
    """Methods get their object or class, whichever decorator is on top; `self` and `cls` are not recorded."""
    agent = Agent()

    with TraceContext("root"):
        assert agent.plain(1) == (agent, 1)
        assert Agent.class_above(2) == (Agent, 2)
        assert agent.class_below(3) == (Agent, 3)
        assert Agent.static_above(4) == 4
        assert agent.static_below(5) == 5
        assert asyncio.run(agent.coroutine(6)) == (agent, 6)

    named = {span.name: (span.attributes or {})["agenttrace.input"] for span in recorded.spans[:-1]}
    assert named == {
        "Agent.plain": {"x": 1},
        "Agent.class_above": {"x": 2},
        "Agent.class_below": {"x": 3},
        "Agent.static_above": {"x": 4},
        "Agent.static_below": {"x": 5},
        "Agent.coroutine": {"x": 6},
    }


def test_partials_callables_and_builtins_are_traced(recorded: Recorded) -> None:
    """Whatever can be called can be traced, and its kind is found out."""

    class Callable_:  # noqa: N801 - named for its qualified name
        async def __call__(self, x: int) -> int:
            return x

    partial = traced_span("partial")(functools.partial(add, 1))
    instance = traced_span(Callable_())
    builtin = traced_span(max)

    with TraceContext("root"):
        assert partial(5) == 6
        assert asyncio.run(instance(2)) == 2
        assert builtin(1, 3) == 3

    assert {span.name for span in recorded.spans} >= {"partial", "Callable_", "max"}


@pytest.mark.parametrize(
    ("decorate", "says"),
    [
        (lambda: traced_span(Agent), "only functions and methods"),
        (lambda: traced_span(property(lambda _: 1)), "only functions and methods"),  # type: ignore[call-overload]
        (lambda: traced_span(3), "only functions and methods"),  # type: ignore[call-overload]
        (lambda: traced_span("x", kind="client"), "kind takes an opentelemetry.trace.SpanKind, not 'client'"),  # type: ignore[call-overload]
        (lambda: traced_span("x", attributes=["a"]), "attributes takes a mapping"),  # type: ignore[call-overload]
    ],
)
def test_wrong_use_raises_while_decorating(decorate: Any, says: str) -> None:
    """What cannot be traced, and arguments of a wrong kind, are refused before any call."""
    with pytest.raises(TypeError, match=says):
        decorate()


def test_outside_of_any_span_a_function_is_only_called(recorded: Recorded) -> None:
    """Without a current span nothing is recorded, for every kind of function."""

    async def consume() -> list[int]:
        return [number async for number in stream(2)]

    assert add(1) == 3
    assert list(count(2)) == [0, 1]
    assert asyncio.run(fetch("x")) == "X"
    assert asyncio.run(consume()) == [0, 1]
    assert recorded.spans == []


def test_the_first_call_outside_of_any_span_logs_a_hint() -> None:
    """One hint for the whole process, whatever kind of function is called first."""
    program = """
from otel_agenttrace.instrument.traced import traced_span
@traced_span
def count():
    yield 1
@traced_span
def add():
    return 1
list(count())
add()
add()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    (line,) = ended.stderr.splitlines()
    assert "while no span was current" in line
    assert "TraceContext" in line


def test_somebody_elses_span_is_a_parent_like_any_other(recorded: Recorded) -> None:
    """The current span may come from the plain OpenTelemetry API, or from another process."""
    remote = trace.SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=trace.TraceFlags(1))

    with recorded.tracer.start_as_current_span("theirs"):
        add(1)
    with trace.use_span(trace.NonRecordingSpan(remote)):
        add(2)

    local, far = (span for span in recorded.spans if span.name == "add")
    assert local.parent is not None
    assert local.parent.span_id == recorded.span("theirs").context.span_id
    assert (far.context.trace_id, far.parent) == (0xABC, remote)


def test_below_a_span_that_is_not_sampled_nothing_is_recorded(recorded: Recorded) -> None:
    """A sampler's decision for the trace holds for traced functions, and costs no serialising."""
    dropped = trace.SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=trace.TraceFlags(0))

    with trace.use_span(trace.NonRecordingSpan(dropped)):
        assert add(1) == 3
        assert list(count(2)) == [0, 1]

    assert recorded.spans == []


def test_a_fault_of_telemetry_does_not_reach_the_agent(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    """What raises below us costs spans and a log line, never the call."""

    class Faulty(trace.TracerProvider):
        def get_tracer(self, *_: Any, **__: Any) -> trace.Tracer:
            raise RuntimeError("broken provider")

    with TraceContext("root"):
        token = context_api.attach(with_provider(Faulty()))
        assert add(1) == 3
        context_api.detach(token)

    assert [span.name for span in recorded.spans] == ["root"]
    assert "could not start a span; the agent goes on" in caplog.messages
