"""`gate` on real spans: what it lets through, what it records, and what a check may do wrong."""

from __future__ import annotations

import asyncio
import pickle
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from otel_agenttrace.errors import GateBlockedError
from otel_agenttrace.instrument.context import TraceContext
from otel_agenttrace.instrument.gates import Gate, Override, gate
from otel_agenttrace.model.codec import deserialize, serialize_readable
from otel_agenttrace.model.gate import Evidence
from otel_agenttrace.model.gate_events import gate_results
from otel_agenttrace.workflow.outcome import CheckOutcome, failed, passed, skipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import Event

    from otel_agenttrace.model.gate import GateResult
    from tests.instrument.conftest import Recorded

STALE = failed(
    "source checksum is stale",
    "run the export again",
    [Evidence(type="checksum", ref="contract.json", description="expected sha256:1, found sha256:2")],
)


def _events(recorded: Recorded, name: str = "phase") -> list[Event]:
    return list(recorded.span(name).events)


def _blocked(call: Callable[[], object]) -> GateResult:
    with pytest.raises(GateBlockedError) as raised:
        call()
    return raised.value.result


def test_a_gate_that_passes_is_on_record(recorded: Recorded) -> None:
    """The span tells that the check started and passed, and what was looked at."""
    with TraceContext("phase", attributes={"task.phase": "CONTRACT_INTEGRITY"}):
        result = gate("checksum-chain", lambda: passed("3 files", [Evidence(type="count", ref="manifest")]))

    started, ended = _events(recorded)
    assert (result.result, result.phase, result.reason, result.blocks) == (
        "pass",
        "CONTRACT_INTEGRITY",
        "3 files",
        False,
    )
    assert started.name == "gate.check.started"
    assert started.attributes == {"gate.id": "checksum-chain", "gate.severity": "error", "gate.blocking": True}
    assert ended.name == "gate.check.passed"
    assert {**(ended.attributes or {})} == {
        "gate.id": "checksum-chain",
        "gate.severity": "error",
        "gate.blocking": True,
        "gate.result": "pass",
        "gate.reason": "3 files",
        "gate.evidence": ({"type": "count", "ref": "manifest", "description": ""},),
    }


def test_a_blocking_failure_lets_nobody_through(recorded: Recorded) -> None:
    """The error names the gate, the phase, the reason and the next action, and so does the event."""
    with (
        pytest.raises(
            GateBlockedError, match=r"gate checksum-chain of S3 failed: source .* stale; next action: run the"
        ),
        TraceContext("phase"),
    ):
        gate("checksum-chain", lambda: STALE, phase="S3", severity="critical")

    _, ended, _ = _events(recorded)
    assert ended.name == "gate.check.failed"
    assert {**(ended.attributes or {})} == {
        "gate.id": "checksum-chain",
        "gate.severity": "critical",
        "gate.blocking": True,
        "task.phase": "S3",
        "gate.result": "fail",
        "gate.reason": "source checksum is stale",
        "gate.next_action": "run the export again",
        "gate.evidence": (
            {"type": "checksum", "ref": "contract.json", "description": "expected sha256:1, found sha256:2"},
        ),
    }


def test_a_failure_that_does_not_block_lets_through() -> None:
    """It is in the result, and on record, and the work goes on."""
    result = gate("style", lambda: False, blocking=False, next_action="format the files")

    assert (result.result, result.blocks, result.next_action) == ("fail", False, "format the files")


@pytest.mark.parametrize(("required", "blocks"), [(True, True), (False, False)])
def test_nothing_to_check_blocks_where_the_gate_is_required(
    recorded: Recorded, *, required: bool, blocks: bool
) -> None:
    """It is skipped, never passed."""
    declared = Gate("gap-parity", lambda: skipped("no gaps were recorded", "record the gaps"), required=required)
    with TraceContext("phase"):
        result = declared.evaluate()

    assert (result.result, result.blocking, result.blocks) == ("skipped", blocks, blocks)
    assert _events(recorded)[1].name == "gate.check.skipped"
    assert (_events(recorded)[1].attributes or {})["gate.reason"] == "no gaps were recorded"


