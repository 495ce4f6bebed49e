"""The contract's `enforce` mode where our helpers end spans."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor

from otel_agenttrace.errors import ContractError
from otel_agenttrace.instrument.context import TraceContext
from otel_agenttrace.instrument.sessions import end_session, start_session
from otel_agenttrace.instrument.traced import traced_span
from otel_agenttrace.processors.contract import ContractSpanProcessor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.instrument.conftest import Recorded


@pytest.fixture
def enforced(recorded: Recorded) -> Recorded:
    """A provider that enforces the contract."""
    recorded.provider.add_span_processor(ContractSpanProcessor(SpanProcessor(), mode="enforce"))
    return recorded


def _break_contract() -> None:
    trace.get_current_span().set_attribute("task.status", "unheard of")


@traced_span
def plain() -> None:
    """Break the contract."""
    _break_contract()


@traced_span
async def coroutine() -> None:
    """Break the contract."""
    _break_contract()


@traced_span
def generator() -> Iterator[int]:
    """Break the contract."""
    _break_contract()
    yield 1


@traced_span
async def agenerator() -> AsyncIterator[int]:
    """Break the contract."""
    _break_contract()
    yield 1


async def _consume() -> list[int]:
    return [item async for item in agenerator()]


@pytest.mark.parametrize(
    "call",
    [plain, lambda: asyncio.run(coroutine()), lambda: list(generator()), lambda: asyncio.run(_consume())],
    ids=["function", "coroutine", "generator", "async generator"],
)
def test_a_violation_is_raised_after_the_span_was_recorded(call: object, enforced: Recorded) -> None:
    """Where a traced function ends a span that breaks the contract, the caller hears of it, with the place."""
    assert callable(call)
    with TraceContext("root"), pytest.raises(ContractError) as raised:
        call()

    (status,) = (violation for violation in raised.value.violations if violation.attribute == "task.status")
    assert str(status.file_path).endswith("test_enforce.py")
    assert len(enforced.spans) == 2


def test_a_block_raises_as_well(enforced: Recorded) -> None:
    """The end of a TraceContext checks its span."""
    with pytest.raises(ContractError), TraceContext("root", attributes={"task.status": "unheard of"}):
        pass

    assert [span.name for span in enforced.spans] == ["root"]
    assert not trace.get_current_span().get_span_context().is_valid


def test_an_exception_on_its_way_is_not_hidden(enforced: Recorded) -> None:
    """The agent's own error goes before the contract's."""
    error = LookupError("gone")

    @traced_span
    def fail() -> None:
        _break_contract()
        raise error

    with pytest.raises(LookupError) as raised, TraceContext("root", attributes={"task.status": "unheard of"}):
        fail()

    assert raised.value is error
    assert len(enforced.spans) == 2


def test_closing_a_generator_early_raises_nothing(enforced: Recorded) -> None:
    """`close()` is no place for an error of ours."""
    with TraceContext("root"):
        running = generator()
        next(iter(running))
        running.close()  # type: ignore[attr-defined]

    assert len(enforced.spans) == 2


def test_a_session_has_ended_before_its_status_is_judged(enforced: Recorded) -> None:
    """A status that the contract does not know is an error, and the session is over all the same."""
    start_session("task")
    with pytest.raises(ContractError, match=r"agenttrace\.session\.status"):
        end_session("done")  # type: ignore[arg-type]

    with TraceContext("after"):
        pass
    assert not enforced.span("after").attributes


def test_a_check_that_fails_itself_is_contained(
    recorded: Recorded, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of the check costs a log line, not the agent's work."""

    def fail(_: object) -> None:
        raise RuntimeError("broken check")

    monkeypatch.setattr("otel_agenttrace.instrument.spans.check_before_end", fail)
    with TraceContext("root"):
        pass

    assert len(recorded.spans) == 1
    assert caplog.messages == ["could not check a span against the contract; the agent goes on"]
