"""`run_with_failure_detection`: what is reported, and when it comes back."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import baggage, trace
from opentelemetry import context as context_api
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from otel_agenttrace.errors import ContractError
from otel_agenttrace.instrument.collect import SpanCollector, collector_of, use_collector
from otel_agenttrace.instrument.context import TraceContext
from otel_agenttrace.instrument.detection import run_with_failure_detection
from otel_agenttrace.instrument.spans import with_provider
from otel_agenttrace.instrument.traced import traced_span
from otel_agenttrace.model.codec import deserialize, serialize_readable
from otel_agenttrace.pipeline.project import failure_event, passed_event, trace_record
from otel_agenttrace.pipeline.root_cause import find_failures
from otel_agenttrace.processors.contract import ContractSpanProcessor

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from otel_agenttrace.model.record import SpanRecord
    from tests.instrument.conftest import Recorded


@traced_span("execute_tool search", attributes={"gen_ai.tool.name": "search"})
def search(date: str) -> list[str]:
    """A tool that knows one date."""
    if date != "2026-02-15":
        raise LookupError(f"no flights on {date}")
    return ["LX1"]


@traced_span("execute_tool search", attributes={"gen_ai.tool.name": "search"})
async def asearch(date: str) -> list[str]:
    """The same, asynchronously."""
    await asyncio.sleep(0)
    return search(date)


@pytest.fixture
def hanging() -> Iterator[Callable[[], None]]:
    """A function that returns only after the test."""
    may_end = threading.Event()
    yield may_end.wait  # type: ignore[misc]
    may_end.set()


def _records(recorded: Recorded) -> list[SpanRecord]:
    return [deserialize(serialize_readable(span)) for span in recorded.spans]


def test_a_run_that_returns_has_passed(recorded: Recorded) -> None:
    """A pass is an event of type none under the id of the run's span, with its steps and the result as output."""
    event, record = run_with_failure_detection("booking", lambda: search("2026-02-15"), timeout_s=60)

    root = recorded.span("invoke_agent booking")
    assert (event.failure_type, event.subject, event.error) == ("none", "booking", None)
    assert event.failure_id == record.failure_id == f"{root.context.trace_id:032x}-{root.context.span_id:016x}"
    assert (record.status, record.subject) == ("passed", "booking")
    (step,) = record.steps
    assert (step.kind, step.name, step.input, step.output) == ("tool_call", "search", {"date": "2026-02-15"}, ["LX1"])
    assert root.attributes == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "booking",
        "agenttrace.output": ("LX1",),
    }


def test_an_exception_is_reported_and_not_raised(recorded: Recorded) -> None:
    """What the function raises is the failure, found where it began."""
    event, record = run_with_failure_detection("booking", lambda: search("15/02/2026"), timeout_s=60)

    tool = recorded.span("execute_tool search")
    assert (event.failure_type, event.error) == ("exception", "no flights on 15/02/2026")
    assert event.failure_id.endswith(f"-{tool.context.span_id:016x}")
    assert event.metadata["exception_type"] == "LookupError"
    assert (record.status, record.failure_id) == ("failed", event.failure_id)
    assert [(step.name, step.error) for step in record.steps] == [("search", "no flights on 15/02/2026")]


def test_a_handled_error_is_a_pass(recorded: Recorded) -> None:
    """An agent that goes on after an error has not failed; the step still tells of it."""

    def agent() -> list[str]:
        try:
            return search("15/02/2026")
        except LookupError:
            return search("2026-02-15")

    event, record = run_with_failure_detection("booking", agent, timeout_s=60)

    assert event.failure_type == "none"
    assert [step.error for step in record.steps] == ["no flights on 15/02/2026", None]
    assert len(recorded.spans) == 3


def test_the_result_is_what_the_spans_say(recorded: Recorded) -> None:
    """Event and record are the projections of the recorded spans, so a store says the same."""
    failed = run_with_failure_detection("booking", lambda: search("x"), timeout_s=60)
    (failure,) = find_failures(_records(recorded))
    assert failed == (failure_event(failure), trace_record(_records(recorded), failure))

    passed = run_with_failure_detection("booking", lambda: search("2026-02-15"), timeout_s=60)
    spans = _records(recorded)[2:]
    assert passed == (passed_event(spans), trace_record(spans))


class Later:
    """Something that can be awaited, and is no coroutine."""

    def __await__(self) -> Generator[Any, Any, list[str]]:
        return asearch("2026-02-15").__await__()


@pytest.mark.parametrize("fn", [lambda: asearch("2026-02-15"), Later], ids=["a coroutine", "another awaitable"])
def test_what_the_function_returns_is_awaited(fn: Callable[[], Any], recorded: Recorded) -> None:
    """Whatever can be awaited runs on a loop of its own, and its result is the run's."""
    event, _ = run_with_failure_detection("booking", fn, timeout_s=60)

    assert event.failure_type == "none"
    assert (recorded.span("invoke_agent booking").attributes or {})["agenttrace.output"] == ("LX1",)