def test_an_override_lets_through_and_is_on_record(recorded: Recorded) -> None:
    """The failure stays a failure; who let it go on, and why, stands beside it."""
    with TraceContext("phase"):
        result = gate("gap-parity", lambda: False, override=Override("ada", "known gap"))

    assert (result.result, result.overridden_by, result.override_reason) == ("fail", "ada", "known gap")
    overridden = _events(recorded)[2]
    assert overridden.name == "gate.check.overridden"
    assert (overridden.attributes or {})["gate.overridden_by"] == "ada"


def test_an_override_that_is_not_needed_is_not_used(recorded: Recorded) -> None:
    """A gate that passes was not overridden."""
    with TraceContext("phase"):
        assert gate("gap-parity", lambda: True, override=Override("ada", "known gap")).overridden_by is None

    assert [event.name for event in _events(recorded)] == ["gate.check.started", "gate.check.passed"]


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("ada", " "), (None, "why")])
def test_an_override_needs_a_name_and_a_reason(by: Any, reason: str) -> None:
    """Nobody goes on without saying who and why."""
    with pytest.raises(ValueError, match="Override"):
        Override(by, reason)


def test_a_check_that_raises_is_a_failed_gate() -> None:
    """The exception is the evidence, with the line that raised it; the pipeline gets a GateBlockedError."""
    result = _blocked(lambda: gate("g", lambda: 1 / 0, next_action="see the export"))  # type: ignore[arg-type]

    (evidence,) = result.evidence
    assert (result.result, result.reason) == ("fail", "the check raised ZeroDivisionError: division by zero")
    assert result.next_action == "see the export"
    assert (evidence.type, evidence.ref) == ("exception", "ZeroDivisionError")
    assert "test_gates.py" in evidence.description


class UnreadableError(Exception):
    """An exception without a text."""

    def __str__(self) -> str:
        raise ValueError("no")


@pytest.mark.parametrize("error", [UnreadableError(), SystemExit(3), asyncio.CancelledError(), GeneratorExit()])
@pytest.mark.parametrize("timeout_s", [30.0, None])
def test_whatever_a_check_raises_is_a_failure(error: BaseException, timeout_s: float | None) -> None:
    """Exits and errors that have no text too."""

    def check() -> bool:
        raise error

    assert type(error).__name__ in _blocked(lambda: gate("g", check, timeout_s=timeout_s)).reason


@pytest.mark.parametrize("timeout_s", [30.0, None])
def test_an_interrupt_leaves_no_gate_open(recorded: Recorded, timeout_s: float | None) -> None:
    """Ctrl-C while a check is made goes on its way; the gate has failed."""

    def check() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), TraceContext("phase"):
        gate("g", check, timeout_s=timeout_s)

    assert [event.name for event in _events(recorded)][:2] == ["gate.check.started", "gate.check.failed"]


def test_a_check_that_hangs_fails_at_its_limit() -> None:
    """Nobody waits longer, and the evidence says what was expected."""
    free = threading.Event()
    result = _blocked(lambda: gate("g", lambda: free.wait(60), timeout_s=0.01))
    free.set()

    assert result.reason == "the check gave no answer within 0.01 s"
    assert result.evidence[0].type == "time"


@pytest.mark.parametrize("answer", [None, "pass", 1, {"result": "pass"}])
def test_an_answer_that_is_none_is_a_failure(answer: Any) -> None:
    """What is neither a bool nor an outcome passes nothing."""
    assert "expected True, False or a CheckOutcome" in _blocked(lambda: gate("g", lambda: answer)).reason


def test_an_outcome_of_no_known_result_is_named() -> None:
    """A verdict that is misspelt is seen."""
    reason = _blocked(lambda: gate("g", lambda: CheckOutcome("maybe"))).reason  # type: ignore[arg-type]

    assert reason == "the check returned CheckOutcome with the result 'maybe', expected True, False or a CheckOutcome"