def test_a_function_that_wants_arguments_has_failed(recorded: Recorded) -> None:
    """It is called without any, and what that raises is reported like any error."""
    event, _ = run_with_failure_detection("booking", asearch, timeout_s=60)  # type: ignore[arg-type]

    assert event.failure_type == "exception"
    assert "date" in (event.error or "")
    assert len(recorded.spans) == 2


def test_an_async_function_fails_like_any_other(recorded: Recorded) -> None:
    """Its exception is reported, and its spans are below the run's."""

    async def agent() -> None:
        await asyncio.gather(asearch("2026-02-15"), asearch("15/02/2026"))

    event, record = run_with_failure_detection("booking", agent, timeout_s=60)

    assert (event.failure_type, event.error) == ("exception", "no flights on 15/02/2026")
    assert len(record.steps) == 4
    assert recorded.span("invoke_agent booking").parent is None


def test_a_timeout_is_found_as_one(recorded: Recorded) -> None:
    """The type is worked out from the error, not from how the function ended."""

    async def agent() -> None:
        await asyncio.wait_for(traced_span("execute_tool wait")(asyncio.Event().wait)(), 0.001)

    event, _ = run_with_failure_detection("booking", agent, timeout_s=60)

    assert event.failure_type == "timeout"
    assert len(recorded.spans) == 2


def test_it_returns_at_the_deadline(recorded: Recorded, hanging: Callable[[], None]) -> None:
    """A function that does not stop is a timeout: the run's span has ended, and its thread goes on alone."""
    started = time.monotonic()
    event, record = run_with_failure_detection("booking", hanging, timeout_s=0.05)

    assert time.monotonic() - started < 30
    assert (event.failure_type, event.subject) == ("timeout", "booking")
    assert event.error == "no result within 0.05 s"
    assert record.status == "failed"
    assert recorded.span("invoke_agent booking").end_time is not None


def test_at_the_deadline_a_coroutine_is_cancelled(recorded: Recorded) -> None:
    """What can be stopped is: its spans end as cancelled, later, and the type stays timeout."""
    cancelled = threading.Event()

    @traced_span
    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    event, _ = run_with_failure_detection("booking", hang, timeout_s=0.05)
    assert event.failure_type == "timeout"
    assert cancelled.wait(30)
    for thread in threading.enumerate():
        if thread.name == "agenttrace-run":
            thread.join(30)

    (failure,) = find_failures(_records(recorded))
    assert (failure.type, failure.failure_id) == ("timeout", event.failure_id)


def test_errors_after_the_deadline_stay_where_they_are(
    recorded: Recorded, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a function raises when nobody waits for it any more is neither raised nor printed."""
    may_end = threading.Event()
    raised: list[object] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)

    def fail_late() -> None:
        may_end.wait()
        raise LookupError("too late")

    event, _ = run_with_failure_detection("booking", fail_late, timeout_s=0.01)
    may_end.set()
    for thread in threading.enumerate():
        if thread.name == "agenttrace-run":
            thread.join(30)

    assert event.failure_type == "timeout"
    assert raised == []
    assert capfd.readouterr() == ("", "")
    assert len(recorded.spans) == 1


def test_context_reaches_the_function(recorded: Recorded) -> None:
    """Current span, baggage, inherited attributes and context variables of the caller are there."""
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("set")
    seen: list[object] = []

    def agent() -> None:
        seen.extend((variable.get(), baggage.get_baggage("key"), trace.get_current_span().get_span_context()))
        search("2026-02-15")

    token = context_api.attach(baggage.set_baggage("key", "value"))
    with TraceContext("outer", session_id="s"):
        run_with_failure_detection("booking", agent, timeout_s=60)
    context_api.detach(token)

    run = recorded.span("invoke_agent booking")
    assert seen == ["set", "value", run.context]
    assert recorded.parent_of("invoke_agent booking") == "outer"
    assert recorded.parent_of("execute_tool search") == "invoke_agent booking"
    assert (recorded.span("execute_tool search").attributes or {})["session.id"] == "s"


def test_only_the_runs_own_spans_count(recorded: Recorded) -> None:
    """Inside of a larger trace, what happens beside the run is no part of its result."""

    def beside() -> None:
        with pytest.raises(LookupError):
            search("beside")

    with TraceContext("outer"):
        beside()

        def agent() -> None:
            search("2026-02-15")

        results = []
        threads = [
            threading.Thread(
                target=contextvars.copy_context().run,
                args=(lambda: results.append(run_with_failure_detection("booking", agent, timeout_s=60)),),
            )
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        beside()
        for thread in threads:
            thread.join()

    assert [(event.failure_type, len(record.steps)) for event, record in results] == [("none", 1)] * 3
    assert len({event.failure_id for event, _ in results}) == 3
    assert len(recorded.spans) == 9


def test_it_needs_no_provider() -> None:
    """Without a TracerProvider the spans are kept for the result alone, and no current span is left behind."""
    event, record = run_with_failure_detection("booking", lambda: search("15/02/2026"), timeout_s=60)

    assert (event.failure_type, event.error) == ("exception", "no flights on 15/02/2026")
    assert [step.name for step in record.steps] == ["search"]
    assert not trace.get_current_span().get_span_context().is_valid
    assert run_with_failure_detection("booking", lambda: search("2026-02-15"), timeout_s=60)[0].failure_type == "none"


@pytest.mark.parametrize("how", ["sampled out", "disabled"])
def test_without_spans_the_run_itself_is_reported(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing may be recorded the result still says how the run ended."""
    if how == "disabled":
        monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)

    failed, record = run_with_failure_detection("booking", lambda: search("15/02/2026"), timeout_s=60)
    passed, _ = run_with_failure_detection("booking", lambda: search("2026-02-15"), timeout_s=60)

    assert (failed.failure_type, failed.error, failed.subject) == ("exception", "no flights on 15/02/2026", "booking")
    assert failed.metadata["exception_type"] == "LookupError"
    assert record.failure_id == failed.failure_id
    assert passed.failure_type == "none"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_stops_a_process_passes_through(error: type[BaseException], recorded: Recorded) -> None:
    """Ctrl-C and exits in the function reach the caller, and the span has ended."""

    def leave() -> None:
        raise error(3)

    with pytest.raises(error):
        run_with_failure_detection("booking", leave, timeout_s=60)

    assert recorded.span("invoke_agent booking").end_time is not None