def test_an_outcome_with_evidence_of_another_kind_is_a_failure() -> None:
    """A check that makes such a thing up has raised, as far as the gate is concerned."""
    outcome = CheckOutcome("pass", evidence=("contract.json",))  # type: ignore[arg-type]

    assert "AttributeError" in _blocked(lambda: gate("g", lambda: outcome)).reason


@pytest.mark.parametrize("timeout_s", [30.0, None])
def test_a_check_may_be_a_coroutine_function(timeout_s: float | None) -> None:
    """Without a limit too, and where an event loop is running."""

    async def check() -> bool:
        await asyncio.sleep(0)
        return True

    async def work() -> str:
        return gate("g", check, timeout_s=timeout_s).result

    assert gate("g", check, timeout_s=timeout_s).result == "pass"
    assert asyncio.run(work()) == "pass"


def test_a_gate_in_a_thread_of_a_coroutine_is_on_its_span(recorded: Recorded) -> None:
    """`asyncio.to_thread` keeps the event loop free and the current span current."""

    async def work() -> None:
        with TraceContext("phase"):
            await asyncio.to_thread(partial(gate, "g", lambda: True))

    asyncio.run(work())

    assert len(_events(recorded)) == 2


def test_spans_of_a_check_are_below_the_current_span(recorded: Recorded) -> None:
    """A check runs in the context of its gate."""

    def check() -> bool:
        with TraceContext("look"):
            return True

    with TraceContext("phase"):
        gate("g", check)

    assert recorded.parent_of("look") == "phase"


def test_what_is_recorded_is_bounded(recorded: Recorded) -> None:
    """A check with a lot to say makes no large span, and unpaired surrogates are spelled out."""
    evidence = [Evidence(type="file", ref="r" * 5000, description="d")] * 500
    with TraceContext("phase"):
        result = gate("g", lambda: failed("\ud800" + "r" * 50_000, "n" * 50_000, evidence), blocking=False)

    assert len(result.evidence) == 50
    assert len(result.evidence[0].ref) == 500
    assert max(len(result.reason), len(result.next_action)) <= 1000
    assert result.reason.startswith("\\ud800")
    assert len(serialize_readable(recorded.span("phase")).span) < 40_000


def test_without_a_span_a_gate_blocks_all_the_same() -> None:
    """Gates work where nothing is recorded."""
    assert trace.get_current_span().is_recording() is False
    assert _blocked(lambda: gate("g", lambda: False)).phase is None


def test_what_is_raised_can_be_pickled() -> None:
    """It goes from a worker process to its parent as it is."""
    error = GateBlockedError(_blocked(lambda: gate("g", lambda: False)))

    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert (copy.result, str(copy)) == (error.result, str(error))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"gate_id": " "}, ValueError),
        ({"check": None}, TypeError),
        ({"severity": "bad"}, ValueError),
        ({"timeout_s": 0}, ValueError),
        ({"timeout_s": True}, ValueError),
        ({"timeout_s": float("nan")}, ValueError),
    ],
)
def test_a_gate_that_makes_no_sense_is_refused(arguments: dict[str, Any], error: type[Exception]) -> None:
    """Before its check is made."""
    with pytest.raises(error, match="gate"):
        gate(**{"gate_id": "g", "check": lambda: True, **arguments})


def test_results_read_back_from_the_span_are_those_that_were_given(recorded: Recorded) -> None:
    """Whoever has the span has the results."""
    with TraceContext("phase", attributes={"task.phase": "S3"}):
        given = [
            gate("a", lambda: True),
            gate("b", lambda: STALE, blocking=False, severity="warning"),
            gate("c", lambda: skipped("nothing there"), required=False),
            gate("d", lambda: STALE, phase="S4", override=Override("ada", "known")),
        ]

    assert gate_results([deserialize(serialize_readable(recorded.span("phase")))]) == given