def test_a_cancellation_of_its_own_making_is_reported(recorded: Recorded) -> None:
    """A coroutine that cancels itself has failed; nothing else is stopped by that."""

    async def agent() -> None:
        raise asyncio.CancelledError

    event, _ = run_with_failure_detection("booking", agent, timeout_s=60)

    assert event.failure_type == "exception"
    assert len(recorded.spans) == 1


def test_it_can_be_called_while_a_loop_runs(recorded: Recorded) -> None:
    """From a coroutine it works as well, for sync and async functions, and by `to_thread` the loop goes on."""

    async def agent() -> list[str]:
        return await asearch("2026-02-15")

    async def main() -> list[str]:
        direct = run_with_failure_detection("booking", agent, timeout_s=60)
        aside = await asyncio.to_thread(run_with_failure_detection, "booking", agent, timeout_s=60)
        return [direct[0].failure_type, aside[0].failure_type]

    assert asyncio.run(main()) == ["none", "none"]
    assert len(recorded.spans) == 6


@pytest.mark.parametrize(
    ("fn", "timeout_s", "error"),
    [
        (3, 1, TypeError),
        (lambda: None, "1", TypeError),
        (lambda: None, True, TypeError),
        (lambda: None, 0, ValueError),
        (lambda: None, -1, ValueError),
        (lambda: None, float("nan"), ValueError),
    ],
)
def test_wrong_arguments_raise_at_once(fn: Any, timeout_s: float, error: type[Exception], recorded: Recorded) -> None:
    """What cannot be run, or never returns, is refused, naming the argument."""
    with pytest.raises(error, match=r"fn has to be callable|timeout_s (takes a number|has to be a positive number)"):
        run_with_failure_detection("booking", fn, timeout_s=timeout_s)

    assert recorded.spans == []


def test_there_is_no_deadline_beyond_all_time(recorded: Recorded) -> None:
    """Infinity means to wait."""
    event, _ = run_with_failure_detection("booking", lambda: 1, timeout_s=float("inf"))

    assert event.failure_type == "none"
    assert len(recorded.spans) == 1


def test_a_provider_gets_one_collector(recorded: Recorded) -> None:
    """Runs one after the other add nothing to the provider, and nothing of them is kept."""
    for _ in range(3):
        run_with_failure_detection("booking", lambda: 1, timeout_s=60)

    collector = collector_of(recorded.provider)
    assert collector_of(recorded.provider) is collector
    assert collector._running == {}


def test_a_recorder_may_feed_the_collector_itself(recorded: Recorded) -> None:
    """With `use_collector` the result is made of what a recorder hands over, redacted for instance."""
    collector = SpanCollector()
    use_collector(recorded.provider, collector)

    event, record = run_with_failure_detection("booking", lambda: search("x"), timeout_s=60)
    # Nobody fed it, so that only the run itself is known.
    assert (event.failure_type, [step.name for step in record.steps]) == ("exception", ["invoke_agent booking"])

    use_collector(recorded.provider, None)
    assert collector_of(recorded.provider) is not collector


def test_the_contract_in_enforce_mode_is_raised() -> None:
    """A run whose own span breaks an enforced contract raises that, as all our helpers do."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(ContractSpanProcessor(SpanProcessor(), mode="enforce"))

    def agent() -> None:
        trace.get_current_span().set_attribute("task.status", "unheard of")

    token = context_api.attach(with_provider(provider))
    with pytest.raises(ContractError):
        run_with_failure_detection("booking", agent, timeout_s=60)
    context_api.detach(token)


def test_a_subject_is_text() -> None:
    """The agent's name goes into both results, so it has to be one."""
    with pytest.raises(TypeError, match="subject_name"):
        run_with_failure_detection(None, lambda: None, timeout_s=1)  # type: ignore[arg-type]
